#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for how exact limits are: of an API token, a user, an address and a tenant,
# asked for by several clients at once over two workers, with Redis there, gone
# and back in mid-run, and emptied.  What is let through is what was said, to 5 %.

use strict;
use warnings;

use Camera::Test;
use POSIX ();
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations redis camera_api_database));
$t->start_redis;
$t->start_api(camera => 'redis ' . $t->redis_address . ';',
    server => 'location = /metrics { camera_metrics; }', http => <<'END');
    camera_api_limit 100r/h;
    camera_api_address_limit 100r/h;
    camera_api_token_concurrent 100;
END

my ($limit, $clients) = (100, 3);
my $addresses = 10;

# what makes somebody new: their name in Redis, and ways to ask as them

my %new = (
    token => sub {
        my $token = token($t->add_user, rateLimit => $limit);
        return ($token->{id}, sub { get(token => $token->{token}) });
    },

    user => sub {
        my $user = $t->add_user;
        return ($user->{id}, sub { get(token => $user->{token}) });
    },

    # who is nobody is limited by address: 401 is what is let through

    address => sub {
        my $local = '127.0.0.' . ++$addresses;
        return ($local, sub { get(local => $local) == 401 ? 200 : 429 });
    },

    # two users and a token, each of whom alone may ask for as much

    tenant => sub {
        my $tenant = $t->add_tenant;
        my @users = map { $t->add_user(tenant => $tenant) } 1, 2;
        my @tokens = (token($users[0], rateLimit => 1000)->{token},
            map { $_->{token} } @users);
        $t->sql("UPDATE tenants SET max_requests_per_hour = $limit
            WHERE id = '$tenant'");
        $t->wait_for(sub { policies($tokens[0]) =~ /"tenant";q=$limit;/ }, 3,
            'the quota');
        return ("tenant:$tenant",
            map { my $token = $_; sub { get(token => $token) } } @tokens);
    },
);

# what happens to Redis after a third of the requests, and after all of them

my @runs = (
    [ 'Redis is there', sub { }, sub { } ],
    [ 'Redis is emptied', sub { $t->redis_cli('FLUSHALL') }, sub { } ],
    [ 'Redis goes', sub { $t->stop_redis('KILL') }, sub { back() } ],
    [ 'Redis comes back', sub { back() }, sub { },
        sub { $t->stop_redis('KILL') } ],
);

$t->wait_for_the_hour;

###############################################################################

for my $run (@runs) {
    my ($name, $happens, $after, $before) = @$run;

    for my $policy (sort keys %new) {
        my (undef, @ask) = $new{$policy}->();
        my $spent = $policy eq 'tenant' ? $limit - left($ask[0]) : 0;

        $before->() if $before;
        my $passed = $spent + ask($limit / 3, @ask);
        $happens->();
        $passed += ask($limit, @ask);
        $after->();

        cmp_ok(abs($passed - $limit), '<=', $limit * 0.05,
            "$name, $policy: $passed of $limit");
    }
}

# another node counts, too: what it tells Redis is missing here

for my $policy (sort keys %new) {
    my ($id, $ask) = $new{$policy}->();
    my $key = sprintf "rate_limit:$id:%d", time - time % 3600;

    $ask->();
    ok($t->wait_for(sub { ($t->redis_cli('GET', $key))[0] }, 2, 'Redis'),
        "$policy: Redis knows");

    $t->redis_cli('INCRBY', $key, 60);
    ok($t->wait_for(sub { left($ask) < 38 }, 2, 'the sum'),
        "$policy: what another node counted is missing here");
    my $left = left($ask);
    is(scalar(grep { $ask->() == 200 } 0 .. $left), $left,
        "$policy: and no more is let through");
}

$t->done_testing;

###############################################################################

# so many requests, by several clients at once; how many were let through

sub ask {
    my ($n, @ask) = @_;

    my @pipes = map { client($_, POSIX::ceil($n / $clients), @ask) }
        0 .. $clients - 1;
    my $passed = 0;

    for my $pipe (@pipes) {
        $passed += readline $pipe;
        close $pipe;
    }

    return $passed;
}

sub client {
    my ($first, $n, @ask) = @_;

    my $pid = open my $pipe, '-|' // die "fork(): $!";
    return $pipe if $pid;

    my $passed = grep { $ask[ ($first + $_) % @ask ]->() == 200 } 1 .. $n;
    syswrite STDOUT, "$passed\n";
    POSIX::_exit(0);
}

my $last;

sub get {
    my (%opt) = @_;

    $last = $t->api_get('/cameras?limit=1', %opt);
    return $last->{status};
}

sub policies {
    my ($token) = @_;

    get(token => $token);
    return $last->{headers}{'ratelimit-policy'} // '';
}

# what is left of the limit that matters, the last one

sub left {
    my ($ask) = @_;

    $ask->();
    return ($last->{headers}{ratelimit} =~ /r=(\d+)/g)[-1];
}

sub token {
    my ($user, %more) = @_;

    return $t->api(POST => '/tokens', token => $user->{token}, json => {
        name => 'x', permissions => ['cameras:read'], %more })->{json};
}

sub back {
    $t->start_redis;
    $t->wait_for(sub { $t->metric('camera_api_limits_shared') }, 5, 'Redis');
}
