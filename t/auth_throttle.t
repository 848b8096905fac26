#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for guessing passwords: whoever had some wrong ones has to wait, longer
# each time, in every worker and after a reload; nobody else has to.

use strict;
use warnings;

use Camera::Test;
use Test::More;
use Time::HiRes qw(time sleep);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_login_failures));
$t->start_api(http => <<'END');
    camera_api_login_failures 3;
    camera_api_login_limit 8r/h;
END

# a window of an hour does not end in mid-test, but for once in a while
sleep 1 while time % 3600 > 3540;

my $ann = $t->add_user(username => 'ann', password => 1);
$t->add_user(username => 'bob', password => 1);

###############################################################################

# one account from one address

is(join(' ', map { login('ann', "wrong $_")->{status} } 1 .. 3), '401 401 401',
    'three wrong passwords');

my $r = login('ann');
is($r->{code}, 'RATE_LIMIT_EXCEEDED', 'the next one has to wait');
is($r->{status}, 429, 'its status');
is($r->{headers}{'retry-after'}, 1, 'for a second');
is_deeply([ map { login($_)->{status} } ('ANN', 'ann') x 4 ], [ (429) x 8 ],
    'in any case, in each worker');

is(login('ann', $t->password, local => '127.0.0.2')->{status}, 200,
    'but not from another address');
is(login('bob')->{status}, 200, 'nor another account');

sleep $r->{headers}{'retry-after'};
is(login('ann', 'wrong')->{status}, 401, 'it waited for as long as was said');
$r = login('ann');
is($r->{status}, 429, 'and was wrong again');
is($r->{headers}{'retry-after'}, 2, 'which makes it longer');

ok($t->reload, 'reload');
$t->wait_api;
is(login('ann')->{status}, 429, 'it is not forgotten');

sleep $r->{headers}{'retry-after'};
is(login('ann')->{status}, 200, 'the right password');
is(login('ann', 'wrong')->{status}, 401, 'forgets what was before');
is(login('ann')->{status}, 200, 'so one more is nothing');

my @lines = grep { /\[warn\].*wrong passwords/ } split /\n/, $t->error_log;
is(scalar @lines, 2, 'a line in the log for each wait');
like($lines[0], qr/of one account.* 1 s.*client: 127\.0\.0\.1/,
    'with the address');
unlike("@lines", qr/\bann\b/i, 'without the name');

# nothing is asked and nothing hashed for who has to wait

my @local = (local => '127.0.0.2');
login('zoe', "wrong $_", @local) for 1 .. 3;
$t->stop_postgres('immediate');         # within the second that she waits
is(login('zoe', 'wrong', @local)->{status}, 429, 'nobody is asked');

# what is our fault does not count

is_deeply([ map { login('bob', $t->password, @local)->{status} } 1 .. 4 ],
    [ (503) x 4 ], 'no database');
$t->start_postgres;
$t->wait_api;
is(login('bob', $t->password, @local)->{status}, 200, 'is not the fault of who logs in');

# many at once, and leaving, gain nothing

@local = (local => '127.0.0.3');
my @sockets = map { request('eve', 'wrong', @local) } 1 .. 6;
my @status = sort map {
    Camera::HTTP::read_response($_, time + 20)->{status} } @sockets;
is("@status", '401 401 401 429 429 429', 'six at once');

@local = (local => '127.0.0.4');
close request('joe', 'wrong', @local) for 1 .. 3;
ok($t->wait_for(sub {
    3 == (() = $t->read_file($t->dir . '/access.log') =~ /^127\.0\.0\.4 /mg);
}, 20, 'the end of three requests'), 'three who leave');
is(login('joe', 'wrong', @local)->{status}, 429, 'are counted');

# one address, over all accounts

@local = (local => '127.0.0.5');
is(login('bob', $t->password, @local)->{status}, 200,
    'a right password does not count');
is_deeply([ map { login("name $_", 'wrong', @local)->{status} } 1 .. 8 ],
    [ (401) x 8 ], 'eight wrong ones of eight accounts');
$r = login('bob', $t->password, @local);
is($r->{code}, 'RATE_LIMIT_EXCEEDED', 'then the address has to wait');
cmp_ok(abs($r->{headers}{'retry-after'} - (3600 - time % 3600)), '<=', 1,
    'to the end of the hour');
login('bob', $t->password, @local);
is(login('bob', $t->password, local => '127.0.0.6')->{status}, 200,
    'but not another one');
is(() = $t->error_log =~ /wrong passwords from this address/g, 1,
    'one line in the log');

# the present password of who changes it

@local = (local => '127.0.0.7');
is_deeply([ map { change("wrong $_", @local)->{status} } 1 .. 3 ],
    [ (401) x 3 ], 'three wrong ones of a change');
is(change($t->password, @local)->{status}, 429, 'the next one has to wait');
is(login('ann', $t->password, @local)->{status}, 200,
    'logging in is another thing');

$t->done_testing;

###############################################################################

sub login {
    my ($name, $password, %opt) = @_;

    return $t->api(POST => '/auth/login', %opt,
        json => { username => $name, password => $password // $t->password });
}

sub change {
    my ($password, %opt) = @_;

    return $t->api(POST => '/auth/password', token => $ann->{token}, %opt,
        json => { currentPassword => $password, newPassword => 'Xyzzy 123' });
}

# the socket that a login was sent by

sub request {
    my ($name, $password, %opt) = @_;

    my $s = Camera::HTTP::connect_to($t->port('http'), %opt);
    my $body = qq({"username":"$name","password":"$password"});

    print $s join "\r\n", 'POST /api/v1/auth/login HTTP/1.1',
        'Host: localhost', 'Content-Type: application/json',
        'Content-Length: ' . length $body, 'Connection: close', '', $body;

    return $s;
}
