#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for changing one's own password: it takes the present one, obeys the
# policy, and ends every other session of the user.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_access_ttl));
$t->start_api;

my $new = 'battery staple 2';
my $user = $t->add_user(role => 'viewer', username => 'lee', password => 1);
my %here = %$user;
my %there = (%$user, sid => $t->open_session($user));
$there{refresh} = $user->{refresh};
$there{token} = $t->access_token(%there);
my $other = $t->add_user;

$t->sql("UPDATE users SET must_change_password = true");

###############################################################################

is_deeply([ map { status($_) } \%here, \%there ], [ 200, 200 ],
    'two sessions');

# what is none

is_deeply(problems(currentPassword => $t->password, newPassword => $_->[0]),
    [ "newPassword $_->[1]" ], $_->[1]) for (
    [ 'short 1', 'must have 8 to 72 characters' ],
    [ "\x{e9}" x 36 . '12', 'must not be longer than 72 bytes' ],
    [ 'no digit at all', 'must contain a letter and a digit' ],
    [ 'xxLEE1234', 'must not contain the username' ],
    [ $t->password, 'must not be the current one' ],
);
is_deeply(problems(), [ 'currentPassword is required',
    'newPassword is required' ], 'fields that are required');

is($t->api(POST => '/auth/password', json => {})->{code},
    'AUTH_TOKEN_MISSING', 'nobody');

my $r = change(\%here, 'correct horse 2', $new);
is($r->{code}, 'AUTH_CREDENTIALS_INVALID', 'the present one is wrong');
is($r->{json}{error}{message}, 'The current password is wrong.',
    'which is said');
is(status(\%there), 200, 'ends no session');

# what is one

$r = change(\%here, $t->password, $new);
is($r->{status}, 204, 'changed') or diag($r->{body});

ok($t->wait_for(sub { !grep { status(\%there) != 401 } 1 .. 8 }, 1, 'the end'),
    'the other session is ended, in each worker');
is(refresh(\%there)->{status}, 401, 'its refresh token, too');
is(status(\%here), 200, 'this session stays');
is(refresh(\%here)->{status}, 200, 'its refresh token, too');
is(status($other), 200, 'and those of other users');
is($t->sql("SELECT must_change_password FROM users WHERE username = 'lee'"),
    'f', 'it need not be changed any more');

is(login($t->password)->{code}, 'AUTH_CREDENTIALS_INVALID', 'the old one');
is(login($new)->{status}, 200, 'the new one');

# one that was reset meanwhile stays so: the thief of a session who knows the old
# one does not get ahead of whoever locks them out

my $reset = $t->sql("SELECT password_hash FROM users
    WHERE username = '$other->{username}'");
my $thief = $t->add_user(username => 'max', password => 1);
my $s = Camera::HTTP::connect_to($t->port('http'));
my $json = qq({"currentPassword":"@{[ $t->password ]}","newPassword":"$new"});

print $s join "\r\n", 'POST /api/v1/auth/password HTTP/1.1', 'Host: localhost',
    "Authorization: Bearer $thief->{token}", 'Content-Type: application/json',
    'Content-Length: ' . length $json, '', $json;
select undef, undef, undef, 0.15;       # while it is compared
$t->sql("SELECT api_password_set('$thief->{id}', '$reset', NULL)");

like(Camera::HTTP::read_response($s, time + 10)->{status}, qr/^(?:401|503)$/,
    'too late');
is($t->sql("SELECT password_hash FROM users WHERE username = 'max'"), $reset,
    'the reset holds');

unlike($t->error_log . $t->read_file($t->dir . '/postgres.log'),
    qr/correct horse|battery staple|\$2b\$/, 'no password, no hash in the logs');

$t->done_testing;

###############################################################################

sub change {
    my ($user, $current, $new) = @_;

    return $t->api(POST => '/auth/password', token => $user->{token},
        json => { currentPassword => $current, newPassword => $new });
}

sub problems {
    my $r = $t->api(POST => '/auth/password', token => $here{token},
        json => { @_ });

    return [ $r->{code} // '' ] if ($r->{code} // '') ne 'VALIDATION_FAILED';
    return [ sort map { "$_->{field} $_->{message}" }
        @{ $r->{json}{error}{details} } ];
}

sub status {
    my ($user) = @_;

    return $t->api_get('/auth/me', token => $user->{token})->{status};
}

sub refresh {
    my ($user) = @_;

    return $t->api(POST => '/auth/refresh',
        json => { refreshToken => $user->{refresh} });
}

sub login {
    my ($password) = @_;

    return $t->api(POST => '/auth/login',
        json => { username => 'lee', password => $password });
}
