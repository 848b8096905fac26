#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the use of API tokens: every request of a token is counted once, by
# all workers, over a reload and while the database is away, and those that were
# refused as too many beside them; when it was used last is known to a minute.
# Once, counts were lost when a row was locked, and some hundred tokens in use at
# once kept the others from being counted.

use strict;
use warnings;

use Camera::Test;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

$t->wait_for_the_hour;

my @user;
my $admin = $t->add_user;
my $token = $t->api(POST => '/tokens', token => $admin->{token}, json => {
    name => 'x', permissions => ['cameras:read'], rateLimit => 12 })->{json};

###############################################################################

is_deeply(today(), { requests => 0, limited => 0 }, 'none');

my @others = map { $t->api(POST => '/tokens', token => $admin->{token}, json => {
    name => "x$_", userId => user($_), permissions => ['cameras:read'] })->{json}{token}
} 1 .. 280;

get() for 1 .. 6;
ok($t->reload, 'reload');
$t->wait_api;
get() for 1 .. 10;
$t->api_get('/cameras?limit=1', token => $_) for @others;
ok($t->wait_for(sub { $t->sql('SELECT coalesce(sum(requests), 0)
    FROM api_token_usage') == 296 }, 12, 'the count of all'),
    'all tokens are counted at once');
is_deeply(counted(16), { requests => 16, limited => 4 },
    'each is counted, and what was too many');

my $used = $t->api_get("/tokens/$token->{id}", token => $admin->{token})
    ->{json}{lastUsedAt};
like($used // '', qr/^\d{4}-\d\d-\d\dT/, 'when it was used last');

get() for 1 .. 3;
my $owner = $t->pg_session('camera_owner');
$owner->ask("BEGIN; SELECT FROM api_tokens FOR UPDATE");
ok($t->wait_for(sub { $t->{postgres}->log =~ /lock timeout/ }, 15, 'a lock'),
    'they cannot be added');
$owner->ask('COMMIT');
$t->restart_postgres('immediate');
is_deeply(counted(19), { requests => 19, limited => 7 },
    'those before an outage, too');

$t->done_testing;

###############################################################################

# with 50 tokens at most

sub user {
    my ($n) = @_;

    return $user[$n / 50] //= $t->add_user(role => 'api_only')->{id};
}

sub get { $t->api_get('/cameras?limit=1', token => $token->{token}) }

# as the page of its use has it; nothing while the database is away

sub today {
    my $r = $t->api_get("/tokens/$token->{id}/usage?days=1",
        token => $admin->{token});
    return {} if $r->{status} != 200;
    my ($day) = @{ $r->{json} };
    return { map { ($_ => $day->{$_}) } qw(requests limited) };
}

sub counted {
    my ($n) = @_;

    $t->wait_for(sub { (today()->{requests} // 0) >= $n }, 25, 'the count');
    return today();
}
