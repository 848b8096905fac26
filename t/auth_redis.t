#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the copies of sessions in Redis: they say who is logged in, go when
# the session goes, and are believed by nobody.  What is revoked while Redis is
# emptied, hangs or is away, stays so: sessions, API tokens, refresh tokens.

use strict;
use warnings;

use Camera::Stopwatch;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations redis camera_api_access_ttl));
$t->start_redis;
$t->start_api(camera => 'redis ' . $t->redis_address . ';',
    http => 'camera_api_login_limit 2r/h;');

###############################################################################

my $user = $t->add_user(role => 'viewer');
my $r = refresh($user);

my $copy = copy($user);
is_deeply($copy, { userId => $user->{id}, role => 'viewer',
    permissions => '["cameras:read","streams:view","recordings:read"]',
    expiresAt => $r->{json}{refreshExpiresAt} }, 'a copy');
cmp_ok(abs(ttl($user) - 86400), '<=', 2, 'for a day');

my $admin = $t->add_user(role => 'admin', password => 1, username => 'root');
$r = $t->api(POST => '/auth/login', json => { username => 'root',
    password => $t->password, remember => \1 });
is($r->{status}, 200, 'logged in');
$admin->{sid} = $t->sql("SELECT id FROM user_sessions WHERE user_id ="
    . " '$admin->{id}' ORDER BY created_at DESC LIMIT 1");
is(copy($admin)->{permissions}, '["*"]', 'a copy of a login');
cmp_ok(ttl($admin), '<=', 86400, 'for a day, however long the session is');

# Redis hears of an attempt before its password was found right

is_deeply([ map { $t->api(POST => '/auth/login', json => { username => 'root',
    password => $t->password })->{status} } 1 .. 3 ], [ (200) x 3 ],
    'right passwords count in no limit that nodes share');
ok($t->wait_for(sub {
    my @keys = $t->redis_cli('KEYS', 'rate_limit:login:*');
    @keys && !grep { $t->redis_cli('GET', $_) != 0 } @keys;
}, 2), 'as Redis has it');

my $short = $t->add_user;
$t->sql("UPDATE user_sessions SET ttl_sec = 600 WHERE id = '$short->{sid}'");
refresh($short);
copy($short);
cmp_ok(ttl($short), '<=', 600, 'for no longer than the session');

# it goes with the session, whoever ends it

$t->api(POST => '/auth/logout', token => $user->{token});
ok(gone($user), 'logged out');
$t->sql("SELECT api_session_end('$short->{sid}', 'test')");
ok(gone($short), 'ended by somebody else');

# nobody believes it

$t->redis_cli('HSET', "session:$user->{sid}", 'userId', $user->{id}, 'role',
    'admin', 'permissions', '["*"]', 'expiresAt', '2099-01-01T00:00:00.000Z');
is(status($user), 401, 'what was ended stays so, whatever Redis says');
is(refresh($user)->{status}, 401, 'its refresh token, too');

$t->redis_cli('FLUSHALL');
is_deeply([ map { status($user) } 1 .. 8 ], [ (401) x 8 ],
    'and when it has forgotten');
is($t->api_get('/auth/me', token => $r->{json}{accessToken})->{status}, 200,
    'what stands stays so');

# and nobody waits for it

my $other = $t->add_user;

$t->pause_redis;
my $watch = Camera::Stopwatch->start;
is(refresh($other)->{status}, 200, 'Redis hangs');
cmp_ok($watch->seconds, '<', 1, 'but nobody waits for it');
$t->resume_redis;

$t->stop_redis('KILL');
is(refresh($other)->{status}, 200, 'Redis is gone');
is($t->api(POST => '/auth/logout',
    json => { refreshToken => $other->{refresh} })->{status}, 204, 'logout');
ok($t->wait_for(sub { !grep { status($other) != 401 } 1 .. 8 }, 1),
    'is one');

$t->start_redis;
my $again = $t->add_user;
ok($t->wait_for(sub { refresh($again); keys %{ found($again) } }, 5),
    'it is back, and so are the copies');

# what is revoked while Redis has trouble

my %trouble = (
    emptied => [ sub { $t->redis_cli('FLUSHALL') }, sub {} ],
    hangs => [ sub { $t->pause_redis }, sub { $t->resume_redis } ],
    away => [ sub { $t->stop_redis('KILL') }, sub { $t->start_redis } ],
);

for my $name (sort keys %trouble) {
    my ($begins, $ends) = @{ $trouble{$name} };
    my ($thief, $left) = map { $t->add_user } 1, 2;
    my $api = $t->api(POST => '/tokens', token => $again->{token}, json => {
        name => $name, permissions => ['cameras:read'] })->{json};
    my $stolen = $thief->{refresh};
    refresh($thief) for 1, 2;
    my @good = map { ask($_) } $api->{token}, $left->{token}, $thief->{token};
    is("@good", '200 200 200', "$name: three tokens");

    $begins->();
    is($t->api(DELETE => "/tokens/$api->{id}", token => $again->{token})
        ->{status}, 204, "$name: an API token is revoked");
    is($t->api(POST => '/auth/logout', token => $left->{token})->{status}, 204,
        "$name: somebody leaves");
    is(refresh({ refresh => $stolen })->{status}, 401,
        "$name: a refresh token is used twice");

    for my $when ('meanwhile', 'after it') {
        ok($t->wait_for(sub { !grep { ask($_) != 401 }
            ($api->{token}, $left->{token}, $thief->{token}) x 8 }, 1),
            "$name, $when: no worker takes one of them");
        $ends->() if $when eq 'meanwhile';
    }
}

$t->done_testing;

###############################################################################

# spends the user's refresh token, keeps the next one

sub refresh {
    my ($user) = @_;

    my $r = $t->api(POST => '/auth/refresh',
        json => { refreshToken => $user->{refresh} });
    $user->{refresh} = $r->{json}{refreshToken} // $user->{refresh};

    return $r;
}

sub status {
    my ($user) = @_;

    return $t->api_get('/auth/me', token => $user->{token})->{status};
}

sub ask { return $t->api_get('/cameras', token => $_[0])->{status} }

sub found {
    my ($user) = @_;

    return { $t->redis_cli('HGETALL', "session:$user->{sid}") };
}

# it is written after the answer

sub copy {
    my ($user) = @_;

    $t->wait_for(sub { keys %{ found($user) } }, 2, 'the copy');

    return found($user);
}

sub ttl { $t->redis_cli('TTL', "session:$_[0]{sid}") }

sub gone {
    my ($user) = @_;

    return $t->wait_for(sub { !keys %{ found($user) } }, 2, 'the end');
}
