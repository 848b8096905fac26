#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the fields of a camera against the contract: each takes just what
# openapi.yaml says, in a new camera and in a change, and nothing else is taken.
# What is wrong with bodies as such is in api_input.t.

use strict;
use warnings;

use Camera::Test;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api(http => 'camera_api_limit 100000r/m;');

my $admin = $t->add_user;
my $json = JSON::PP->new->utf8;
my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my $contract = $t->read_file($t->root . '/openapi.yaml');
my %new = schema('CameraCreate');
my %change = schema('CameraUpdate');
my @required = qw(name company model serialNumber location place);
my $serial = 0;

###############################################################################

is_deeply([ sort keys %new ], [ sort @required, qw(externalId isActive
    isRecording allowedCidrs cutAtExpiry retentionDays retentionBytes
    recordingEncrypted tags) ],
    'fields of the contract');
is_deeply({ map { $_ => { %{ $new{$_} }, default => 0 } } keys %new },
    { map { $_ => { %{ $change{$_} }, default => 0 } } keys %change },
    'a change takes the same');

my $id = create()->{json}{id};
is($id =~ /^[0-9a-f-]{36}$/ ? 1 : 0, 1, 'what is required is enough');
my $before = get();

for my $field (sort keys %new) {
    my ($good, $bad) = cases($field, $new{$field});

    accepted($field, $_) for @$good;
    refused($field, $_) for @$bad;
}

for my $field (@required) {
    my $r = create(without => $field);
    is("$r->{status} " . told($r), "400 $field: is required", "without $field");
    refused($field, undef);
}

for my $field (qw(isActive isRecording allowedCidrs cutAtExpiry)) {
    my $r = create();
    is(encode($r->{json}{$field}), encode($new{$field}{default}),
        "$field when it is not sent");
    refused($field, undef);
}

# texts of all the world, and of those who try things

