#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for row-level security: on one connection of the API, tenant A, tenant B
# and none, with failing statements between them, and no table without it.
# Where two layers protect something each is tested without the other.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Cli;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations cli));

$t->start_postgres;
$t->migrate;

my $owner = $t->pg_session('camera_owner');
my $api = $t->pg_session('camera_api');

my ($a, $b) = map {
    $owner->ask("INSERT INTO tenants (slug, name) VALUES ('$_', upper('$_'))
        RETURNING id")
} qw(a b);

# each tenant has a row in every table

my $hash = '$2b$12$' . 'a' x 53;
my (%camera, %user, %session, %recording, %alert,
    %bookmark);

for my $tenant ($a, $b) {
    $camera{$tenant} = $owner->ask("INSERT INTO cameras (tenant_id, name)
        VALUES ('$tenant', 'camera of $tenant') RETURNING id");
    $user{$tenant} = $owner->ask("INSERT INTO users (tenant_id, username,
            password_hash)
        VALUES ('$tenant', 'user-' || left('$tenant', 8), '$hash')
        RETURNING id");
    $session{$tenant} = $owner->ask("SELECT api_session_open('$user{$tenant}',
        sha256('$tenant'), 3600, NULL, NULL)");
    $owner->ask("INSERT INTO user_identities (issuer, subject, tenant_id, user_id)
        VALUES ('https://id.example', '$tenant', '$tenant', '$user{$tenant}')");
    $owner->ask("INSERT INTO idempotency_keys (tenant_id, principal, route, key,
            request_hash, status)
        VALUES ('$tenant', '$user{$tenant}', 'test', 'key', '', 201)");
    $recording{$tenant} = $owner->ask('SELECT recording_id(now())');
    $owner->ask("SELECT journal_open('$tenant', '$recording{$tenant}',
        '$camera{$tenant}', 'media/a.mp4',
        recording_start('$recording{$tenant}'))");
    $owner->ask("SELECT journal_close('$recording{$tenant}', now(), 1, 1, 1,
        'hour')");
    $owner->ask("INSERT INTO recording_tasks (recording_id, tenant_id, camera_id,
            volume_id, file_path, file_size, task)
        VALUES ('$tenant', '$tenant', '$camera{$tenant}', '$tenant', 'f', 1,
            'remove')");
    $owner->ask("SELECT journal_gap('$camera{$tenant}', now(), NULL, 'disk')");
    $owner->ask("INSERT INTO recording_schedules (camera_id, tenant_id, timezone,
        windows) VALUES ('$camera{$tenant}', '$tenant', 'UTC', '[]')");
    $owner->ask("INSERT INTO recording_events (camera_id, tenant_id, start_time,
        until_time)
        VALUES ('$camera{$tenant}', '$tenant', now(), now() + interval '1 h')");
    $bookmark{$tenant} = $owner->ask("INSERT INTO bookmarks (tenant_id, camera_id,
        at, label) VALUES ('$tenant', '$camera{$tenant}', now(), 'b')
        RETURNING id");
    $owner->ask("WITH g AS (INSERT INTO camera_groups (tenant_id, name)
            VALUES ('$tenant', 'doors') RETURNING id, tenant_id),
        m AS (INSERT INTO camera_group_members (tenant_id, group_id, camera_id)
            SELECT tenant_id, id, '$camera{$tenant}' FROM g)
        INSERT INTO camera_grants (tenant_id, user_id, group_id)
        SELECT tenant_id, '$user{$tenant}', id FROM g");
    $owner->ask("INSERT INTO layouts (tenant_id, user_id, name)
        VALUES ('$tenant', '$user{$tenant}', 'wall')");
    $owner->ask("SELECT audit_note('$tenant', '1 h', 'test.watch', 'test', '1')");
    $owner->ask('SELECT audit_chain_next(), audit_chain_next()');
    $owner->ask("SELECT audit_anchor_add('$tenant', 1, now(), 'k', 's')");
    $owner->ask("INSERT INTO exports (tenant_id, camera_id, from_time, to_time)
        VALUES ('$tenant', '$camera{$tenant}', now(), now() + interval '1 h')");
    $owner->ask("WITH t AS (INSERT INTO api_tokens (tenant_id, user_id,
            token_hash, prefix, name, permissions)
            VALUES ('$tenant', '$user{$tenant}',
                encode(sha256('$tenant'), 'hex'), 'cam_', 't', '[\"*\"]')
            RETURNING id)
        INSERT INTO api_token_usage (token_id, tenant_id, day)
        SELECT id, '$tenant', now() FROM t");
    $owner->ask("SELECT api_metrics_add('{$camera{$tenant}}', '{t}', '{15}',
        '{1000}', '{1}')");
    $alert{$tenant} = $owner->ask("SELECT alert_raise('$tenant',
        '$camera{$tenant}', 'test', 'low', 'of $tenant')");
}

my $open = q{SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
    AND relname <> 'schema_migrations' AND NOT relrowsecurity};

my @tables = split /\n/, $owner->ask(q{SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
    AND relname NOT IN ('schema_migrations', 'tenants', 'volumes',
        'record_journal', 'recording_garbage',
        'retention_clocks', 'nodes', 'audit_state', 'playback_ends')
    AND NOT relispartition ORDER BY relname});

###############################################################################

# no table without

is($owner->ask($open), '', 'every table has row-level security');
is($owner->ask("BEGIN; CREATE TABLE forgotten (tenant_id uuid); $open;
    ROLLBACK"), 'forgotten', 'a table without it is found');

for my $table (@tables) {
    is($owner->ask("SELECT count(DISTINCT tenant_id) FROM $table
        WHERE tenant_id IN ('$a', '$b')"), 2, "$table has rows of both");
}

is($owner->ask(q{SELECT tablename, policyname FROM pg_policies
    WHERE 'camera_api' = ANY (roles) AND permissive = 'PERMISSIVE'
    AND tablename <> 'nodes'                -- nobody's, and only to be read
    AND (cmd <> 'ALL'
         OR qual !~ '^\(\w+ = \( SELECT session_tenant\(\) AS \w+\)\)$'
         OR with_check IS DISTINCT FROM qual)}), '',
    'the API\'s policies are one rule, for reading and for writing');
is($owner->ask(q{SELECT tablename, policyname FROM pg_policies
    WHERE NOT roles <@ '{camera_api,camera_app,camera_worker}'
    OR 'camera_app' = ANY (roles)
    AND tablename NOT IN ('tenants', 'cameras', 'stream_keys')}), '',
    'nobody else has one');

# one connection, three tenants

sees('while it has named none', undef);
as_tenant($a);
sees('as A', $a);
as_tenant($b);
sees('as B after A', $b);
as_tenant('');
sees('as none after B', undef);
as_tenant($a);
$api->ask('SELECT 1 / 0');
is($api->state, '22012', 'a statement fails');
sees('as A still', $a);
$api->ask("SELECT set_config('app.tenant', '$b', false), 1 / 0");
sees('as A, when the statement failed that named B', $a);
$api->ask("BEGIN; SELECT set_config('app.tenant', '$b', false); SELECT 1 / 0");
is($api->ask('ROLLBACK; SELECT current_setting(\'app.tenant\')'), $a,
    'a transaction that failed takes its tenant along');
sees('as A, after the transaction failed that named B', $a);
$api->ask('DISCARD ALL');
sees('after DISCARD ALL', undef);

as_tenant('anything');
$api->ask('SELECT count(*) FROM cameras');
is($api->state, '22P02', 'a tenant that is none is an error');
as_tenant("$a' OR true --");
$api->ask('SELECT count(*) FROM cameras');
is($api->state, '22P02', 'and is no SQL');

as_tenant($a);
undef $api;
$api = $t->pg_session('camera_api');
sees('after it has connected again', undef);

# writing

as_tenant($a);
is($api->ask("INSERT INTO cameras (name) VALUES ('mine') RETURNING tenant_id"),
    $a, 'a camera of A is A\'s');
is($owner->ask("SELECT k.tenant_id FROM stream_keys k JOIN cameras c
    ON c.id = k.camera_id WHERE c.name = 'mine'"), $a, 'so is its key');

nothing("UPDATE cameras SET name = 'x' WHERE id = '$camera{$b}'");
nothing("UPDATE cameras SET name = 'x' WHERE tenant_id = '$b'");
nothing("UPDATE cameras SET deleted_at = now() WHERE id = '$camera{$b}'");
nothing("DELETE FROM idempotency_keys WHERE tenant_id = '$b'");
nothing("SELECT 1 FROM api_camera_update('$camera{$b}', NULL, 'x')");
nothing("SELECT 1 FROM api_camera_delete('$camera{$b}')");
nothing("SELECT 1 WHERE api_stream_key_rotate('$camera{$b}', 0) IS NOT NULL");
nothing("SELECT 1 WHERE api_camera_id('$camera{$b}') IS NOT NULL");
nothing("SELECT 1 FROM $_") for "api_recording_get('$recording{$b}')",
    "api_recording_list(9, '$camera{$b}')",
    "api_recording_delete('$recording{$b}')",
    "api_recording_hold('$recording{$b}', 'x')",
    "api_recording_release('$recording{$b}')",
    "api_recording_url_issued('$recording{$b}', now())",
    "api_recording_timeline('$camera{$b}', now() - interval '1 h', now())",
    "api_recording_start('$camera{$b}')",
    "api_recording_start('$camera{$b}', 60)",
    "api_recording_stop('$camera{$b}')",
    "api_schedule_put('$camera{$b}', 'UTC', '[]')",
    "api_alert_acknowledge('$alert{$b}', '$user{$a}')",
    "api_bookmark_create('$camera{$b}', now(), NULL, 'x')",
    "api_bookmark_update('$bookmark{$b}', NULL, NULL, 'x')";
nothing("SELECT 1 WHERE $_") for "api_schedule_delete('$camera{$b}')",
    "api_bookmark_delete('$bookmark{$b}')";
nothing("SELECT 1 WHERE api_session_end('$session{$b}', 'x')");
nothing("SELECT 1 WHERE api_password_set('$user{$b}', '$hash', NULL) IS NOT NULL");
is($owner->ask("SELECT name, version, key_generation FROM cameras
    WHERE id = '$camera{$b}'"), "camera of $b\t1\t1", 'B\'s camera is as it was');
is($api->ask("SELECT api_stream_key_rotate('$camera{$a}', 0)"), 2,
    'its own can be rotated');

# what a client may not set is not granted, whatever SQL says

denied("INSERT INTO cameras (name, $_) VALUES ('x', DEFAULT)")
    for qw(id tenant_id rtmp_key stream_status assigned_node play_epoch
        created_at updated_at deleted_at rev version key_generation);
denied("UPDATE cameras SET $_ = DEFAULT")
    for qw(id tenant_id rtmp_key rtmp_url stream_status assigned_node
        play_epoch created_at updated_at rev version key_generation);
denied($_) for 'DELETE FROM cameras', 'TRUNCATE cameras',
    "SELECT rotate_stream_key('$camera{$a}', 0)",
    'SELECT opaque_hash FROM stream_keys', 'SELECT * FROM feeder_cameras',
    'UPDATE stream_keys SET valid_until = now()',
    "INSERT INTO stream_keys (camera_id, generation) VALUES ('$camera{$a}', 9)",
    'UPDATE tenants SET is_active = true', 'SELECT * FROM schema_migrations',
    "UPDATE idempotency_keys SET tenant_id = '$b'", 'SELECT * FROM users',
    'SELECT hash FROM refresh_tokens', 'CREATE TABLE x ()',
    'CREATE FUNCTION x() RETURNS int RETURN 1', 'SET ROLE camera_owner',
    'SET ROLE camera_app';
$api->ask('ALTER TABLE cameras DISABLE ROW LEVEL SECURITY');
is($api->state, '42501', 'nor is it switched off');
$api->ask('DROP POLICY the_api_sees_one_tenant ON cameras');
is($api->state, '42501', 'nor dropped');

my $columns = q{SELECT c.relname, a.attname
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    AND (attname IN ('id', 'tenant_id')
         AND has_column_privilege('camera_api', c.oid, attnum, 'INSERT, UPDATE')
         OR attname ~ '(^|_)hash$' AND attname <> 'request_hash'
         AND has_column_privilege('camera_api', c.oid, attnum, 'SELECT'))};
is($owner->ask($columns), '',
    'no id and no tenant is written, and no hash is read, in any table');
is($owner->ask("BEGIN; GRANT SELECT ON users TO camera_api; $columns; ROLLBACK"),
    "users\tpassword_hash", 'a grant of too much is found');

# a removed camera does not come back

as_tenant($b);
is($api->ask("SELECT outcome FROM api_camera_delete('$camera{$b}')"), 'deleted',
    'removed');
nothing("UPDATE cameras SET deleted_at = NULL WHERE id = '$camera{$b}'");
is($api->ask("SELECT count(*) FROM cameras WHERE id = '$camera{$b}'"), 1,
    'though it is there');
as_tenant($a);

# and were it granted the policies would still refuse

$owner->ask('GRANT INSERT, UPDATE ON cameras, users, idempotency_keys TO
    camera_api; GRANT INSERT ON tenants, stream_keys TO camera_api');
violates("INSERT INTO cameras (name, tenant_id) VALUES ('x', '$b')");
violates("UPDATE cameras SET tenant_id = '$b' WHERE id = '$camera{$a}'");
violates("INSERT INTO users (username, tenant_id, password_hash)
    VALUES ('x', '$b', '$hash')");
violates("UPDATE users SET tenant_id = '$b'");
violates("INSERT INTO stream_keys (camera_id, generation, tenant_id)
    VALUES ('$camera{$b}', 2, '$b')");
violates("INSERT INTO tenants (slug, name) VALUES ('c', 'C')");
as_tenant('');
violates("INSERT INTO cameras (name) VALUES ('x')");
violates("INSERT INTO users (username, password_hash) VALUES ('x', '$hash')");
nothing("UPDATE cameras SET name = 'x'");
$owner->ask('REVOKE INSERT, UPDATE ON cameras, users, idempotency_keys FROM
    camera_api; REVOKE INSERT ON tenants, stream_keys FROM camera_api');

# functions with their owner's rights

my $definers = q{SELECT p.proname FROM pg_proc p
    WHERE pronamespace = 'public'::regnamespace AND prosecdef
    AND (NOT 'search_path=pg_catalog, public, pg_temp' = ANY (proconfig)
         OR proconfig IS NULL
         OR has_function_privilege('camera_app', p.oid, 'EXECUTE')
         OR prorettype <> 'trigger'::regtype AND proname !~ '^(api|granted)_'
            AND has_function_privilege('camera_api', p.oid, 'EXECUTE')
         OR proname ~ '^api_'
            AND has_function_privilege('camera_worker', p.oid, 'EXECUTE'))};
is($owner->ask($definers), '',
    'have a search path, and are not for everybody');
is($owner->ask("BEGIN; ALTER FUNCTION api_session_check RESET search_path;
    $definers; ROLLBACK"), 'api_session_check', 'one without is found');

$api->ask("CREATE TEMP TABLE users AS SELECT u.id, u.tenant_id, 'anna' username,
    'a' email, 'admin'::user_role role, '$hash' password_hash, true is_active
    FROM public.users u");
is($api->ask("SELECT count(*) FROM api_user_for_login('anna')"), 0,
    'and are not deceived by a temporary table');

# the others see all

is($owner->ask('SELECT count(DISTINCT tenant_id) FROM cameras'), 2,
    'the owner sees all');
my $names = Camera::Test::Cli->new($t)->run('list')->{out};
like($names, qr/camera of \Q$a\E/, 'bin/camera, too');
my $app = $t->pg_session('camera_app');
is($app->ask('SELECT count(DISTINCT tenant) FROM feeder_cameras'), 2,
    'so does the feeder');
is($app->ask("UPDATE cameras SET stream_status = 'online'
    WHERE tenant_id IN ('$a', '$b') RETURNING 1") =~ tr/1//, 3,
    'which reports for all');
is($app->ask('SELECT count(*) FROM stream_keys'), 4, 'and reads all keys');

# the owner's login serves the API by taking its role

my $as_api = Camera::Psql->start($t->postgres_bin . '/psql',
    $t->database('camera_owner') . " options='-c role=camera_api'");
is($as_api->ask('SELECT count(*) FROM cameras'), 0, 'as none');
$as_api->ask("SET app.tenant = '$a'");
is($as_api->ask("SELECT DISTINCT tenant_id FROM cameras"), $a, 'as A');
is($as_api->ask('RESET ROLE; SELECT current_user'), 'camera_api', 'for good');

$t->done_testing;

sub as_tenant {
    my ($tenant) = @_;

    $api->ask("SELECT set_config('app.tenant', \$\$$tenant\$\$, false)");
}

# what the API sees of each table that it may read

sub sees {
    my ($what, $tenant) = @_;

    my @seen = map {
        my $found = $api->ask("SELECT DISTINCT tenant_id FROM $_");
        $api->state eq '42501' ? () : "$_: $found";
    } @tables;

    is(join("\n", @seen), join("\n", map { "$_: " . ($tenant // '') }
        grep { !/^(refresh_tokens|recording_tasks|audit_(chain|anchors))$/ }
        @tables), $what);
    is($api->ask('SELECT id FROM tenants'), $tenant // '', "$what, of tenants");
}

sub nothing {
    my ($statement) = @_;

    my $said = $api->ask($statement . ($statement =~ /^(UPDATE|DELETE)/
        ? ' RETURNING 1' : ''));
    is($api->state . ": $said", '00000: ', "nothing: $statement");
}

sub denied {
    my ($statement) = @_;

    like($api->ask($statement), qr/^ERROR:  42501: permission denied/,
        "denied: $statement");
}

sub violates {
    my ($statement) = @_;

    like($api->ask($statement), qr/42501: new row violates row-level security/,
        "violates: $statement");
}
