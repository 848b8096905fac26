#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the feeder when PostgreSQL, nginx or the feeding worker itself is
# away: what is known stays known, and the next feeder goes on.

use strict;
use warnings;

use Camera::Registry qw(registry);
use Camera::Stopwatch;
use Camera::Test;
use Fcntl qw(:flock);
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_health));

# a cold start without PostgreSQL and without a registry

$t->start_postgres;
$t->migrate;
my $camera = $t->add_camera(name => 'first');
$t->stop_postgres;

$t->start_nginx;
is(registry($t)->{fed_at}, 0, 'nothing is known');
is($t->http_get('/readyz')->{status}, 503, 'not ready');

$t->start_postgres;
ok(seen($camera, 8), 'known as soon as PostgreSQL is there');
is($t->http_get('/readyz')->{status}, 200, 'ready');

# a cold start without PostgreSQL, with the registry of before

$t->stop_nginx;
$t->stop_postgres;
$t->start_nginx;
ok(known($camera), 'known from before');
isnt($t->http_get('/readyz')->{status}, 503, 'ready');
$t->start_postgres;
changes_are_seen('registry of before');

# PostgreSQL is stopped, killed, hung

for my $mode (qw(fast kill)) {
    $t->stop_postgres($mode);
    ok(known($camera), "$mode: known");
    is($t->http_get('/healthz')->{status}, 200, "$mode: served");
    $t->start_postgres;
    changes_are_seen($mode);
}

my $before = registry($t)->{fed_at};
$t->pause_postgres;
my $end = time + 1;
my $worst = 0;
while (time < $end) {
    my $watch = Camera::Stopwatch->start;
    $t->http_get('/healthz');
    $worst = max($worst, $watch->seconds);
}
cmp_ok($worst, '<', 0.05, 'hung: nothing is blocked');
ok(known($camera), 'hung: known');
$t->resume_postgres;
changes_are_seen('hung');

# a change that was made while nobody listened

$t->stop_nginx;
$t->sql("UPDATE cameras SET deleted_at = now() WHERE id = '$camera->{id}'");
ok(known($camera), 'no nginx: known');
$t->start_nginx;
ok($t->wait_for(sub { !known($camera) }, 3), 'no nginx: removed by its start');

# the feeding worker dies, hangs, exits

for my $n (1 .. 3) {
    my $pid = feeder();
    $t->allow_log(qr/process $pid exited on signal/);
    kill 'KILL', $pid;
    ok($t->wait_for(sub { (feeder() // $pid) != $pid }, 2),
        "kill $n: another one feeds");
    changes_are_seen("kill $n");
}

my $pid = feeder();
my $holder = Camera::HTTP::connect_to($t->port('rtmp'));   # may keep it alive
ok($t->reload, 'reload');
ok($t->wait_for(sub { (feeder() // $pid) != $pid }, 2),
    'reload: a new worker feeds');
changes_are_seen('reload');

my $log = $t->error_log;
my @away = $log =~ /PostgreSQL does not serve "feeder"/g;
cmp_ok(scalar(@away), '<=', 6, 'one line for each outage');
unlike($log, qr/dbname=/, 'connection string is not logged');

$t->done_testing;

sub changes_are_seen {
    my ($name) = @_;

    my $start = time;
    my $new = $t->add_camera;
    ok(seen($new, 8), "$name: a new camera is seen");
    note(sprintf '%s: %.0f ms', $name, 1000 * (time - $start));
}

sub known { registry($t)->{cameras}{ $_[0]{id} } }

sub seen {
    my ($camera, $seconds) = @_;
    return $t->wait_for(sub { known($camera) }, $seconds, $camera->{name});
}

# the kernel's list has who holds the lock of the file

sub feeder {
    my $inode = (stat $t->shm . '/registry.feeder')[1];
    my ($pid) = map { /^\d+: FLOCK\s+ADVISORY\s+WRITE\s+(\d+)\s+\S+:$inode\s/ }
        split /^/, $t->read_file('/proc/locks');
    return $pid;
}
