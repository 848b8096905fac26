#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for limits of the API: headers that tell the truth, one count for all
# workers and, through Redis, for all nodes; Redis that stops, hangs or forgets
# keeps nobody waiting and gives nothing away on one node; requests that run at
# once, also those of a worker that died.

use strict;
use warnings;

use Camera::Stopwatch;
use Camera::Test;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations redis camera_api_limit));
$t->start_redis;
$t->start_api(camera => 'redis ' . $t->redis_address . ';',
    server => 'location = /metrics { camera_metrics; }', http => <<'END');
    camera_api_limit 40r/h;
    camera_api_address_limit 60r/h;
    camera_api_concurrent 3;
END

$t->wait_for_the_hour;

###############################################################################

# headers

my $user = $t->add_user;
my $r = get($user);

is($r->{headers}{'ratelimit-policy'}, '"user";q=40;w=3600', 'policy');
my ($left, $reset) = state($r);
is($left, 39, 'what is left');
cmp_ok(abs($reset - (3600 - time % 3600)), '<=', 5, 'until when');

# both workers count together, and what is refused costs nothing

my @status = map { get($user)->{status} } 1 .. 38;
is_deeply([ grep { $_ != 200 } @status ], [], 'as many as were said');
$r = get($user);
is((state($r))[0], 0, 'none is left');
is($r->{status}, 200, 'the last one');

$r = get($user);
is("$r->{status} $r->{code}", '429 RATE_LIMIT_EXCEEDED', 'one too many');
cmp_ok(abs($r->{headers}{'retry-after'} - (3600 - time % 3600)), '<=', 5,
    'when to come again');
is($r->{json}{error}{requestId}, $r->{headers}{'x-request-id'}, 'envelope');

is(get($t->add_user)->{status}, 200, 'others are let alone');

ok($t->wait_for(sub { get($user); refusing() == 2 }, 10, 'both'),
    'each worker refuses');

ok($t->reload, 'reload');
$t->wait_api;
is(get($user)->{status}, 429, 'remembered over a reload');

# by address, when nobody is known; wait_api has asked for some

$r = $t->api_get('/cameras');
is($r->{status}, 401, 'nobody');
like($r->{headers}{'ratelimit-policy'}, qr/q=60;/, 'the other policy');
my $n = (state($r))[0];
@status = map { $t->api_get('/cameras', token => 'x')->{status} } 1 .. $n;
is_deeply([ grep { $_ != 401 } @status ], [], 'bad tokens are counted');
is($t->api_get('/cameras')->{status}, 429, 'strangers');
is($t->api_get('/cameras', local => '127.0.0.2')->{status}, 401,
    'at another address');
is(get($t->add_user)->{status}, 200, 'users at that address');

# the sum of all nodes

my $key = "rate_limit:$user->{id}:" . (time - time % 3600);
$key =~ s/\..*//;
ok($t->wait_for(sub { ($t->redis_cli('GET', $key))[0] == 40 }, 2, 'Redis'),
    'Redis knows');
cmp_ok(abs(($t->redis_cli('TTL', $key))[0] - 3600), '<', 60, 'for an hour');

my $roamer = $t->add_user;
get($roamer);
$key =~ s/$user->{id}/$roamer->{id}/;
$t->wait_for(sub { (($t->redis_cli('GET', $key))[0] // '') eq '1' }, 2, 'one');
$t->redis_cli('INCRBY', $key, 30);          # another node
get($roamer);
ok($t->wait_for(sub { $t->redis_cli('GET', $key) && (state(get($roamer)))[0]
    < 10 }, 2, 'the sum'), 'what others counted is missing here');
my $others = (state(get($roamer)))[0];
is(scalar(grep { get($roamer)->{status} == 200 } 1 .. 40), $others,
    'and no more than that is left');

ok($t->wait_for(sub { shared() == 1 }, 2, 'metrics'), 'told by a metric');

# Redis forgets, hangs, goes away

my $flushed = $t->add_user;
get($flushed) for 1 .. 20;
$key = "rate_limit:$flushed->{id}:" . int(time - time % 3600);
$t->wait_for(sub { (($t->redis_cli('GET', $key))[0] // '') eq '20' }, 2,
    'Redis');
$t->redis_cli('FLUSHALL');
is(scalar(grep { get($flushed)->{status} == 200 } 1 .. 40), 20,
    'forgetting gives nothing away');

my $patient = $t->add_user;
get($patient);
$t->pause_redis;
my $watch = Camera::Stopwatch->start;
get($patient) for 1 .. 9;
cmp_ok($watch->seconds, '<', 1, 'nobody waits for Redis');
is((state(get($patient)))[0], 29, 'it goes on to be counted');
$t->resume_redis;

$t->stop_redis('KILL');
$watch = Camera::Stopwatch->start;
is(scalar(grep { get($patient)->{status} == 200 } 1 .. 40), 29,
    'without Redis the limit is that of this node');
cmp_ok($watch->seconds, '<', 2, 'at once');
ok($t->wait_for(sub { shared() == 0 }, 2, 'metrics'), 'told by a metric');

# requests that run at once: the database hangs, so they do

my $busy = $t->add_user;
get($busy) for 1 .. 4;
$t->pause_postgres;
my @waiting = map { $t->api_send('/cameras?limit=1', $busy->{token}) } 1 .. 3;
ok($t->wait_running(3), 'three run');
$r = get($busy);
is("$r->{status} $r->{code}", '429 CONCURRENT_LIMIT_EXCEEDED', 'too many');
is($r->{headers}{'retry-after'}, 1, 'come again soon');
is((state($r))[0], 32, 'it cost one request');

is($t->metric('camera_api_requests_running'), 3, 'the others wait on');
close $_ for splice @waiting, 0, 2;
ok($t->wait_running(1), 'one runs');
push @waiting, $t->api_send('/cameras?limit=1', $busy->{token});
ok($t->wait_running(2), 'who leaves makes room');

$t->resume_postgres;
ok($t->wait_for(sub { get($busy)->{status} == 200 }, 5, 'answers'),
    'who is answered, too');

# what a worker that died had counted is nobody's

my $orphan = $t->add_user;
get($orphan) for 1 .. 4;
$t->pause_postgres;
@waiting = map { $t->api_send('/cameras?limit=1', $orphan->{token}) } 1 .. 3;
ok($t->wait_running(3), 'three run');
my %old = map { $_ => 1 } $t->worker_pids;
$t->allow_log(qr/process $_ exited on signal 9/) for keys %old;
kill 'KILL', keys %old;
$t->resume_postgres;
$t->wait_for(sub { 2 == grep { !$old{$_} } $t->worker_pids }, 10, 'workers');
ok($t->wait_for(sub { get($orphan)->{status} == 200 }, 5, 'room'),
    'a killed worker takes its numbers along');
ok($t->wait_running(0), 'and none runs');

$t->done_testing;

###############################################################################

sub get {
    my ($user) = @_;

    return $t->api_get('/cameras?limit=1', token => $user->{token});
}

# workers that have refused somebody

sub refusing {
    my %pids = map { $_ => 1 } $t->error_log
        =~ /\[info\] (\d+)#.*RATE_LIMIT_EXCEEDED/g;

    return scalar keys %pids;
}

sub shared { $t->metric('camera_api_limits_shared') }

sub state {
    my ($r) = @_;

    my ($left, $reset) = ($r->{headers}{ratelimit} // '')
        =~ /^"\w+";r=(\d+);t=(\d+)$/ or die "no RateLimit: $r->{header}\n";
    return ($left, $reset);
}
