#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for new keys of a camera: what is shown publishes, the key before goes
# on for its overlap, a revoked one is cut while it is live, and an opaque key
# is shown once.

use strict;
use warnings;

use Camera::RTMP;
use Camera::Registry qw(registry);
use Camera::Stopwatch;
use Camera::Test;
use Camera::Token;
use Digest::SHA qw(sha256_hex);
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations tls camera_api_database));
$t->start_api;

my $admin = $t->add_user;
my $foreign = $t->add_user(tenant => $t->add_tenant);
my $start = 'NetStream.Publish.Start';

###############################################################################

my $camera = $t->add_camera(key => 'gate');
my $id = $camera->{id};
my $first = publisher($t->api_get("/cameras/$id", token => $admin->{token})
    ->{json}{rtmpUrl}, 'the address of the camera');

# a new key, a day of overlap

my $r = key('POST');
is($r->{status}, 201, 'a new key, without a body');
is($r->{headers}{'cache-control'}, 'no-store', 'kept by nobody');
is_deeply([ sort keys %{ $r->{json} } ], [ qw(cameraId expiresAt generation
    previousValidUntil rtmpUrl) ], 'its fields');
is("$r->{json}{cameraId} $r->{json}{generation}", "$id 2", 'the second one');
is($r->{json}{previousValidUntil}, valid_until(1), 'the one before goes on');
cmp_ok(abs($t->sql("SELECT extract(epoch FROM valid_until - now())
    FROM stream_keys WHERE camera_id = '$id' AND generation = 1") - 86400), '<',
    10, 'for a day');

my $claims = Camera::Token::claims($r->{json}{rtmpUrl} =~ s/.*token=//r);
is("$claims->{typ} $claims->{sub} $claims->{gen}", "sk+jwt $id 2", 'its token');
is($r->{json}{expiresAt}, expiry($claims->{exp}), 'and when that expires');

ok($t->wait_for(sub { registry($t)->{cameras}{$id}{key_generation} == 2 }, 2),
    'nginx knows');
ok(!$first->closed(0.3), 'who publishes goes on');
leave($first);
my $second = publisher($r->{json}{rtmpUrl}, 'the new key');

# an opaque one, an overlap of seconds

$r = key('POST', json => { opaque => \1, overlapSeconds => 2 });
my $rotated = time;
is($r->{status}, 201, 'an opaque one');
like($r->{json}{rtmpUrl}, qr{^rtmps://localhost:\d+/live/[\w-]{22}$},
    'its address is short');
is($r->{json}{expiresAt}, undef, 'it does not expire');
my ($opaque) = $r->{json}{rtmpUrl} =~ m{([^/]+)$};
is($t->sql("SELECT encode(opaque_hash, 'hex') FROM stream_keys
    WHERE camera_id = '$id' AND generation = 3"), sha256_hex($opaque),
    'its hash alone is stored');
is($t->api_get("/cameras/$id", token => $admin->{token})->{json}{rtmpUrl}
    =~ m{/live/gate\?token=} ? 1 : 0, 1, 'it is shown this once');

$t->wait_for(sub { registry($t)->{cameras}{$id}{key_generation} == 3 }, 2);
leave($second);
my ($third, $status) = publish($opaque);
is($status->{code}, $start, 'it publishes');
$third->config;
ok($t->wait_for(sub { $third->video(0, key => 1); time > $rotated + 2.5 }, 4),
    'the overlap is over');
ok(!$third->closed(0.2), 'what the opaque key publishes goes on');
($second, $status) = publish("gate?token=$camera->{token}");
is($status->{level}, 'error', 'a key of long ago does not');

# revoked

my $watch = Camera::Stopwatch->start;
is(key('DELETE')->{status}, 204, 'revoked');
ok($t->wait_for(sub { $third->video(0, key => 1); $third->closed(0.02) }, 3),
    'a live publisher is cut');
cmp_ok($watch->seconds, '<', 1, 'within a second');
($third, $status) = publish($opaque);
is($status->{level}, 'error', 'and cannot come back');
publisher($t->api_get("/cameras/$id", token => $admin->{token})
    ->{json}{rtmpUrl}, 'the next address');

# without an overlap the one before is dead at once

my $before = $t->api_get("/cameras/$id", token => $admin->{token})
    ->{json}{rtmpUrl};
$r = key('POST', json => { overlapSeconds => 0 });
$t->wait_for(sub { registry($t)->{cameras}{$id}{key_generation} == 5 }, 2);
(undef, $status) = publish($before =~ s{.*/}{}r);
is($status->{level}, 'error', 'no overlap');
cmp_ok($r->{json}{previousValidUntil}, 'le', expiry(time + 1), 'it says so');

# input

for my $bad ([ overlapSeconds => -1 ], [ overlapSeconds => 2592001 ],
    [ overlapSeconds => '5' ], [ overlapSeconds => 1.5 ], [ opaque => 1 ],
    [ opaque => undef ], [ generation => 7 ], [ token => 'x' ])
{
    $r = key('POST', json => { @$bad });
    is("$r->{status} $r->{json}{error}{details}[0]{field}", "400 $bad->[0]",
        "refused: $bad->[0] = " . ($bad->[1] // 'null'));
}

is(key('POST', json => { overlapSeconds => 2592000 })->{status}, 201, 'a month');
is(key('POST', body => '[]', headers => [ 'Content-Type: application/json' ])
    ->{status}, 400, 'no object');

# whose it is

for my $method (qw(POST DELETE)) {
    is($t->api($method => "/cameras/$id/stream-key", token => $foreign->{token})
        ->{code}, 'CAMERA_NOT_FOUND', "$method by another tenant");
    is($t->api($method => '/cameras/' . Camera::Token::random_uuid()
        . '/stream-key', token => $admin->{token})->{code}, 'CAMERA_NOT_FOUND',
        "$method of no camera");
}

is($t->sql("SELECT max(generation) FROM stream_keys"), 6, 'no other rotation');

$t->stop;
my $logs = $t->error_log . $t->read_file($t->dir . '/access.log');
ok(index($logs, $opaque) < 0 && $logs !~ /eyJ/, 'no key in a log');

$t->done_testing;

###############################################################################

sub key {
    my ($method, %opt) = @_;

    return $t->api($method => "/cameras/$id/stream-key", %opt,
        token => $admin->{token});
}

sub publish { Camera::RTMP->publisher($t, $camera, tls => 1, name => $_[0]) }

sub publisher {
    my ($url, $name) = @_;

    my ($r, $status) = publish($url =~ s{.*/}{}r);
    is($status->{code}, $start, "$name publishes");
    $r->config;
    $r->video(0, key => 1);

    return $r;
}

sub leave {
    my ($r) = @_;

    close $r->socket;
    $t->wait_for(sub { !registry($t)->{cameras}{$id}{publishing} }, 2, 'leave');
}

sub valid_until {
    return $t->sql("SELECT to_char(valid_until AT TIME ZONE 'UTC',
        'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') FROM stream_keys
        WHERE camera_id = '$id' AND generation = $_[0]");
}

sub expiry {
    my @at = gmtime $_[0];

    return sprintf '%04d-%02d-%02dT%02d:%02d:%02d.000Z', $at[5] + 1900,
        $at[4] + 1, @at[3, 2, 1, 0];
}
