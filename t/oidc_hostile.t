#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for identity providers, networks and browsers that lie: tokens signed by
# others, for others, of another time; callbacks that are repeated or foreign;
# addresses that nobody verified.  Nobody is logged in, and the log says why.

use strict;
use warnings;

use Camera::Oidc;
use Camera::Token qw(base64url);
use Camera::Test;
use Digest::SHA qw(sha256);
use File::Copy qw(copy);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_oidc tls));

my $oidc = Camera::Oidc->new($t);
my $ours = 'http://127.0.0.1:' . $t->port('http');
my $tid = '9188040d-6c67-4c5b-b112-36a304b66dad';

$t->start_api(level => 'warn', server => $oidc->location,
    http => $oidc->directive('idp')
        . $oidc->directive('google', 'domains=example.org')
        . $oidc->directive('microsoft', 'domains=example.org',
            'issuer=' . $oidc->issuer . '/common/v2.0')
        . "camera_api_public_url $ours;");

my $ann = $t->add_user(username => 'ann', email => 'ann@example.org');
$t->sql('DELETE FROM user_sessions');
$oidc->start_hostile;

###############################################################################

# what is right, for once

my %trip = leave('idp');
is(come_back(\%trip), 'in', 'a token that is right');

my ($verifier) = $oidc->seen =~ /code_verifier=([\w-]{43})/;
is(base64url(sha256($verifier)), $trip{challenge}, 'the verifier fits');
like($oidc->seen, qr/^authorization: Basic \S+$/mi, 'the secret in a header');
unlike($oidc->seen, qr/cookie|user-agent|client_secret/i,
    'nothing of the browser goes along');
$t->sql('DELETE FROM user_identities; DELETE FROM user_sessions');

# tokens that are not

my @wrong = (
    [ 'by another key', 'has a wrong signature', key => 'other',
        kid => 'rsa' ],
    [ 'without a signature', 'algorithm of no trust', alg => 'none' ],
    [ 'by the public key as a secret', 'algorithm of no trust',
        alg => 'HS256' ],
    [ 'by a key of another algorithm', 'unknown key', alg => 'ES256' ],
    [ 'with what must be understood', 'algorithm of no trust',
        header => { crit => [ 'b64' ] } ],
    [ 'for another client', 'for another client', aud => 'others' ],
    [ 'for several, ours not the one', 'for another client',
        aud => [ qw(cameras others) ], azp => 'others' ],
    [ 'for several, nobody the one', 'for another client',
        aud => [ qw(cameras others) ] ],
    [ 'of another issuer', 'of another issuer',
        iss => 'https://idp.test' ],
    [ 'with another nonce', 'has another nonce', nonce => 'x' x 43 ],
    [ 'without a nonce', 'has another nonce', nonce => undef ],
    [ 'that has expired', 'has expired', iat => time - 500,
        exp => time - 100 ],
    [ 'that is old', 'has expired', iat => time - 1000 ],
    [ 'of the future', 'is of the future', iat => time + 300,
        exp => time + 900 ],
    [ 'without times', 'is malformed', exp => undef ],
    [ 'of nobody', 'has no subject', sub => '' ],
);

for my $case (@wrong) {
    my ($name, $why, @token) = @$case;

    is(come_back({ leave('idp') }, @token), 'OIDC_TOKEN_INVALID',
        "a token $name");
    like(logged(), qr/the ID token of identity provider "idp" .*\Q$why\E/,
        'and the log says so');
}

# a key that nobody knows is asked for, but not at once again

my $asked = asked('jwks');
is(come_back({ leave('idp') }, kid => 'unknown'), 'OIDC_TOKEN_INVALID',
    'an unknown key');
is($asked, 2, 'keys were asked for once more');
is(asked('jwks'), 2, 'and are not again within half a minute');
is(come_back({ leave('idp') }, key => 'ec'), 'in', 'the other algorithm');
$t->sql('DELETE FROM user_identities; DELETE FROM user_sessions');

# whose address is not certainly theirs

is(come_back({ leave('idp') }, email_verified => $_), 'OIDC_EMAIL_UNVERIFIED',
    'an address that is not verified') for undef, JSON::PP::false, 'true', 1;
is(come_back({ leave('idp') }, email => "ann\@example.org\n"),
    'OIDC_EMAIL_UNVERIFIED', 'one that is none');
is(come_back({ leave('google') }), 'OIDC_EMAIL_UNVERIFIED',
    'Google: an address that Google does not manage');
is(come_back({ leave('google') }, hd => 'example.org'), 'in', 'one that it does');
is(come_back({ leave('google') }, email => 'ann@gmail.com'),
    'OIDC_DOMAIN_NOT_ALLOWED', 'its own, which is another domain');

