#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for bookmarks at the API: made, changed, removed and listed, once for a
# request that is sent twice, each tenant's own.

use strict;
use warnings;

use Camera::Test;
use Camera::Token qw(random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $operator = $t->add_user(role => 'operator', username => 'olga');
my $foreign = $t->add_user(tenant => $t->add_tenant);
my ($gate, $yard) = map { $t->sql("INSERT INTO cameras (name) VALUES ('$_')
    RETURNING id") } qw(gate yard);
my %mark = (cameraId => $gate, at => '2026-01-01T12:00:00Z', label => 'theft');

###############################################################################

my $r = create(\%mark);
my $id = $r->{json}{id};

is($r->{status}, 201, 'marked');
is($r->{headers}{location}, "/api/v1/bookmarks/$id", 'and where');
is_deeply({ %{ $r->{json} }, createdAt => 'then' }, { id => $id,
    cameraId => $gate, at => '2026-01-01T12:00:00.000Z', until => undef,
    label => 'theft', note => '', createdBy => 'olga', createdAt => 'then' },
    'a moment');
is_deeply(get($id)->{json}, $r->{json}, 'it is there');

my $time = create({ %mark, until => '2026-01-01T12:05:00+00:00',
    note => 'two men' })->{json};
is_deeply([ @$time{qw(until note)} ], [ '2026-01-01T12:05:00.000Z',
    'two men' ], 'a time, with a note');

for my $bad ({}, { %mark, cameraId => 'gate' }, { %mark, label => '' },
    { %mark, label => 'x' x 201 }, { %mark, note => 'x' x 2001 },
    { %mark, at => '12:00' }, { %mark, until => '2026-01-01T12:00:00Z' },
    { %mark, createdBy => 'x' })
{
    $r = create($bad);
    is($r->{code}, 'VALIDATION_FAILED', 'refused: '
        . join ' ', map { $_->{field} } @{ $r->{json}{error}{details} // [] });
}

# twice

my @key = (headers => [ 'Idempotency-Key: one' ]);
my $first = create({ %mark, label => 'once' }, @key);
is(create({ %mark, label => 'once' }, @key)->{body}, $first->{body},
    'a request that is sent twice');
is(create({ %mark, label => 'other' }, @key)->{code},
    'IDEMPOTENCY_KEY_REUSED', 'a key of another request');
is($t->sql("SELECT count(*) FROM bookmarks WHERE label LIKE 'o%'"), 1, 'is one');

is(create({ %mark, cameraId => random_uuid() },
    headers => [ 'Idempotency-Key: two' ])->{code}, 'CAMERA_NOT_FOUND',
    'of no camera');
is(create(\%mark, headers => [ 'Idempotency-Key: two' ])->{status}, 201,
    'what failed takes no key');

# changing

$r = change($id, { label => 'robbery', until => '2026-01-01T13:00:00Z' });
is_deeply([ $r->{status}, @{ $r->{json} }{qw(at until label note)} ],
    [ 200, '2026-01-01T12:00:00.000Z', '2026-01-01T13:00:00.000Z', 'robbery',
      '' ], 'changed');
is(change($id, { until => undef })->{json}{until}, undef, 'no end any more');
is(change($time->{id}, { note => undef })->{json}{note}, '', 'nor a note');
is_deeply(change($id, {})->{json}, get($id)->{json}, 'nothing to change');
is(change($id, { $_->[0] => $_->[1] })->{code}, 'VALIDATION_FAILED', $_->[0])
    for [ label => undef ], [ at => undef ], [ cameraId => $yard ],
    [ until => '2026-01-01T11:00:00Z' ];

# lists

my $other = create({ %mark, cameraId => $yard, at => '2026-01-02T00:00:00Z' })
    ->{json}{id};
is(list('')->[0], $other, 'the last made first');
is_deeply(list("?cameraId=$yard"), [ $other ], 'of one camera');
is(scalar @{ list("?from=2026-01-01T11:00:00Z&to=2026-01-01T12:00:01Z") }, 4,
    'of a range');
is_deeply([ map { @{ list("?limit=2$_") } } '' ],
    [ @{ list('') }[0, 1] ], 'a page');

# removing, and others

my $foreign_get = bytes(GET => $id);
like($foreign_get, qr/"NOT_FOUND"/, 'another tenant\'s');
is($foreign_get, bytes(GET => random_uuid()), 'is unknown');
is(bytes(DELETE => $id), bytes(DELETE => random_uuid()), 'not removed');
is(bytes(PATCH => $id, { label => 'x' }),
    bytes(PATCH => random_uuid(), { label => 'x' }), 'nor changed');
is($t->api(POST => '/bookmarks', token => $foreign->{token}, json => \%mark)
    ->{code}, 'CAMERA_NOT_FOUND', 'nor made with this camera');
is(get($id)->{json}{label}, 'robbery', 'nothing was done');

is(delete_mark($id)->{status}, 204, 'removed');
is(delete_mark($id)->{code}, 'NOT_FOUND', 'once');
is(get($id)->{code}, 'NOT_FOUND', 'it is gone');

$t->done_testing;

###############################################################################

sub create {
    my ($json, %opt) = @_;

    return $t->api(POST => '/bookmarks', token => $operator->{token},
        json => $json, %opt);
}

sub get {
    my ($id) = @_;

    return $t->api_get("/bookmarks/$id", token => $operator->{token});
}

sub change {
    my ($id, $json) = @_;

    return $t->api(PATCH => "/bookmarks/$id", token => $operator->{token},
        json => $json);
}

sub delete_mark {
    my ($id) = @_;

    return $t->api(DELETE => "/bookmarks/$id", token => $operator->{token});
}

sub list {
    my ($query) = @_;

    return [ map { $_->{id} } @{ $t->api_get("/bookmarks$query",
        token => $operator->{token})->{json} } ];
}

# an answer to the other tenant with what differs for a good reason taken out

sub bytes {
    my ($method, $id, $json) = @_;

    my $r = $t->api($method, "/bookmarks/$id", token => $foreign->{token},
        $json ? (json => $json) : ());
    my $text = "$r->{header}\n$r->{body}";

    $text =~ s/^(?:Date|RateLimit|X-Request-Id): .*\n//mg;
    $text =~ s/"(?:timestamp|requestId)":"[^"]*"//g;

    return $text;
}
