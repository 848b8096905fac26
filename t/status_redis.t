#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the copies in Redis of what streams are doing and of who watches: what
# is in them and for how long, of each tenant's cameras by themselves, without a
# secret; whole again when Redis comes back; and that nobody needs them.

use strict;
use warnings;

use Camera::Player;
use Camera::Stopwatch;
use Camera::Test;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations redis worker ffmpeg tls
    camera_api_database));
$t->start_redis;
$t->start_api(camera => 'ring_size 1m; ring_max 1m; redis '
    . $t->redis_address . ';', http => 'camera_api_limit 100000r/m;');
$t->start_worker;

my $admin = $t->add_user;
my $tenant = $t->add_tenant;
my ($gate, $yard) = ($t->add_camera(name => 'gate'),
    $t->add_camera(name => 'yard', tenant => $tenant));
my $live;
my %publisher = map { $_->{id} => $t->publish($_, clip => 'small') }
    $gate, $yard;

my @play = map { Camera::Player->new($t, "/hls/$gate->{id}/playlist.m3u8?token="
    . $t->token(camera => $gate, use => 'playback')) } 1, 2;
ok($t->wait_for(sub { play() == 2 }, 15, 'players'), 'a camera is watched');

my $agent = 'Mozilla/5.0 "quoted\" (X11) ' . 'x' x 200;
my $r = $t->http_get("/hls/$gate->{id}/playlist.m3u8?token="
    . $t->token(camera => $gate, use => 'playback'),
    headers => [ "User-Agent: $agent" ]);
($live) = $r->{body} =~ /^(live\.m3u8\S*)/m;
is($t->http_get("/hls/$gate->{id}/$live")->{status}, 200, 'by a browser, too');

###############################################################################

# what a stream is doing, and who watches: within a period, or as soon as Redis is
# there again

again();

my $copy = wait_status($gate, sub { $_[0]{resolution} && $_[0]{viewerCount} });
my $told = $t->api_get("/cameras/$gate->{id}/status", token => $admin->{token})
    ->{json};

is_deeply([ sort keys %$copy ], [ qw(bitrate droppedFrames fps lastSeen nodeId
    resolution status viewerCount) ], 'its fields');
is($copy->{$_}, $told->{$_}, "$_ as the API says")
    for qw(status nodeId resolution droppedFrames viewerCount);
cmp_ok(abs($copy->{fps} - $told->{fps}), '<', 2, "$copy->{fps} pictures a second");
cmp_ok(abs($copy->{bitrate} / $told->{bitrate} - 1), '<', 0.5, 'bit rate');
like($copy->{lastSeen}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'a time');
cmp_ok($t->redis_cli('TTL', "stream:status:$gate->{id}"), '<=', 30,
    'for half a minute');

ok($t->wait_for(sub { play(); count($gate) == 3 }, 12, 'viewers'), 'who watches');
my @viewers = map { decode_json($_) } $t->redis_cli('ZRANGE',
    "viewers:$gate->{id}", 0, -1);
is_deeply([ sort keys %{ $viewers[0] } ], [ qw(joinTime sessionId userAgent) ],
    'what is told of one');
my ($mine) = grep { ($_->{userAgent} // '') =~ /^Mozilla/ } @viewers;
is($mine->{userAgent}, substr($agent, 0, 183), 'the user agent, to a length');
is((grep { !defined $_->{userAgent} } @viewers), 2, 'or none');
like($mine->{joinTime}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/, 'since when');
like($mine->{sessionId}, qr/^[0-9a-f]{16}$/, 'a name');
cmp_ok(abs($t->redis_cli('TTL', "viewers:$gate->{id}") - 3600), '<', 15,
    'for an hour');
my $score = ($t->redis_cli('ZRANGE', "viewers:$gate->{id}", 0, -1,
    'WITHSCORES'))[-1];
cmp_ok(abs($score - time), '<=', 31, 'each for half a minute');
is($t->redis_cli('ZCOUNT', "viewers:$gate->{id}", time + 31, '+inf'), 0,
    'after which none counts');

# tenants by themselves: the other one's camera has a key of its own, and no more

is(wait_status($yard, sub { $_[0]{resolution} })->{viewerCount}, 0,
    'another tenant\'s camera');
is_deeply([ sort grep { /^(?:stream|viewers):/ } $t->redis_cli('KEYS', '*') ],
    [ sort "stream:status:$gate->{id}", "stream:status:$yard->{id}",
      "viewers:$gate->{id}" ], 'one key for each camera');

# no secret: neither what starts a session nor what plays it

my $dump = join "\n", $t->redis_cli('ZRANGE', "viewers:$gate->{id}", 0, -1),
    map { $t->redis_cli('HGETALL', "stream:status:$_->{id}") } $gate, $yard;
my ($s) = $live =~ /s=([^&]+)/;
unlike($dump, qr/eyJ|\Q$s\E|\Q$gate->{key}\E/, 'no token, no signature, no key');

# Redis is killed, and comes back with nothing

$t->stop_redis('KILL');
is(play(), 2, 'without Redis all play');
is($t->api_get("/cameras/$gate->{id}/status", token => $admin->{token})
    ->{json}{status}, 'online', 'and the API knows as much');
$t->start_redis;
$t->redis_cli('FLUSHALL');
ok($t->wait_for(sub {
    play();
    count($gate) >= 2 && status($gate) && status($yard);
}, 10, 'copies'), 'whole again within a period');

# Redis stands still: nobody waits for it

$t->pause_redis;
my $watch = Camera::Stopwatch->start;
is((grep { play() == 2 } 1 .. 5), 5, 'and while it stands still');
cmp_ok($watch->seconds, '<', 2, 'without waiting for it');
$t->resume_redis;

# a camera that leaves, unless it is at another node by now

$publisher{$_}->stop for keys %publisher;
$t->wait_for(sub { $t->api_get("/cameras/$gate->{id}/status",
    token => $admin->{token})->{json}{status} ne 'online' }, 10, 'no camera');
$t->redis_cli('HSET', "stream:status:$yard->{id}", 'nodeId', 'elsewhere');
again();
$copy = wait_status($gate, sub { $_[0]{status} ne 'online' });
is($copy->{status}, 'offline', 'one that left');
is_deeply([ sort keys %$copy ], [ qw(lastSeen nodeId status viewerCount) ],
    'has no numbers');
is(status($yard)->{status}, 'online', 'one that is elsewhere is the other\'s');

$t->done_testing;

###############################################################################

sub status {
    my ($camera) = @_;

    my %copy = $t->redis_cli('HGETALL', "stream:status:$camera->{id}");

    return keys %copy ? \%copy : undef;
}

# Redis is there again, which is when all are written at once

sub again { $t->redis_cli(qw(CLIENT KILL TYPE normal)) }

# everybody plays on; answers how many can

sub play {
    $t->http_get("/hls/$gate->{id}/$live") if $live;

    return grep { my $before = $_->errors; $_->poll; $_->segments
        && $_->errors == $before } @play;
}

# as soon as it is as wanted

sub wait_status {
    my ($camera, $wanted) = @_;
    my $copy;

    $t->wait_for(sub { ($copy = status($camera)) && $wanted->($copy) }, 20,
        'a copy') or die 'no copy: ' . join ' ', %{ $copy // {} };

    return $copy;
}

# who watches now

sub count {
    my ($camera) = @_;

    return $t->redis_cli('ZCOUNT', "viewers:$camera->{id}", int time, '+inf');
}
