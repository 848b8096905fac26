#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for playback sessions: four behind one start token, counted over all
# workers; idle ones end; a lost table ends none.

use strict;
use warnings;

use Camera::Store;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx camera_hls));

###############################################################################

$t->nginx_conf(http => 'camera_hls_idle 2s;');
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera(segments => 4);
my $token = $t->token(camera => $camera, use => 'playback');

my @four = map { $store->session($camera, token => $token) } 1 .. 4;
is(keys %{ { map { $_ => 1 } @four } }, 4, 'four sessions of one token');

my $r = $t->http_get($store->entrance($camera, token => $token));
is($r->{status}, 429, 'fifth');
like($r->{body}, qr/already plays in 4 places/, 'says why');
is($r->{headers}{'cache-control'}, 'no-store', 'is not cached');

is($t->http_get($store->entrance($camera, token => $token),
    method => 'HEAD')->{status}, 200, 'HEAD takes no place');
is($t->http_get($store->entrance($camera))->{status}, 200, 'another token');

# one is left alone, the others play on

my $idle = pop @four;
my $played = 1;

ok($t->wait_for(sub {
    $played &&= !grep { $t->http_get($_)->{status} != 200 } @four;
    $t->http_get($store->entrance($camera, token => $token))->{status} == 200;
}, 5, 'a place'), 'place of an idle session is given away');
ok($played, 'the others played on');
is($t->http_get($idle)->{status}, 403, 'idle session ended');

# whichever worker, and however many at once

for my $round (1 .. 3) {
    my $one = $t->token(camera => $camera, use => 'playback');
    my $path = $store->entrance($camera, token => $one);
    my @sockets = map { Camera::HTTP::connect_to($t->port('http')) } 1 .. 12;

    print $_ "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        for @sockets;
    my @status = sort map { <$_> =~ /(\d{3})/ } @sockets;

    is("@status", '200 ' x 4 . '429' . ' 429' x 7, "twelve at once, $round");
}

# sessions are signed: the table may be lost

my $started = time;
ok(unlink($t->shm . '/sessions'), 'table is lost');
$t->wait_for(sub { time > $started }, 2);
ok($t->reload, 'reload');

my $before = $store->session($camera);
is($t->http_get($_)->{status}, 200, 'older session goes on') for @four[0, 1];

$t->kill_worker(0);
ok($t->wait_for(sub { $t->worker_pids == 2 }, 5, 'worker'), 'worker killed');
is($t->http_get($before)->{status}, 200, 'session outlives a worker');

$t->done_testing;
