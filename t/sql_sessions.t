#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for sessions in the database: a refresh token is good once, an answer
# that was lost is forgiven, a stolen token ends the session, and what ends a
# session ends it for good.  Time passes by UPDATE.

use strict;
use warnings;

use Camera::Test;
use Digest::SHA;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));

$t->start_postgres;
$t->migrate;

my $owner = $t->pg_session('camera_owner');
my $api = $t->pg_session('camera_api');

my $default = '00000000-0000-4000-8000-000000000001';
my $hash = '$2b$12$' . 'a' x 53;
my $day = 86400;

my $b = $owner->ask("INSERT INTO tenants (slug, name) VALUES ('b', 'B')
    RETURNING id");
my $anna = user('anna', $default);
my $bert = user('bert', $b);

###############################################################################

# open and check; the API names no tenant yet

my $sid = open_session($anna, 'a0', "'" . 'Agent ' x 50 . "'", "'2001:db8::1'");
like($sid, qr/^[0-9a-f]{8}-/, 'opened');
is(check($sid), "$anna\t$default\tanna\t\toperator\t$day", 'and checked');
is(session($sid, 'length(user_agent), address'), "200\t2001:db8::1",
    'agent and address');
is($owner->ask("SELECT last_login_at > now() - interval '1 min'
    FROM users WHERE id = '$anna'"), 't', 'last login');

is(session(open_session($anna, 'unix', 'NULL', "'unix:'"), 'address'), '',
    'a peer without an address');
is(check('00000000-0000-4000-8000-00000000dead'), '', 'no such session');
is(open_session('00000000-0000-4000-8000-00000000dead', 'x'), '', 'nor user');

for my $ttl (0, -1, 91 * $day, 'NULL') {
    $api->ask("SELECT api_session_open('$anna', sha256('x'), $ttl, NULL, NULL)");
    isnt($api->state, '00000', "not opened for $ttl s");
}
open_session($anna, 'a0');
is($api->state, '23505', 'nor with a token that is there already');
$api->ask("SELECT api_session_open('$anna', 'short', 60, NULL, NULL)");
is($api->state, '23514', 'nor with one that is no SHA-256');

# rotate

is(rotate('a0', 'a1'), "rotated\t$sid\t$anna\t$default\tanna\t\toperator\t$day",
    'rotated');
is(outcome('a1', 'a2'), 'rotated', 'and again');
is(outcome('nobody', 'x'), 'unknown', 'an unknown token');
is(rotate('nobody', 'x'), "unknown\t\t\t\t\t\t\t", 'says nothing');
is(check($sid), "$anna\t$default\tanna\t\toperator\t$day", 'the session lives');

rotate('a2', 'a3', 600);
is(check($sid) =~ /(\d+)$/ && $1, 600, 'its life is what was asked for');
rotate('a3', 'a4', 'NULL');
is(check($sid) =~ /(\d+)$/ && $1, $day, 'or what it was opened for');
rotate('a4', 'a4b', 90 * $day);
later($sid, '89 days 23 hours');
rotate('a4b', 'a5', 30 * $day);
is(check($sid) =~ /(\d+)$/ && $1, 3600, 'and never beyond 90 days');
later($sid, '1 hour');
is(outcome('a5', 'a6'), 'unknown', 'after them it is over');
is(check($sid), '', 'for everybody');

# answers that were lost, and two windows that refresh at once

$sid = open_session($anna, 'b0');
rotate('b0', 'b1');
is(outcome('b0', 'b2'), 'rotated', 'an answer that was lost');
is(outcome('b0', 'b3'), 'rotated', 'twice');
later($sid, '8 s');
is(outcome('b0', 'b4'), 'rotated', 'eight seconds later');
is(outcome('b2', 'b5'), 'rotated', 'each of the new tokens is good');
is(outcome('b1', 'b6'), 'rotated', 'for some seconds the others are, too');
later($sid, '11 s');
is(outcome('b6', 'b7'), 'rotated', 'whichever the client has kept');
is(check($sid) ne '', 1, 'nobody was logged out');
later($sid, '11 s');
is(outcome('b5', 'b8'), 'reused', 'its sisters then are spent');

# theft

$sid = open_session($anna, 'c0');
rotate('c0', 'c1');
later($sid, '11 s');
is(rotate('c0', 'c2'), "reused\t$sid\t$anna\t$default\tanna\t\toperator\t",
    'a spent token, eleven seconds later');
is(session($sid, 'revoked_reason'), 'reuse', 'ends the session');
is(check($sid), '', 'at once');
is(outcome('c1', 'c3'), 'unknown', 'for the newest token, too');
is(outcome('c0', 'c3'), 'unknown', 'there is nothing more to end');

$sid = open_session($anna, 'd0');
rotate("d$_", 'd' . ($_ + 1)) for 0 .. 2;
is(outcome('d0', 'dx'), 'reused', 'a thief who refreshes fast is found out');
is(check($sid), '', 'and out');

$sid = open_session($anna, 'e0');
rotate('e0', 'e1', 30 * $day);
later($sid, '23 hours');
is(tokens($sid), 'e0 e1', 'a spent token is remembered');
later($sid, '2 hours');
rotate('e1', 'e2');
is(tokens($sid), 'e1 e2', 'for as long as it would have lived');
is(outcome('e0', 'ex'), 'unknown', 'then it is as good as none');
is(check($sid) ne '', 1, 'and harms nobody');

# expiry

$sid = open_session($anna, 'f0');
later($sid, '24 hours');
is(check($sid), '', 'a session that was not used is over');
is(outcome('f0', 'f1'), 'unknown', 'its token, too');
is($api->ask("SELECT api_session_close(sha256('f0'))"), 'f',
    'and cannot be closed');

# both wait for one another

$sid = open_session($anna, 'g0');
$owner->ask("BEGIN; SELECT 1 FROM user_sessions WHERE id = '$sid' FOR UPDATE");
my @both = map { $t->pg_session('camera_api') } 1, 2;
$both[$_]->send("SELECT outcome FROM api_session_rotate(sha256('g0'),"
    . " sha256('g1$_'), 60)") for 0, 1;
ok($t->wait_for(sub { waiting() == 2 }, 10, 'two that wait'),
    'two rotations at once wait for one another');
$owner->ask('COMMIT');
is(join(' ', map { $_->answer } @both), 'rotated rotated', 'both are good');
is(tokens($sid, 'live'), 'g10 g11', 'and both tokens');

# logging out

is($api->ask("SELECT api_session_close(sha256('g10'))"), 't', 'logged out');
is(session($sid, 'revoked_reason'), 'logout', 'on purpose');
is($api->ask("SELECT api_session_close(sha256('g10'))"), 'f', 'only once');
is($api->ask("SELECT api_session_close(sha256('nobody'))"), 'f', 'nobody');
is(outcome('g11', 'g2'), 'unknown', 'its tokens are void');

$sid = open_session($anna, 'h0');
is($api->ask("SELECT api_session_end('$sid', 'by admin')"), 't', 'ended by sid');
is(session($sid, 'revoked_reason'), 'by admin', 'with a reason');
is($api->ask("SELECT api_session_end('$sid', 'again')"), 'f', 'once');

# users and tenants that are good no more

for my $case (
    [ 'an inactive user', "UPDATE users SET is_active = false", '' ],
    [ 'with API tokens only', "UPDATE users SET role = 'api_only'", 'back' ],
    [ 'of an inactive tenant', "UPDATE tenants SET is_active = false", 'back' ],
) {
    my ($what, $statement, $after) = @$case;
    my $id = $statement =~ /users/ ? $bert : $b;

    $sid = open_session($bert, "i$what");
    $owner->ask("$statement WHERE id = '$id'");
    is(check($sid), '', "$what has no session");
    is(outcome("i$what", 'x'), 'unknown', "$what rotates none");
    is(open_session($bert, 'i1'), '', "$what opens none");

    $owner->ask("UPDATE users SET is_active = true, role = 'operator'
        WHERE id = '$bert'; UPDATE tenants SET is_active = true");
    is(check($sid) ne '' ? 'back' : '', $after, "$what, afterwards");
}

# passwords

$owner->ask("SELECT end_sessions_of_user('$bert', 'test', NULL)");
my @sids = map { open_session($bert, "j$_") } 0 .. 2;
my $other = open_session($anna, 'j3');
is($api->ask("SELECT api_password_set('$bert', '$hash', '$sids[1]')"), 2,
    'a new password ends the other sessions');
is(join('', map { check($_) ne '' ? 1 : 0 } @sids, $other), '0101',
    'of this user');
is(session($sids[0], 'revoked_reason'), 'password', 'for that reason');
is($api->ask("SELECT api_password_set('$bert', '$hash', NULL)"), 1, 'or all');
is($api->ask("SELECT api_password_set('$anna', 'secret', NULL)")
    =~ /user_password_hashes_are_bcrypt/ && check($other) ne '', 1,
    'no hash, no change');
$owner->ask("UPDATE users SET must_change_password = true,
    password_changed_at = '2020-01-01' WHERE id = '$bert'");
$api->ask("SELECT api_password_set('$bert', '$hash', NULL)");
is($owner->ask("SELECT must_change_password, password_changed_at > '2021-01-01'
    FROM users WHERE id = '$bert'"), "f\tt", 'it is the user\'s own now');

# where the tenant is known it counts

$sid = open_session($bert, 'k0');
$api->ask("SET app.tenant = '$default'");
is($api->ask("SELECT api_session_end('$sid', 'x')"), 'f',
    'no session of another tenant is ended');
is($api->ask("SELECT api_password_set('$bert', '$hash', NULL)"), '',
    'and no password set');
is($api->ask("SELECT api_password_set(gen_random_uuid(), '$hash', NULL)"), '',
    'nor that of nobody');
is(check($sid) ne '', 1, 'it lives');
$api->ask("SET app.tenant = '$b'");
is($api->ask("SELECT api_session_end('$sid', 'x')"), 't', 'of its own it is');

# what is readable

is($api->ask("SELECT count(*) FROM user_sessions WHERE user_id <> '$bert'"), 0,
    'only sessions of the tenant');
isnt($api->ask('SELECT count(*) FROM user_sessions'), 0, 'of which there are');
for my $statement ('SELECT hash FROM refresh_tokens',
    'SELECT count(*) FROM refresh_tokens', 'DELETE FROM user_sessions',
    "UPDATE user_sessions SET expires_at = now() + interval '1 day'",
    'SELECT end_sessions_of_user(NULL, NULL, NULL)',
    'SELECT remove_dead_sessions()')
{
    like($api->ask($statement), qr/permission denied/, "denied: $statement");
}

# what is long over is removed by and by

$owner->ask("INSERT INTO user_sessions (tenant_id, user_id, ttl_sec, created_at,
        expires_at)
    SELECT '$b', '$bert', 60, t, t + interval '1 day'
    FROM generate_series(now() - interval '50 days', now(),
                         interval '1 day') t");
my $before = $owner->ask('SELECT count(*) FROM user_sessions');
open_session($anna, "l$_") for 0 .. 2;
is($owner->ask("SELECT count(*) FROM user_sessions
        WHERE expires_at < now() - interval '30 days'"), 0, 'dead sessions go');
cmp_ok($owner->ask('SELECT count(*) FROM user_sessions'), '>', $before - 30,
    'younger ones stay');

$owner->ask("DELETE FROM users WHERE id = '$anna'");
is($owner->ask("SELECT count(*) FROM user_sessions WHERE user_id = '$anna'"), 0,
    'a user who is removed takes them along');

$t->done_testing;

sub user {
    my ($name, $tenant) = @_;

    return $owner->ask("INSERT INTO users (username, tenant_id, password_hash,
            role)
        VALUES ('$name', '$tenant', '$hash', 'operator') RETURNING id");
}

sub open_session {
    my ($user, $token, $agent, $address) = @_;

    $agent //= 'NULL';
    $address //= 'NULL';
    return $api->ask("SELECT api_session_open('$user', sha256('$token'), $day,
        $agent, $address)");
}

# times are answered as whole seconds from now

sub check {
    my ($id) = @_;

    return $api->ask("SELECT user_id, tenant_id, username, email, role,
            round(extract(epoch FROM expires_at - now()))
        FROM api_session_check('$id')");
}

sub rotate {
    my ($from, $to, $ttl) = @_;

    $ttl //= $day;
    return $api->ask("SELECT outcome, sid, user_id, tenant_id, username, email,
            role, round(extract(epoch FROM expires_at - now()))
        FROM api_session_rotate(sha256('$from'), sha256('$to'), $ttl)");
}

sub outcome {
    my ($from, $to) = @_;

    return rotate($from, $to) =~ s/\t.*//sr;
}

sub session {
    my ($id, $columns) = @_;

    return $owner->ask("SELECT $columns FROM user_sessions WHERE id = '$id'");
}

# tokens of a session by name, in their order

sub tokens {
    my ($id, $live) = @_;

    my %name = map { unpack('H*', Digest::SHA::sha256($_)) => $_ }
        map { my $c = $_; map { "$c$_" } 0 .. 12 } 'a' .. 'l';
    return join ' ', sort map { $name{$_} // $_ } split /\n/,
        $owner->ask("SELECT encode(hash, 'hex') FROM refresh_tokens
            WHERE session_id = '$id'" . ($live ? ' AND spent_at IS NULL' : ''));
}

# lets time pass for a session

sub later {
    my ($id, $interval) = @_;

    $owner->ask("UPDATE user_sessions
            SET created_at = created_at - interval '$interval',
                rotated_at = rotated_at - interval '$interval',
                expires_at = expires_at - interval '$interval'
            WHERE id = '$id';
        UPDATE refresh_tokens
            SET spent_at = spent_at - interval '$interval',
                issued_at = issued_at - interval '$interval',
                expires_at = expires_at - interval '$interval'
            WHERE session_id = '$id'");
}

sub waiting {
    return $t->psql({ user => 'postgres' }, "SELECT count(*)
        FROM pg_stat_activity WHERE wait_event_type = 'Lock'
        AND usename = 'camera_api'");
}
