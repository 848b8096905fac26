#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for /healthz and /readyz: 503 only when nothing can be served, else the
# parts that are missing are told.

use strict;
use warnings;

use Camera::Store;
use Camera::Test;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx camera_health));

###############################################################################

$t->start_nginx;

is($t->http_get('/healthz')->{body}, "ok\n", '/healthz');
is($t->http_get('/healthz', method => 'POST')->{status}, 405, 'POST');

my ($r, $parts) = ready();
is($r->{status}, 503, 'cold start, no database');
is($r->{headers}{'retry-after'}, 2, 'come again');
is($r->{headers}{'content-type'}, 'application/json', 'type');
is($parts->{registry}{known}, JSON::PP::false, 'registry unknown');
is($parts->{keys}{status}, 'ok', 'keys');

my $store = Camera::Store->new($t);
$store->camera for 1 .. 3;

($r, $parts) = ready();
is($r->{status}, 200, 'registry was read');
is($parts->{registry}{status}, 'ok', 'registry');
is($parts->{registry}{used}, 3, 'cameras');
is($parts->{registry}{capacity}, 1024, 'slots');
cmp_ok($parts->{registry}{ageSec}, '<=', 5, 'age');
is($parts->{database}{status}, 'ok', 'database');
cmp_ok($parts->{shm}{freePercent}, '>', 0, 'room in shm');
is($parts->{cameraWorker}{status}, 'away', 'no camera-worker');
is($r->{json}{status}, 'degraded', 'served on, degraded');

# camera-worker's beat

my ($up) = split ' ', $t->read_file('/proc/uptime');
my $beat = $t->shm . '/live/.worker';

$t->write_file($beat, sprintf "%d %d\n", $$, $up * 1000);
($r, $parts) = ready();
is($parts->{cameraWorker}{status}, 'ok', 'beats');
is($r->{json}{status}, 'ok', 'all is well') if $parts->{shm}{status} eq 'ok';

$t->write_file($beat, sprintf "%d %d\n", $$, $up * 1000 - 6000);
($r, $parts) = ready();
is($parts->{cameraWorker}{status}, 'away', 'beat six seconds ago');
is($r->{status}, 200, 'still served');

$t->write_file($beat, 'nonsense');
($r, $parts) = ready();
is($parts->{cameraWorker}{status}, 'away', 'beat of another kind');

# recording: the worst volume counts

my ($ok, $low, $full, $error, $away) = 1 .. 5;      # cam_record_volume_e

is($parts->{recording}{status}, 'off', 'nobody records');

is(recording([0, $ok]), 'ok', 'a volume');
is(recording([0, $ok], [1, $low]), 'low', 'one that is kept from filling');
$t->write_file($beat, sprintf "%d %d\n", $$, $up * 1000 + 9000);
is((ready())[0]{json}{status}, 'ok', 'which is as it should be')
    if $parts->{shm}{status} eq 'ok';
is(recording([1, $full]), 'full', 'one that is full');
is((ready())[0]{json}{status}, 'degraded', 'is worth a look');
is(recording([1, $away]), 'away', 'a disk that is not mounted');
is(recording([1, $error]), 'away', 'one that fails');
is((ready())[0]{status}, 200, 'still served');
is(recording([1, $ok]), 'ok', 'is there again');
is(recording([0, $ok, 6]), 'away', 'one that hangs');

# the database is away for a while, and for too long

$store->tell('fed', 60);
($r, $parts) = ready();
is($r->{status}, 200, 'database away for a minute');
is($parts->{database}{status}, 'degraded', 'is told');

$store->tell('fed', 90000);
($r, $parts) = ready();
is($r->{status}, 503, 'for more than a day');
is($t->http_get('/healthz')->{status}, 200, 'worker is well');

$t->done_testing;

###############################################################################

# with each volume as a number, a state and the age of its beat

sub recording {
    $store->tell('volume', @$_[0, 1], $_->[2] // 0) for @_;
    return (ready())[1]{recording}{status};
}

sub ready {
    my $r = $t->http_get('/readyz');
    $r->{json} = decode_json($r->{body});

    return ($r, $r->{json}{parts});
}
