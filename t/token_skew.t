#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for clocks that are a minute apart: a node takes what is issued by a clock
# up to 60 s ahead of its own, of every kind, and nothing of a later one; an end is
# the verifier's, without grace, but for what identity providers say.

use strict;
use warnings;

use Camera::Oidc;
use Camera::Registry qw(registry);
use Camera::RTMP;
use Camera::Shim;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations tls camera_api_oidc camera_rtmps
    camera_hls));
-e $t->root . '/build/t/preload/clock.so'
    or plan(skip_all => 'build/t/preload/clock.so is not built');

my $shim = Camera::Shim->new($t);
my $oidc = Camera::Oidc->new($t);
my $ours = 'http://127.0.0.1:' . $t->port('http');

$t->start_api(env => $shim->env, server => $oidc->location,
    http => $oidc->directive('idp') . "camera_api_public_url $ours;");
$oidc->start_hostile;

my $ann = $t->add_user(username => 'ann', email => 'ann@example.org');
my $yard = $t->add_camera(key => 'yard');

# each is asked with the claims it shall have, and answers: taken or not

my %kinds = (
    'access token' => sub {
        my $r = $t->api_get('/auth/me',
            token => $t->access_token(%$ann, claims => {@_}));
        die "$r->{status} $r->{body}\n" if $r->{status} !~ /^(?:200|401)$/;
        return $r->{status} == 200;
    },

    # there is no picture, but who may not look is not told

    'play token' => sub {
        my $token = $t->token(camera => $yard, use => 'playback', @_);
        return $t->http_get("/hls/$yard->{id}/playlist.m3u8?token=$token")
            ->{status} != 403;
    },

    'publish token' => \&publish,
);

###############################################################################

for my $kind (sort keys %kinds) {
    my $taken = $kinds{$kind};

    clock(0);
    my $now = time;
    ok($taken->(), "$kind: of now");
    ok($taken->(iat => time + 59), "$kind: of a clock that is ahead");
    ok(!$taken->(iat => time + 63), "$kind: too far ahead");
    ok(!$taken->(iat => $now - 90, exp => $now - 30),
        "$kind: an end has no grace");

    # the same by the clock of the node

    clock(-59);
    ok($taken->(), "$kind: a node whose clock is behind");
    clock(-63);
    ok(!$taken->(), "$kind: too far behind");

    clock(60);
    ok($taken->(), "$kind: a node whose clock is ahead");
    ok(!$taken->(exp => time + 50), "$kind: to which it has ended");
    ok($taken->(exp => time + 70), "$kind: or not yet");
}

# identity providers: the minute holds at both ends

clock(0);

for my $case (
    [ 'of now', 'in' ],
    [ 'of a clock that is ahead', 'in', iat => 59, exp => 300, nbf => 59 ],
    [ 'too far ahead', 'OIDC_TOKEN_INVALID', iat => 63, exp => 300 ],
    [ 'not good yet', 'OIDC_TOKEN_INVALID', iat => 0, exp => 300, nbf => 63 ],
    [ 'of a clock that is behind', 'in', iat => -355, exp => -55 ],
    [ 'too far behind', 'OIDC_TOKEN_INVALID', iat => -361, exp => -61 ],
) {
    my ($name, $expect, %at) = @$case;
    is(come_back(map { $_ => $at{$_} + time } keys %at), $expect,
        "ID token: $name");
}

# the provider's certificate was made just now: a clock that is behind knows none

clock(60);
is(come_back(), 'in', 'ID token: a node whose clock is ahead');

$t->done_testing;

###############################################################################

# sets nginx's clock, and waits until it knows

sub clock {
    my ($sec) = @_;

    $shim->set(clock_msec => 1000 * $sec);
    $t->wait_for(sub {
        my $r = $t->api_get('/nothing');
        my ($h, $m, $s) = $r->{header} =~ /^Date: .* (\d\d):(\d\d):(\d\d) GMT/m
            or return 0;
        my $off = ($h * 3600 + $m * 60 + $s - time - $sec) % 86400;
        $off <= 1 || $off >= 86399;
    }, 5, 'the clock');
}

# a camera of its own for each: one that was refused has to wait a moment

sub publish {
    my (%claims) = @_;

    my $camera = $t->add_camera;
    my ($r, $status) = Camera::RTMP->publisher($t, $camera,
        token => $t->token(camera => $camera, %claims));
    $r->close;

    return 1 if $status->{code} eq 'NetStream.Publish.Start';
    my $why = registry($t)->{cameras}{ $camera->{id} }{refused};
    die "refused: $why\n" if $why !~ /^token_(?:invalid|expired)$/;
    return 0;
}

# somebody leaves for the provider and comes back with such a token: an error's
# code, or "in"

sub come_back {
    my (%claims) = @_;

    unlink $t->dir . '/oidc/jar-a';
    my $r = $oidc->browse("$ours/api/v1/auth/oidc/idp", jar => 'a');
    my %arg = ($r->{location} // '') =~ /[?&](\w+)=([^&]*)/g;

    $oidc->says(token => 200, { access_token => 'a', token_type => 'Bearer',
        id_token => $oidc->token(nonce => $arg{nonce}, %claims) });
    $r = $oidc->browse("$ours/api/v1/auth/oidc/idp/callback?code=code"
        . "&state=$arg{state}", jar => 'a');

    return $1 if ($r->{location} // '') =~ /[?&]error=(\w+)/;
    return $r->{header} =~ /^set-cookie: camera_refresh=[\w-]{43};/mi
        ? 'in' : $r->{header};
}
