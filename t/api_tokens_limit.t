#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for limits of API tokens and tenants: each token has its own, all users
# and tokens of a tenant share one, what one of them refuses counts for none, and
# a token runs few requests at once.

use strict;
use warnings;

use Camera::Test;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations redis camera_api_database));
$t->start_redis;
$t->start_api(camera => 'redis ' . $t->redis_address . ';',
    server => 'location = /metrics { camera_metrics; }', http => <<'END');
    camera_api_limit 1000r/h;
    camera_api_token_concurrent 2;
END

$t->wait_for_the_hour;

my $admin = $t->add_user;
my $other = $t->add_user(tenant => $t->add_tenant);
my $one = create(rateLimit => 5, rateWindow => 3600);
my $two = create(rateLimit => 100);

###############################################################################

# of each token

my $r = get($one->{token});
is($r->{headers}{'ratelimit-policy'}, '"token";q=5;w=3600', 'its own policy');
like($r->{headers}{ratelimit}, qr/^"token";r=4;t=\d+$/, 'what is left');
is(scalar(grep { get($one->{token})->{status} == 200 } 1 .. 10), 4,
    'as many as it may, over all workers');
$r = get($one->{token});
is("$r->{status} $r->{code}", '429 RATE_LIMIT_EXCEEDED', 'one too many');
cmp_ok(abs($r->{headers}{'retry-after'} - (3600 - time % 3600)), '<=', 1,
    'when to come again');
is(get($two->{token})->{status}, 200, 'another one is let alone');
is(get($admin->{token})->{status}, 200, 'and so is its owner');

my $key = "rate_limit:$one->{id}:" . int(time - time % 3600);
ok($t->wait_for(sub { (($t->redis_cli('GET', $key))[0] // '') eq '5' }, 2,
    'Redis'), 'Redis knows it by its id and window');
cmp_ok(abs(($t->redis_cli('TTL', $key))[0] - 3600), '<', 60, 'for an hour');

# of a tenant: tokens and users together

$t->sql("UPDATE tenants SET max_requests_per_hour = 10
    WHERE id = '$admin->{tenant}'");
ok($t->wait_for(sub { ($r = get($two->{token}))->{headers}{'ratelimit-policy'}
    eq '"token";q=100;w=3600, "tenant";q=10;w=3600' }, 2, 'the tenant'),
    'two policies');

my ($mine, $all) = left($r);
is(get($admin->{token})->{status}, 200, 'a user counts for the tenant, too');
is((left(get($two->{token})))[1], $all - 2, 'together with its tokens');

1 while get($admin->{token})->{status} == 200;
$r = get($two->{token});
is("$r->{status} $r->{code}", '429 RATE_LIMIT_EXCEEDED', 'none is left');
is_deeply([ left($r) ], [ $mine - 1, 0 ], 'which of them refuses');
get($two->{token}) for 1 .. 5;
is((left(get($two->{token})))[0], $mine - 1, 'what is refused counts for none');
is(get($other->{token})->{status}, 200, 'another tenant is let alone');

$t->sql("UPDATE tenants SET max_requests_per_hour = NULL
    WHERE id = '$admin->{tenant}'");
ok($t->wait_for(sub { get($two->{token})->{status} == 200 }, 2, 'no limit'),
    'a limit that is gone');

# at once

get($two->{token}) for 1 .. 4;
$t->pause_postgres;
my @waiting = map { $t->api_send('/cameras?limit=1', $two->{token}) } 1 .. 2;
ok($t->wait_running(2), 'two run');
$r = get($two->{token});
is("$r->{status} $r->{code}", '429 CONCURRENT_LIMIT_EXCEEDED', 'at once');
$t->resume_postgres;
ok($t->wait_for(sub { get($two->{token})->{status} == 200 }, 5, 'answers'),
    'then again');

$t->done_testing;

###############################################################################

sub create {
    my (%more) = @_;

    return $t->api(POST => '/tokens', token => $admin->{token},
        json => { name => 'x', permissions => ['cameras:read'], %more })
        ->{json};
}

sub get {
    my ($token) = @_;

    return $t->api_get('/cameras?limit=1', token => $token);
}

# of the token and of the tenant

sub left {
    my ($r) = @_;

    return $r->{headers}{ratelimit} =~ /"(?:token|tenant)";r=(\d+)/g;
}
