#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for guessing passwords from a hundred addresses at once: nobody gets in,
# nobody else is refused or waits for it, and who knows the password still logs
# in, from an address of their own.  How much others wait is measured by
# `make bench CASE=logins`.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Stopwatch;
use Camera::Test;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_password_queue));
$t->start_api(http => 'camera_api_limit 1000000r/m;');

my $user = $t->add_user;
$t->add_user(username => "ann$_", password => 1) for 1 .. 5;

###############################################################################

# two guesses at once from each address, at all five accounts

my $sessions = $t->sql('SELECT count(*) FROM user_sessions');
my @guesses = map { guess("127.0.1.$_", 'ann' . (1 + $_ % 5)) } (1 .. 100) x 2;
my ($start, @waited) = (time);

while (time - $start < 3) {
    my $one = Camera::Stopwatch->start;
    my $r = $t->api_get('/auth/me', token => $user->{token});
    is($r->{status}, 200, 'somebody who is logged in') if $r->{status} != 200;
    push @waited, $one->seconds;
}

my %answers;
$answers{"$_->{status} $_->{code}"}++ for map { answer($_) } @guesses;

is_deeply([ grep { !/^(?:401[ ]AUTH_CREDENTIALS_INVALID
    |429[ ]RATE_LIMIT_EXCEEDED|503[ ]SERVICE_UNAVAILABLE)$/x } sort keys %answers ], [],
    'wrong, too many, or no room: ' . join ', ',
        map { "$answers{$_} x $_" } sort keys %answers);
cmp_ok($answers{'401 AUTH_CREDENTIALS_INVALID'}, '>', 0, 'some were compared');
is($t->sql('SELECT count(*) FROM user_sessions'), $sessions,
    'nobody got in');

cmp_ok(scalar @waited, '>', 20, scalar(@waited) . ' requests of others');
my @sorted = sort { $a <=> $b } @waited;
cmp_ok($sorted[ 0.99 * @sorted ], '<', 0.25,
    sprintf 'of which 99 %% waited less than the time of a hash: %.3f s',
        $sorted[ 0.99 * @sorted ]);

# who knows it logs in, from elsewhere, when there is room

my $r;
ok($t->wait_for(sub {
    $r = answer(guess('127.0.2.1', 'ann1', $t->password));
    $r->{status} == 200;
}, 10, 'a login'), 'whose password is right logs in')
    or diag("$r->{status} $r->{code}");

$t->done_testing;

###############################################################################

# a login from an address, whose answer is not waited for

sub guess {
    my ($address, $name, $password) = @_;

    my $s = Camera::HTTP::connect_to($t->port('http'), local => $address);
    my $body = sprintf '{"username":"%s","password":"%s"}', $name,
        $password // 'wrong horse 1';

    print $s join "\r\n", 'POST /api/v1/auth/login HTTP/1.1',
        'Host: localhost', 'Content-Type: application/json',
        'Content-Length: ' . length $body, 'Connection: close', '', $body;

    return $s;
}

sub answer {
    my ($s) = @_;

    my $r = Camera::HTTP::read_response($s, time + 30);
    $r->{code} = $r->{status} >= 400
        ? decode_json($r->{body})->{error}{code} : '';

    return $r;
}
