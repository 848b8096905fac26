#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for adding, changing and removing cameras by the API: what is answered,
# names that are taken, versions that are out of date, and requests that are
# sent twice.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Test;
use Camera::Token;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $admin = $t->add_user;
my $operator = $t->add_user(role => 'operator');
my $foreign = $t->add_user(tenant => $t->add_tenant);
my %front = (name => 'Front door', company => 'Axis', model => 'P3265-LV',
    serialNumber => 'ACCC8EF00001', location => 'Main', place => 'Entrance');

###############################################################################

# adding

my $r = create({ %front });
my $camera = $r->{json};
my $id = $camera->{id};

is($r->{status}, 201, 'added');
is($r->{headers}{location}, "/api/v1/cameras/$id", 'and where it is');
is($r->{headers}{etag}, '"1"', 'its version');
is_deeply([ sort keys %$camera ], [ sort qw(id externalId name company
    model serialNumber location place rtmpUrl isActive isRecording streamStatus
    assignedNode allowedCidrs cutAtExpiry retentionDays retentionBytes
    recordingEncrypted tags createdAt updatedAt) ], 'its fields');
is_deeply({ map { $_ => $camera->{$_} } keys %front }, \%front, 'what was sent');
is_deeply([ @$camera{qw(externalId isActive isRecording streamStatus
    assignedNode allowedCidrs cutAtExpiry)} ], [ undef, JSON::PP::true,
    JSON::PP::false, 'offline', undef, [], JSON::PP::false ], 'and what was not');
is_deeply(get("/cameras/$id")->{json}{updatedAt}, $camera->{updatedAt},
    'it is there');

