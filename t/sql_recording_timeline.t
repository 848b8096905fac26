#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for timelines and coverage: a day exactly, a month in few pieces, and
# no look into partitions of other days.

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

my $volume = '00000000-0000-4000-8000-0000000000aa';
my $camera = $owner->ask("INSERT INTO cameras (name) VALUES ('gate')
    RETURNING id");

$api->ask('SET app.tenant = \'' . $owner->ask('SELECT default_tenant()') . '\'');

# 60 days of hour files; on the second day two are missing, on the third there
# is a short gap each hour

$owner->ask(qq{
    SELECT journal_open('$volume', i.id, '$camera', 'f', h),
           journal_close(i.id, h + interval '1 h', 1000, 3600000000, 9, 'hour')
    FROM generate_series(timestamptz '2026-03-01Z', '2026-04-29 23:00Z',
                         '1 h') h, recording_id(h) i (id)
    WHERE h NOT IN ('2026-03-02 05:00Z', '2026-03-02 06:00Z')});
$owner->ask(qq{
    SELECT journal_gap('$camera', h, h + interval '2 s', 'network')
    FROM generate_series(timestamptz '2026-03-03 00:30Z', '2026-03-03 23:30Z',
                         '1 h') h});
$owner->ask(qq{SELECT journal_gap('$camera', '2026-03-02 05:00Z',
    '2026-03-02 07:00Z', 'disk')});
$owner->ask('ANALYZE recordings');

###############################################################################

# a day

my $day = timeline('2026-03-02T00:00Z', '2026-03-03T00:00Z');
is($day->{resolution}, 0, 'a day is exact');
is(@{ $day->{segments} }, 22, 'a segment for each file');
is_deeply([ @{ $day->{segments}[4] }{qw(start end duration fileSize
    state count)} ], [ '2026-03-02T04:00:00.000Z', '2026-03-02T05:00:00.000Z',
    3600, 1000, 'complete', 1 ], 'with what there is');
like($day->{segments}[4]{id}, qr/^019cacb3-f200-7/, 'and its id');
is_deeply($day->{gaps}, [ { start => '2026-03-02T05:00:00.000Z',
    end => '2026-03-02T07:00:00.000Z', cause => 'disk', duration => 7200,
    count => 1 } ], 'the gap');
is(@{ timeline('2026-03-03T00:00Z', '2026-03-04T00:00Z')->{gaps} }, 24,
    'every gap');

my $piece = timeline('2026-03-02T04:59:59Z', '2026-03-02T05:00:01Z');
is(join(' ', map { scalar @$_ } @{$piece}{qw(segments gaps)}), '1 1',
    'what only reaches into a range');
$piece = timeline('2026-03-02T06:00Z', '2026-03-02T06:01Z');
is(join(' ', map { scalar @$_ } @{$piece}{qw(segments gaps)}), '0 1',
    'and what reaches over it');
$piece = timeline('2026-03-02T07:00Z', '2026-03-02T07:01Z');
is(join(' ', map { scalar @$_ } @{$piece}{qw(segments gaps)}), '1 0',
    'the ends are not in it');

# a month

my $month = timeline('2026-03-01T00:00Z', '2026-03-31T00:00Z');
is($month->{resolution}, 3600, 'a month has the resolution of an hour');
is_deeply([ map { join ' ', @{$_}{qw(start end count)} }
    @{ $month->{segments} } ],
    [ '2026-03-01T00:00:00.000Z 2026-03-02T05:00:00.000Z 29',
      '2026-03-02T07:00:00.000Z 2026-03-31T00:00:00.000Z 689' ],
    'a month in two pieces');
is($month->{segments}[0]{duration}, 29 * 3600, 'with all of their seconds');
is_deeply([ map { join ' ', @{$_}{qw(cause count duration)} }
    @{ $month->{gaps} } ], [ 'disk 1 7200', 'network 24 48' ],
    'gaps of one cause together');
is(@{ timeline('2026-03-01T00:00Z', '2026-03-31T00:00Z', 0)->{segments} }, 718,
    'and all of them when that is asked for');

# what is going on

$owner->ask(qq{
    SELECT journal_open('$volume', i.id, '$camera', 'f', recording_start(i.id)),
           journal_advance(i.id, now() - interval '1 min', 1, 1, 1),
           journal_gap('$camera', now() - interval '1 min', NULL, 'camera')
    FROM recording_id(now() - interval '3 min') i (id)});
my $now = timeline(map { $owner->ask("SELECT json_time(now() + interval '$_')") }
    '-1 hour', '1 hour');
is($now->{segments}[0]{state}, 'recording', 'still recorded');
is($now->{gaps}[0]{end}, undef, 'a gap that lasts');
cmp_ok(abs($now->{gaps}[0]{duration} - 60), '<', 20, 'up to now');

# marks

my $mark = $api->ask("SELECT id FROM api_bookmark_create('$camera',
    '2026-03-02T05:00Z', '2026-03-02T06:00Z', 'accident')");
$api->ask("SELECT id FROM api_bookmark_create('$camera', '2026-03-02T12:00Z',
    NULL, 'lunch')");
$owner->ask("INSERT INTO recording_events (camera_id, start_time, until_time,
    reason) VALUES ('$camera', '2026-03-02 09:00Z', '2026-03-02 09:01Z', 'bell')");
is_deeply([ map { join ' ', @{$_}{qw(type label time)},
    $_->{until} // '-' } @{ timeline('2026-03-02T05:30Z',
        '2026-03-02T13:00Z')->{markers} } ],
    [ 'bookmark accident 2026-03-02T05:00:00.000Z 2026-03-02T06:00:00.000Z',
      'event bell 2026-03-02T09:00:00.000Z 2026-03-02T09:01:00.000Z',
      'bookmark lunch 2026-03-02T12:00:00.000Z -' ], 'bookmarks and events');
