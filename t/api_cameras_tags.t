#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for tags of cameras: words, which a list is asked for by.

use strict;
use warnings;
use utf8;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $operator = $t->add_user(role => 'operator');
my $foreign = $t->add_user(tenant => $t->add_tenant);

my $r = add('gate', tags => [ 'north', 'Tür' ]);
my $gate = $r->{json}{id};
is_deeply($r->{json}{tags}, [ 'north', 'Tür' ], 'tags');
is_deeply(add('yard')->{json}{tags}, [], 'none');
add('roof', tags => ['north']);

is_deeply($t->api_get("/cameras/$gate", token => $operator->{token})
    ->{json}{tags}, [ 'north', 'Tür' ], 'they are there');
is_deeply(tagged('north'), [ 'gate', 'roof' ], 'asked for by one');
is_deeply(tagged('T%C3%BCr'), [ 'gate' ], 'by another one');
is_deeply(tagged('North'), [], 'as they are written');
is_deeply(tagged('nor'), [], 'and whole');

$r = change($gate, tags => ['south']);
is_deeply($r->{json}{tags}, ['south'], 'a list takes the place of the other');
is_deeply(tagged('north'), ['roof'], 'in lists, too');
is_deeply(change($gate, name => 'door')->{json}{tags}, ['south'],
    'what is not sent stays');
is_deeply(change($gate, tags => [])->{json}{tags}, [], 'and can go');

for my $bad ([''], ['two words'], [ 'x' x 51 ], [ ('x') x 21 ], [1], 'north',
    ["a\tb"])
{
    is(change($gate, tags => $bad)->{code}, 'VALIDATION_FAILED',
        'not a list of words');
}

is(change($gate, tags => [ 'ü' x 50 ])->{status}, 200, '50 characters');

# in bulk

$r = $t->api(POST => '/cameras/bulk', token => $operator->{token},
    headers => [ 'Content-Type: text/csv' ], body => <<'CSV');
name,company,model,serialNumber,location,place,tags
one,a,b,T-1,c,d,east indoor
two,a,b,T-2,c,d,
CSV
is($r->{json}{created}, 2, 'from a table');
is_deeply(tagged('indoor'), ['one'], 'separated by blanks');

# a camera in a list, found or not, is what it is alone, but for the token

change($gate, allowedCidrs => [ '192.0.2.0/24', '2001:db8::/32' ]);
my $alone = get("/cameras/$gate");
$alone->{rtmpUrl} =~ s/\?.*//;

for my $list ('/cameras', '/cameras?isActive=true') {
    my ($listed) = grep { $_->{id} eq $gate } @{ get($list) };
    is_deeply($listed, $alone, "as in $list");
}

is_deeply([ map { @$_{qw(tags allowedCidrs)} }
        grep { $_->{name} eq 'two' } @{ get('/cameras') } ],
    [ [], [] ], 'nothing is an empty list');

is_deeply($t->api_get('/cameras?tag=east', token => $foreign->{token})->{json},
    [], 'nobody else\'s');

$t->done_testing;

###############################################################################

sub add {
    my ($name, %more) = @_;

    return $t->api(POST => '/cameras', token => $operator->{token}, json => {
        name => $name, company => 'a', model => 'b', serialNumber => $name,
        location => 'c', place => 'd', %more });
}

sub get {
    my ($path) = @_;

    return $t->api_get($path, token => $operator->{token})->{json};
}

sub change {
    my ($id, %json) = @_;

    return $t->api(PUT => "/cameras/$id", token => $operator->{token},
        json => \%json);
}

sub tagged {
    my ($tag) = @_;

    return [ map { $_->{name} } @{ get("/cameras?tag=$tag") } ];
}
