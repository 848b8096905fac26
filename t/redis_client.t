#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the Redis client: replies, scripts, messages, deadlines, a bounded
# queue, clients that leave, passwords, and an event loop that is never blocked.

use strict;
use warnings;

use Camera::RedisClient qw(start_redis_client redis_command redis_script
    redis_send redis_answer redis_stat redis_back redis_settled);
use Camera::Stopwatch;
use Camera::Test;
use List::Util qw(max);
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx redis));

my @debug = ('enable-debug-command' => 'yes');

# a deadline that a loaded machine does not miss; redis_client_lost.t has the
# one of every day

$t->start_redis(@debug);
start_redis_client($t, queue => 20, timeout => 500);

# replies

is(command(qw(SET key value)), '200 OK', 'status');
is(command(qw(GET key)), '200 value', 'string');
is(command(qw(GET absent)), '200 nil', 'nil');
is(command(qw(INCRBY number 7)), '200 7', 'number');
is(command(qw(MGET key absent number)), '200 value,nil,7,', 'array');
like(command(qw(INCR key)), qr/^409 ERR value is not an integer/, 'error');
is(command('SET', 'key', ''), '200 OK', 'an empty argument');
is(command(qw(GET key)), '200 ', 'is one');

$t->redis_cli('SETRANGE', 'big', 3_000_000, 'x');
is(length redis_command($t, qw(GET big))->{body}, 3_000_001, 'a big value');

# pipelines

my @sockets = map { redis_send($t, $_ % 3 ? ('ECHO', $_) : ('INCR', 'big')) }
    1 .. 18;
is_deeply([map { redis_answer($_)->{body} } @sockets],
    [map { $_ % 3 ? $_ : 'ERR value is not an integer or out of range' }
        1 .. 18], 'each gets its own reply');

# scripts

is(script('sum', 5), '200 5', 'a script nobody has sent yet');
is(script('sum', 5), '200 10', 'and again');
$t->redis_cli('SCRIPT', 'FLUSH');
@sockets = map { redis_send($t, 'sum', "1&script=1") } 1 .. 10;
is_deeply([sort { $a <=> $b } map { redis_answer($_)->{body} } @sockets],
    [11 .. 20], 'forgotten: each runs once');
$t->redis_cli('FLUSHALL');
is(script('sum', 5), '200 5', 'after FLUSHALL it begins anew');
like(script('sum', 'x'), qr/^409 ERR value is not an integer/,
    'an error of a script');

# messages

$t->redis_cli('PUBLISH', 'test:one', 'hello');
ok($t->wait_for(sub { redis_stat($t)->{last} eq 'test:one:hello' }, 2),
    'message');
$t->redis_cli('PUBLISH', 'test:three', 'not for us');
is($t->redis_cli('PUBLISH', 'test:two', 'hi'), 1, 'one listens');
ok($t->wait_for(sub { redis_stat($t)->{last} eq 'test:two:hi' }, 2),
    'message of another channel');
is(redis_stat($t)->{messages}, 2, 'no other message');
$t->redis_cli('PUBLISH', 'test:one', $_) for 1 .. 50;
ok($t->wait_for(sub { redis_stat($t)->{messages} == 52 }, 2), 'none is lost');

# queue

my $slow = slow(0.1);
@sockets = map { redis_send($t, 'ECHO', $_) } 1 .. 24;
my @status = map { redis_answer($_)->{status} } @sockets;
is(scalar(grep { $_ == 503 } @status), 5, 'refused above the bound');
is(scalar(grep { $_ == 200 } @status), 19, 'served below it');
is(redis_answer($slow)->{status}, 200, 'with the one that was slow');
ok(redis_settled($t), 'nothing is left');

# deadlines

my $r = redis_command($t, qw(DEBUG SLEEP 1.2));
is($r->{status}, 504, 'deadline');
cmp_ok($r->{took}, '<', 0.9, 'in time');
$r = redis_command($t, qw(GET key));
is($r->{status}, 503, 'then refused');
cmp_ok($r->{took}, '<', 0.1, 'at once');
ok(redis_back($t), 'until it answers');
is(command(qw(ECHO x)), '200 x', 'the late reply was dropped');
is(redis_stat($t)->{ups}, 2, 'the connections were kept');

# others are served meanwhile

$slow = slow(0.1);
my $worst = 0;
for (1 .. 20) {
    my $watch = Camera::Stopwatch->start;
    $t->http_get('/other');
    $worst = max($worst, $watch->seconds);
}
is(redis_answer($slow)->{status}, 200, 'slow one');
cmp_ok($worst, '<', $ENV{CAMERA_SANITIZED} ? 0.5 : 0.1,
    'event loop is not blocked');

# clients that leave