is($api->ask("SELECT label, note, until FROM api_bookmark_update('$mark',
    p_until => 'infinity', p_note => 'n')"), "accident\tn\t", 'changed');
is($api->ask("SELECT api_bookmark_delete('$mark'),
    api_bookmark_delete('$mark')"), "t\tf", 'removed');
$api->ask("SELECT * FROM api_bookmark_create('$camera', now(), now(), 'x')");
is($api->state, '23514', 'no bookmark of no length');

# refusals

for my $bad ([ '2026-03-01T00:00Z', '2026-03-01T00:00Z' ],
    [ '2026-03-01T00:00Z', '2027-03-03T00:00Z' ])
{
    $api->ask("SELECT * FROM api_recording_timeline('$camera', '$bad->[0]',
        '$bad->[1]')");
    is($api->state, '22023', "no timeline of @$bad");
}
is($api->ask("SELECT count(*) FROM api_recording_timeline('$volume',
    '2026-03-01Z', '2026-03-02Z')"), 0, 'nor of an unknown camera');
$owner->ask("UPDATE cameras SET deleted_at = now()");
is(@{ timeline('2026-03-02T00:00Z', '2026-03-03T00:00Z')->{segments} }, 22,
    'of a removed camera there is one');

# whatever is opened is locked until the end: the day, and those in which a file
# of a day may have begun that ends a little late

my $partitions = q{SELECT count(*) FROM pg_locks l JOIN pg_class c
    ON c.oid = l.relation AND c.relname ~ '^recordings_' AND c.relkind = 'r'
    WHERE l.pid = pg_backend_pid()};

for my $try (1 .. 7) {
    is($api->ask("BEGIN; SELECT '' FROM api_recording_timeline('$camera',
        '2026-03-05T00:00Z', '2026-03-06T00:00Z'); $partitions; COMMIT"),
        "\n3", "three partitions of 60 are opened, time $try") if $try % 6 == 1;
}
is($api->ask("BEGIN; SELECT '' FROM api_recording_get(
    recording_id('2026-03-05T00:00Z')); $partitions; COMMIT"), 1,
    'one for a look at one recording');
is($api->ask("BEGIN; SELECT count(*) FROM api_recording_list(30); $partitions;
    COMMIT"), "30\n3", 'as many for a page as it has days');

# coverage

is($api->ask("SELECT * FROM recording_coverage('$camera', '2026-03-01',
    '2026-03-03')"), join("\n", "2026-03-01\t86400\t86400\t100.00",
    "2026-03-02\t86400\t79200\t91.67", "2026-03-03\t86400\t86400\t99.94"),
    'what was wanted, what is there');
is($api->ask("SELECT * FROM recording_coverage('$camera', '2026-02-28',
    '2026-02-28')"), "2026-02-28\t0\t0\t", 'nothing was wanted');

$t->done_testing;

sub timeline {
    my ($from, $to, $resolution) = @_;

    $resolution //= 'NULL';
    my @got = split /\t/, $api->ask("SELECT segments, gaps, markers, resolution
        FROM api_recording_timeline('$camera', '$from', '$to', $resolution)");

    return { segments => decode_json($got[0]), gaps => decode_json($got[1]),
        markers => decode_json($got[2]), resolution => $got[3] };
}
