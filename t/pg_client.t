#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the PostgreSQL client: answers, refusals, deadlines, a bounded
# queue, clients that leave, and an event loop that is never blocked.

use strict;
use warnings;

use Camera::PgClient qw(start_pg_client pg_query pg_send pg_answer pg_stat
    pg_settled);
use Camera::Stopwatch;
use Camera::Test;
use List::Util qw(max);
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations));

$t->start_postgres;
$t->migrate;
$t->sql('CREATE TABLE pg_test'
    . ' (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED)');
$t->sql('GRANT ALL ON pg_test TO camera_app');

start_pg_client($t, connections => 2, queue => 20);

# answers

is(pg_query($t, 'one', 'text')->{body}, 'text', 'value');
is(length pg_query($t, 'big', 3000000)->{body}, 3000000, 'big value');

my $r = pg_query($t, 'divide', 0);
is($r->{status}, 409, 'refused by SQL');
is($r->{body}, '22012', 'its SQLSTATE');
is(pg_query($t, 'divide', 1)->{body}, '1', 'next one is not affected');

is(pg_query($t, 'commit', 1)->{status}, 200, 'committed');
$r = pg_query($t, 'commit', 1);
is("$r->{status} $r->{body}", '409 23505 pg_test_n_key',
    'refused at commit, not before, by the constraint that is named');

# pipelines

my @sockets = map { pg_send($t, $_ % 3 ? 'one' : 'divide', $_ % 3 ? $_ : 0) }
    1 .. 18;
my @bodies = map { pg_answer($_)->{body} } @sockets;
is_deeply(\@bodies, [map { $_ % 3 ? $_ : '22012' } 1 .. 18],
    'each gets its own answer');

# queue

@sockets = map { pg_send($t, 'sleep', 0.3) } 1 .. 24;
my @status = map { pg_answer($_)->{status} } @sockets;
is(scalar(grep { $_ == 503 } @status), 4, 'refused above the bound');
is(scalar(grep { $_ == 200 } @status), 20, 'served below it');
ok(pg_settled($t), 'nothing is left');

# deadlines

$r = pg_query($t, 'sleep', 0.5, 100);
is($r->{status}, 504, 'deadline');
cmp_ok($r->{took}, '<', 0.4, 'in time');
is(pg_query($t, 'one', 1)->{status}, 200, 'next one is served');
is(pg_stat($t)->{ready}, 2, 'connection was kept');

$r = pg_query($t, 'sleep', 30, 5000);
is("$r->{status} $r->{body}", '409 57014', 'statement timeout of the server');
is(pg_stat($t)->{ready}, 2, 'connection was kept by it');

# others are served meanwhile

@sockets = map { pg_send($t, 'sleep', 0.2) } 1, 2;
my $worst = 0;
for (1 .. 20) {
    my $watch = Camera::Stopwatch->start;
    $t->http_get('/other');
    $worst = max($worst, $watch->seconds);
}
pg_answer($_) for @sockets;
cmp_ok($worst, '<', 0.05, 'event loop is not blocked');

# clients that leave

my $before = $t->fds(pg_stat($t)->{pid});
for my $n (1 .. 200) {
    my $s = pg_send($t, $n % 2 ? 'sleep' : 'big', $n % 2 ? 0.002 : 200000);
    select undef, undef, undef, rand 0.006;
    close $s;
}
ok(pg_settled($t), '200 clients left, each query ended once');
cmp_ok(pg_stat($t)->{gone}, '>', 20, 'many of them in mid-query');
is(pg_query($t, 'one', 'text')->{body}, 'text', 'answers are in step');
$t->wait_for(sub { $t->fds(pg_stat($t)->{pid}) <= $before }, 5, 'descriptors');
cmp_ok($t->fds(pg_stat($t)->{pid}), '<=', $before, 'no descriptor is left');

# NOTIFY

$t->sql("NOTIFY pg_test, 'one'");
ok($t->wait_for(sub { pg_stat($t)->{notified} == 1 }, 1), 'notified');
is(pg_stat($t)->{last}, 'pg_test:one', 'with channel and payload');
$t->sql("NOTIFY pg_other, 'two'");
ok($t->wait_for(sub { pg_stat($t)->{last} eq 'pg_other:two' }, 1),
    'of another channel');

# reload and exit: no "open socket left in connection", which is an alert

my $busy = pg_send($t, 'sleep', 0.5);
ok($t->wait_for(sub { pg_stat($t)->{in_flight} }, 2), 'query in flight');
ok($t->reload, 'reload');
is(pg_answer($busy)->{status}, 200, 'old worker ends what it began');
ok($t->wait_for(sub { !$t->old_worker_pids }, 3), 'and exits');

$busy = pg_send($t, 'sleep', 5);
ok($t->wait_for(sub { pg_stat($t)->{in_flight} }, 2), 'query in flight');
$t->stop_nginx;
is(pg_answer($busy)->{status}, 502, 'told by a worker that is terminated');

unlike($t->error_log, qr/dbname=/, 'connection string is not logged');

$t->done_testing;
