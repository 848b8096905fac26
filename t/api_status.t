#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what a stream is doing: numbers of a camera that sends, what is left
# of one that ended, why one was refused; and that no query is needed for it.

use strict;
use warnings;

use Camera::Player;
use Camera::RTMP;
use Camera::Test;
use Camera::Token;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations worker ffmpeg tls
    camera_api_database));
$t->start_api(camera => 'ring_size 1m; ring_max 1m;');
$t->start_worker;

my $viewer = $t->add_user(role => 'viewer');
my $foreign = $t->add_user(tenant => $t->add_tenant);
my $camera = $t->add_camera(name => 'gate');
my @fields = qw(bitrate cameraId codecs droppedFrames fps lastSeen nodeId
    recording resolution status viewerCount warning);

###############################################################################

my $s = status();
is_deeply($s, { (map { $_ => undef } @fields), cameraId => $camera->{id},
    status => 'offline', viewerCount => 0 }, 'never seen');

my $publisher = $t->publish($camera);
ok($t->wait_for(sub { status()->{status} eq 'connecting' }, 5), 'connecting');
ok($t->wait_for(sub { ($s = status())->{status} eq 'online' }, 10), 'online');

is($s->{resolution}, '1280x720', 'resolution');
like($s->{codecs}, qr/^avc1\.42\w{4},mp4a\.40\.2$/, 'codecs');
is($s->{nodeId}, 'test', 'node');
is($s->{fps} + 0, 15, 'pictures a second');
cmp_ok(abs($s->{bitrate} - 970_000), '<', 200_000, "$s->{bitrate} bit/s");
is($s->{droppedFrames}, 0, 'none were dropped');
is($s->{warning}, undef, 'nothing is wrong');
is($s->{viewerCount}, 0, 'nobody watches');
cmp_ok(abs(seconds($s->{lastSeen}) - time), '<', 2, 'seen just now');

my @players = map { Camera::Player->new($t, $camera->{play_path}) } 1 .. 3;
$_->poll for @players;
$t->http_get($camera->{play_path});
ok($t->wait_for(sub { status()->{viewerCount} == 3 }, 3), 'three watch');
$t->wait_for(sub { 0 }, 1.1);
is(status()->{viewerCount}, 3, 'one that only asked where does not');

# whose it is

is($t->api_get("/cameras/$camera->{id}/status", token => $foreign->{token})
    ->{code}, 'CAMERA_NOT_FOUND', 'another tenant');
is($t->api_get('/cameras/' . Camera::Token::random_uuid() . '/status',
    token => $viewer->{token})->{code}, 'CAMERA_NOT_FOUND', 'no camera');

# no query: the database stands still

status();
$t->pause_postgres;
is(status()->{status}, 'online', 'the database is not asked');
$t->resume_postgres;

# frames that the packager came too late for

my $big = $t->add_camera;
$publisher->stop;
my $second = $t->publish($big, clip => 'big');
ok($t->wait_for(sub { status($big)->{resolution} }, 10), 'another one');
my $written = written($big);
kill STOP => $_ for $t->worker_children;
ok($t->wait_for(sub { written($big) - $written > 1.2e6 }, 8), 'a ring full');
kill CONT => $_ for $t->worker_children;
ok($t->wait_for(sub { (status($big)->{droppedFrames} // 0) > 10 }, 5),
    'frames were dropped');
$second->stop;

# it ends

ok($t->wait_for(sub { ($s = status())->{status} eq 'offline' }, 5), 'offline');
is_deeply([ @$s{qw(nodeId fps bitrate droppedFrames resolution codecs
    warning)} ], [ (undef) x 7 ], 'nothing is known of nothing');
cmp_ok(abs(seconds($s->{lastSeen}) - time), '<', 15, 'but when it was seen');

# it is refused

my ($r) = Camera::RTMP->publisher($t, { %$camera, token => $t->token(
    camera => $camera, iat => int(time) - 7200,
    exp => int(time) - 3600) });
ok($t->wait_for(sub { ($s = status())->{status} eq 'error' }, 3), 'refused');
like($s->{warning}, qr/^the token has expired; make a new publish URL/, 'why');

# one that this node does not know (it has no key): its row is what there is

my $other = { id => Camera::Token::random_uuid() };
$t->sql("INSERT INTO cameras (id, name, stream_status, assigned_node)
    VALUES ('$other->{id}', 'elsewhere', 'online', 'node-7');
    DELETE FROM stream_keys WHERE camera_id = '$other->{id}'");
is_deeply(status($other), { (map { $_ => undef } @fields), viewerCount => 0,
    cameraId => $other->{id}, status => 'online', nodeId => 'node-7' },
    'on another node');

$t->done_testing;

###############################################################################

sub status {
    my ($which) = (@_, $camera);

    my $r = $t->api_get("/cameras/$which->{id}/status",
        token => $viewer->{token});
    die "$r->{status} $r->{body}" if $r->{status} != 200;
    return $r->{json};
}

sub seconds {
    my ($h, $m, $s) = $_[0] =~ /T(\d\d):(\d\d):([\d.]+)Z$/ or return 0;
    my $day = time - time % 86400;
    my $at = $day + $h * 3600 + $m * 60 + $s;
    return $at > time + 43200 ? $at - 86400 : $at;
}

# bytes of the camera's publication, as the header of its ring has them

sub written {
    my ($camera) = @_;

    return unpack 'x328 Q<', $t->read_file($t->shm . "/rings/$camera->{id}");
}