my $before = $t->fds(redis_stat($t)->{pid});
for my $n (1 .. 200) {
    my $s = redis_send($t, $n % 2 ? qw(DEBUG SLEEP 0.005) : qw(GET big));
    select undef, undef, undef, rand 0.006;
    close $s;
}
ok(redis_settled($t), '200 clients left, each command ended once');
cmp_ok(redis_stat($t)->{gone}, '>', 20, 'many of them in mid-command');
redis_back($t);
is(command(qw(ECHO text)), '200 text', 'replies are in step');
$t->wait_for(sub { $t->fds(redis_stat($t)->{pid}) <= $before }, 5, 'files');
cmp_ok($t->fds(redis_stat($t)->{pid}), '<=', $before, 'no descriptor is left');

# reload and exit: no "open socket left in connection", which is an alert

$slow = slow(0.1);
ok($t->reload, 'reload');
is(redis_answer($slow)->{status}, 200, 'old worker ends what it began');
ok($t->wait_for(sub { !$t->old_worker_pids }, 3), 'and exits');
redis_back($t);

$t->pause_redis;
my $busy = redis_send($t, qw(ECHO x));
$t->wait_for(sub { redis_stat($t)->{in_flight} }, 1);
$t->stop_nginx;
is(redis_answer($busy)->{status}, 502, 'told by a worker that is terminated');
$t->resume_redis;

# another database, a password, TCP

$t->stop_redis;
my $port = $t->port('redis');
$t->start_redis(port => $port, bind => '127.0.0.1', requirepass => 'se/cret');

start_redis_client($t, address => "redis://:se%2Fcret\@127.0.0.1:$port/3");
is(command(qw(SET where tcp)), '200 OK', 'by TCP with a password');
is($t->redis_cli('-n', 3, 'GET', 'where'), 'tcp', 'in another database');
$t->redis_cli('PUBLISH', 'test:one', 'tcp');
ok($t->wait_for(sub { redis_stat($t)->{last} eq 'test:one:tcp' }, 2),
    'messages, too');
$t->stop_nginx;

my $path = $t->redis_address =~ s/^unix://r;
start_redis_client($t, address => "unix://default:se%2Fcret\@$path?db=3");
is(command(qw(GET where)), '200 tcp', 'by a socket with user and password');
$t->stop_nginx;

start_redis_client($t, address => "unix://:se%2Fcrex\@$path", away => 1);
ok($t->wait_for(sub { $t->error_log =~ /AUTH failed: WRONGPASS$/m }, 2),
    'a wrong password');
is(redis_command($t, 'PING')->{status}, 503, 'serves nobody');
$t->stop_nginx;

start_redis_client($t, address => "127.0.0.1:$port", away => 1);
ok($t->wait_for(sub { $t->error_log =~ /PING failed: NOAUTH/ }, 2),
    'no password');
$t->stop_nginx;

start_redis_client($t, address => "unix://:se%2Fcret\@$path?db=77", away => 1);
ok($t->wait_for(sub { $t->error_log =~ /SELECT failed: ERR DB index/ }, 2),
    'no such database');
$t->stop_nginx;

unlike($t->error_log, qr/se.cre|%2F/, 'no password in the log');

# addresses

for my $bad (['redis.example:6379', 'is neither'],
    ['redis://:secret@redis.example/0', 'is neither'],
    ['rediss://127.0.0.1', 'asks for TLS, which is not supported'],
    ['redis://secret@127.0.0.1', 'names a user without a password'],
    ['redis://secret:@127.0.0.1', 'names a user without a password'],
    ['redis://127.0.0.1/zero', 'has no number of a database'],
    ['unix:run/redis.sock', 'needs an absolute path'],
    ['unix:', 'needs an absolute path'],
    ['unix:/' . 'x' x 108, 'has a path too long'])
{
    configure($bad->[0]);
    my $said = $t->nginx_test;
    like($said, qr/the address $bad->[1]/, "refused: $bad->[1]");
    unlike($said, qr/secret/, 'without its secret');
}

for my $good ('127.0.0.1', '[::1]:6379', 'redis://127.0.0.1/',
    'redis://[::1]/15', 'unix:///run/x')
{
    configure($good);
    like($t->nginx_test, qr/test is successful/, "accepted: $good");
}

$t->allow_log(qr/the address/);
$t->done_testing;

sub command { join ' ', @{ redis_command($t, @_) }{qw(status body)} }

sub script { join ' ', @{ redis_script($t, @_) }{qw(status body)} }

# a command that keeps Redis busy, begun

sub slow {
    my ($seconds) = @_;

    my $s = redis_send($t, 'DEBUG', 'SLEEP', $seconds);
    $t->wait_for(sub { redis_stat($t)->{in_flight} }, 1);

    return $s;
}

sub configure {
    my ($address) = @_;

    $t->nginx_conf(conf => $t->read_file($t->dir . '/nginx.conf')
        =~ s/redis_test_client "\K[^"]*/$address/r);
}
