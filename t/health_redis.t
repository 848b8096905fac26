#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the redis directive: the address it takes, a client in each worker
# that notices by itself when Redis goes and comes, and what /readyz says.

use strict;
use warnings;

use Camera::Store;
use Camera::Test;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx redis camera_health));

###############################################################################

$t->start_nginx;
my $store = Camera::Store->new($t);
$store->camera;
is(redis(), 'off', 'no directive');
$t->stop_nginx;

$t->nginx_conf(camera => 'redis ' . $t->redis_address . ';');
$t->start_nginx;
my $r = ready();
is($r->{json}{parts}{redis}{status}, 'away', 'not there at the start');
is($r->{status}, 200, 'served on');
is($r->{json}{status}, 'degraded', 'degraded');

$t->start_redis;
ok(told('ok'), 'comes up');
ok($t->wait_for(sub { clients() == 2 }, 3), 'a connection of each worker');

$t->pause_redis;
ok(told('away'), 'hangs');
$t->resume_redis;
ok(told('ok'), 'goes on');

$t->stop_redis('KILL');
ok(told('away'), 'is killed');
$t->start_redis;
ok(told('ok'), 'is started again');

# workers that go close their connections

ok($t->reload, 'reload');
ok($t->wait_for(sub { !$t->old_worker_pids }, 5), 'old workers exit');
ok(told('ok'), 'new workers are connected');
ok($t->wait_for(sub { clients() == 2 }, 3), 'the old connections are closed');

$t->kill_worker(0);
ok($t->wait_for(sub { $t->worker_pids == 2 && clients() == 2 }, 5),
    'a worker is killed and followed');

# what is wrong is said when the configuration is read

my $conf = $t->read_file($t->dir . '/nginx.conf');

for my $bad (['redis localhost:6379;', qr/"redis" is neither/],
    ['redis rediss://:secret@127.0.0.1;', qr/"redis" asks for TLS/],
    ['redis redis://:secret@redis.example;', qr/"redis" is neither/],
    ['redis 127.0.0.1; redis 127.0.0.1;', qr/"redis" directive is duplicate/])
{
    $t->nginx_conf(conf => $conf =~ s/^ *redis .*;/$bad->[0]/mr);
    my $said = $t->nginx_test;
    like($said, $bad->[1], "refused: $bad->[1]");
    unlike($said, qr/secret/, 'without its secret');
}

$t->allow_log(qr/"redis" /);
$t->done_testing;

###############################################################################

sub ready {
    my $r = $t->http_get('/readyz');
    $r->{json} = decode_json($r->{body});

    return $r;
}

sub redis { ready()->{json}{parts}{redis}{status} }

# by ten answers in a row, some of each worker

sub told {
    my ($status) = @_;

    return $t->wait_for(sub { !grep { redis() ne $status } 1 .. 10 }, 6,
        "Redis to be $status");
}

sub clients {
    return scalar grep { !/\bcmd=client/ } $t->redis_cli(qw(CLIENT LIST));
}