my ($key, $token) = $camera->{rtmpUrl}
    =~ m{^rtmps://localhost:\d+/live/([\w-]+)\?token=([\w.-]+)$};
my $claims = Camera::Token::claims($token);
is($key, $t->sql("SELECT rtmp_key FROM cameras WHERE id = '$id'"),
    'its address has its key');
is("$claims->{typ} $claims->{sub} $claims->{gen}", "sk+jwt $id 1",
    'and a token');
cmp_ok(abs($claims->{exp} - time - 30 * 86400), '<', 10, 'for 30 days');

my $all = { %front, name => 'All', serialNumber => 'S2', externalId => 'CAM001',
    isActive => JSON::PP::false, isRecording => JSON::PP::true,
    cutAtExpiry => JSON::PP::true,
    allowedCidrs => [ '10.0.0.0/8', '192.0.2.7', '2001:db8::/32' ] };
$r = create($all, token => $operator);
is($r->{status}, 201, 'with every field, by an operator');
is_deeply({ map { $_ => $r->{json}{$_} } keys %$all }, { %$all, allowedCidrs =>
    [ '10.0.0.0/8', '192.0.2.7/32', '2001:db8::/32' ] }, 'as it was sent');
my $second = $r->{json}{id};

$t->sql("UPDATE cameras SET rtmp_url = 'rtmps://edge.example:1936/in/'
    WHERE id = '$second'");
like(get('/cameras/CAM001')->{json}{rtmpUrl},
    qr{^rtmps://edge\.example:1936/in/[\w-]+\?token=eyJ}, 'an address of its own');
my ($listed) = grep { $_->{id} eq $second } @{ get('/cameras')->{json} };
like($listed->{rtmpUrl}, qr{^rtmps://edge\.example:1936/in/[\w-]+$},
    'no token in lists');
$t->sql("SELECT rotate_stream_key('$id', 60)");
($token) = get("/cameras/$id")->{json}{rtmpUrl} =~ /token=(.*)/;
is(Camera::Token::claims($token)->{gen}, 2, 'by its current key');

# names that are taken

$r = create({ %front });
is("$r->{status} $r->{code}", '409 CAMERA_SERIAL_DUPLICATE', 'serial number');
$r = create({ %front, serialNumber => 'S3', externalId => 'CAM001' });
is("$r->{status} $r->{code}", '409 CAMERA_EXTERNAL_ID_DUPLICATE', 'external id');
$r = put($second, { serialNumber => 'ACCC8EF00001' });
is("$r->{status} $r->{code}", '409 CAMERA_SERIAL_DUPLICATE', 'of a change');
$r = put($id, { externalId => 'CAM001' });
is("$r->{status} $r->{code}", '409 CAMERA_EXTERNAL_ID_DUPLICATE', 'likewise');
is(create({ %front }, token => $foreign)->{status}, 201,
    'another tenant has names of its own');

# changing

$r = put($id, { name => 'Back door' });
is("$r->{status} $r->{headers}{etag}", '200 "3"', 'a change is a new version');
is_deeply({ %{ $r->{json} }, updatedAt => 0, rtmpUrl => 0 },
    { %$camera, name => 'Back door', updatedAt => 0, rtmpUrl => 0 },
    'which changes what was sent');
isnt($r->{json}{updatedAt}, $camera->{updatedAt}, 'and its time');
is($r->{headers}{etag}, get("/cameras/$id")->{headers}{etag}, 'the same ETag');

my %change = map { $_ => $all->{$_} } grep { $_ ne 'externalId' } keys %$all;
$r = put($id, { %change, serialNumber => 'S9', externalId => "door 1/\x{fc}" });
is($r->{status}, 200, 'every field');
is($r->{json}{serialNumber}, 'S9', 'is changed');
is(get('/cameras/door%201%2F%C3%BC')->{json}{id}, $id, 'a new external id');
$r = put('door%201%2F%C3%BC', { allowedCidrs => [], externalId => undef,
    isActive => JSON::PP::true });
is($r->{status}, 200, 'by its external id');
is_deeply([ @{ $r->{json} }{qw(externalId allowedCidrs isActive)} ],
    [ undef, [], JSON::PP::true ], 'null takes it away, [] all networks');
is(put('door%201%2F%C3%BC', { name => 'x' })->{code}, 'CAMERA_NOT_FOUND',
    'the name is gone');
my $etag = $r->{headers}{etag};
is(put($id, { isActive => JSON::PP::true })->{headers}{etag}, $etag,
    'what is no change is no version');

$r = put($id, {});
is("$r->{status} $r->{json}{error}{details}[0]{field}", '400 body',
    'no field at all');

# conditions

is(put($id, { name => 'stale' }, match => '"1"')->{status}, 412, 'stale');
is(get("/cameras/$id")->{json}{name}, 'All', 'changes nothing');
$r = put($id, { name => 'fresh' }, match => $etag);
is("$r->{status} $r->{json}{name}", '200 fresh', 'the version that was read');
is(put($id, { name => 'late' }, match => $etag)->{code}, 'PRECONDITION_FAILED',
    'which is no longer it');
$etag = $r->{headers}{etag};
is(put($id, { place => 'a' }, match => '*')->{status}, 200, 'any');
$etag = get("/cameras/$id")->{headers}{etag};
is(put($id, { place => 'a' }, match => "W/$etag")->{status}, 412,
    'a weak one is none');
is(put($id, { place => 'a' }, match => "\"x\",\t$etag , W/\"1\"")->{status}, 200,
    'one of several');
is(put($id, { place => 'a' }, match => '"x", "0' . substr($etag, 1))->{status},
    412, 'none of several');
is(put($id, { place => 'a' }, match => '"99999999999999999999"')->{status}, 412,
    'no number of ours');

for my $bad ('1', '""x', '"1', '"1" "2"', '"1",', ',', '*, "1"', 'w/"1"',
    '"a b"', "'1'")
{
    $r = put($id, { place => 'b' }, match => $bad);
    is("$r->{status} " . ($r->{json}{error}{details}[0]{field} // ''),
        '400 If-Match', "malformed: $bad");
}

is(put('00000000-0000-4000-8000-000000000000', { name => 'x' },
    match => '"1"')->{code}, 'CAMERA_NOT_FOUND', 'of no camera');
is(put($id, { name => 'x' }, token => $foreign)->{code}, 'CAMERA_NOT_FOUND',
    'of another tenant');

# twice

my @idempotent = (headers => [ 'Idempotency-Key: ' . 'k' x 255 ]);
my $new = { %front, name => 'once', serialNumber => 'once' };
my $first = create($new, @idempotent);
is($first->{status}, 201, 'with a key');
$r = create($new, @idempotent);
is("$r->{status} $r->{headers}{location} $r->{headers}{etag}",
    "201 $first->{headers}{location} \"1\"", 'sent again it answers the same');
is_deeply({ %{ $r->{json} }, rtmpUrl => 0 },
    { %{ $first->{json} }, rtmpUrl => 0 }, 'the same camera');
put($first->{json}{id}, { name => 'other' });
is(create($new, @idempotent)->{json}{name}, 'once', 'as it was then');

$r = $t->api(POST => '/cameras', token => $admin->{token}, body =>
    '{ "serialNumber":"once",  "name":"\u006fnce", "company":"Axis",
    "place":"Entrance","model":"P3265-LV","location":"Main","externalId":null}',
    headers => [ 'Content-Type: application/json', @{ $idempotent[1] } ]);
is($r->{status}, 201, 'written in another way it is the same');

for my $other ({ %$new, name => 'twice' }, { %$new, isRecording => \1 },
    { %$new, place => 'Entrance5', location => 'Main' })
{
    $r = create($other, @idempotent);
    is("$r->{status} $r->{code}", '409 IDEMPOTENCY_KEY_REUSED', 'another body');
}

is(create({ %$new, serialNumber => 'o' }, @idempotent, token => $operator)
    ->{status}, 201, 'keys are each user\'s own');
$r = create({ %front, serialNumber => 'once' }, headers =>
    [ 'Idempotency-Key: fails' ]);
is($r->{code}, 'CAMERA_SERIAL_DUPLICATE', 'what failed');
is(create({ %front, serialNumber => 'new' }, headers =>
    [ 'Idempotency-Key: fails' ])->{status}, 201, 'leaves no key');

for my $bad ('', 'k' x 256, "a\tb", "\xff") {
    $r = create({ %front, serialNumber => 'bad' },
        headers => [ "Idempotency-Key: $bad" ]);
    is("$r->{status} $r->{json}{error}{details}[0]{field}",
        '400 Idempotency-Key', 'no key: ' . length $bad);
}

# at the same time

my $before = $t->sql('SELECT count(*) FROM cameras');
my @answers = together(10, 'at once', { %front, serialNumber => 'at once' });
is(join(' ', map { $_->{status} } @answers), join(' ', (201) x 10),
    'ten at once');
is(keys %{{ map { $_->{headers}{location} => 1 } @answers }}, 1, 'one camera');
is($t->sql('SELECT count(*) FROM cameras'), $before + 1, 'no other was added');

@answers = together(6, undef, { %front, serialNumber => 'race' });
is(join(' ', sort map { $_->{status} } @answers), '201 409 409 409 409 409',
    'without a key one of them is first');

# removing

is(remove($id, match => '"1"')->{status}, 412, 'a stale version');
is(remove($id, match => '1')->{status}, 400, 'a malformed one');
is(remove($id, token => $foreign)->{code}, 'CAMERA_NOT_FOUND',
    'another tenant removes nothing');
is(get("/cameras/$id")->{status}, 200, 'it is still there');
$r = remove($id, match => get("/cameras/$id")->{headers}{etag});
is($r->{status}, 200, 'removed');
is_deeply($r->{json}, { id => $id, liveStream => 'none', liveFiles => 'removed',
    recordings => 'kept', deletedAt => $t->sql("SELECT to_char(deleted_at
    AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') FROM cameras
    WHERE id = '$id'") }, 'and what became of what it had');
is(get("/cameras/$id")->{code}, 'CAMERA_NOT_FOUND', 'it is gone');
is(remove($id)->{code}, 'CAMERA_NOT_FOUND', 'twice');
is(put($id, { name => 'x' })->{code}, 'CAMERA_NOT_FOUND', 'for good');
is(create({ %front, serialNumber => 'S9' })->{status}, 201,
    'its serial number is free');
is(create($new, @idempotent)->{json}{id}, $first->{json}{id},
    'a key outlives the camera');

unlike($t->error_log, qr/eyJ|token=/, 'no token in the log');

$t->done_testing;

###############################################################################

sub get {
    my ($path) = @_;

    return $t->api_get($path, token => $admin->{token});
}

sub create {
    my ($json, %opt) = @_;

    return $t->api(POST => '/cameras', json => $json, %opt,
        token => ($opt{token} // $admin)->{token});
}

sub put    { change(PUT => shift, json => shift, @_) }
sub remove { change(DELETE => @_) }

sub change {
    my ($method, $id, %opt) = @_;

    my $match = delete $opt{match};

    return $t->api($method => "/cameras/$id", %opt,
        token => ($opt{token} // $admin)->{token},
        $match ? (headers => [ "If-Match: $match" ]) : ());
}

# all of them are sent before the first answer is read

sub together {
    my ($n, $key, $data) = @_;

    my $body = JSON::PP->new->encode($data);
    my @lines = ('POST /api/v1/cameras HTTP/1.1', 'Host: localhost',
        "Authorization: Bearer $admin->{token}", 'Connection: close',
        'Content-Type: application/json', 'Content-Length: ' . length $body,
        $key ? "Idempotency-Key: $key" : ());

    my @sockets = map { Camera::HTTP::connect_to($t->port('http')) } 1 .. $n;
    print $_ join("\r\n", @lines, '', $body) for @sockets;

    return map { Camera::HTTP::read_response($_, time + 10) } @sockets;
}
