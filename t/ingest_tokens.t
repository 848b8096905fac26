#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the credentials of publishers: both shapes, every place a client
# puts them, and what is refused, with the reason in the status and in the
# registry.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time);

use Camera::RTMP;
use Camera::Registry qw(registry);
use Camera::Stopwatch;
use Camera::Test;
use Camera::Token qw(base64url random_bytes);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(camera_rtmps postgres migrations tls));

$t->start_postgres;
$t->migrate;
$t->start_nginx;

my $camera = $t->add_camera(name => 'gate', opaque => 1);
my $other = $t->add_camera(name => 'yard');
$t->wait_for(sub { keys %{ registry($t)->{cameras} } == 2 }, 5, 'registry');

my $token = $camera->{token};
my $key = $camera->{key};
my $start = 'NetStream.Publish.Start';
my @refused;

sub accepted {
    my ($name, %opt) = @_;

    my ($r, $status) = Camera::RTMP->publisher($t, $camera, %opt);
    is($status->{code}, $start, "$name: accepted");
    $r->close;
    ended();
}

sub ended {
    $t->wait_for(sub { !registry($t)->{cameras}{ $camera->{id} }{publishing} },
        2, 'end of the publication');
}

# a camera that was refused a moment ago waits for its next refusal, which
# would make a long test of these: each gets a camera of its own

sub refused {
    my ($name, $reason, $make, %opt) = @_;

    my $camera = $t->add_camera(name => $name);
    $t->wait_for(sub { registry($t)->{cameras}{ $camera->{id} } }, 5, $name);

    my %with = $make ? $make->($camera) : ();
    my ($r, $status) = Camera::RTMP->publisher($t, $camera, %opt, %with);

    is($status->{level}, 'error', "$name: refused");
    isnt($status->{code}, $start, "$name: not started");
    push @refused, [$r, $name];
    is(registry($t)->{cameras}{ $camera->{id} }{refused}, $reason,
        "$name: $reason") if defined $reason;

    return $status;
}

for my $tls (0, 1) {
    my $how = $tls ? 'TLS' : 'plain';

    accepted("$how, name?token", tls => $tls);
    accepted("$how, app?token", tls => $tls, app => "live?token=$token",
        name => $key);
    accepted("$how, more arguments", tls => $tls,
        name => "$key?a=1&token=$token&b=2");
    accepted("$how, opaque name", tls => $tls, name => $camera->{opaque});
    accepted("$how, opaque token", tls => $tls, token => $camera->{opaque});
    accepted("$how, app with a slash", tls => $tls, app => 'live/');
}

# a token may be as long as it likes up to 2048 bytes

for my $length (400, 1000, 2046 .. 2048) {
    my $padded = padded($length) or next;
    accepted(length($padded) . ' bytes', token => $padded);
}

sub padded {
    my ($length) = @_;

    for my $n (0 .. $length) {
        my $token = $t->token(camera => $camera, pad => 'x' x $n);
        return $token if length $token == $length;
    }

    return undef;
}

refused('oversized token', undef,
    sub { (token => $t->token(camera => $_[0], pad => 'x' x 1600)) });
refused('oversized name', undef, sub { (name => 'a' x 3000) });

refused('no token', 'token_missing', sub { (name => $_[0]{key}) });
refused('empty token', 'token_missing', sub { (token => '') });
refused('truncated token', 'token_invalid',
    sub { (token => substr($_[0]{token}, 0, -1)) });
refused('token cut at 250', 'token_invalid',
    sub { (token => substr($_[0]{token}, 0, 250)) });
refused('other secret', 'token_invalid',
    sub { (token => $t->token(camera => $_[0], secret => random_bytes(32))) });
refused('empty secret', 'token_invalid',
    sub { (token => $t->token(camera => $_[0], secret => '')) });
refused('expired', 'token_expired',
    sub { (token => $t->token(camera => $_[0], iat => int(time) - 7200,
        exp => int(time) - 3600)) });
refused('no expiry', 'token_invalid',
    sub { (token => $t->token(camera => $_[0], exp => undef)) });
refused('of the future', 'token_invalid',
    sub { (token => $t->token(camera => $_[0], iat => int(time) + 3600)) });
refused('alg none', 'token_invalid',
    sub { (token => $t->token(camera => $_[0], header => { alg => 'none' })) });
refused('alg none, unsigned', 'token_invalid', sub {
    my $none = $t->token(camera => $_[0], header => { alg => 'none' });
    $none =~ s/[^.]*\z//;
    return (token => $none);
});
refused('playback token', 'token_invalid',
    sub { (token => $t->token(camera => $_[0], use => 'playback')) });
refused('unknown key id', 'token_invalid',
    sub { (token => $t->token(camera => $_[0], header => { kid => 'no' })) });
refused('token of another camera', 'token_foreign',
    sub { (token => $other->{token}) });
refused('old key generation', 'token_revoked',
    sub { (token => $t->token(camera => $_[0], gen => 2)) });
refused('camera that does not exist', undef, sub { (token => $t->token(
    camera => { id => '00000000-0000-4000-8000-000000000000' })) });

my $unknown = refused('unknown opaque key', undef,
    sub { (name => base64url(random_bytes(16))) });
my $known = refused('known name, unknown opaque key', undef,
    sub { (token => base64url(random_bytes(16))) });
my $nobody = refused('unknown name', undef,
    sub { (name => 'nobody?token=' . base64url(random_bytes(16))) });
is($known->{description}, $unknown->{description}, 'names cannot be probed');
is($nobody->{description}, $unknown->{description}, 'nor unknown ones told apart');

refused('opaque key of another camera', undef,
    sub { (token => $camera->{opaque}) });
is(registry($t)->{cameras}{ $camera->{id} }{refused}, 'token_foreign',
    'noted at the camera whose key is elsewhere');

for my $name ('../gate', 'a/b', "gate\nforged", 'gate%00', '', ' ') {
    refused('name ' . unpack('H*', $name), undef, sub { (name => "$name?token=$token") });
}

unlike($t->error_log, qr/^forged/m, 'no line is forged');

ok($_->[0]->closed(2), "$_->[1]: closed") for @refused;

# how long an ordinary client waits from connect() to its start

my %took;
push @{ $took{$_ % 2} }, took($_ % 2) for 1 .. 42;
my @plain = sort { $a <=> $b } @{ $took{0} };
my @tls = sort { $a <=> $b } @{ $took{1} };
note(sprintf 'publish accepted: RTMP p50 %.1f ms, RTMPS p50 %.1f ms',
    $plain[10], $tls[10]);
cmp_ok($plain[10], '<', 50, 'accepted at once');
cmp_ok($tls[10], '<', 100, 'accepted at once over TLS');

sub took {
    my $watch = Camera::Stopwatch->start;
    my ($r, $status) = Camera::RTMP->publisher($t, $camera, tls => $_[0]);
    my $took = $status->{code} eq $start ? $watch->seconds * 1000 : 1000;

    $r->close;
    ended();

    return $took;
}

$t->done_testing;
