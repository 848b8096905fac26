#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for orders of locks: whoever refers to what somebody else is removing waits
# for that, or is waited for, and neither is ended as a deadlock.  Once, grants of
# a user locked each other the other way round than the user's removal did, and so
# did logins and the usage of API tokens.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));

$t->start_postgres(deadlock_timeout => '100ms');
$t->migrate;

my $owner = $t->pg_session('camera_owner');
my ($api, $other, $third) = map { $t->pg_session('camera_api') } 1 .. 3;
my $tenant = $owner->ask('SELECT default_tenant()');

for my $session ($api, $other, $third) {
    $session->ask("SET app.tenant = '$tenant'");
    $session->backend;
}

###############################################################################

# grants, held up between what they take and what they give, and the user's end

my $anna = user('anna');
my ($door, $gate, $yard) = map { group($_) } qw(door gate yard);
grants($api, $anna, $door);

$owner->ask("BEGIN; SELECT FROM tenants WHERE id = '$tenant' FOR UPDATE");
$api->send(put($anna, $gate));
waits($api, 'grants that wait');
$other->send(remove($anna));
waits($other, 'a removal that waits');
$owner->ask('COMMIT');

$api->answer;
like($api->state, qr/^(?:00000|23503)$/, 'grants are given, or of nobody');
$other->answer;
is($other->state, '00000', 'the user is removed');
is($t->sql('SELECT count(*) FROM camera_grants'), 0, 'and with them the grants');

# a user, and a group, who are gone when it is their turn

my $bert = user('bert');
$owner->ask("BEGIN; DELETE FROM users WHERE id = '$bert'");
$api->send(put($bert, $gate));
waits($api, 'grants of who is being removed');
$owner->ask('COMMIT');
$api->answer;
is($api->state, '23503', 'are of nobody');
is($api->ask(put($bert, $gate)), '', 'and of no user when asked again');

my $carl = user('carl');
my ($one, $two) = sort $gate, $door;
$owner->ask("BEGIN; DELETE FROM camera_groups WHERE id = '$two'");
$api->send(put($carl, $one, $two));
waits($api, 'grants of a group that is being removed');
$owner->ask('COMMIT');
like($api->answer, qr/unknown group$/, 'are of an unknown one');

my $camera = $t->sql("INSERT INTO cameras (name) VALUES ('c') RETURNING id");
$owner->ask("BEGIN; DELETE FROM camera_groups WHERE id = '$yard'");
$api->send("SELECT outcome FROM api_camera_group_put('$yard', '$camera')");
waits($api, 'a camera for a group that is being removed');
$owner->ask('COMMIT');
is($api->answer, '', 'is in none');
is($api->state, '00000', 'which is no error');

# two groups whose grants change places, and their ends

my ($dora, $emil) = map { user($_) } qw(dora emil);
my ($x, $y) = sort map { group($_) } qw(x y);
grants($api, $dora, $x);
grants($api, $emil, $y);
$owner->ask("BEGIN; SELECT FROM tenants WHERE id = '$tenant' FOR UPDATE");
$api->send(put($dora, $y));
waits($api, 'one of two');
$other->send(put($emil, $x));
waits($other, 'the other one');
$third->send("SELECT outcome FROM api_camera_group_delete('$x', NULL)");
waits($third, 'and the end of a group');
$owner->ask('COMMIT');
is(join(' ', map { $_->answer; $_->state } $api, $other, $third),
    '00000 00000 00000', 'all come to their end');

# a login that removes dead sessions, and the user's end

my $frida = user('frida');
$owner->ask("INSERT INTO user_sessions (tenant_id, user_id, ttl_sec, created_at,
    expires_at) VALUES ('$tenant', '$frida', 60, now() - interval '40 days',
    now() - interval '39 days')");

$owner->ask("BEGIN; SELECT FROM users WHERE id = '$frida' FOR NO KEY UPDATE");
$api->send("SELECT api_session_open('$frida', sha256('x'), 60, NULL, NULL)");
waits($api, 'a login of who is being removed');
$owner->ask("DELETE FROM users WHERE id = '$frida'");
is($owner->state, '00000', 'the removal');
$owner->ask('COMMIT');
is($api->answer, '', 'is none');
is($api->state, '00000', 'which is no error');

# usage of an API token, and its end

my $greta = user('greta');
my $token = $owner->ask("INSERT INTO api_tokens (tenant_id, user_id, token_hash,
    prefix, name, permissions) VALUES ('$tenant', '$greta', repeat('a', 64),
    'cam_', 'x', '[\"*\"]') RETURNING id");
$api->ask(used($token));
$owner->ask("UPDATE api_tokens SET last_used_at = NULL");

$owner->ask("BEGIN; SELECT FROM api_tokens WHERE id = '$token' FOR UPDATE");
$api->send(used($token));
waits($api, 'usage of a token that is being removed');
$owner->ask("DELETE FROM api_tokens WHERE id = '$token'");
is($owner->state, '00000', 'the removal');
$owner->ask('COMMIT');
$api->answer;
is($api->state, '00000', 'is left out');

$t->done_testing;

###############################################################################

sub user {
    my ($name) = @_;

    return $owner->ask("INSERT INTO users (username, password_hash)
        VALUES ('$name', '\$2b\$12\$' || repeat('a', 53)) RETURNING id");
}

sub group {
    my ($name) = @_;

    return $owner->ask("INSERT INTO camera_groups (tenant_id, name)
        VALUES ('$tenant', '$name') RETURNING id");
}

sub put {
    my ($user, @groups) = @_;

    return sprintf "SELECT outcome FROM api_grants_put('%s', '{}', '{%s}')",
        $user, join ',', @groups;
}

sub grants {
    my ($session, @grants) = @_;

    $session->ask(put(@grants));
}

sub remove {
    my ($user) = @_;

    return "SELECT outcome FROM api_user_delete(NULL,
        '{admin,operator,viewer,api_only}', '$user', NULL)";
}

sub used {
    my ($token) = @_;

    return "SELECT api_tokens_used('{$token}', '{2026-01-01}', '{1}', '{0}',
        '{2026-01-01 12:00+00}')";
}

sub waits {
    my ($session, $name) = @_;

    my $pid = $session->{backend} or die 'backend() comes first';

    ok($t->wait_for(sub { $t->sql("SELECT count(*) FROM pg_locks
        WHERE pid = $pid AND NOT granted") }, 5, $name), $name);
}
