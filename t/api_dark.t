#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what the API ends: a camera that is switched off, restricted or
# removed is dark within a second for its publisher and its viewers, and what a
# removed one left on tmpfs is gone soon after.

use strict;
use warnings;

use Camera::Player;
use Camera::Stopwatch;
use Camera::Test;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations worker ffmpeg tls
    camera_api_database));
$t->start_api;
$t->start_worker;

my $admin = $t->add_user;
my ($off, $on) = ({ isActive => JSON::PP::false }, { isActive => JSON::PP::true });

###############################################################################

# switched off

my ($camera, $publisher, $player) = live('off');
my $watch = Camera::Stopwatch->start;
is(put($camera, $off)->{status}, 200, 'switched off');
dark($watch, $publisher, 'switched off');
refused($watch, $player, 403, 'switched off');
ok($t->wait_for(sub { status($camera)->{status} eq 'error' }, 3), 'its status');
like(status($camera)->{warning}, qr/switched off here; activate it/, 'and why');
my $url = $t->api_get("/cameras/$camera->{id}/stream/hls",
    token => $admin->{token})->{json}{url};
is($t->http_get($url =~ s{^http://localhost}{}r)->{status}, 403,
    'a new address does not play');

is(put($camera, $on)->{status}, 200, 'switched on');
$publisher = $t->publish($camera, url => $camera->{rtmpUrl}, clip => 'small');
ok($t->wait_for(sub { status($camera)->{status} eq 'online' }, 10), 'live again');
ok($t->wait_for(sub { $player->forget_failures; $player->poll
    || !$player->errors }, 5), 'the same session plays on');

# restricted

$watch = Camera::Stopwatch->start;
is(put($camera, { allowedCidrs => [ '192.0.2.0/24' ] })->{status}, 200,
    'an address list without it');
dark($watch, $publisher, 'restricted');
like(status($camera)->{warning}, qr/address outside of its list/, 'and why');

# removed

($camera, $publisher, $player) = live('removed');
my $dir = $t->shm . "/live/$camera->{id}";
ok(-e "$dir/index", 'its store');
$watch = Camera::Stopwatch->start;
my $r = $t->api(DELETE => "/cameras/$camera->{id}", token => $admin->{token});
is("$r->{status} $r->{json}{liveStream}", '200 ended', 'removed, with a stream');
dark($watch, $publisher, 'removed');
refused($watch, $player, 404, 'removed');
ok($t->wait_for(sub { !-e $dir }, 15), 'its live files are gone');
ok(!grep({ /$camera->{id}/ } glob $t->shm . '/rings/*'), 'so are its frames');
$r = $t->api_get("/cameras/$camera->{id}/status", token => $admin->{token});
is($r->{code}, 'CAMERA_NOT_FOUND', 'nobody knows it');

$t->done_testing;

###############################################################################

# a camera that is live, and watched

sub live {
    my ($name) = @_;

    my $r = $t->api(POST => '/cameras', token => $admin->{token}, json => {
        name => $name, company => 'a', model => 'b', serialNumber => $name,
        location => 'd', place => 'e' });
    my $camera = $r->{json};
    my $publisher = $t->publish($camera, url => $camera->{rtmpUrl},
        clip => 'small');
    ok($t->wait_for(sub { status($camera)->{status} eq 'online' }, 10),
        "$name: live");

    my $url = $t->api_get("/cameras/$camera->{id}/stream/hls",
        token => $admin->{token})->{json}{url};
    my $player = Camera::Player->new($t, $url =~ s{^http://localhost}{}r);
    ok($t->wait_for(sub { $player->poll }, 5), "$name: watched");
    $player->forget_failures;

    return ($camera, $publisher, $player);
}

sub put {
    my ($camera, $json) = @_;

    return $t->api(PUT => "/cameras/$camera->{id}", json => $json,
        token => $admin->{token});
}

sub status {
    my ($camera) = @_;

    return $t->api_get("/cameras/$camera->{id}/status",
        token => $admin->{token})->{json};
}

# ffmpeg ends when it is cut

sub dark {
    my ($watch, $publisher, $name) = @_;

    ok($t->wait_for(sub { !$publisher->running }, 5), "$name: cut");
    cmp_ok($watch->seconds, '<', 1.2, "$name: within a second");
}

sub refused {
    my ($watch, $player, $status, $name) = @_;

    $t->wait_for(sub { $player->poll; $player->errors }, 5);
    cmp_ok($watch->seconds, '<', 1.5, "$name: viewers are, too");
    is(($player->failures)[0]{status}, $status, "$name: by $status");
}
