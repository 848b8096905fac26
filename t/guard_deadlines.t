#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the absolute deadline between accept and publish: no trickle of
# bytes moves it, plain or over TLS, and nothing is left behind.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time);

use Camera::RTMP;
use Camera::Stopwatch;
use Camera::Test;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(camera_rtmps tls));

$t->nginx_conf(rtmp => 'camera_publish_timeout 500ms;');
$t->start_nginx;

my ($worker) = $t->worker_pids;
my $fds = $t->fds($worker);

sub ends {
    my ($r, $name, $send) = @_;

    my $watch = Camera::Stopwatch->start;

    for (1 .. 20) {
        last if $send && !$send->($r);
        last if $r->closed(0.1);
    }

    my $took = $watch->seconds;

    ok($r->closed(0), "$name: closed");
    cmp_ok($took, '<', 1.1, "$name: in time");
}

for my $tls (0, 1) {
    my $how = $tls ? 'TLS' : 'plain';
    my $port = $t->port($tls ? 'rtmps' : 'rtmp');
    my $open = sub { Camera::RTMP->open($port, tls => $tls) };

    ends($open->(), "$how, silent");
    ends($open->(), "$how, handshake byte by byte",
        sub { $_[0]->raw("\x03") });

    my $r = $open->();
    ok($r->handshake, "$how: handshake");
    ends($r, "$how, silent after the handshake");

    $r = $open->();
    $r->handshake;
    ok($r->connect('live'), "$how: connect");
    ends($r, "$how, commands but no publish",
        sub { $_[0]->command('createStream', 1, undef) });

    $r = $open->();
    $r->handshake;
    ends($r, "$how, one message byte by byte", sub { $_[0]->raw("\x03") });
}

like($t->error_log, qr/\[info\].*guard: no publish in time, client: 127/,
    'log line');

my @half = map { Camera::RTMP->open($t->port('rtmp')) } 1 .. 200;
ok($t->wait_for(sub { !grep { !$_->closed(0) } @half }, 3),
    '200 half-open connections: all closed');

ok($t->wait_for(sub { $t->fds($worker) <= $fds }, 2), 'no descriptor is left');
is(join(' ', $t->worker_pids), $worker, 'same worker');

$t->done_testing;