for my $text ("\x{65e5}\x{672c}\x{8a9e} \x{1f4f7}", "e\x{301}", "\x{202e}abc",
    '<img src=x onerror=alert(1)>', '"><script>alert(1)</script>',
    q{'; DELETE FROM cameras; --}, '../../etc/passwd', '{"a":1}', '\\u0041\\',
    '%00%0a', '${jndi:ldap://x}', 'NULL', 'null', '{}', " a ", "\x{200b}")
{
    my $r = put(name => $text);
    is($r->{status}, 200, 'a name: ' . $json->encode([ $text ]));
    is($r->{json}{name}, $text, 'is answered as it is');
    is(get()->{name}, $text, 'and kept so');
    is($r->{headers}{'content-type'}, 'application/json', 'as data');
}

# external ids that no path could name

for my $text ('.', '..', '0E8A3C7E-52c1-4f57-9f3d-6a1b1c2d3e4f') {
    refused(externalId => $text);
}

for my $text ('...', 'a/b', '?', '%2e', '0e8a3c7e52c14f579f3d6a1b1c2d3e4f') {
    my $r = put(externalId => $text);
    is($r->{status}, 200, "an external id: $text");
    is($t->api_get('/cameras/' . join('', map { sprintf '%%%02x', ord }
        split //, $text), token => $admin->{token})->{json}{id}, $id,
        'is its name in a path');
}

# what makes the state of a camera is nobody's to write

for my $field (qw(id tenantId role version createdAt updatedAt deletedAt
    streamStatus assignedNode rtmpUrl rtmpKey keyGeneration playEpoch))
{
    my $r = create($field => 'x');
    is("$r->{status} " . told($r), "400 $field: is not a field of this request",
        "a new camera has no $field");
    $r = put(name => 'b', $field => 'x');
    is($r->{status}, 400, "nor has a change $field");
}

isnt(get()->{name}, 'b', 'and nothing was changed');

$t->done_testing;

###############################################################################

# what openapi.yaml says of each field of an object

sub schema {
    my ($name) = @_;

    my ($text) = $contract =~ /^    \Q$name\E:\n(.*?)^    \w/ms or die $name;
    my ($properties) = $text =~ /^      properties:\n(.*)/ms or die $name;

    my %fields;

    while ($properties =~ /^        (\w+): \{(.*)\}$/mg) {
        my ($field, $rest) = ($1, $2);
        $rest = referred($1) if $rest =~ m{^\$ref: '#/components/schemas/(\w+)'};

        my %says = $rest =~ /(\w+): (\[[^]]*\]|[^,}]+)/g;
        $says{nullable} = $rest =~ /'null'/ ? 1 : 0;
        $says{type} = $1 if $rest =~ /type: \[?(\w+)/;
        $says{default} = { true => $true, false => $false }->{
            $says{default} // '' } // [];
        $fields{$field} = \%says;
    }

    return %fields;
}

# the same of what is written in lines of its own

sub referred {
    my ($name) = @_;

    my ($text) = $contract =~ /^    \Q$name\E:\n(.*?)^    \w/ms or die $name;
    return join ', ', $text =~ /^      (\w+: [^|>\n]+)$/mg;
}

# values that are taken and values that are not

sub cases {
    my ($field, $says) = @_;

    return ([ $true, $false ], [ 0, 1, 'true', '', [], {} ])
        if $says->{type} eq 'boolean';

    return ([ [], ['north'], [ map { "tag-$_" } 1 .. $says->{maxItems} ] ],
        [ [ map { "tag-$_" } 0 .. $says->{maxItems} ], 'north', {}, 1, [''], [1],
        [undef], ['two words'], ["a\tb"], [ 'x' x 51 ] ])
        if $field eq 'tags';

    return ([ [], [ '10.0.0.0/8' ], [ '192.0.2.7/32', 'fd00::/8',
        '2001:db8::1/128' ], [ map { "10.$_.0.0/16" } 1 .. $says->{maxItems} ] ],
        [ [ map { "10.$_.0.0/16" } 0 .. $says->{maxItems} ], '10.0.0.0/8', {},
        1, [ '10.0.0.1/8' ], [ '10.0.0.0/33' ], [ '10.0.0.0/08' ], [ '10.0.0' ],
        [ '::/129' ], [ 'fe80::1%eth0' ], [ '' ], [ 1 ], [ undef ],
        [ '10.0.0.0/8 ' ], [ 'x' x 44 ] ])
        if $says->{type} eq 'array';

    return ([ 0 + $says->{minimum}, 0 + $says->{maximum}, undef ],
        [ $says->{minimum} - 1, $says->{maximum} + 1, -1, 1.5, '7', '', $true,
        [], {} ])
        if $says->{type} eq 'integer';

    my $max = $says->{maxLength};
    return ([ unique('a' x $max), unique("\x{1f4f7}" x $max), '7',
        ($says->{nullable} ? undef : ()) ],
        [ '', ' ', '  ', 'a' x ($max + 1), "\x{e4}" x ($max + 1), "a\tb", "a\nb",
        "\x{7f}", "a\x{85}", 1, 1.5, $true, [], {}, [ 'a' ] ]);
}

# serial numbers and external ids come once

sub unique {
    my ($text) = @_;

    my $n = ++$serial;
    substr $text, 0, length $n, $n;
    return $text;
}

sub accepted {
    my ($field, $value) = @_;

    my $r = put($field => $value);
    is($r->{status}, 200, "$field: " . shown($value)) or diag(told($r));
    is(encode($r->{json}{$field}), encode($value), 'answered as it was sent');
    is(encode(get()->{$field}), encode($value), 'kept as it was sent');

    $value = unique($value) if $field =~ /^(?:serialNumber|externalId)$/
        && defined $value;
    $r = create($field => $value);
    is("$r->{status} " . encode($r->{json}{$field}), '201 ' . encode($value),
        'in a new camera, too') or diag(told($r));
}

sub refused {
    my ($field, $value) = @_;

    for my $r (put($field => $value), create($field => $value)) {
        is("$r->{status} " . (told($r) =~ s/:.*//sr), "400 $field",
            "$field is not " . shown($value));
    }
}

sub create {
    my (%fields) = @_;

    my $n = ++$serial;
    my $without = delete $fields{without};
    my %camera = ((map { $_ => "$_ $n" } @required), %fields);
    delete $camera{$without} if $without;

    return $t->api(POST => '/cameras', token => $admin->{token},
        json => \%camera);
}

sub put {
    return $t->api(PUT => "/cameras/$id", token => $admin->{token},
        json => { @_ });
}

sub get {
    return $t->api_get("/cameras/$id", token => $admin->{token})->{json};
}

sub told {
    my ($r) = @_;

    return join '; ', map { "$_->{field}: $_->{message}" }
        @{ $r->{json}{error}{details} // [] };
}

sub encode { JSON::PP->new->utf8->canonical->allow_nonref->encode($_[0]) }
sub shown  { substr encode($_[0]), 0, 50 }