my %here = (iss => $oidc->issuer . "/$tid/v2.0", tid => $tid, sub => 'm');
is(come_back({ leave('microsoft') }, %here, email_verified => undef),
    'OIDC_EMAIL_UNVERIFIED', 'Microsoft: an address that is just a text');
is(come_back({ leave('microsoft') }, %here, xms_edov => JSON::PP::true), 'in',
    'one of a verified domain');
is(come_back({ leave('microsoft') }, %here, tid => $tid =~ tr/9/8/r),
    'OIDC_TOKEN_INVALID', 'a directory that is not the one of the issuer');
is(come_back({ leave('microsoft') }, %here, tid => '../x'),
    'OIDC_TOKEN_INVALID', 'a directory that is none');
$t->sql('DELETE FROM user_identities; DELETE FROM user_sessions');

# callbacks of other browsers, other times

%trip = leave('idp');
copy("$t->{dir}/oidc/jar-a", "$t->{dir}/oidc/jar-b");
is(come_back(\%trip), 'in', 'once');
is(come_back({ %trip, jar => 'b' }), 'OIDC_STATE_INVALID', 'but not twice');
$t->sql('DELETE FROM user_sessions');

%trip = leave('idp');
is(come_back({ %trip, jar => 'none' }), 'OIDC_STATE_INVALID',
    'without the cookie');
is(come_back({ leave('idp'), state => $trip{state} }), 'OIDC_STATE_INVALID',
    'a state of before');
is(come_back({ leave('idp'), state => 'x' }), 'OIDC_STATE_INVALID',
    'a state of nothing');
is(come_back({ leave('idp'), provider => 'google' }), 'OIDC_STATE_INVALID',
    'at another provider');

%trip = leave('idp');
my $jar = $t->read_file("$t->{dir}/oidc/jar-a");
$jar =~ s/(camera_oidc\t)(.{60})(.)/$1 . $2 . ($3 eq 'A' ? 'B' : 'A')/e;
$t->write_file("$t->{dir}/oidc/jar-a", $jar);
is(come_back(\%trip), 'OIDC_STATE_INVALID', 'a cookie that was changed');

is(come_back({ leave('idp'), code => undef }), 'OIDC_STATE_INVALID',
    'without a code');
is(come_back({ leave('idp'), error => 'access_denied' }), 'OIDC_DENIED',
    'whoever said no there');
is(come_back({ leave('idp'), error => 'server_error' }),
    'OIDC_PROVIDER_FAILED', 'a provider that has trouble');
is(come_back({ leave('nowhere') }), 'NOT_FOUND', 'a provider that there is not');

for my $page ('//evil.test', '/\\evil.test', 'https://evil.test', "/\tx",
    '/a b', 'x')
{
    my $r = $oidc->browse("$ours/api/v1/auth/oidc/idp?returnTo="
        . $page =~ s/([^\w])/sprintf '%%%02X', ord $1/ger);
    is($r->{location}, "$ours/?error=VALIDATION_FAILED",
        'leads nowhere else');
}

is($t->sql('SELECT count(*) FROM user_sessions'), 0, 'nobody is logged in');

unlike($t->error_log . $t->read_file($t->dir . '/access.log'),
    qr/code=|state=[\w-]{43}|a secret of|eyJ[\w-]+\.eyJ/,
    'no secret in the logs');

$t->done_testing;

###############################################################################

# what a browser brings along to the provider

sub leave {
    my ($provider) = @_;

    unlink "$t->{dir}/oidc/jar-a";
    my $r = $oidc->browse("$ours/api/v1/auth/oidc/$provider", jar => 'a');
    my %arg = ($r->{location} // '') =~ /[?&](\w+)=([^&]*)/g;

    return (provider => $provider, jar => 'a', code => 'code',
        state => $arg{state} // '', nonce => $arg{nonce},
        challenge => $arg{code_challenge}, error_there => $arg{error});
}

# and back, with a token that is right but for what is said: a code, or "in"

sub come_back {
    my ($trip, @token) = @_;

    return $trip->{error_there} if $trip->{error_there};

    $oidc->says(token => 200, { access_token => 'a', token_type => 'Bearer',
        id_token => $oidc->token(nonce => $trip->{nonce}, @token) });

    my $query = join '&', map { defined $trip->{$_} ? "$_=$trip->{$_}" : () }
        qw(code state error);
    my $r = $oidc->browse("$ours/api/v1/auth/oidc/$trip->{provider}/callback"
        . "?$query&session_state=whatever", jar => $trip->{jar});

    return $1 if $r->{location} =~ /[?&]error=(\w+)/;
    return $r->{header} =~ /^set-cookie: camera_refresh=[\w-]{43};/mi
        ? 'in' : $r->{header};
}

sub asked {
    my ($what) = @_;

    return () = $oidc->seen =~ m{^GET /\S*$what }mg;
}

# the newest line

sub logged { (split /\n/, $t->error_log)[-1] }
