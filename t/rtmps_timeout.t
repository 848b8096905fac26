#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for clients that do not finish their TLS handshake: silent, a byte at
# a time, or talking something else.  The deadline is absolute.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Camera::RTMP;
use Camera::Stopwatch;
use Camera::Test;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(camera_rtmps tls));

$t->nginx_conf(rtmps_server => 'camera_rtmps_timeout 1s;');
$t->start_nginx;

my $port = $t->port('rtmps');
my ($worker) = $t->worker_pids;
my $fds = $t->fds($worker);

my @silent = map { Camera::RTMP->open($port) } 1 .. 20;
my $slow = Camera::RTMP->open($port);
my $watch = Camera::Stopwatch->start;

# the beginning of a ClientHello of 512 bytes, slowly

my $hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . "\x55" x 32;

for my $byte (split //, $hello) {
    last unless $slow->raw($byte);
    last if $slow->closed(0.1);
}

my $took = $watch->seconds;
ok($slow->closed(0), 'byte by byte: closed');
cmp_ok($took, '<', 2, 'byte by byte: at the deadline');
ok(!(grep { !$_->closed(1) } @silent), 'silent: all closed');

my $other = Camera::RTMP->open($port);
$other->raw("GET / HTTP/1.0\r\n\r\n");
ok($other->closed(1), 'not TLS: closed');

ok($t->wait_for(sub { $t->fds($worker) <= $fds }, 2), 'no descriptor is left');

my $r = Camera::RTMP->open($port, tls => 1);
ok($r->handshake, 'the next one is served');
is(join(' ', $t->worker_pids), $worker, 'same worker');
like($t->error_log, qr/\[info\].*client timed out.*while TLS handshaking/,
    'log line');

$t->done_testing;
