#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for requests that take their time: whoever sends one in pieces is looked
# at again when it is whole, and has no more rights then than anybody.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $body = '{"username":"mallory","password":"correct horse 1","role":"admin"}';

###############################################################################

my $admin = $t->add_user;
is(answer(begin($admin->{token})), '201 ', 'slow, and in time');
$t->sql("DELETE FROM users WHERE username = 'mallory'");

for my $case (
    [ 'a session that ended', '401 AUTH_TOKEN_INVALID',
        sub { $t->sql("SELECT api_session_end('$_[0]{sid}', 'logout')") } ],
    [ 'a user who is disabled', '401 AUTH_TOKEN_INVALID',
        sub { $t->sql("UPDATE users SET is_active = false
            WHERE id = '$_[0]{id}'") } ],
    [ 'a role that fell', '403 AUTH_INSUFFICIENT_PERMISSIONS',
        sub { $t->sql("UPDATE users SET role = 'operator'
            WHERE id = '$_[0]{id}'") } ],
    [ 'a password that is somebody else\'s', '403 PASSWORD_CHANGE_REQUIRED',
        sub { $t->sql("UPDATE users SET must_change_password = true
            WHERE id = '$_[0]{id}'") } ])
{
    my ($name, $wanted, $change) = @$case;
    my $user = $t->add_user;

    is(answer(late($user->{token}, $user, $change)), $wanted, $name);
}

my $owner = $t->add_user;
my $token = $t->api(POST => '/tokens', token => $owner->{token},
    json => { name => 'x', permissions => ['*'] })->{json}{token};

is(answer(late($token, $owner, sub { $t->sql("UPDATE api_tokens
    SET is_active = false, revoked_at = now()") })), '401 AUTH_TOKEN_INVALID',
    'an API token that was revoked');

# while a password is hashed: whether they are still who they were is not asked,
# but nobody is made by who was dropped

my $quick = $t->add_user;
my $s = begin($quick->{token});
print $s substr $body, 9;
select undef, undef, undef, 0.05;
$t->sql("SELECT api_session_end('$quick->{sid}', 'logout')");
like(answer($s, ''), qr/^(?:401|503) /, 'a session that ended a little later');

is($t->sql("SELECT count(*) FROM users WHERE username = 'mallory'"), 0,
    'nobody was made');

$t->done_testing;

###############################################################################

# all of a request but the end of its body, once the server has taken it

sub begin {
    my ($token) = @_;

    my $s = Camera::HTTP::connect_to($t->port('http'));

    print $s join "\r\n", 'POST /api/v1/users HTTP/1.1', 'Host: localhost',
        "Authorization: Bearer $token", 'Content-Type: application/json',
        'X-Request-Id: ' . ++$t->{slow}, 'Content-Length: ' . length $body, '',
        substr $body, 0, 9;

    # who is known by then is known from a look at the session
    $t->wait_for(sub { $t->api_get('/auth/me', token => $token)->{status}
        == 200 }, 2, 'it is there');

    return $s;
}

# the same, of somebody who is somebody else, or nobody, by the time of its end

sub late {
    my ($token, $user, $change) = @_;

    my $s = begin($token);

    $change->($user);
    $t->wait_for(sub { $t->api_get('/users', token => $token)->{status} >= 400 },
        2, 'the change');

    return $s;
}

sub answer {
    my ($s, $rest) = @_;

    print $s $rest // substr $body, 9;
    my $r = Camera::HTTP::read_response($s, time + 10);

    return "$r->{status} " . ($r->{body} =~ /"code":"(\w+)"/ ? $1 : '');
}
