#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for exports at the API: asked for, once for a request that is sent twice,
# followed, and downloaded when they are done; refusals; who may remove whose.
# What makes the files is looked at elsewhere.

use strict;
use warnings;

use Camera::Test;
use Camera::Token qw(random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $admin = $t->add_user;
my $operator = $t->add_user(role => 'operator');
my $viewer = $t->add_user(role => 'viewer', username => 'vera');
my $foreign = $t->add_user(tenant => $t->add_tenant);
my ($gate, $yard) = map { $t->sql("INSERT INTO cameras (name) VALUES ('$_')
    RETURNING id") } qw(gate yard);
$t->add_recording_row($gate);
my %hour = (cameraId => $gate, from => '2026-01-01T00:00:00Z',
    to => '2026-01-01T01:00:00Z');

###############################################################################

my $r = create($viewer, \%hour);
my $export = $r->{json};

is($r->{status}, 201, 'asked for');
is($r->{headers}{location}, "/api/v1/exports/$export->{id}", 'and where it is');
is_deeply([ sort keys %$export ], [ sort qw(id cameraId from to state progress
    startTime endTime gaps bytes sha256 error createdBy createdAt startedAt
    finishedAt expiresAt) ], 'its fields');
is_deeply([ @$export{qw(cameraId from to state progress bytes createdBy)} ],
    [ $gate, '2026-01-01T00:00:00.000Z', '2026-01-01T01:00:00.000Z', 'queued',
      0, undef, 'vera' ], 'what was asked for');
is_deeply(get($export->{id})->{json}, $export, 'it is there');
is($t->sql("SELECT string_agg(concat_ws(' ', action, user_id, camera_id,
    from_time), ',') FROM api_recording_audit WHERE action = 'export'"),
    "export $viewer->{id} $gate " . $t->sql("SELECT '$hour{from}'::timestamptz"),
    'and in the audit');

# twice

my @key = (headers => [ 'Idempotency-Key: one' ]);
my $id = create($viewer, \%hour, @key)->{json}{id};
isnt($id, $export->{id}, 'another one');
is(create($viewer, \%hour, @key)->{json}{id}, $id,
    'a request that is sent twice');
is(create($viewer, { %hour, to => '2026-01-01T00:30:00Z' }, @key)->{code},
    'IDEMPOTENCY_KEY_REUSED', 'a key of another request');

# what is none

for my $bad ({}, { %hour, to => $hour{from} }, { %hour, from => $hour{to},
    to => $hour{from} }, { %hour, to => '2026-01-02T00:00:00.001Z' },
    { %hour, cameraId => 'gate' }, { %hour, format => 'mkv' })
{
    $r = create($viewer, $bad);
    is($r->{code}, 'VALIDATION_FAILED', 'refused: '
        . join ' ', map { $_->{field} } @{ $r->{json}{error}{details} // [] });
}

$r = create($viewer, { %hour, cameraId => $yard });
is_deeply([ $r->{status}, $r->{code} ], [ 409, 'EXPORT_EMPTY' ],
    'nothing was recorded');
is(create($viewer, { %hour, cameraId => random_uuid() })->{code},
    'CAMERA_NOT_FOUND', 'by no camera');

create($viewer, \%hour) for 3 .. 20;
$r = create($viewer, \%hour);
is_deeply([ $r->{status}, $r->{code}, $r->{headers}{'retry-after'} ],
    [ 429, 'EXPORT_LIMIT_EXCEEDED', 1 ], 'one too many that wait');

# how far it is

set($id, "state = 'running', progress = 0.25");
is_deeply([ @{ get($id)->{json} }{qw(state progress)} ], [ 'running', 0.25 ],
    'a quarter');
$r = url($id);
is_deeply([ $r->{status}, $r->{code} ], [ 409, 'EXPORT_NOT_READY' ],
    'nothing to download');

my $volume = $t->sql("INSERT INTO volumes (id) VALUES (gen_random_uuid())
    RETURNING id");
set($id, "state = 'done', progress = 1, bytes = 4711, volume_id = '$volume',
    sha256 = repeat('0', 64), path = 'exports/$id.mp4', gaps = 2,
    finished_at = now()");
is_deeply([ @{ get($id)->{json} }{qw(state bytes gaps)} ], [ 'done', 4711, 2 ],
    'done');

$r = url($id);
is_deeply([ sort keys %{ $r->{json} } ], [ sort qw(url expiresAt filename
    fileSize manifestUrl) ], 'addresses');
is_deeply([ @{ $r->{json} }{qw(filename fileSize)} ],
    [ 'gate 20260101T000000Z.mp4', 4711 ], 'a file with a name');
like($r->{json}{url}, qr{^http://localhost/exports/$gate/$id\.mp4\?e=\d+
    &m=[\w-]+&d=gate%2020260101T000000Z\.mp4$}x, 'the file');
like($r->{json}{manifestUrl}, qr{^http://localhost/exports/$gate/$id\.json\?
    e=\d+&m=[\w-]+&d=gate%2020260101T000000Z\.json$}x, 'and its manifest');
is($t->sql("SELECT count(*) FROM api_recording_audit WHERE action = 'download'"),
    1, 'one entry in the audit');

set($id, "state = 'expired', path = NULL");
$r = url($id);
is_deeply([ $r->{status}, $r->{code} ], [ 410, 'EXPORT_EXPIRED' ],
    'after its time');
set($export->{id}, "state = 'failed', error = 'no_space'");
is(get($export->{id})->{json}{error}, 'no_space', 'one that failed');
is(url($export->{id})->{code}, 'EXPORT_NOT_READY', 'has no file');
is($t->sql("SELECT count(*) FROM api_recording_audit WHERE action = 'download'"),
    1, 'refusals are no downloads');

# lists

is_deeply([ map { $_->{id} } @{ list('?state=failed')->{json} } ],
    [ $export->{id} ], 'by state');
is(scalar @{ list("?cameraId=$gate")->{json} }, 20, 'by camera');
is(scalar @{ list("?cameraId=$yard")->{json} }, 0, 'by another one');
is(list('?state=ready')->{code}, 'VALIDATION_FAILED', 'by no state');
$r = list('?limit=3');
is(scalar @{ $r->{json} }, 3, 'a page');
like($r->{headers}{link}, qr{^</api/v1/exports\?limit=3&cursor=\S+>; rel="next"$},
    'and the next one');

# removing

my $theirs = create($operator, \%hour)->{json}{id};
$r = remove($viewer, $theirs);
is_deeply([ $r->{status}, $r->{code} ], [ 403,
    'AUTH_INSUFFICIENT_PERMISSIONS' ], 'not somebody else\'s');
is(remove($viewer, $id)->{status}, 204, 'one\'s own');
is(remove($viewer, $id)->{code}, 'NOT_FOUND', 'once');
is(create($viewer, \%hour, @key)->{code}, 'NOT_FOUND',
    'who asked for it twice, is not given another one');
is(remove($operator, $export->{id})->{status}, 204,
    'anybody\'s, by who may delete recordings');

# tenants

for my $request ([ GET => '' ], [ DELETE => '' ], [ GET => '/signed-url' ]) {
    my ($method, $path) = @$request;
    my @answers = map { bytes($method, "/exports/$_$path") }
        $theirs, random_uuid(), 'x';
    like($answers[0], qr/"NOT_FOUND"/, "$method $path of another tenant");
    is($_, $answers[0], 'is unknown') for @answers[1, 2];
}

is(create($foreign, \%hour)->{code}, 'CAMERA_NOT_FOUND', 'nor their camera');
is_deeply($t->api_get('/exports', token => $foreign->{token})->{json}, [],
    'nor in a list');
is(get($theirs)->{status}, 200, 'nothing was done');

$t->done_testing;

###############################################################################

sub create {
    my ($user, $json, %opt) = @_;

    return $t->api(POST => '/exports', token => $user->{token}, json => $json,
        %opt);
}

sub get {
    my ($id) = @_;

    return $t->api_get("/exports/$id", token => $viewer->{token});
}

sub url {
    my ($id) = @_;

    return $t->api_get("/exports/$id/signed-url", token => $viewer->{token});
}

sub list {
    my ($query) = @_;

    return $t->api_get("/exports$query", token => $viewer->{token});
}

sub remove {
    my ($user, $id) = @_;

    return $t->api(DELETE => "/exports/$id", token => $user->{token});
}

sub set {
    my ($id, $columns) = @_;

    $t->sql("UPDATE exports SET $columns WHERE id = '$id'");
}

# an answer to the other tenant with what differs for a good reason taken out

sub bytes {
    my ($method, $path) = @_;

    my $r = $t->api($method, $path, token => $foreign->{token});
    my $text = "$r->{header}\n$r->{body}";

    $text =~ s/^(?:Date|RateLimit|X-Request-Id): .*\n//mg;
    $text =~ s/"(?:timestamp|requestId)":"[^"]*"//g;

    return $text;
}
