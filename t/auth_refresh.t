#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for refresh tokens: each is good for one use, a lost answer costs
# nothing, a stolen token costs the session, and a cookie alone is not enough.

use strict;
use warnings;

use Camera::Test;
use Camera::Token qw(base64url random_bytes);
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_access_ttl));
$t->start_api(http => 'camera_api_access_ttl 2m;');

###############################################################################

# one after the other

my $user = $t->add_user(role => 'viewer', email => 'ann@example.org');
my $first = $user->{refresh};
my $r = refresh($first);

is($r->{status}, 200, 'refreshed');
is($r->{json}{expiresIn}, 120, 'life of the access token');
isnt($r->{json}{refreshToken}, $first, 'a new refresh token');
is($r->{headers}{'set-cookie'}, undef, 'and no cookie');
is_deeply($r->{json}{user}, { id => $user->{id}, tenantId => $user->{tenant},
    username => $user->{username}, name => undef, email => 'ann@example.org',
    role => 'viewer',
    permissions => [ qw(cameras:read streams:view recordings:read) ],
    mustChangePassword => JSON::PP::false() },
    'the user');

my $access = $r->{json}{accessToken};
my $second = $r->{json}{refreshToken};

is(status($access), 200, 'the access token is good');
is(refresh($first)->{status}, 200, 'an answer that was lost comes again');

$r = refresh($second);
is($r->{status}, 200, 'the next one');
my $third = $r->{json}{refreshToken};

# a token that was replaced earlier is a thief's, or its successors are

is(refresh($first)->{code}, 'AUTH_TOKEN_INVALID', 'used twice');
is(refresh($third)->{code}, 'AUTH_TOKEN_INVALID', 'which ends its successors');
ok($t->wait_for(sub { !grep { status($access) != 401 } 1 .. 8 }, 1, 'the end'),
    'and its access tokens, in each worker');
like($t->error_log, qr/\[warn\].*"\Q$user->{sid}\E" was ended/,
    'the log tells of it');
unlike($t->error_log, qr/\Q$first\E|\Q$second\E|\Q$third\E/,
    'without the tokens');

$user = $t->add_user;
$r = refresh($user->{refresh});
$t->sql("UPDATE user_sessions SET rotated_at = rotated_at - interval '11 s'");
is(refresh($user->{refresh})->{code}, 'AUTH_TOKEN_INVALID',
    'no answer is lost for 11 s');
is(refresh($r->{json}{refreshToken})->{code}, 'AUTH_TOKEN_INVALID',
    'that ends the session, too');

# by cookie

$user = $t->add_user;
my $cookie = "Cookie: a=b; camera_refresh=$user->{refresh}; c=d";
my $ours = 'X-Requested-With: camera';

$r = by_cookie($cookie);
is($r->{code}, 'VALIDATION_FAILED', 'a cookie alone');
is($r->{json}{error}{details}[0]{field}, 'X-Requested-With', 'what it lacks');
is(by_cookie($cookie, 'X-Requested-With: XMLHttpRequest')->{code},
    'VALIDATION_FAILED', 'a cookie with another header');

$r = by_cookie($cookie, $ours);
is($r->{status}, 200, 'a cookie with the header, and it was not used up');
is($r->{json}{refreshToken}, undef, 'with the cookie there is no other');
my ($next) = ($r->{headers}{'set-cookie'} // '') =~ m{^camera_refresh=([\w-]+);
    \ Path=/api/v1/auth;\ HttpOnly;\ SameSite=Strict$}x;
ok($next, 'it comes as a cookie');
is(by_cookie("Cookie: camera_refresh=$next", $ours)->{status}, 200,
    'which is good');
is(by_cookie('Cookie: camera_refresh=', $ours)->{code}, 'AUTH_TOKEN_INVALID',
    'an empty one');
is(by_cookie('Cookie: a=b', $ours)->{code}, 'AUTH_TOKEN_MISSING', 'no token');

my $other = $t->add_user;
$r = $t->api(POST => '/auth/refresh', json => { refreshToken =>
    $other->{refresh} }, headers => [ "Cookie: camera_refresh=$next" ]);
is($r->{json}{user}{id}, $other->{id}, 'a token in the body goes first');

# how long

$t->sql("UPDATE user_sessions SET ttl_sec = 30 * 86400"
    . " WHERE id = '$other->{sid}'");
$r = $t->api(POST => '/auth/refresh', headers => [ $ours,
    "Cookie: camera_refresh=$r->{json}{refreshToken}" ]);
like($r->{headers}{'set-cookie'}, qr/; Max-Age=(2592000|2591999)$/,
    'the cookie of a session that was to be remembered');

$user = $t->add_user;
$t->sql("UPDATE user_sessions SET expires_at = now() + interval '60 s',"
    . " created_at = now() - interval '90 days' + interval '60 s'"
    . " WHERE id = '$user->{sid}'");
$r = refresh($user->{refresh});
cmp_ok($r->{json}{expiresIn}, '<=', 60, 'nothing outlives the session');
cmp_ok($r->{json}{expiresIn}, '>=', 50, 'but lasts as long');

# what is no token any more, or never was

is(refresh(base64url(random_bytes(32)))->{code}, 'AUTH_TOKEN_INVALID',
    'a token of nobody');
is(refresh('x' x 42)->{code}, 'VALIDATION_FAILED', 'a text that is no token');
is(refresh($t->access_token)->{code}, 'VALIDATION_FAILED', 'an access token');

for my $case (
    [ 'a session that expired', "UPDATE user_sessions SET expires_at = now()"
        . " - interval '1 s' WHERE id = '%s'" ],
    [ 'a session that was ended', "SELECT api_session_end('%s', 'test')" ],
    [ 'a user who is disabled', "UPDATE users SET is_active = false"
        . " WHERE id = (SELECT user_id FROM user_sessions WHERE id = '%s')" ],
) {
    my ($name, $sql) = @$case;

    $user = $t->add_user;
    $t->sql(sprintf $sql, $user->{sid});
    is(refresh($user->{refresh})->{code}, 'AUTH_TOKEN_INVALID', $name);
}

$user = $t->add_user;
$t->stop_postgres;
is(refresh($user->{refresh})->{status}, 503, 'no database');
$t->start_postgres;
$t->wait_api;
is(refresh($user->{refresh})->{status}, 200, 'which costs no token');

$t->done_testing;

###############################################################################

sub refresh {
    my ($token) = @_;

    return $t->api(POST => '/auth/refresh', json => { refreshToken => $token });
}

sub by_cookie {
    my (@headers) = @_;

    return $t->api(POST => '/auth/refresh', headers => \@headers);
}

sub status {
    my ($token) = @_;

    return $t->api_get('/auth/me', token => $token)->{status};
}
