#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for logging in by an identity provider, against a real one: the whole way
# of a browser there and back, who is linked and who is made, and keys that
# change while nginx runs.

use strict;
use warnings;

use Camera::Oidc;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_oidc tls));
plan(skip_all => 'no oidc-provider, see t/README.md')
    unless -d $t->root . '/t/oidc/node_modules/oidc-provider';

my $oidc = Camera::Oidc->new($t);
my $ours = 'http://127.0.0.1:' . $t->port('http');

$t->start_api(level => 'info', server => $oidc->location,
    http => $oidc->directive('home', '"label=Our house"')
        . $oidc->directive('open', 'auto_create=on', 'role=operator',
            'domains=example.org,example.net')
        . $oidc->directive('strict', 'domains=example.com')
        . "camera_api_public_url $ours;");

my $ann = $t->add_user(username => 'ann', email => 'Ann@example.org',
    role => 'viewer');

###############################################################################

# what the page shows

is_deeply($t->api_get('/auth/providers')->{json}, { registration =>
    JSON::PP::false, providers => [
        { name => 'home', label => 'Our house', kind => 'oidc',
            url => '/api/v1/auth/oidc/home' },
        map { { name => $_, label => $_, kind => 'oidc',
            url => "/api/v1/auth/oidc/$_" } } qw(open strict) ] },
    'providers');

# there

$oidc->start_real('home');

my $r = $oidc->browse("$ours/api/v1/auth/oidc/home", jar => 'first');
is($r->{status}, 302, 'off to the provider');
like($r->{location}, qr{^\Q@{[ $oidc->issuer ]}\E/auth\?response_type=code
    &client_id=cameras&redirect_uri=http%3A%2F%2F127\.0\.0\.1%3A\d+%2Fapi
    %2Fv1%2Fauth%2Foidc%2Fhome%2Fcallback&scope=openid%20email%20profile
    &state=[\w-]{43}&nonce=[\w-]{43}&code_challenge=[\w-]{43}
    &code_challenge_method=S256$}x, 'with all that it needs');
like($r->{header}, qr{^set-cookie:\ camera_oidc=[\w.-]+;\ Path=/api/v1/auth/
    oidc;\ HttpOnly;\ SameSite=Lax;\ Max-Age=600\r?$}mix, 'cookie');
like($r->{header}, qr/^cache-control: no-store\r?$/mi, 'kept by nobody');

# and back

$r = $oidc->log_in('home', 'ann', jar => 'ann',
    query => '?returnTo=%2F%23%2Fcameras%2F1&remember=true');
is($r->{location}, "$ours/#/cameras/1", 'back where they came from');
like($r->{header}, qr{^set-cookie:\ camera_refresh=[\w-]{43};\ Path=/api/v1/
    auth;\ HttpOnly;\ SameSite=Strict;\ Max-Age=2592000\r?$}mix,
    'with a session of 30 days');
like($r->{header}, qr/^set-cookie: camera_oidc=; .*Max-Age=0/mi,
    'and without the other cookie');
is_deeply([ refreshed($r) ], [ $ann->{id}, 'viewer', undef ],
    'it is the user with this address');
is($t->sql("SELECT issuer, subject FROM user_identities"),
    $oidc->issuer . "\tann", 'which is linked');

$t->sql("UPDATE users SET email = 'else\@example.org' WHERE username = 'ann'");
is_deeply([ refreshed($oidc->log_in('home', 'ann', jar => 'ann')) ],
    [ $ann->{id}, 'viewer', undef ], 'by its subject from then on');

# who is nobody

like($oidc->log_in('home', 'bob')->{location},
    qr/\?error=OIDC_NO_ACCOUNT$/, 'nobody has this address');
like($oidc->log_in('home', 'unverified-else', jar => 'u')->{location},
    qr/\?error=OIDC_EMAIL_UNVERIFIED$/, 'an address that nobody verified');

# who is made

$oidc->start_real('open', 'ES256');
$r = $oidc->log_in('open', 'carol', jar => 'carol');
is($r->{location}, "$ours/", 'made, by a token of ES256');
my ($carol, $role, $name) = refreshed($r);
is("$role $name", 'operator Carol Lee', 'with role and name');
is($t->sql("SELECT username, tenant_id FROM users WHERE id = '$carol'"),
    "carol\@example.org\t$ann->{tenant}", 'in the tenant of the provider');
is_deeply([ (refreshed($oidc->log_in('open', 'carol', jar => 'carol')))[0] ],
    [ $carol ], 'and comes again');
is($t->api(POST => '/auth/login', json => { username => 'carol@example.org',
    password => '.' })->{code}, 'AUTH_CREDENTIALS_INVALID',
    'they have no password');

$t->sql("UPDATE users SET is_active = false WHERE id = '$carol'");
like($oidc->log_in('open', 'carol', jar => 'carol')->{location},
    qr/\?error=OIDC_ACCOUNT_DISABLED$/, 'unless they are disabled');

# whose domain is not that of the configuration

$oidc->start_real('strict');
like($oidc->log_in('strict', 'dora')->{location},
    qr/\?error=OIDC_DOMAIN_NOT_ALLOWED$/, 'a domain of others');

# keys that are new while nginx runs

$oidc->start_real('home');
is((refreshed($oidc->log_in('home', 'ann', jar => 'late')))[0], $ann->{id},
    'new keys of the provider are asked for');

unlike($t->error_log . $t->read_file($t->dir . '/access.log'),
    qr/code=|state=[\w-]{43}|a secret of|eyJ[\w-]+\.eyJ/,
    'no secret in the logs');

$t->done_testing;

###############################################################################

# whose session the cookie has: id, role, name

sub refreshed {
    my ($r) = @_;

    my ($cookie) = $r->{header} =~ /^set-cookie: (camera_refresh=[\w-]+)/mi
        or return "no cookie: $r->{header}";
    my $user = $t->api(POST => '/auth/refresh', headers => [
        "Cookie: $cookie", 'X-Requested-With: camera' ])->{json}{user};

    return @$user{qw(id role name)};
}
