#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what the schema promises about recordings: their columns, how the
# journal is applied, once or twice, in partitions that come and go; lists,
# holds and deletion.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));

$t->start_postgres;
$t->migrate;

my $owner = $t->pg_session('camera_owner');
my $worker = $t->pg_session('camera_worker');
my $api = $t->pg_session('camera_api');

my $volume = '00000000-0000-4000-8000-0000000000aa';
my $tenant = $owner->ask('SELECT default_tenant()');
my ($camera, $other) = map {
    $owner->ask("INSERT INTO cameras (name) VALUES ('$_') RETURNING id")
} qw(gate door);

$api->ask("SET app.tenant = '$tenant'");

###############################################################################

# one column after the other, as the requirements name them

my %types = (
    id => 'uuid', camera_id => 'uuid', segment_number => 'integer',
    filename => 'character varying(255)',
    file_path => 'character varying(500)', duration => 'integer',
    file_size => 'bigint', start_time => 'timestamp with time zone',
    end_time => 'timestamp with time zone', storage_tier => 'storage_tier',
    is_archived => 'boolean', cloud_url => 'character varying(500)',
    signed_url_expires_at => 'timestamp with time zone',
    created_at => 'timestamp with time zone', tenant_id => 'uuid',
);

my %got = map { split /\t/ } split /\n/, $owner->ask(q{
    SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = 'recordings'::regclass AND attnum > 0});
is($got{$_}, $types{$_}, "recordings.$_") for sort keys %types;

is($owner->ask(q{SELECT string_agg(e::text, ' ') FROM unnest(enum_range(
    NULL::storage_tier)) e}), 'hot warm cold archived', 'storage_tier');
like($owner->ask("SELECT pg_get_indexdef('$_->[0]'::regclass)"), qr/$_->[1]/,
    $_->[0]) for [ idx_camera_time => '\(camera_id, start_time\)' ],
    [ idx_storage_tier => '\(storage_tier, created_at\)' ];

# an id has its time in it

like($owner->ask("SELECT recording_id('2026-01-01T00:00:00.123456Z')"),
    qr/^019b76da-a87b-7[0-9a-f]{3}-[89ab]/, 'a UUID of version 7');
is($owner->ask(q{SELECT count(*) FROM generate_series(timestamptz
    '2026-01-01Z', '2026-01-02Z', '1 min') d,
    LATERAL recording_id(d + interval '0.999 s') i (id)
    WHERE recording_start(i.id) <> d + interval '0.999 s'
    OR recording_day(i.id) <> (d AT TIME ZONE 'UTC')::date}), 0,
    'exact to the millisecond');

# the journal

my $start = '2026-03-01T10:00:00.250Z';
my $id = $owner->ask("SELECT recording_id('$start')");

