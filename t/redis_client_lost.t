#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the Redis client when the server restarts, hangs, loses its data,
# is killed or was never there: every command ends in time, others are served,
# and it comes back with its messages.

use strict;
use warnings;

use Camera::RedisClient qw(start_redis_client redis_command redis_script
    redis_send redis_answer redis_stat redis_back redis_settled);
use Camera::Stopwatch;
use Camera::Test;
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(time sleep);

my $t = Camera::Test->new;
$t->skip_without(qw(nginx redis));

my $grace = $ENV{CAMERA_SANITIZED} ? 0.5 : 0.1;

# a cold start without it

start_redis_client($t, queue => 50, away => 1);
my $r = redis_command($t, qw(GET key));
is($r->{status}, 503, 'never there: refused');
cmp_ok($r->{took}, '<', 0.1, 'at once');

$t->start_redis;
ok(redis_back($t), 'connects when it starts');
my $pid = redis_stat($t)->{pid};

# restarts

for my $signal (qw(TERM KILL)) {
    my $ups = redis_stat($t)->{ups};
    my @busy = $signal eq 'KILL' ? pending(6)
        : map { redis_send($t, 'BLPOP', 'nothing', 5) } 1 .. 6;
    $t->wait_for(sub { redis_stat($t)->{in_flight} == 6 }, 1);

    my $watch = Camera::Stopwatch->start;
    $t->stop_redis($signal);
    is(join(' ', map { redis_answer($_)->{status} } @busy),
        '502 502 502 502 502 502', "$signal: all are told");
    cmp_ok($watch->seconds, '<', 1, "$signal: at once");

    $t->wait_for(sub { redis_stat($t)->{up} == 0 }, 1);
    is(redis_stat($t)->{up}, 0, "$signal: listeners, too");
    $r = redis_command($t, qw(GET key));
    is($r->{status}, 503, "$signal: refused while it is away");
    cmp_ok($r->{took}, '<', 0.1, "$signal: at once");

    $t->start_redis;
    ok(redis_back($t), "$signal: comes back");
    is(redis_command($t, 'ECHO', 'x')->{body}, 'x', "$signal: served again");
    is(redis_script($t, 'sum', 1)->{body}, 1, "$signal: scripts, too");
    is(redis_stat($t)->{ups}, $ups + 2, "$signal: subscribed again");
    heard($signal);
}

# its clients are killed, one kind at a time

for my $kind (qw(normal pubsub)) {
    my $ups = redis_stat($t)->{ups};
    $t->redis_cli('CLIENT', 'KILL', 'TYPE', $kind, 'SKIPME', 'yes');
    $t->wait_for(sub { redis_stat($t)->{up} == 0 }, 1) if $kind eq 'pubsub';
    ok(redis_back($t), "$kind killed: comes back");
    is(redis_command($t, 'ECHO', $kind)->{body}, $kind, "$kind killed: serves");
    is(redis_stat($t)->{ups} - $ups, $kind eq 'pubsub' ? 2 : 0,
        "$kind killed: the other connection was kept");
    heard($kind);
}

# hangs

my $ups = redis_stat($t)->{ups};
my @busy = pending(10);
my $watch = Camera::Stopwatch->start;
is(join(' ', map { redis_answer($_)->{status} } @busy), join(' ', (504) x 10),
    'hung: deadlines');
cmp_ok($watch->seconds, '<', 0.15 + 2 * $grace, 'hung: are kept');

my ($refused, $worst, $other) = (0, 0, 0);

while ($watch->passed < ($t->soak ? 5 : 1)) {
    $r = redis_command($t, qw(GET key));
    $refused++ if $r->{status} != 503;
    $worst = $r->{took} if $r->{took} > $worst;

    my $one = Camera::Stopwatch->start;
    $t->http_get('/healthz');
    $other = max($other, $one->seconds);
    sleep 0.01;
}

is($refused, 0, 'hung: all others are refused');
cmp_ok($worst, '<', $grace, 'hung: at once');
cmp_ok($other, '<', $grace, 'hung: the event loop is not blocked');

