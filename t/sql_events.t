#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what the API is notified of: each change of a camera, a user and a
# session once, when it is committed, and nothing that is a secret.

use strict;
use warnings;

use Camera::Test;
use JSON::PP qw(decode_json);
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));

$t->start_postgres;
$t->migrate;

my $owner = $t->pg_session('camera_owner');
my $app = $t->pg_session('camera_app');
my $api = $t->pg_session('camera_api');
my $ear = $t->pg_session('camera_api');

my $tenant = $owner->ask("INSERT INTO tenants (slug, name) VALUES ('b', 'B')
    RETURNING id");
my $hash = '$2b$12$' . 'Secret/' x 7 . 'Hash';
my @heard;

$ear->ask('LISTEN api_event; LISTEN principal_changed');
$api->ask("SET app.tenant = '$tenant'");

###############################################################################

# cameras

my $id = $api->ask("SELECT id FROM api_camera_create(NULL, NULL, NULL, NULL,
    'gate')");
events('camera.created', { version => 1, name => 'gate' });
my $e = $heard[0];
is($e->{tenantId}, $tenant, 'of its tenant');
is($e->{cameraId}, $id, 'of the camera');
like($e->{at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'with a time');
is(join(' ', sort keys %$e), 'at cameraId data tenantId type', 'nothing else');

is($ear->ask("SELECT abs(extract(epoch FROM now() - '$e->{at}')) < 20"), 't',
    'which is now');
$owner->ask("SET TimeZone = 'Asia/Kathmandu'");
$owner->ask("UPDATE cameras SET name = 'door' WHERE id = '$id'");
events('camera.updated', { version => 2, name => 'door' });
is($ear->ask("SELECT abs(extract(epoch FROM now() - '$heard[0]{at}')) < 20"),
    't', 'wherever it was made');

$app->ask("UPDATE cameras SET stream_status = 'online', assigned_node = 'n'");
events('stream.status', { streamStatus => 'online' });
$app->ask("UPDATE cameras SET stream_status = 'online'");
events();
$api->ask("SELECT * FROM api_camera_update('$id', NULL, 'door')");
events();
$owner->ask("UPDATE cameras SET play_epoch = play_epoch + 1");
events();
$api->ask("SELECT api_stream_key_rotate('$id', 60)");
events('camera.updated', { version => 3, name => 'door' });
$owner->ask("UPDATE cameras SET name = 'a', stream_status = 'offline'");
events('stream.status', { streamStatus => 'offline' },
    'camera.updated', { version => 4, name => 'a' });

$owner->ask("BEGIN; UPDATE cameras SET name = 'b'; ROLLBACK");
events();
$owner->ask("BEGIN; UPDATE cameras SET name = 'b'");
events();
$owner->ask('COMMIT');
events('camera.updated', { version => 5, name => 'b' });

my $name = "\"'\\\x{1}\n\x{fc}\x{4e2d}" . "\x{1}" x 93;
my $sql = $name =~ s/'/''/gr =~ s/\\/\\\\/gr =~ s/\n/\\n/gr =~ s/\x{1}/\\x01/gr;
utf8::encode($sql);
$owner->ask("UPDATE cameras SET name = E'$sql'");
events('camera.updated', { version => 6, name => $name });

$api->ask("SELECT * FROM api_camera_delete('$id')");
events('camera.deleted', { version => 7, name => $name });
$owner->ask("UPDATE cameras SET stream_status = 'error', name = 'x'");
events();

# principals

my $user = $owner->ask("INSERT INTO users (username, email, password_hash,
        tenant_id) VALUES ('anna', 'a\@example.org', '$hash', '$tenant')
    RETURNING id");
principals('a new user is nobody\'s news');

for my $change ("role = 'admin'", "username = 'bea'", "email = NULL",
    "must_change_password = true", "password_hash = replace(password_hash,
        'S', 's')", 'is_active = false', 'is_active = true')
{
    $owner->ask("UPDATE users SET $change WHERE id = '$user'");
    principals($change, "user:$user");
}

my @sid = map { open_session("t$_") } 0 .. 4;
principals('logging in is no news');
$api->ask("SELECT api_session_rotate(sha256('t0'), sha256('t1a'), 60)");
principals('nor is a rotation');
$api->ask("SELECT api_session_close(sha256('t0'))");
principals('logging out is', "session:$sid[0]");
$api->ask("SELECT api_session_close(sha256('t0'))");
principals('once');
$api->ask("SELECT api_session_end('$sid[1]', 'admin')");
principals('ended', "session:$sid[1]");

$api->ask("SELECT api_session_rotate(sha256('t2'), sha256('t2a'), 60)");
$owner->ask("UPDATE user_sessions SET rotated_at = now() - interval '1 min'
    WHERE id = '$sid[2]'");
$api->ask("SELECT api_session_rotate(sha256('t2'), sha256('t2b'), 60)");
principals('theft', "session:$sid[2]");

$api->ask("SELECT api_password_set('$user', '$hash', '$sid[3]')");
principals('a password', "session:$sid[4]", "user:$user");
$owner->ask("UPDATE users SET is_active = false WHERE id = '$user'");
principals('an end for all', "session:$sid[3]", "user:$user");
$owner->ask("UPDATE users SET is_active = true WHERE id = '$user'");
principals('and back', "user:$user");

my $other = $owner->ask("INSERT INTO users (username, password_hash, tenant_id)
    VALUES ('other', '$hash', '$tenant') RETURNING id");
$owner->ask("UPDATE tenants SET name = 'BB' WHERE id = '$tenant'");
principals('the name of a tenant is no news');
$owner->ask("UPDATE tenants SET is_active = false WHERE id = '$tenant'");
principals('a tenant\'s state is, for each user', "user:$user",
    "user:$other");
$owner->ask("UPDATE tenants SET is_active = true WHERE id = '$tenant'");
principals('and again', "user:$user", "user:$other");

$sid[5] = open_session('t5');
$owner->ask("DELETE FROM users WHERE id = '$user'");
principals('a user who is removed', "session:$sid[5]", "user:$user");

$t->done_testing;

sub open_session {
    my ($token) = @_;

    return $api->ask("SELECT api_session_open('$user', sha256('$token'), 3600,
        NULL, NULL)");
}

# events since the last call, as pairs of type and data

sub events {
    my @expected = @_;

    my @payloads = $ear->notified('api_event');
    @heard = map { decode_json($_) } @payloads;
    is_deeply([ map { ($_->{type}, $_->{data}) } @heard ], \@expected,
        join(' ', grep { !ref } @expected) || 'no event');

    is((grep { length > 7000 } @payloads), 0, 'not long') if @payloads;
}

sub principals {
    my ($what, @expected) = @_;

    is(join(' ', sort $ear->notified('principal_changed')),
        join(' ', sort @expected), $what);
}
