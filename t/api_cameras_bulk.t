#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for adding many cameras at once: each by itself, as JSON and as a table,
# and none by a dry run.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $operator = $t->add_user(role => 'operator');
my $foreign = $t->add_user(tenant => $t->add_tenant);

###############################################################################

# JSON

my $r = bulk([ camera(1), camera(2, isRecording => \1, retentionDays => 7,
    allowedCidrs => [ '10.0.0.0/8', '::1' ], externalId => 'two') ],
    query => '?dryRun=true');
is($r->{status}, 200, 'a dry run');
is_deeply($r->{json}, { dryRun => JSON::PP::true, created => 0, failed => 0,
    results => [ map { { row => $_, status => 'valid', id => undef } } 1, 2 ] },
    'says what would happen');
is(cameras(), 0, 'and does nothing');

$r = bulk([ camera(1), camera(2, isRecording => \1, retentionDays => 7,
    allowedCidrs => [ '10.0.0.0/8', '::1' ], externalId => 'two',
    recordingEncrypted => \1) ]);
is_deeply([ @{ $r->{json} }{qw(dryRun created failed)} ],
    [ JSON::PP::false, 2, 0 ], 'two cameras');

my $two = $t->api_get("/cameras/$r->{json}{results}[1]{id}",
    token => $operator->{token})->{json};
is_deeply([ @$two{qw(name serialNumber externalId isActive isRecording
    retentionDays retentionBytes recordingEncrypted allowedCidrs)} ],
    [ 'camera 2', 'SN-2', 'two', JSON::PP::true, JSON::PP::true, 7, undef,
    JSON::PP::true, [ '10.0.0.0/8', '::1/128' ] ],
    'as they were sent');
is($t->sql("SELECT count(*) FROM stream_keys"), 2, 'each with a key');

$r = bulk([ camera(1), camera(2) ]);
is_deeply([ map { $_->{error}{code} } @{ $r->{json}{results} } ],
    [ ('CAMERA_SERIAL_DUPLICATE') x 2 ], 'sent again, none is added');

# each by itself

$r = bulk([ camera(3), {}, camera(4), camera(3), camera(5, externalId => 'two'),
    camera(6, isActive => 'yes', colour => 'red'), camera(7) ]);
is_deeply([ map { $_->{error}{code} // $_->{status} } @{ $r->{json}{results} } ],
    [ qw(created VALIDATION_FAILED created CAMERA_SERIAL_DUPLICATE
        CAMERA_EXTERNAL_ID_DUPLICATE VALIDATION_FAILED created) ],
    'what is wrong with one keeps no other from being added');
is_deeply([ map { $_->{row} } @{ $r->{json}{results} } ], [ 1 .. 7 ],
    'results in the order of what was sent');
is_deeply([ sort map { "$_->{field} $_->{message}" }
    @{ $r->{json}{results}[5]{error}{details} } ],
    [ 'colour is not a field of this request',
      'isActive must be true or false' ], 'with what is wrong');
is_deeply([ @{ $r->{json} }{qw(created failed)} ], [ 3, 4 ], 'and how many');

$r = bulk([ camera(8), camera(8) ], query => '?dryRun=true');
is_deeply([ map { $_->{status} } @{ $r->{json}{results} } ],
    [ 'valid', 'failed' ], 'a dry run sees what is there twice');

is(bulk([ {} ])->{json}{failed}, 1, 'nothing that could be added');
is(bulk([ camera(1) ], token => $foreign->{token})->{json}{created}, 1,
    'a serial number is free in another tenant');

# tables

my $before = cameras();
$r = table(<<'CSV');
name,company,model,serialNumber,location,place,isActive,allowedCidrs,retentionDays
"Gate, north",Acme,X1,T-1,Berlin,Gate,true,10.0.0.0/8 ::1,14
Yard,Acme,X1,T-2,Berlin,Yard,false,,
Roof,Acme,X1,T-3,Berlin,Roof,perhaps,,
CSV
is_deeply([ map { $_->{status} } @{ $r->{json}{results} } ],
    [ qw(created created failed) ], 'a table');
is(cameras() - $before, 2, 'its good rows are cameras');
is($t->sql("SELECT name, is_active, retention_days, allowed_cidrs FROM cameras
    WHERE serial_number LIKE 'T-%' ORDER BY serial_number LIMIT 1"),
    "Gate, north\tt\t14\t{10.0.0.0/8,::1/128}", 'with its cells');
is($r->{json}{results}[2]{error}{details}[0]{field}, 'isActive',
    'a cell of another type');

for my $bad ([ "name,colour\nx,red\n", 'names a column that is no field in row 1' ],
    [ "name\nx,y\n", 'has another number of cells than the first one in row 2' ],
    [ "name\n\"x\n", 'has a quote without an end in row 2' ])
{
    $r = table($bad->[0]);
    is($r->{code}, 'VALIDATION_FAILED', 'no table');
    is_deeply($r->{json}{error}{details}, [ { field => 'body',
        message => $bad->[1] } ], $bad->[1]);
}

is(table("name\n")->{code}, 'VALIDATION_FAILED', 'a table without rows');

# bounds

$r = bulk([ map { camera("many-$_") } 1 .. 500 ]);
is($r->{json}{created}, 500, '500 at once');
is(bulk([ map { camera("more-$_") } 1 .. 501 ])->{code}, 'VALIDATION_FAILED',
    'one more');
is(table("name\n" . "x\n" x 501)->{code}, 'VALIDATION_FAILED',
    'nor in a table');
is(table("name\n" . 'x' x 262144)->{code}, 'PAYLOAD_TOO_LARGE', '256 kB');
is($t->api(POST => '/cameras/bulk', token => $operator->{token},
    headers => [ 'Content-Type: text/plain' ], body => 'x')->{code},
    'UNSUPPORTED_MEDIA_TYPE', 'neither JSON nor a table');
is($t->api(POST => '/cameras', token => $operator->{token},
    headers => [ 'Content-Type: text/csv' ], body => "name\nx\n")->{code},
    'UNSUPPORTED_MEDIA_TYPE', 'a table where one camera is wanted');
is(bulk([ camera(9) ], token => $t->add_user(role => 'viewer')->{token})
    ->{code}, 'AUTH_INSUFFICIENT_PERMISSIONS', 'not by who may only look');

$t->done_testing;

###############################################################################

sub camera {
    my ($n, %more) = @_;

    return { name => "camera $n", company => 'Acme', model => 'X1',
        serialNumber => "SN-$n", location => 'Berlin', place => 'Gate', %more };
}

sub bulk {
    my ($cameras, %opt) = @_;

    my $query = delete $opt{query} // '';

    return $t->api(POST => "/cameras/bulk$query", token => $operator->{token},
        json => { cameras => $cameras }, %opt);
}

sub table {
    my ($text) = @_;

    return $t->api(POST => '/cameras/bulk', token => $operator->{token},
        headers => [ 'Content-Type: text/csv; charset=utf-8' ], body => $text);
}

sub cameras {
    return $t->sql("SELECT count(*) FROM cameras
        WHERE tenant_id = '$operator->{tenant}'");
}
