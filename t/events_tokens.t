#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for events and API tokens: a program follows them like a person, and its
# stream ends with its token.

use strict;
use warnings;

use Camera::EventStream qw(follow);
use Camera::Stopwatch;
use Camera::Test;
use Camera::WebSocket qw(ws_connect);
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres redis migrations camera_api_database));
$t->start_redis;
$t->start_api(camera => 'redis ' . $t->redis_address . ';');

my $admin = $t->add_user;
my $camera = $t->sql("INSERT INTO cameras (name) VALUES ('gate') RETURNING id");

###############################################################################

my $token = token();
my $s = follow($t, $token->{token}, types => 'camera.updated');
my $ws = ws_connect($t, token => $token->{token});
is($ws->next(3)->{type}, 'ready', 'a WebSocket');

$t->sql("UPDATE cameras SET place = 'door' WHERE id = '$camera'");
is($s->next(3)->{json}{cameraId}, $camera, 'a program is told');
is($ws->next(3)->{event}{cameraId}, $camera, 'by the other one, too');

my $people = follow($t, $admin->{token}, types => 'camera.updated');
my $watch = Camera::Stopwatch->start;
$t->api(DELETE => "/tokens/$token->{id}", token => $admin->{token});
ok($s->ended(2), 'revoked: its stream ends');
ok($ws->closed(2), 'and its WebSocket');
cmp_ok($watch->seconds, '<', 1, 'within a second');

$t->sql("UPDATE cameras SET place = 'yard' WHERE id = '$camera'");
is($people->next(3)->{json}{cameraId}, $camera, 'others go on');

# a token that ends by itself

my ($sec, $min, $hour, $day, $month, $year) = gmtime(time + 2);
$token = token(expiresAt => sprintf '%04d-%02d-%02dT%02d:%02d:%02dZ',
    $year + 1900, $month + 1, $day, $hour, $min, $sec);
$s = follow($t, $token->{token}, types => 'camera.updated');
ok($s->ended(4), 'at its end');

$t->done_testing;

###############################################################################

sub token {
    return $t->api(POST => '/tokens', token => $admin->{token}, json =>
        { name => 'wall', permissions => [ 'cameras:read' ], @_ })->{json};
}
