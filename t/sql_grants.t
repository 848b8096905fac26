#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for row-level security by grants: whom app.tenant names as grantee sees
# the rows of granted cameras and no others, in every table and view that has
# rows of cameras, and can change no others; a table without the policy fails.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));

$t->start_postgres;
$t->migrate;

my $owner = $t->pg_session('camera_owner');
my $api = $t->pg_session('camera_api');
my $tenant = '00000000-0000-4000-8000-000000000001';
my $hash = '$2b$12$' . '.' x 53;

# a camera each: granted, in a granted group, in another group, not at all

my %camera = map { $_ => $t->sql("INSERT INTO cameras (name, external_id)
    VALUES ('$_', '$_') RETURNING id") } qw(given grouped other none);
my $viewer = user('viewer');
my $group = group('doors', $camera{grouped});
my $elsewhere = group('elsewhere', $camera{other});

grants($viewer, [ $camera{given} ], [ $group ]);

###############################################################################

# no table that the API reads is without

is($owner->ask(q{SELECT string_agg(c.relname, ' ' ORDER BY c.relname)
    FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relnamespace = 'public'::regnamespace
      AND has_any_column_privilege('camera_api', c.oid, 'SELECT')
      AND (c.relname = 'cameras' OR EXISTS (
          SELECT FROM pg_attribute a
          WHERE a.attrelid = c.oid AND a.attname = 'camera_id'
            AND NOT a.attisdropped))
      AND NOT EXISTS (
          SELECT FROM pg_policy p
          WHERE p.polrelid = c.oid AND NOT p.polpermissive
            AND p.polname IN ('grantees_see_what_is_granted',
                              'whoever_has_grants_sees_no_audit'))}), '',
    'every table with rows of cameras has the policy');
is($owner->ask(q{SELECT string_agg(c.relname, ' ')
    FROM pg_class c
    WHERE c.relkind = 'v' AND c.relname LIKE 'api\_%'
      AND NOT coalesce(c.reloptions @> '{security_invoker=true}', false)}), '',
    'and every view the rights of who reads it');

# what is seen

sees($viewer, 'given grouped', 'a viewer: what is granted');
sees(undef, 'given grouped none other', 'whoever sees all: all');
sees(user('viewer'), '', 'without grants: nothing');

# each table, by a row of each camera

for my $id (values %camera) {
    $owner->ask($_) for
        "INSERT INTO bookmarks (camera_id, at, label) VALUES ('$id', now(), 'x')",
        "INSERT INTO exports (camera_id, from_time, to_time)
            VALUES ('$id', now(), now() + interval '1 s')",
        "INSERT INTO alerts (camera_id, type, severity)
            VALUES ('$id', 'camera_lost', 'low')",
        "INSERT INTO recording_gaps (camera_id, tenant_id, start_time, cause)
            VALUES ('$id', '$tenant', now(), 'camera')",
        "INSERT INTO recording_schedules (camera_id, timezone, windows)
            VALUES ('$id', 'UTC', '[]')",
        "INSERT INTO recording_events (camera_id, start_time, until_time)
            VALUES ('$id', now(), now() + interval '1 s')",
        "INSERT INTO recording_days (tenant_id, camera_id, day, storage_tier,
            recordings, bytes, usec)
            VALUES ('$tenant', '$id', current_date, 'hot', 1, 1, 1)";
    $owner->ask("SELECT api_metrics_add('{$id}', '{t}', '{15}', '{1000}', '{1}')");
    $t->add_recording_row($id, start => '2026-01-01T00:00:00Z');
}

$owner->ask("INSERT INTO alerts (type, severity) VALUES ('disk_full', 'low')");

for my $table (qw(api_bookmarks api_exports api_alerts recording_gaps
    recording_schedules recording_events stream_keys api_recordings
    camera_metrics camera_metric_days))
{
    is(rows(undef, $table, '4|5'), 'all', "$table: all of them");
    is(rows($viewer, $table, 2), 'all', "$table: two for the viewer");
}

is(as($viewer, "SELECT count(*) FROM recording_days
    WHERE camera_id <> '$camera{given}' AND camera_id <> '$camera{grouped}'"),
    0, 'recording_days');
is(as($viewer, "SELECT json_array_length(cameras) FROM api_storage_usage()"),
    2, 'the sums of storage are those of two cameras');
is(as($viewer, "SELECT count(*) FROM api_camera_groups"), 1, 'one group');
is(as($viewer, "SELECT cameras FROM api_camera_groups"), 1, 'of one camera');
is(as($viewer, "SELECT count(*) FROM camera_grants WHERE user_id <> '$viewer'"),
    0, 'nobody else\'s grants');

# what is done

for my $id (@camera{qw(other none)}) {
    is(as($viewer, $_), '', "nothing is changed of one that is not: $_") for
        "UPDATE cameras SET name = 'x' WHERE id = '$id' RETURNING 1",
        "SELECT outcome FROM api_camera_update('$id', NULL, 'x')",
        "SELECT outcome FROM api_camera_delete('$id')",
        "SELECT outcome FROM api_recording_start('$id')",
        "SELECT camera_id FROM api_schedule_put('$id', 'UTC', '[]')",
        "SELECT id FROM api_bookmark_create('$id', now(), NULL, 'x')",
        "SELECT camera_id FROM api_stream_key_create('$id', 0)",
        "SELECT api_stream_key_rotate('$id', 0)",
        "DELETE FROM bookmarks WHERE camera_id = '$id' RETURNING 1",
        "UPDATE alerts SET acknowledged = true WHERE camera_id = '$id'
            RETURNING 1";
    like(as($viewer, $_), qr/row-level security/, "nothing is added: $_") for
        "INSERT INTO bookmarks (camera_id, at, label)
            VALUES ('$id', now(), 'x')",
        "INSERT INTO recording_events (camera_id, start_time, until_time)
            VALUES ('$id', now(), now() + interval '1 s')";
}

# whoever adds a camera sees it, also in what the statement itself answers

my $operator = user('operator');
my $made = as($operator, "SELECT id FROM api_camera_create('$operator', 'r',
    NULL, NULL, 'mine')");
like($made, qr/^[0-9a-f-]{36}$/, 'an operator adds a camera');
sees($operator, 'mine', 'and sees it');
like(as($operator, "INSERT INTO cameras (name) VALUES ('mine, too')
    RETURNING id"), qr/^[0-9a-f-]{36}$/, 'by RETURNING');
is(as($viewer, "SELECT id FROM cameras WHERE id = '$made'"), '',
    'but nobody else');
is($owner->ask("SELECT current_setting('app.camera_that_is_added', true)"), '',
    'nothing stays in the connection');

# groups

as(undef, "SELECT api_camera_group_put('$group', '$camera{none}')");
sees($viewer, 'given grouped none', 'what comes into a granted group is seen');
as(undef, "SELECT api_camera_group_take('$group', '$camera{grouped}')");
sees($viewer, 'given none', 'and what is taken out is not');
as(undef, "SELECT api_camera_group_delete('$group', NULL)");
sees($viewer, 'given', 'a group that is gone grants nothing');

# of nobody but the tenant's own

my $tenant_b = $owner->ask("INSERT INTO tenants (slug, name) VALUES ('b', 'B')
    RETURNING id");
my $foreign = $owner->ask("INSERT INTO cameras (name, tenant_id)
    VALUES ('foreign', '$tenant_b') RETURNING id");
is(as(undef, "SELECT outcome FROM api_grants_put('$viewer', '{$foreign}',
    '{}')"), 'unknown camera', 'no grant of a foreign camera');
is(as(undef, "SELECT outcome FROM api_grants_put('$viewer', '{}',
    '{$foreign}')"), 'unknown group', 'or group');
$owner->ask("INSERT INTO camera_grants (user_id, camera_id)
    VALUES ('$viewer', '$foreign')");
sees($viewer, 'given', 'and if there was one, it would show nothing');

# admins

is($owner->ask("BEGIN; UPDATE users SET role = 'admin' WHERE id = '$viewer'
    RETURNING camera_scope; ROLLBACK"), 'all', 'an admin sees all');
like($owner->ask("UPDATE users SET role = 'admin', camera_scope = 'all'
    WHERE id = '$operator'; UPDATE users SET camera_scope = 'granted'
    WHERE id = '$operator'"), qr/admins_see_all_cameras/, 'whatever is said');

# at a glance: the plans, of 10,000 cameras (here 2,000) with 1,000 grants

$t->sql("INSERT INTO cameras (name) SELECT 'many ' || n
    FROM generate_series(1, @{[ $ENV{CAMERA_SOAK} ? 10000 : 2000 ]}) n");
$owner->ask("INSERT INTO camera_grants (user_id, camera_id)
    SELECT '$viewer', id FROM cameras WHERE name LIKE 'many %'
    ORDER BY id LIMIT 1000");
$owner->ask('ANALYZE');

my $page = "SELECT id FROM cameras WHERE deleted_at IS NULL
    AND (created_at, id) > ('-infinity',
        '00000000-0000-0000-0000-000000000000')
    ORDER BY created_at, id LIMIT 51";

cmp_ok(took($viewer, $page), '<', 25, 'a page of a thousand grants');
like(as(undef, "EXPLAIN SELECT id FROM cameras WHERE id = '$camera{given}'"),
    qr/Index Scan using cameras_have_one_row_each/, 'one by its id');
like(as($viewer, "EXPLAIN SELECT id FROM cameras WHERE id = '$camera{given}'"),
    qr/Index Scan using cameras_have_one_row_each/, 'with grants, too');

$t->done_testing;

###############################################################################

sub user {
    my ($role) = @_;

    return $owner->ask("INSERT INTO users (username, password_hash, role,
        camera_scope) VALUES ('$role' || @{[ ++$t->{n} ]}, '$hash', '$role',
        'granted') RETURNING id");
}

sub group {
    my ($name, @cameras) = @_;

    my $id = $owner->ask("INSERT INTO camera_groups (name) VALUES ('$name')
        RETURNING id");
    $owner->ask("INSERT INTO camera_group_members (group_id, camera_id)
        VALUES ('$id', '$_')") for @cameras;

    return $id;
}

sub grants {
    my ($user, $cameras, $groups) = @_;

    return as(undef, sprintf "SELECT outcome FROM api_grants_put('%s', '{%s}',
        '{%s}')", $user, join(',', @$cameras), join(',', @$groups));
}

# a statement of the API's role; without a user it sees all

sub as {
    my ($user, $statement) = @_;

    $api->ask("SET app.tenant = '$tenant" . ($user ? " $user" : '') . "'");
    return $api->ask($statement);
}

sub sees {
    my ($user, $names, $what) = @_;

    my %expected = map { $_ => 1 } split / /, $names =~ s/mine, too//r;
    my $rows = as($user, "SELECT string_agg(name, ' ' ORDER BY name)
        FROM cameras WHERE name NOT LIKE 'many %'");
    is($rows, join(' ', sort keys %expected), $what);
}

# "all" when there are as many as expected

sub rows {
    my ($user, $table, $expected) = @_;

    my $rows = as($user, "SELECT count(*) FROM $table");
    return $rows =~ /^(?:$expected)$/ ? 'all' : $rows;
}

# ms of the fastest of some

sub took {
    my ($user, $statement) = @_;

    my @took = sort { $a <=> $b } map {
        as($user, "EXPLAIN (ANALYZE, TIMING OFF) $statement")
            =~ /Execution Time: ([\d.]+)/ ? $1 : 1e9 } 1 .. 5;
    note("$took[0] ms");

    return $took[0];
}