is(opened($id, $camera, $start), 't', 'opened');
is(row($id), "recording\t0\t0\t0\t492322", 'a row');
is($worker->ask("SELECT journal_advance('$id', timestamptz '$start'
    + interval '61 s', 1000, 60600000, 61)"), 't', 'it grows');
is(row($id), "recording\t1000\t61\t61\t492322", 'and its row');
is($worker->ask("SELECT journal_advance('$id', timestamptz '$start'
    + interval '30 s', 500, 30000000, 30)"), 't', 'an old line');
is(row($id), "recording\t1000\t61\t61\t492322", 'does not shrink it');
is(opened($id, $camera, $start), 't', 'opened twice');
is(sums($camera), "2026-03-01\thot\t1\t1000\t60600000", 'is counted once');

is($worker->ask("SELECT journal_close('$id', timestamptz '$start'
    + interval '70 s', 900, 70000000, 70, 'stop')"), 't', 'closed');
is(row($id), "complete\t900\t70\t70\t492322", 'with what it has in the end');
is($worker->ask("SELECT journal_$_->[0]('$id', now(), 9, 9, 9$_->[1])"), 'f',
    "no $_->[0] afterwards")
    for [ 'advance', '' ], [ 'close', ", 'stop'" ];
is(sums($camera), "2026-03-01\thot\t1\t900\t70000000", 'counted');

# lines that make no sense stop nothing

is(opened($owner->ask('SELECT gen_random_uuid()'), $camera, $start), 'f',
    'an id without the time');
is(opened($owner->ask("SELECT recording_id('$start')"),
    'dead0000-0000-4000-8000-000000000000', $start), 'f', 'an unknown camera');
is($worker->ask("SELECT journal_open('$volume', i.id, '$camera',
    'media/../../etc/passwd', '$start') FROM recording_id('$start') i (id)"),
    'f', 'a path that leaves');
is($worker->ask('SELECT why FROM recording_garbage ORDER BY why'),
    "camera\nid\npath", 'are garbage');
is($worker->ask("SELECT journal_$_"), 'f', "nobody's: $_")
    for "advance('$volume', now(), 1, 1, 1)",
        "close('$volume', now(), 1, 1, 1, 'stop')",
        "removed('$volume', 'missing')", "gap('$volume', now(), NULL, 'disk')";
is($worker->ask("SELECT journal_alert('x', 'low', '$volume', 'm'),
    journal_calm('x', '$volume')"), "0\t0", 'and nobody is told');

$worker->ask("SELECT journal_position('$volume', 'a.log', $_)") for 10, 20;
is($worker->ask('SELECT volume_id, file, position FROM record_journal'),
    "$volume\ta.log\t20", 'the position');

# gaps

gap("'2026-03-01 11:00Z', NULL, 'network'");
is(gaps(), '11:00- network', 'open');
gap("'2026-03-01 11:00Z', '2026-03-01 11:05Z', 'network'");
is(gaps(), '11:00-11:05 network', 'closed');
gap("'2026-03-01 11:00Z', NULL, 'network'");
is(gaps(), '11:00-11:05 network', 'a line that comes again opens nothing');
gap("'2026-03-01 12:00Z', NULL, 'disk'");
gap("'2026-03-01 12:10Z', NULL, 'nonsense'");
is(gaps(), '11:00-11:05 network 12:00-12:10 disk 12:10- camera',
    'the next one ends it');
gap("'2026-03-01 12:10Z', '2026-03-01 12:10Z', 'camera'");
is(gaps(), '11:00-11:05 network 12:00-12:10 disk', 'one of no length is none');

# partitions

is(partition($id), 'recordings_20260301', 'a partition for a late day');
is($worker->ask('SELECT make_recording_partitions(5)'), 2, 'ahead of time');
is($worker->ask('SELECT make_recording_partitions(5)'), 0, 'once');
is($worker->ask('SELECT make_recording_partition(recording_day('
    . "'$id'))"), 'f', 'nor that of a day that has one');
$worker->ask("SELECT make_recording_partition('2026-02-01')");
is($worker->ask('SELECT drop_empty_recording_partitions()'), 1,
    'an empty one of the past goes');
is(partition($id), 'recordings_20260301', 'one with a row stays');

my $ahead = $owner->ask("SELECT recording_id('2030-01-01T00:00:00Z')");
$owner->ask("INSERT INTO recordings (id, tenant_id, camera_id, volume_id,
    segment_number, filename, file_path, start_time, end_time)
    VALUES ('$ahead', '$tenant', '$other', '$volume', 1, 'f', 'f',
        '2030-01-01T00:00:00Z', '2030-01-01T00:00:00Z')");
is(partition($ahead), 'recordings_default', 'the default one catches others');
is($worker->ask("SELECT make_recording_partition('2030-01-01')"), 'f',
    'which stay there');
is(opened($owner->ask("SELECT recording_id('2030-01-01T01:00:00Z')"), $other,
    '2030-01-01T01:00:00Z'), 't', 'and more of that day');
$owner->ask("DELETE FROM recordings WHERE camera_id = '$other'");
is(sums($other), '', 'nothing is left of them');

# a reader that holds a partition delays nobody for long

my $reader = $t->pg_session('camera_owner');
$worker->ask("SELECT make_recording_partition('2026-02-01')");
$reader->ask('BEGIN; SELECT count(*) FROM recordings_20260201');
$worker->ask('SELECT drop_empty_recording_partitions()');
is($worker->state, '55P03', 'dropping gives up');
$reader->ask('COMMIT');
is($worker->ask('SELECT drop_empty_recording_partitions()'), 1, 'until later');

# lists, page by page

my @ids = ($id);
for my $hour (11 .. 23, 24 .. 30) {
    my $at = $owner->ask("SELECT timestamptz '2026-03-01T00:00Z'
        + interval '$hour h'");
    my $new = $owner->ask("SELECT recording_id('$at')");
    opened($new, $camera, $at);
    $worker->ask("SELECT journal_close('$new', timestamptz '$at'
        + interval '1 h', 1000, 3600000000, 60, 'hour')");
    push @ids, $new;
}

my (@seen, $after);
do {
    my $last = $after ? "'$after'" : 'NULL';
    my @page = split /\n/, $api->ask("SELECT id FROM api_recording_list(
        p_limit => 4, p_after => $last)");
    push @seen, @page;
    $after = @page == 4 ? $page[-1] : undef;
} while $after && @seen < 99;
is("@seen", join(' ', reverse @ids), 'pages, newest first');

is(join(' ', split /\n/, $api->ask("SELECT id FROM api_recording_list(
    p_limit => 3, p_after => '$ids[12]', p_oldest_first => true)")),
    "@ids[13 .. 15]", 'oldest first, over midnight');
is($api->ask("SELECT count(*) FROM api_recording_list(9, $_->[0])"), $_->[1],
    "filter: $_->[0]")
    for [ "p_camera => '$other'", 0 ], [ "p_camera => '$camera'", 9 ],
    [ "p_from => '2026-03-01T23:30Z', p_to => '2026-03-02T00:30Z'", 2 ],
    [ "p_tier => 'cold'", 0 ], [ "p_is_archived => true", 0 ],
    [ "p_state => 'recording'", 0 ], [ "p_to => '2026-03-01T10:01Z'", 1 ];

is($api->ask("SELECT filename, state, duration FROM
    api_recording_get('$ids[1]')"), "$ids[1].mp4\tcomplete\t3600", 'one');
$api->ask("SELECT 1 FROM api_recording_url_issued('$ids[1]', '2026-04-$_')")
    for '02', '01';
is($owner->ask("SELECT signed_url_expires_at AT TIME ZONE 'UTC' FROM recordings
    WHERE id = '$ids[1]'"), '2026-04-02 00:00:00', 'the latest expiry is kept');

# hold and deletion

is($api->ask("SELECT is_locked, locked_reason
    FROM api_recording_hold('$ids[1]', 'case 7')"), "t\tcase 7", 'held');
is(tasks(), "$ids[1] hold", 'for its files, too');
is($api->ask("SELECT outcome FROM api_recording_delete('$ids[1]')"), 'locked',
    'nobody deletes it');
is($worker->ask("SELECT retention_mark('{$ids[1]}')"), 0, 'nor does retention');
is($worker->ask("SELECT journal_removed('$ids[1]', 'missing')"), 't',
    'when its file is gone');
is($api->ask("SELECT state, probe_error FROM api_recording_get('$ids[1]')"),
    "damaged\tits file is gone: missing", 'its row tells');
is($worker->ask("SELECT recording_task_done('$ids[1]', '$_->[0]')"), $_->[1],
    "task $_->[0]")
    for [ 'release', 'f' ], [ 'hold', 't' ];
is($api->ask("SELECT is_locked FROM api_recording_release('$ids[1]')"), 'f',
    'released');
is(tasks(), "$ids[1] release", 'its files, too');

my $now = $owner->ask("SELECT recording_id(date_trunc('milliseconds', now()))");
opened($now, $camera, $owner->ask("SELECT recording_start('$now')"));
is($api->ask("SELECT outcome FROM api_recording_delete('$now')"), 'recording',
    'what is still recorded is not deleted');
is($api->ask("SELECT outcome FROM api_recording_delete('$ids[1]')"), 'deleted',
    'deleted');
is($api->ask("SELECT count(*) FROM api_recording_$_"), 0, "not there: $_")
    for "get('$ids[1]')", "delete('$ids[1]')", "hold('$ids[1]', 'x')";
is(tasks(), "$ids[1] remove", 'its files have to go');
is($worker->ask("SELECT recording_forget('$_')"), $_ eq $now ? 'f' : 't',
    'forgotten, unless it is there') for $now, $ids[1];
is(tasks(), '', 'done');
is($owner->ask("SELECT count(*) FROM recordings WHERE id = '$ids[1]'"), 0,
    'gone');

is($worker->ask("SELECT journal_removed('$ids[2]', 'space')"), 't',
    'removed for space');
is($owner->ask("SELECT count(*) FROM recordings WHERE id = '$ids[2]'"), 0,
    'gone, too');

is($owner->ask(q{SELECT count(*) FROM (
    SELECT camera_id, recording_day(id) AS day, count(*) AS n, sum(file_size)
        AS bytes, sum(usec) AS usec FROM recordings GROUP BY 1, 2) r
    FULL JOIN recording_days d USING (camera_id, day)
    WHERE (r.n, r.bytes, r.usec) IS DISTINCT FROM
        (d.recordings, d.bytes, d.usec)}), 0, 'the sums are those of the rows');

# finished files are checked

is($worker->ask("SELECT recording_probed('$ids[3]', 'no key frame')"), 't',
    'a bad one');
is($api->ask("SELECT state FROM api_recording_get('$ids[3]')"), 'damaged',
    'is damaged');
$worker->ask("SELECT recording_probed('$ids[3]', NULL)");
is($api->ask("SELECT state FROM api_recording_get('$ids[3]')"), 'complete',
    'until it is found good');

# the audit stays

like($api->ask("SELECT api_recording_audit_add(NULL, NULL, '$camera', '$ids[3]',
    'watch', NULL, NULL, 'unix:')"), qr/^\d+$/, 'who watched');
is($api->ask('SELECT action, camera_name, result FROM api_recording_audit'),
    "watch\tgate\tok", 'is known');

# what the worker may

$worker->ask($_), is($worker->state, '42501', "denied: $_")
    for 'DELETE FROM recordings', "UPDATE recordings SET state = 'deleting'",
        'UPDATE cameras SET is_recording = true', 'SELECT * FROM users',
        'SELECT * FROM stream_keys', 'DELETE FROM recording_gaps',
        'SELECT * FROM audit_log', "SELECT api_recording_delete('$id')";

$t->done_testing;

sub opened {
    my ($recording, $of, $at) = @_;

    return $worker->ask("SELECT journal_open('$volume', '$recording', '$of',
        'media/$of/2026-03-01/$recording.mp4', '$at', 'avc1.64001f', 1280, 720,
        3600)");
}

sub row {
    my ($recording) = @_;

    return $worker->ask("SELECT state, file_size, duration, fragments,
        segment_number FROM recordings WHERE id = '$recording'");
}

sub sums {
    my ($of) = @_;

    return $worker->ask("SELECT day, storage_tier, recordings, bytes, usec
        FROM recording_days WHERE camera_id = '$of'");
}

sub gap {
    my ($values) = @_;

    is($worker->ask("SELECT journal_gap('$camera', $values)"), 't',
        "gap: $values");
}

sub gaps {
    return $worker->ask(q{SELECT string_agg(concat(
            to_char(start_time AT TIME ZONE 'UTC', 'HH24:MI'), '-',
            to_char(end_time AT TIME ZONE 'UTC', 'HH24:MI'), ' ', cause),
            ' ' ORDER BY start_time)
        FROM recording_gaps});
}

sub partition {
    my ($recording) = @_;

    return $owner->ask("SELECT tableoid::regclass FROM recordings
        WHERE id = '$recording'");
}

sub tasks {
    return $worker->ask("SELECT string_agg(recording_id || ' ' || task, ' ')
        FROM recording_tasks") // '';
}