$t->resume_redis;
$watch = Camera::Stopwatch->start;
ok($t->wait_for(sub { redis_stat($t)->{ready} }, 5), 'hung: comes back');
cmp_ok($watch->seconds, '<', 0.5, 'hung: as soon as it answers');
is(redis_command($t, qw(ECHO x))->{body}, 'x', 'hung: late replies are dropped');
is(redis_stat($t)->{ups}, $ups, 'hung: connections were kept');
heard('hung');

# hangs while nobody asks it

$t->pause_redis;
ok($t->wait_for(sub { redis_stat($t)->{ready} == 0 }, 3),
    'idle and hung: noticed before anybody waits in vain');
$t->resume_redis;
ok($t->wait_for(sub { redis_stat($t)->{ready} }, 1), 'idle: comes back');

# hangs for less than a command may take

my $slow = redis_send($t, qw(ECHO slow));
$t->pause_redis;
sleep 0.05;
$t->resume_redis;
is(redis_answer($slow)->{body}, 'slow', 'a short pause loses nothing');

# hangs while it is connected to: it takes connections and does not answer

for (1 .. 20) {
    $t->redis_cli(qw(CLIENT KILL TYPE normal SKIPME yes));
    $t->pause_redis;
    last if redis_stat($t)->{ready} == 0;   # else it was connected already
    $t->resume_redis;
    redis_back($t);
}
sleep 0.4;
is(redis_command($t, qw(GET key))->{status}, 503, 'connected and silent');
$t->resume_redis;
ok(redis_back($t), 'comes back when it answers');

# loses everything

is(redis_command($t, qw(SET key value))->{body}, 'OK', 'a value');
$t->redis_cli('FLUSHALL');
is(redis_command($t, qw(GET key))->{body}, 'nil', 'is gone after FLUSHALL');
is(redis_script($t, 'sum', 3)->{body}, 3, 'and counters begin anew');

ok(redis_settled($t), 'every command ended once');
is(redis_stat($t)->{pid}, $pid, 'in the same worker');

# leaks: commands and connections that die, again and again

my $memory;
for (1 .. ($t->soak ? 400 : 40)) {
    $memory = [$t->rss($pid), $t->fds($pid), redis_stat($t)->{free}]
        if $_ == 10;
    my @s = pending(4);
    $t->resume_redis;
    $t->redis_cli('CLIENT', 'KILL', 'TYPE', $_, 'SKIPME', 'yes')
        for qw(normal pubsub);
    redis_answer($_) for @s;
    redis_back($t) or last;
}
ok(redis_settled($t), 'every command ended once again');
cmp_ok($t->rss($pid) - $memory->[0], '<', $t->growth(1024), 'no growth');
$t->wait_for(sub { $t->fds($pid) <= $memory->[1] }, 2);
cmp_ok($t->fds($pid), '<=', $memory->[1], 'no descriptor is left');
cmp_ok(redis_stat($t)->{free}, '>=', $memory->[2], 'nor a connection of nginx');

# the log

my $log = $t->error_log;
my @away = $log =~ /\[error\].*Redis does not serve "test"/g;
my @again = $log =~ /\[notice\].*Redis serves "test" again/g;
is(@away, @again, 'one line for each outage and one for its end');
like($log, qr/"test": a command failed: no answer in time/, 'the stall');

$t->done_testing;

# so many commands in flight at a server that hangs

sub pending {
    my ($n) = @_;

    $t->pause_redis;
    my @sockets = map { redis_send($t, 'ECHO', $_) } 1 .. $n;
    $t->wait_for(sub { redis_stat($t)->{in_flight} == $n }, 1);

    return @sockets;
}

sub heard {
    my ($name) = @_;

    $t->redis_cli('PUBLISH', 'test:two', $name);
    ok($t->wait_for(sub { redis_stat($t)->{last} eq "test:two:$name" }, 2),
        "$name: messages arrive");
}
