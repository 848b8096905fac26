#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the PostgreSQL client when the server restarts, hangs, is killed
# or was never there: every query ends, others are served, and it comes back.

use strict;
use warnings;

use Camera::PgClient qw(start_pg_client pg_query pg_send pg_answer pg_stat
    pg_settled);
use Camera::Process;
use Camera::Stopwatch;
use Camera::Test;
use List::Util qw(max);
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations));

$t->start_postgres;
$t->migrate;
$t->sql('CREATE TABLE pg_test (n integer)');
$t->sql('GRANT ALL ON pg_test TO camera_app');
$t->stop_postgres;

# a cold start without it

start_pg_client($t, connections => 2, queue => 50, away => 1);
my $r = pg_query($t, 'one', 1);
is($r->{status}, 503, 'never there: refused');
cmp_ok($r->{took}, '<', 0.1, 'at once');

$t->start_postgres;
ok(back(), 'connects when it starts');
my $pid = pg_stat($t)->{pid};
my $memory;

# restarts

for my $mode (qw(fast immediate kill)) {
    my @busy = map { pg_send($t, 'sleep', 5) } 1 .. 6;
    ok($t->wait_for(sub { pg_stat($t)->{in_flight} == 6 }, 2), "$mode: busy");

    my $watch = Camera::Stopwatch->start;
    $t->stop_postgres($mode);
    my @status = map { pg_answer($_)->{status} } @busy;
    is("@status", '502 502 502 502 502 502', "$mode: all are told");
    cmp_ok($watch->seconds, '<', 2, "$mode: at once");

    $r = pg_query($t, 'one', 1);
    is($r->{status}, 503, "$mode: refused while it is away");
    cmp_ok($r->{took}, '<', 0.1, "$mode: at once");

    $t->start_postgres;
    ok(back(), "$mode: comes back");
    is(pg_query($t, 'one', 'x')->{body}, 'x', "$mode: served again");
}

# one backend of the two dies

for my $signal (qw(TERM KILL)) {
    my $backend = pg_query($t, 'pid', '')->{body};
    my $busy = pg_send($t, 'sleep', 1);
    $t->wait_for(sub { pg_stat($t)->{in_flight} }, 2);
    my ($at) = $t->psql({ user => 'postgres' }, 'SELECT pid FROM '
        . "pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' "
        . "AND pid <> pg_backend_pid()");
    kill $signal, $at;
    is(pg_answer($busy)->{status}, 502, "backend $signal: its query is told");
    ok(back(), "backend $signal: comes back");
}

# hangs

$t->pause_postgres;
my @busy = map { pg_send($t, 'one', $_, 500) } 1 .. 10;
my $watch = Camera::Stopwatch->start;
my @status = map { pg_answer($_)->{status} } @busy;
is("@status", join(' ', (504) x 10), 'hung: deadlines');
cmp_ok($watch->seconds, '<', 0.9, 'hung: are kept');

my $worst = 0;
for (1 .. 20) {
    my $watch = Camera::Stopwatch->start;
    $t->http_get('/other');
    $worst = max($worst, $watch->seconds);
}
cmp_ok($worst, '<', $ENV{CAMERA_SANITIZED} ? 0.5 : 0.05,
    'hung: the event loop is not blocked');

ok($t->wait_for(sub { pg_stat($t)->{ready} == 0 }, 5),
    'hung: connections are given up');
is(pg_query($t, 'one', 1)->{status}, 503, 'hung: then refused at once');

$t->resume_postgres;
ok(back(), 'hung: comes back');

# hangs for less than its statement may take

my $slow = pg_send($t, 'one', 'slow', 5000);
$t->pause_postgres;
my $other = pg_send($t, 'one', 'other', 5000);
select undef, undef, undef, 0.5;
$t->resume_postgres;
is(pg_answer($slow)->{body} . pg_answer($other)->{body}, 'slowother',
    'a short pause loses nothing');

ok(pg_settled($t), 'every query ended once');
is(pg_stat($t)->{pid}, $pid, 'in the same worker');

# leaks: as many restarts of all backends as it takes to see one; the feeder's
# are among them

my $backends = backends();
for (1 .. ($t->soak ? 200 : 20)) {
    all_back($backends);
    $memory = [$t->rss($pid), $t->fds($pid)] if $_ == 5;
    my @s = map { pg_send($t, 'sleep', 1) } 1 .. 4;
    $t->psql({ user => 'postgres' }, 'SELECT count(pg_terminate_backend(pid)) '
        . "FROM pg_stat_activity WHERE usename = 'camera_app'");
    pg_answer($_) for @s;
    back() or last;
}
all_back($backends);
ok(pg_settled($t), 'every query ended once again');
cmp_ok($t->rss($pid) - $memory->[0], '<', $t->growth(1024),
    'no growth');
is($t->fds($pid), $memory->[1], 'no descriptor is left');

# the log

my $log = $t->error_log;
my @away = $log =~ /\[error\].*PostgreSQL does not serve "test"/g;
my @again = $log =~ /PostgreSQL serves "test" again/g;
is(@away, @again, 'one line for each outage and one for its end');
unlike($log, qr/dbname=/, 'connection string is not logged');

# what cannot be used without blocking is refused

for my $bad (['host=db.example', 'names a host'],
    ['postgresql://db.example/x', 'names a host'],
    ['host=/tmp,db.example', 'names a host'],
    ['service=x', 'must not name a service'],
    ['password=secret nonsense', 'is not a connection string'])
{
    $t->stop_nginx;
    $t->nginx_conf(camera => '', conf => $t->read_file($t->dir . '/nginx.conf')
        =~ s/database ".*?";/database "$bad->[0]";/r);
    my $said = $t->nginx_test;
    like($said, qr/"database" $bad->[1]/, "refused: $bad->[0]");
    unlike($said, qr/secret/, 'without its secret');
}

$t->allow_log(qr/"database"/);
$t->done_testing;

sub back { $t->wait_for(sub { pg_stat($t)->{ready} == 2 }, 8, 'connections') }

sub backends {
    return $t->psql({ user => 'postgres' }, 'SELECT count(*) FROM '
        . "pg_stat_activity WHERE usename = 'camera_app'");
}

sub all_back {
    my ($wanted) = @_;

    $t->wait_for(sub { backends() == $wanted }, 8, "$wanted backends");
}
