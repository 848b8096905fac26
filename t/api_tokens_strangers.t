#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for API tokens that nobody knows: beyond the limit of their address they
# are refused without a question to the database, and with them tokens that were
# never seen; whoever was let in before from there is let in on.

use strict;
use warnings;

use Camera::Test;
use Camera::Token qw(made_up);
use Test::More;

my $limit = 20;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_postgres(log_statement => 'all');
$t->start_api(http => "camera_api_address_limit ${limit}r/h;");
$t->wait_for_the_hour;

my $admin = $t->add_user;
my ($known, $other, $new) = map { create() } 1 .. 3;

###############################################################################

is(get($_)->{status}, 200, 'a good one') for $known, $other;
my $before = checks();
is_deeply([ map { get(made_up())->{status} } 1 .. $limit ], [ (401) x $limit ],
    'as many as an address may');
is(checks(), $before + $limit, 'are looked up, each');

my $r = get(made_up());
is("$r->{status} $r->{code}", '429 RATE_LIMIT_EXCEEDED', 'then no more');
like($r->{headers}{ratelimit}, qr/^"address";r=0;t=\d+$/, 'of the address');
is_deeply([ map { get(made_up())->{status} } 1 .. 20 ], [ (429) x 20 ],
    'however often');
is(checks(), $before + $limit, 'without a question to the database');

is(get(made_up(), local => '127.0.0.3')->{status}, 401, 'another address');
is(get($admin->{token})->{status}, 200, 'a session from there');

# neighbours of who guesses

is(get($known)->{status}, 200, 'one that is known');
$t->sql(q{NOTIFY principal_changed, 'everybody'});
ok($t->wait_for(sub { my $n = checks(); get($known)->{status} == 200
    && checks() > $n }, 2, 'a question'), 'is asked about anew, and let in');
is(get($new)->{status}, 429, 'one that was never seen has to wait');
is(get($new, local => '127.0.0.3')->{status}, 200, 'unless it comes elsewhere');
is(get($new)->{status}, 200, 'and is known then');

# what was good and is no longer

$t->sql(q{UPDATE api_tokens SET is_active = false, revoked_at = now()});
ok($t->wait_for(sub { get($known)->{status} == 429 }, 2, 'the end'),
    'a revoked one is as unknown');
$t->wait_for(sub { get($_)->{status} == 429 }, 2, 'the end') for $other, $new;
my $after = checks();
get($_) for ($known, $other, $new) x 5;
is(checks(), $after, 'and not asked about either');

$t->done_testing;

###############################################################################

sub create {
    return $t->api(POST => '/tokens', token => $admin->{token},
        json => { name => 'x', permissions => ['cameras:read'] })
        ->{json}{token};
}

sub get {
    my ($token, %more) = @_;

    return $t->api_get('/cameras?limit=1', token => $token,
        local => '127.0.0.2', %more);
}

# how often the database was asked about an API token

sub checks {
    return scalar grep { /camera_api LOG:  execute api_token_check/ }
        split /\n/, $t->{postgres}->log;
}
