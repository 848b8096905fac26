#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for retention: by age, by bytes of a camera and of a tenant, never what is
# on hold or still recorded; for cameras that are removed with or without their
# recordings; and for the usage of storage.

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
my $worker = $t->pg_session('camera_worker');
my $api = $t->pg_session('camera_api');

my $volume = '00000000-0000-4000-8000-0000000000aa';
my $tenant = $owner->ask('SELECT default_tenant()');
my (%camera, %recording);

$api->ask("SET app.tenant = '$tenant'");
$worker->ask("SELECT volume_report('$volume', 'n', '/r', 'ok', 100000, 70000)");

# each camera has a recording of 1000 bytes a day, at noon and half an hour later,
# for the last six days of May; it is the first of June, in the morning

my $now = '2026-06-01T06:00:00Z';

for my $name (qw(gate door)) {
    $camera{$name} = $owner->ask("INSERT INTO cameras (name) VALUES ('$name')
        RETURNING id");
    record($name, $_) for 26 .. 31;
}

###############################################################################

# by age

is(due(), '', 'nothing is 30 days old');
$api->ask('SELECT * FROM api_recording_settings_set(3)');
is(due(), 'door26:age gate26:age door27:age gate27:age door28:age gate28:age',
    'three days of the tenant, oldest first');
is(due('2026-05-30T12:59:59Z'), 'door26:age gate26:age',
    'to the second of its end');
is(due('2026-05-30T13:00:01Z'), 'door26:age gate26:age door27:age',
    'and not before');
is(due($now, 3), 'door26:age gate26:age door27:age', 'at most so many');
is($api->ask("SELECT retention_days FROM api_camera_update('$camera{gate}',
    NULL, p_retention_days => 5)"), 5, 'a camera has its own');
is(due(), 'door26:age gate26:age door27:age door28:age', 'which counts');
$api->ask("SELECT * FROM api_camera_update('$camera{gate}', NULL,
    p_retention_days => 0)");

# hold, and what is still recorded

$api->ask("SELECT * FROM api_recording_hold('$recording{gate26}', 'x')");
$owner->ask("UPDATE recordings SET state = 'recording'
    WHERE id = '$recording{door26}'");
is(due(), 'door27:age gate27:age door28:age gate28:age',
    'neither what is on hold nor what is still recorded');
is($worker->ask("SELECT retention_mark('{$recording{gate26},"
    . "$recording{door26},$recording{gate27}}')"), 1, 'nor is it marked');
is(due(), 'door27:age door28:age gate28:age', 'what is marked is no candidate');
is($worker->ask('SELECT recording_id, task, file_size FROM recording_tasks
    WHERE task = \'remove\''), "$recording{gate27}\tremove\t1000", 'but a task');
$owner->ask("UPDATE recordings SET state = 'complete'
    WHERE id IN ('$recording{door26}', '$recording{gate27}')");
$owner->ask('DELETE FROM recording_tasks');
$api->ask("SELECT * FROM api_recording_release('$recording{gate26}')");
$api->ask('SELECT * FROM api_recording_settings_set(0)');
is(due('2036-01-01T00:00Z'), '', 'without a limit nothing is old');

# by bytes

$api->ask("SELECT * FROM api_camera_update('$camera{gate}', NULL,
    p_retention_bytes => 4500)");
is(due(), 'gate26:camera bytes gate27:camera bytes', 'a camera');
$api->ask("SELECT * FROM api_camera_update('$camera{door}', NULL,
    p_retention_bytes => 3000)");
is(due(), join(' ', map { "$_:camera bytes" } qw(door26 gate26 door27 gate27
    door28)), 'of several the oldest first');
is(due($now, 3), join(' ', map { "$_:camera bytes" } qw(door26 gate26 door27)),
    'and no more than are asked for');
$api->ask("SELECT * FROM api_camera_update('$camera{door}', NULL,
    p_retention_bytes => 0)");
$worker->ask("SELECT retention_mark('{$recording{gate26}}')");
is(due(), 'gate27:camera bytes', 'what goes already counts');
$worker->ask("SELECT recording_forget('$recording{gate26}')");
is(due(), 'gate27:camera bytes', 'so does what has gone');

$api->ask('SELECT * FROM api_recording_settings_set(NULL, 9500)');
is(due(), 'gate27:camera bytes door26:tenant bytes',
    'a tenant, for which cameras count');
$api->ask("SELECT * FROM api_recording_hold('$recording{door26}', 'x')");
is(due(), 'gate27:camera bytes door27:tenant bytes',
    'what is on hold makes others go');
$api->ask("SELECT * FROM api_recording_release('$recording{door26}')");
is($api->ask('SELECT count(*), min(why) FROM api_retention_preview()'),
    "2\tcamera bytes", 'a preview');
$api->ask("SET app.tenant = '$volume'");
is($api->ask('SELECT count(*) FROM api_retention_preview()'), 0,
    'of one\'s own');
$api->ask("SET app.tenant = '$tenant'");
$api->ask('SELECT * FROM api_recording_settings_set(NULL, 0)');
is($api->ask('SELECT retention_days, retention_bytes
    FROM api_recording_settings'), "\t", 'no limits');
$api->ask('SELECT * FROM api_recording_settings_set(-1)');
is($api->state, '23514', 'nor negative ones');

# gaps and events go as recordings do

$owner->ask("SELECT journal_gap('$camera{door}', d, d + interval '1 min',
    'disk') FROM unnest('{2026-05-20,2026-05-30}'::timestamptz[]) d");
is($worker->ask("SELECT retention_forget_gaps('$now')"), 0, 'gaps stay');
$api->ask('SELECT * FROM api_recording_settings_set(7)');
is($worker->ask("SELECT retention_forget_gaps('$now')"), 1, 'as long as those');

# usage

my @usage = split /\t/, $api->ask('SELECT bytes, recordings, recorded_sec,
    bytes_total, bytes_free, tiers, cameras FROM api_storage_usage()');
is("@usage[0 .. 4]", '11000 11 39600 100000 70000', 'what there is');
is_deeply(decode_json($usage[5]), { hot => 11000 }, 'by tier');
is_deeply([ map { "$_->{name} $_->{bytes} $_->{recordings} $_->{oldestDay}" }
    @{ decode_json($usage[6]) } ], [ 'door 6000 6 2026-05-26',
    'gate 5000 5 2026-05-27' ], 'by camera');

record_at('gate', "yesterday$_", "date_trunc('day', now() AT TIME ZONE 'UTC')
    AT TIME ZONE 'UTC' - interval '$_ days'") for 1, 2;
is($api->ask('SELECT growth_per_day, days_left FROM api_storage_usage()'),
    "1000\t70.0", 'how long that lasts');
$api->ask("SET app.tenant = '$volume'");
is($api->ask('SELECT bytes, recordings FROM api_storage_usage()'), "0\t0",
    'another tenant sees nothing of it');
$api->ask("SET app.tenant = '$tenant'");

# a camera that is removed

is($api->ask("SELECT outcome FROM api_camera_delete('$camera{gate}', 99,
    'delete')"), 'stale', 'not by who knows another version');
is($owner->ask("SELECT count(*) FROM recording_tasks WHERE task = 'remove'"), 0,
    'which does nothing');
is($api->ask("SELECT outcome FROM api_camera_delete('$camera{door}')"),
    'deleted', 'removed');
is($api->ask("SELECT count(*) FROM api_recording_list(99, '$camera{door}')"),
    6, 'its recordings stay');

$api->ask("SELECT * FROM api_recording_hold('$recording{gate31}', 'x')");
record_at('gate', 'open', "'2026-05-31T20:00Z'", 'recording');
is($api->ask("SELECT outcome FROM api_camera_delete('$camera{gate}', NULL,
    'delete')"), 'deleted', 'removed with its recordings');
is($api->ask("SELECT count(*), count(*) FILTER (WHERE is_locked)
    FROM api_recording_list(99, '$camera{gate}')"), "2\t1",
    'but for one on hold, and one that is not finished');
is($owner->ask("SELECT count(*) FROM recording_tasks WHERE task = 'remove'"), 6,
    'their files go');
$worker->ask("SELECT journal_close('$recording{open}', '2026-05-31T21:00Z',
    1000, 1000000, 1, 'stop')");
is(due(), 'open:camera removed', 'it goes as soon as it is finished');

$t->done_testing;

sub record {
    my ($name, $day) = @_;

    my $minute = $name eq 'door' ? '00' : '30';
    record_at($name, "$name$day", "'2026-05-${day}T12:${minute}Z'");
}

sub record_at {
    my ($name, $key, $start, $state) = @_;

    $recording{$key} = $owner->ask("SELECT recording_id($start)");
    $worker->ask("SELECT journal_open('$volume', '$recording{$key}',
        '$camera{$name}', '$key', recording_start('$recording{$key}'))");
    $worker->ask("SELECT journal_close('$recording{$key}',
        recording_start('$recording{$key}') + interval '1 h', 1000, 3600000000,
        9, 'hour')") unless $state;
}

# candidates, by the names of their files, with the reason

sub due {
    my ($at, $max) = @_;

    $at //= $now;
    $max //= 100;

    return $worker->ask("SELECT string_agg(file_path || ':' || why, ' '
            ORDER BY ordinality)
        FROM retention_candidates($max, '$at') WITH ORDINALITY");
}
