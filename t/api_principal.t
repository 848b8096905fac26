#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for who a request comes from: which tokens are good, that sessions,
# users and roles that change count at once in every worker, that a warm
# request asks the database for nothing but its rows, and that not being able
# to ask is never a yes.

use strict;
use warnings;

use Camera::Stopwatch;
use Camera::Test;
use Camera::Token qw(base64url random_uuid);
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_postgres(log_statement => 'all');
$t->start_api;

my $camera = $t->add_camera(name => 'gate');
my $path = "/cameras/$camera->{id}";
my $user = $t->add_user(role => 'viewer');

# one connection to each worker, so that both are asked

my %sockets;

until (keys %sockets == 2) {
    my $r = $t->api_get($path, token => $user->{token}, keep => 1);
    my ($pid) = grep { holds($_, $r->{socket}) } $t->worker_pids;
    $sockets{$pid} = $r->{socket};
}

###############################################################################

my $r = $t->api_get($path);
is("$r->{status} $r->{code}", '401 AUTH_TOKEN_MISSING', 'no token');
is($r->{headers}{'www-authenticate'}, 'Bearer', 'what is wanted');

is_deeply([ asked($user->{token}) ], [ 200, 200 ], 'a good one');

my %other = (
    garbage           => 'x',
    'an empty one'    => ' ',
    'three parts'     => 'a.b.c',
    'a long one'      => 'a' x 5000,
    'another key'     => token(secret => 'k' x 32),
    'no key of ours'  => token(header => { kid => 'nobody' }),
    'alg none'        => token(header => { alg => 'none' }),
    'an expired one'  => token(claims => { exp => time - 1, iat => time - 9 }),
    'one of tomorrow' => token(claims => { iat => time + 86400,
                                           exp => time + 87000 }),
    'no expiry'       => token(claims => { exp => undef }),
    'no session'      => token(claims => { sid => undef }),
    'an unknown session' => token(claims => { sid => random_uuid() }),
    'another user'    => token(claims => { sub => random_uuid() }),
    'a playback token' => $t->token(camera => $camera, use => 'playback'),
    'a stream token'  => $t->token(camera => $camera),
);

for my $what (sort keys %other) {
    $r = $t->api_get($path, token => $other{$what});
    is("$r->{status} $r->{code}", '401 AUTH_TOKEN_INVALID', $what);
}

for my $header ("Authorization: Basic $user->{token}", 'Authorization: x',
    "X-API-Key: $user->{token}")
{
    $r = $t->api_get($path, headers => [ $header ]);
    is("$r->{status} $r->{code}", '401 AUTH_TOKEN_INVALID',
        $header =~ s/ \S+$//r);
}

is($t->api_get($path, headers => [ "authorization: bearer  $user->{token}" ])
    ->{status}, 200, 'the scheme in small letters');

# what the role may do

my $admin = $t->add_user(role => 'admin');

like($t->api_get($path, token => $admin->{token})->{json}{rtmpUrl}, qr/^rtmps:/,
    'admin');

$t->sql("UPDATE users SET role = 'viewer' WHERE id = '$admin->{id}'");
ok($t->wait_for(sub { !defined $t->api_get($path, token => $admin->{token})
    ->{json}{rtmpUrl} }, 1, 'the new role'), 'an admin no more, within a second');

# a warm request is one statement

asked($user->{token}) for 1 .. 2;
my $before = checks();
is_deeply([ map { asked($user->{token}) } 1 .. 10 ], [ (200) x 20 ], 'warm');
is(checks(), $before, 'and no question about the session');

# sessions and users that end

for my $case (
    [ 'a session that ended', "SELECT api_session_end('%s', 'logout')", 'sid' ],
    [ 'a disabled user', "UPDATE users SET is_active = false WHERE id = '%s'",
        'id' ],
    [ 'a removed session', "DELETE FROM user_sessions WHERE id = '%s'", 'sid' ])
{
    my ($name, $sql, $key) = @$case;
    my $one = $t->add_user(role => 'viewer');

    is_deeply([ asked($one->{token}) ], [ 200, 200 ], "before $name");
    $t->sql(sprintf $sql, $one->{$key});

    ok($t->wait_for(sub { join(' ', asked($one->{token})) eq '401 401' }, 1,
        $name), "$name is refused within a second, by each worker");
}

is_deeply([ asked($user->{token}) ], [ 200, 200 ], 'others are let alone');

# the database hangs: what was asked lately is believed, for five seconds

my $cold = $t->add_user(role => 'viewer');
asked($user->{token});
$t->pause_postgres;

$r = $t->api_get('/cameras?limit=0', token => $user->{token});
is($r->{code}, 'VALIDATION_FAILED', 'asked lately: goes on to its input');

my $watch = Camera::Stopwatch->start;
$r = $t->api_get('/cameras/not-there', token => $cold->{token}, timeout => 6);
is("$r->{status} $r->{code}", '503 SERVICE_UNAVAILABLE', 'cannot be asked');
cmp_ok($watch->seconds, '<', 3.5, 'in time');
like($r->{headers}{'retry-after'}, qr/^[1-9]\d*$/, 'come again');

$t->wait_for(sub {
    $t->api_get('/cameras?limit=0', token => $user->{token}, timeout => 6)
        ->{status} == 503
}, 12, 'disbelief');
cmp_ok($watch->seconds, '<', 12, 'too long ago: not believed any more');

$t->resume_postgres;
ok($t->wait_for(sub { $t->api_get($path, token => $user->{token})->{status}
    == 200 }, 10, 'recovery'), 'answers again');

# and what ended while nobody could hear it

my $gone = $t->add_user(role => 'viewer');
asked($gone->{token});
$t->restart_postgres('immediate');
$t->sql("SELECT api_session_end('$gone->{sid}', 'logout')");
ok($t->wait_for(sub { join(' ', asked($gone->{token})) eq '401 401' }, 8,
    'connections'), 'ended during an outage');
unlike(join(' ', map { asked($gone->{token}) } 1 .. 20), qr/200/,
    'stays refused');

unlike($t->error_log, qr/\Q$user->{token}\E|\Q$gone->{token}\E/,
    'no token in the log');

$t->done_testing;

###############################################################################

# the status that each worker answers

sub asked {
    my ($token) = @_;

    return map {
        my $r = $t->api_get($path, token => $token, keep => 1,
            socket => $sockets{$_}, timeout => 6);
        $r->{status};
    } sort keys %sockets;
}

sub token {
    my (%wrong) = @_;

    my %claims = %{ delete $wrong{claims} // {} };
    return $t->access_token(%$user, %wrong, claims => \%claims);
}

sub checks {
    return scalar grep { /camera_api LOG:  execute api_session_check/ }
        split /\n/, $t->{postgres}->log;
}

# 1 when the process has the other end of that connection

sub holds {
    my ($pid, $socket) = @_;

    my ($local, $remote) = map { sprintf '0100007F:%04X', $_ }
        $socket->peerport, $socket->sockport;
    my ($inode) = map { (split)[9] } grep { /: $local $remote / }
        split /\n/, $t->read_file('/proc/net/tcp');

    return scalar grep { (readlink($_) // '') eq "socket:[$inode]" }
        glob "/proc/$pid/fd/*";
}
