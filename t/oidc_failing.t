#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for identity providers that fail: away, slow, without a trusted
# certificate, with answers that are none, too long, or lead elsewhere.  The
# person is told in the page, the operator in the log, and nginx lives on.

use strict;
use warnings;

use Camera::Oidc;
use Camera::Stopwatch;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_oidc tls));

my $oidc = Camera::Oidc->new($t);
my $ours = 'http://127.0.0.1:' . $t->port('http');

# each is asked for the first time once

$t->start_api(level => 'warn', server => $oidc->location
        . 'location = /secret { internal; return 200 "{}"; }',
    http => join '', "camera_api_public_url $ours;",
        map { $oidc->directive("p$_", $_ == 9 ? 'hosts=else.test' : ()) }
            1 .. 24);
$t->allow_log(qr/\[(?:error|crit)\]/);

$t->add_user(username => 'ann', email => 'ann@example.org');
my $n = 0;

###############################################################################

# away

like(leave(), qr/error=OIDC_PROVIDER_FAILED$/, 'nobody is there');
like(logged(), qr/identity provider "p1" cannot be reached/, 'the log');

$oidc->start_hostile;
like(leave(1), qr{/authorize\?}, 'it is asked again when it comes back');

# who does not say where things are

for my $case (
    [ 500, {}, 'does not say where' ],
    [ 302, {}, 'does not say where' ],
    [ 200, '', 'answers no JSON' ],
    [ 200, '[' x 1000, 'answers no JSON' ],
    [ 200, '{"issuer":"' . 'x' x 70000 . '"}', 'cannot be reached' ],
    [ 200, {}, 'another issuer' ],
    [ 200, $oidc->discovery(issuer => 'https://idp.test'), 'another issuer' ],
    [ 200, $oidc->discovery(token_endpoint => 'https://else.test/t'),
        undef ],
    [ 200, $oidc->discovery(token_endpoint => 'https://else.test/t'), 'host' ],
    [ 200, $oidc->discovery(jwks_uri => 'https://127.0.0.1/k'), 'host' ],
    [ 200, $oidc->discovery(jwks_uri => $oidc->issuer =~ s/https/http/r
        . '/k'), 'host' ],
    [ 200, $oidc->discovery(authorization_endpoint => $oidc->issuer
        . '@else.test/'), 'host' ],
    [ 200, $oidc->discovery(jwks_uri => undef), 'host' ])
{
    my ($status, $body, $why) = @$case;

    $oidc->says(discovery => $status, $body);

    if (defined $why) {
        like(leave(), qr/error=OIDC_PROVIDER_FAILED$/, "a document: $why");
        like(logged(), qr/identity provider "p$n" .*\Q$why\E/, 'the log');

    } else {
        $n = 8;
        like(leave(), qr{/authorize\?}, 'a host that the configuration names');
    }
}

# who would have nginx itself look elsewhere: at what is not to be had from
# outside, at the API as if it were no one's request, at what never ends

for my $to ('/secret', '/api/v1/auth/providers', '/api/v1/ws', '/camera_oidc') {
    $oidc->says(discovery => 200, $oidc->discovery, "X-Accel-Redirect: $to");
    like(leave(), qr{/authorize\?}, "an answer that leads to $to is an answer");
}

# whom nobody vouches for

$oidc->says(discovery => 200, $oidc->discovery);
$oidc->untrusted;
$oidc->start_hostile;
like(leave(), qr/error=OIDC_PROVIDER_FAILED$/, 'a certificate of nobody');
like($t->error_log, qr/certificate verify error/, 'the log');
$oidc->trusted;
$oidc->start_hostile;
like(leave($n), qr{/authorize\?}, 'and the right one');

# keys that are none

$oidc->says(jwks => 200, { keys => [ { kty => 'oct', k => 'AAAA' } ] });
like(come_back(200, {}), qr/error=OIDC_PROVIDER_FAILED$/, 'no keys of use');
like(logged(), qr/does not tell its keys/, 'the log');
$oidc->says(jwks => 200, $oidc->jwks('rsa'));

# tokens that do not come

for my $case (
    [ 400, { error => 'invalid_grant' }, 'OIDC_STATE_INVALID',
        'refused the code' ],
    [ 401, { error => 'invalid_client' }, 'OIDC_PROVIDER_FAILED',
        'does not accept "client_id"' ],
    [ 500, {}, 'OIDC_PROVIDER_FAILED', 'gives no token' ],
    [ 200, 'x', 'OIDC_PROVIDER_FAILED', 'without an ID token' ],
    [ 200, { id_token => 1 }, 'OIDC_PROVIDER_FAILED', 'without an ID token' ],
    [ 200, { id_token => 'x' x 70000 }, 'OIDC_PROVIDER_FAILED',
        'cannot be reached' ],
    [ 200, { id_token => 'x' x 20000 }, 'OIDC_TOKEN_INVALID',
        'is malformed' ])
{
    my ($status, $body, $code, $why) = @$case;

    like(come_back($status, $body), qr/error=$code$/, "$status: $why");
    like(logged(), qr/identity provider "p$n" .*\Q$why\E/, 'the log');
}

# who is slow keeps nobody else waiting

$oidc->says(token => 'hang');
leave($n);
my $started = Camera::Stopwatch->start;
my $slow = fork // die;
unless ($slow) { come_back('hang'); require POSIX; POSIX::_exit(0) }

$t->wait_for(sub { $oidc->seen =~ /POST.*\z/s && (() = $oidc->seen =~
    /^POST/mg) == 8 }, 10, 'the question');
my $watch = Camera::Stopwatch->start;
is($t->api_get('/auth/providers')->{status}, 200, 'somebody else');
cmp_ok($watch->seconds, '<', 1, 'does not wait');
waitpid $slow, 0;
cmp_ok($started->seconds, '<', 10, 'and the slow one is given up');
like($t->error_log, qr/upstream timed out.*\n.*cannot be reached/,
    'the log');

is($t->sql('SELECT count(*) FROM user_sessions WHERE user_agent ~ \'curl\''),
    0, 'nobody is logged in');
is(scalar($t->worker_pids), 1, 'and no worker died');
unlike($t->error_log, qr/exited on signal|worker process \d+ exited/,
    'not even once');

$t->done_testing;

###############################################################################

# where a browser is led, by the next provider or that one

sub leave {
    my ($number) = @_;

    $n = $number // $n + 1;
    unlink "$t->{dir}/oidc/jar-a";

    return $oidc->browse("$ours/api/v1/auth/oidc/p$n", jar => 'a')->{location};
}

sub come_back {
    my (@says) = @_;

    my ($state) = leave($n) =~ /state=([\w-]+)/;
    $oidc->says(token => @says);

    return $oidc->browse("$ours/api/v1/auth/oidc/p$n/callback?code=c"
        . "&state=$state", jar => 'a')->{location};
}

# the newest line of ours

sub logged { (grep { /identity provider/ } split /\n/, $t->error_log)[-1] }
