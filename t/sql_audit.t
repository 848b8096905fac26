#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the audit log: each kind of change leaves exactly one row, with who
# made it and what differs, and no secret; one that failed leaves none; what is
# repeated is counted; and nobody changes or removes a row.

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
my $api = $t->pg_session('camera_api');
my $worker = $t->pg_session('camera_worker');

my $hash = '$2b$12$' . 'a' x 53;
my ($a, $b) = map {
    $owner->ask("INSERT INTO tenants (slug, name) VALUES ('$_', upper('$_'))
        RETURNING id")
} qw(a b);
my $anna = $owner->ask("INSERT INTO users (tenant_id, username, password_hash)
    VALUES ('$a', 'anna', '$hash') RETURNING id");
my $sid = '5e551010-0000-4000-8000-000000000001';
my $json = JSON::PP->new->canonical;

as_anna();
seen();

###############################################################################

# what the API changes

my $camera = $api->ask("INSERT INTO cameras (name, location)
    VALUES ('gate', 'yard') RETURNING id");
my ($row) = rows('camera.create');
is_deeply([ @$row{qw(tenant_id user_id actor credential request_id address
    object_type object_id object_name camera_id result code old)} ],
    [ $a, $anna, 'anna', "session:$sid", 'req-1', '192.0.2.7', 'camera', $camera,
      'gate', $camera, 'ok', undef, undef ], 'who, from where, what');
is($row->{new}{location}, 'yard', 'with its columns');
is($row->{new}{rtmp_key}, '(hidden)', 'but no key');
is_deeply([ grep { exists $row->{new}{$_} } qw(rev version updated_at
    stream_status assigned_node) ], [], 'nor what is no news');

$api->ask("UPDATE cameras SET name = 'door', location = 'hall'
    WHERE id = '$camera'");
($row) = rows('camera.update');
is_deeply([ @$row{qw(old new)} ], [ { name => 'gate', location => 'yard' },
    { name => 'door', location => 'hall' } ], 'what differs');
$api->ask("UPDATE cameras SET name = 'door' WHERE id = '$camera'");
rows();

$api->ask("UPDATE cameras SET is_active = $_ WHERE id = '$camera'")
    for qw(false true);
rows(qw(camera.disable camera.enable));

$api->ask("SELECT * FROM api_stream_key_create('$camera', 60, sha256('opaque'))");
($row) = rows('stream_key.rotate');
is($row->{details}{generation}, 2, 'the second key');
ok(exists $row->{details}{previousUntil}, 'and the end of the first');
$api->ask("SELECT api_stream_key_rotate('$camera', 0)");
rows('stream_key.revoke');

for my $case (
    [ 'schedule.create', "SELECT * FROM api_schedule_put('$camera', 'UTC', '[]')" ],
    [ 'schedule.update', "SELECT * FROM api_schedule_put('$camera',
        'Europe/Berlin', '[]')" ],
    [ 'schedule.delete', "SELECT api_schedule_delete('$camera')" ],
    [ 'recording_event.create', "SELECT * FROM api_recording_start('$camera', 60,
        0, 'noise')" ],
    [ 'bookmark.create', "SELECT * FROM api_bookmark_create('$camera', now(),
        NULL, 'b')" ],
    [ 'bookmark.update', "UPDATE bookmarks SET label = 'c'" ],
    [ 'bookmark.delete', 'DELETE FROM bookmarks' ],
    [ '', "INSERT INTO exports (camera_id, from_time, to_time)
        VALUES ('$camera', now(), now() + interval '1 h')" ],
    [ 'export.delete', 'DELETE FROM exports' ],
    [ 'camera.delete', "SELECT * FROM api_camera_delete('$camera')" ])
{
    $api->ask($case->[1]);
    is($api->state, '00000', $case->[1] =~ s/\s+/ /gr);
    ($row) = rows($case->[0] || ());
    is($row->{camera_id}, $camera, 'of the camera') if $row;
}

$worker->ask("SELECT journal_alert('x', 'low', '$camera', 'm')");
my $alert = $owner->ask('SELECT id FROM alerts');
rows();
$api->ask("SELECT * FROM api_alert_acknowledge('$alert', '$anna')") for 1, 2;
($row) = rows('alert.acknowledge');
is($row->{new}{acknowledged_by}, $anna, 'by whom');

# changes that were taken back, or refused

$api->ask("BEGIN; UPDATE cameras SET name = 'x'; INSERT INTO cameras (name)
    VALUES ('y'); ROLLBACK");
rows();
$api->ask("INSERT INTO cameras (name) VALUES ('')");
is($api->state, '23514', 'a camera without a name');
rows();

# what the operator changes, and the media plane

my $operators = $owner->ask("INSERT INTO cameras (tenant_id, name)
    VALUES ('$b', 'operator''s') RETURNING id");
($row) = rows('camera.create');
is_deeply([ @$row{qw(tenant_id user_id actor credential request_id address)} ],
    [ $b, undef, 'camera_owner', 'database:camera_owner', undef, undef ],
    'the role of the database');
$t->pg_session('camera_app')->ask("UPDATE cameras SET stream_status = 'online'");
rows();

# users and their sessions

my $bert = $owner->ask("INSERT INTO users (tenant_id, username, password_hash)
    VALUES ('$a', 'bert', '$hash') RETURNING id");
($row) = rows('user.create');
is($row->{new}{password_hash}, '(hidden)', 'no hash');
$api->ask("RESET app.tenant");
my $session = $api->ask("SELECT api_session_open('$bert', sha256('r'), 3600,
    'Agent', '198.51.100.1')");
($row) = rows('auth.login');
is_deeply([ @$row{qw(tenant_id actor user_id credential address object_id)} ],
    [ $a, 'bert', $bert, "session:$session", '198.51.100.1', $session ],
    'who logged in, from where');
is_deeply($row->{details}, { userId => $bert, userAgent => 'Agent' }, 'by what');
$api->ask("SELECT api_session_rotate(sha256('r'), sha256('s'), 3600)");
rows();
$api->ask("SELECT api_session_close(sha256('s'))");
($row) = rows('auth.logout');
is("$row->{actor} $row->{credential}", "bert session:$session", 'and out');

$session = $api->ask("SELECT api_session_open('$bert', sha256('t'), 3600, NULL,
    NULL)");
rows('auth.login');
as_anna();
$api->ask("SELECT api_session_end('$session', 'ended')");
($row) = rows('session.end');
is_deeply([ @$row{qw(actor object_name)}, $row->{details}{reason} ],
    [ 'anna', 'bert', 'ended' ], 'ended by somebody else');

$api->ask("SELECT api_password_set('$bert', '" . ('$2b$12$' . 'b' x 53)
    . "', NULL)");
($row) = rows('user.password');
is_deeply([ @{ $row->{old} }{'password_hash'}, $row->{actor} ],
    [ '(hidden)', 'anna' ], 'a password that somebody else set');
$owner->ask("UPDATE users SET is_active = false WHERE id = '$bert'");
rows('user.disable');
$owner->ask("UPDATE users SET last_login_at = now() WHERE id = '$bert'");
rows();

# what is no change

my $first = done("api_recording_audit_add('$anna', '$sid', '$camera', NULL,
    'watch', '2026-01-01 10:00Z', '2026-01-01 11:00Z', '192.0.2.7')");
is(done("api_recording_audit_add('$anna', '$sid', '$camera', NULL,
    'watch', '2026-01-01 12:00Z', '2026-01-01 13:00Z', '192.0.2.7')"), $first,
    'who watches on');
($row) = rows('recording.watch');
is($api->ask("SELECT count, from_time = '2026-01-01 10:00Z',
    to_time = '2026-01-01 13:00Z' FROM api_recording_audit WHERE id = $first"),
    "2\tt\tt", 'is counted, over all that was watched');
isnt(done("api_recording_audit_add('$anna', gen_random_uuid(), '$camera', NULL,
    'download')"), $first, 'another thing');
rows('recording.download');
done("api_audit_watch('$camera')") for 1 .. 3;
($row) = rows('stream.watch');
is($row->{object_id}, $camera, 'live');
is(done("api_audit_watch('$operators')"), '', 'of another tenant');
done("api_audit_denied('DELETE /cameras/:id', 'x', 'NO')") for 1 .. 3;
($row) = rows('api.request');
is("$row->{actor} $row->{result} $row->{code}", 'anna denied NO', 'refused');
for my $address (qw(203.0.113.5 203.0.113.5 203.0.113.6)) {
    $api->ask("SET app.tenant = '- - - - r $address'");
    done("api_audit_login_failed('$anna')");
}
($row) = rows(('auth.login_failed') x 2);
is_deeply([ @$row{qw(actor user_id object_id credential)} ],
    [ 'nobody', undef, $anna, 'none' ], 'somebody, for a user');

my $old = $owner->ask("UPDATE audit_repeats SET last_at = last_at - interval
    '31 min' WHERE log_id = $first RETURNING 1");
as_anna();
isnt(done("api_recording_audit_add('$anna', '$sid', '$camera', NULL, 'watch',
    NULL, NULL, '192.0.2.7')"), $first, 'half an hour later');
rows('recording.watch');

# two at once are one row

my @both = map { $t->pg_session('camera_api') } 1, 2;
$_->ask("SET app.tenant = '$a - $anna session:$sid - -'") for @both;
$both[0]->ask("BEGIN; SELECT api_audit_watch('$camera')");
$both[1]->send("SELECT api_audit_watch('$camera')");
$both[0]->ask('COMMIT');
$both[1]->answer;
rows('stream.watch');

# append-only

for my $change ("UPDATE %s SET tenant_id = '$b'", 'DELETE FROM %s',
    'TRUNCATE %s CASCADE')
{
    for my $table ('audit_log', $owner->ask("SELECT tableoid::regclass
        FROM audit_log LIMIT 1"), 'audit_log_default')
    {
        $owner->ask(sprintf $change, $table);
        is($owner->state, '55000', 'not even the owner: '
            . sprintf $change, $table);
    }
}
for my $role (qw(camera_api camera_worker camera_app)) {
    my $session = $t->pg_session($role);

    for my $change ("INSERT INTO audit_log (tenant_id, actor, action, object_type)
        VALUES ('$a', 'x', 'x.y', 'x')", "UPDATE audit_log SET actor = 'x'",
        'DELETE FROM audit_log', 'TRUNCATE audit_log', 'DELETE FROM audit_repeats',
        'UPDATE audit_repeats SET count = 0', "SELECT audit_add('$a', 'x.y', 'x',
        '1')")
    {
        $session->ask($change);
        is($session->state, '42501', "$role may not: "
            . $change =~ s/\s+/ /gr);
    }
}
$owner->ask("UPDATE audit_repeats SET count = 9 WHERE NOT is_open");
is($owner->state, '55000', 'a count that is closed stays');
$owner->ask('DELETE FROM audit_repeats');
is($owner->state, '55000', 'and none goes');

# who sees it

is($api->ask('SELECT count(*) FROM audit_log WHERE tenant_id <> ' . "'$a'"), 0,
    'one\'s own');
cmp_ok($api->ask('SELECT count(*) FROM audit_log'), '>', 20, 'all of it');
$api->ask("SET app.tenant = '$a $anna'");
is($api->ask('SELECT count(*) FROM audit_log'), 0,
    'but not who has grants of cameras only');

# no table that people change is forgotten

my $forgotten = q{SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    AND NOT c.relispartition
    AND (has_table_privilege('camera_api', c.oid, 'DELETE')
         OR has_any_column_privilege('camera_api', c.oid, 'INSERT')
         OR has_any_column_privilege('camera_api', c.oid, 'UPDATE'))
    AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid
        AND g.tgfoid IN ('audit_row'::regproc, 'audit_stream_key'::regproc))
    AND c.relname NOT IN ('idempotency_keys', 'recordings')};
is($owner->ask($forgotten), '', 'no table that the API changes is forgotten');
is($owner->ask("BEGIN; CREATE TABLE forgotten (id int); GRANT INSERT ON forgotten
    TO camera_api; $forgotten; ROLLBACK"), 'forgotten', 'one would be found');

# no secret is in it

my @secrets = ($hash, 'b' x 53, $owner->ask("SELECT rtmp_key FROM cameras LIMIT 1"),
    $owner->ask("SELECT encode(sha256('opaque'), 'hex')"),
    $owner->ask("SELECT encode(sha256('r'), 'hex')"));
is($owner->ask("SELECT count(*) FROM audit_log a
    WHERE strpos(a::text, \$\$$_\$\$) > 0"), 0, 'no secret') for @secrets;
cmp_ok($owner->ask("SELECT count(*) FROM audit_log a
    WHERE strpos(a::text, 'gate') > 0"), '>', 0, 'which would be found');

# a page of it by a type of object that is rare: once, all rows were read

$t->psql({ user => 'postgres' }, "SET session_replication_role = replica;
    INSERT INTO audit_log (tenant_id, actor, action, object_type)
    SELECT '$a', 'x', 'camera.update', 'camera' FROM generate_series(1, 5000);
    ANALYZE audit_log");
like($api->ask("EXPLAIN (COSTS OFF) SELECT * FROM api_audit
    WHERE object_type = 'layout' ORDER BY at DESC, id DESC LIMIT 51"),
    qr/Index Cond: .*object_type = 'layout'/, 'an index has the type');

$t->done_testing;

sub as_anna {
    $api->ask("SET app.tenant = '$a - $anna session:$sid req-1 192.0.2.7'");
}

sub done {
    return $api->ask("SELECT $_[0]");
}

# rows since the last call

my $last;

sub seen {
    my @rows = map { decode_json($_) } split /\n/, $owner->ask("SELECT
        to_jsonb(a) || jsonb_build_object('address', host(a.address))
        FROM audit_log a WHERE a.id > " . ($last // 0) . ' ORDER BY id');

    $last = $rows[-1]{id} if @rows;
    return @rows;
}

sub rows {
    my @expected = @_;
    my @rows = seen();

    no warnings 'uninitialized';
    is(join(' ', map { $_->{action} } @rows), join(' ', @expected),
        join(' ', @expected) || 'no row');
    return @rows;
}
