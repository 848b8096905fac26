#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for logging out: by refresh token, cookie or access token, after which
# none of the session's tokens is good.

use strict;
use warnings;

use Camera::Test;
use Camera::Token qw(base64url random_bytes);
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_access_ttl));
$t->start_api;

my $ours = 'X-Requested-With: camera';

###############################################################################

# by refresh token

my $user = $t->add_user;
is(status($user), 200, 'logged in');

my $r = logout(json => { refreshToken => $user->{refresh} });
is($r->{status}, 204, 'logged out');
is($r->{body}, '', 'without words');
is($r->{headers}{'set-cookie'}, undef, 'there was no cookie');
is_ended($user);

is(logout(json => { refreshToken => $user->{refresh} })->{status}, 204,
    'what has ended may be ended');
is(logout(json => { refreshToken => base64url(random_bytes(32)) })->{status},
    204, 'and what never was');
is(logout(json => { refreshToken => 'x' })->{code}, 'VALIDATION_FAILED',
    'a text that is no token');

# by cookie

$user = $t->add_user;
my $cookie = "Cookie: camera_refresh=$user->{refresh}";

is(logout(headers => [ $cookie ])->{code}, 'VALIDATION_FAILED',
    'a cookie alone, as a foreign page sends it');
is(status($user), 200, 'ends nothing');

# with an access token that has expired, as of a page that was left open

$r = logout(headers => [ $cookie, $ours ], token => $t->access_token(%$user,
    claims => { iat => time - 900, exp => time - 1 }));
is($r->{status}, 204, 'with the header');
like($r->{headers}{'set-cookie'}, qr{^camera_refresh=;\ Path=/api/v1
    /auth;\ HttpOnly;\ SameSite=Strict;\ Max-Age=0$}x, 'the cookie is removed');
is_ended($user);

# by access token

$user = $t->add_user;
my $other = $t->add_user;

is(status($user), 200, 'logged in');
is(logout(token => $user->{token})->{status}, 204, 'by access token');
is($t->api_get('/auth/me', token => $user->{token})->{code},
    'AUTH_TOKEN_INVALID', 'which is refused at once');
is_ended($user);
is(status($other), 200, 'others stay');
is(logout(token => $user->{token})->{status}, 204, 'again');

is(logout()->{code}, 'AUTH_TOKEN_MISSING', 'nobody');
is(logout(token => 'x.y.z')->{code}, 'AUTH_TOKEN_INVALID', 'no token');
is(logout(token => $t->access_token(%$other,
    claims => { iat => time - 900, exp => time - 1 }))->{code},
    'AUTH_TOKEN_INVALID', 'an access token that has expired');
is(status($other), 200, 'ends nothing');

is($t->sql("SELECT string_agg(DISTINCT revoked_reason, ' ')"
    . ' FROM user_sessions'), 'logout', 'the reason is kept');

$t->stop_postgres;
is(logout(token => $other->{token})->{status}, 503, 'no database');

$t->done_testing;

###############################################################################

sub logout { $t->api(POST => '/auth/logout', @_) }

sub status {
    my ($user) = @_;

    return $t->api_get('/auth/me', token => $user->{token})->{status};
}

sub is_ended {
    my ($user) = @_;

    ok($t->wait_for(sub { !grep { status($user) != 401 } 1 .. 8 }, 1,
        'the end'), 'the access token is refused, in each worker');
    is($t->api(POST => '/auth/refresh',
        json => { refreshToken => $user->{refresh} })->{status}, 401,
        'and the refresh token');
}
