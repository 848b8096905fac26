#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what is to be recorded when: continuously, by schedules in time zones
# whose clocks are put forward and back, and for events with their pre-roll.

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

my $tenant = $owner->ask('SELECT default_tenant()');
my $camera = $owner->ask("INSERT INTO cameras (name) VALUES ('gate')
    RETURNING id");

$api->ask("SET app.tenant = '$tenant'");
$worker->ask('LISTEN recording_changed');

###############################################################################

# all the time

is(wish(), '', 'off');
is($api->ask("SELECT outcome FROM api_recording_start('$camera')"),
    'continuous', 'started');
heard('which is told');
is(wish(), 't 0 - -', 'on, without an end');
is($owner->ask("SELECT version FROM cameras WHERE id = '$camera'"), 2,
    'a change of the camera');

for my $off ('UPDATE cameras SET is_active = %s',
    'UPDATE tenants SET is_active = %s')
{
    $owner->ask(sprintf $off, 'false');
    heard('switched off');
    is(wish(), '', 'off');
    $owner->ask(sprintf $off, 'true');
    heard('and on');
}
$owner->ask("UPDATE cameras SET name = 'door'");
is(scalar($worker->notified('recording_changed')), 0, 'a name is no news');

# events

is($api->ask("SELECT outcome FROM api_recording_stop('$camera')"), 'stopped',
    'stopped');
heard('which is told');
is(wish(), '', 'off');
is($api->ask("SELECT outcome, round(extract(epoch FROM until_time - start_time))
    FROM api_recording_start('$camera', 30, 10, 'bell')"), "event\t40",
    'an event with its pre-roll');
heard('is told');
my ($from, $until) = split /\t/, $worker->ask("SELECT
    round(extract(epoch FROM from_time - now())),
    round(extract(epoch FROM until_time - now()))
    FROM recording_wishes() WHERE want");
cmp_ok(abs($from + 10), '<', 15, 'from before now');
cmp_ok(abs($until - 30), '<', 15, 'until the post-roll is over');
$api->ask("SELECT * FROM api_recording_start('$camera', 3600, 0)");
my $longer = $worker->ask("SELECT round(extract(epoch FROM until_time - now())
    / 60), from_time < now() - interval '5 s' FROM recording_wishes()");
is($longer, "60\tt", 'another one makes it longer');
$api->ask("SELECT * FROM api_recording_stop('$camera')");
is(wish(), '', 'stopping ends events, too');
$api->ask("SELECT * FROM api_recording_start('$camera', 100000)");
is($api->state, '23514', 'no event of more than a day');
$owner->ask('DELETE FROM recording_events');

# schedules

my $hours = '[{"day": 1, "from": "08:00", "to": "18:00"}]';

is(put('Europe/Berlin', $hours), 'Europe/Berlin', 'a schedule');
is(wish('2026-01-05T12:00Z'), '', 'does not switch a camera on');
$api->ask("SELECT * FROM api_recording_start('$camera')");
is(wish('2026-01-05T06:59:59Z'), 'f 1 - -', 'before its window');
is(wish('2026-01-05T07:00Z'), 't 0 05T07:00 05T17:00', 'within it');
is(wish('2026-01-05T16:59:59Z'), 't 0 05T07:00 05T17:00', 'to its end');
is(wish('2026-01-05T17:00Z'), 'f 1 - -', 'and not longer');
is(wish('2026-07-06T06:00Z'), 't 0 06T06:00 06T16:00', 'in summer');

put('America/Los_Angeles', $hours);
is(wish('2026-01-06T01:00Z'), 't 0 05T16:00 06T02:00',
    'Monday is over later in the west');

# windows that touch are one stretch

my $nights = join ', ', map {
    qq({"day": $_, "from": "20:00", "to": "24:00"},
       {"day": $_, "from": "00:00", "to": "06:00"})
} 0 .. 6;
put('UTC', "[$nights]");
is(wish('2026-01-05T23:59:59Z'), 't 0 05T20:00 06T06:00', 'over midnight');
is(wish('2026-01-06T00:00Z'), 't 0 05T20:00 06T06:00', 'from the evening on');
put('UTC', '[' . join(', ', map {
    qq({"day": $_, "from": "00:00", "to": "24:00"}) } 0 .. 6) . ']');
like(wish('2026-01-06T12:00Z'), qr/^t 0 05T00:00 -$/, 'all week has no end');

# an event within, before and after a window

put('UTC', $hours);
$owner->ask("INSERT INTO recording_events (camera_id, start_time, until_time)
    VALUES ('$camera', '2026-01-05 17:50Z', '2026-01-05 18:10Z')");
is(wish('2026-01-05T17:00Z'), 't 0 05T08:00 05T18:10', 'makes it longer');
is(wish('2026-01-05T18:05Z'), 't 0 05T08:00 05T18:10', 'and on it goes');
is(wish('2026-01-05T18:10Z'), 'f 1 - -', 'until it is over');
$owner->ask('DELETE FROM recording_events');

# clocks that are put forward and back

put('Europe/Berlin', '[{"day": 0, "from": "01:00", "to": "04:00"}]');
is(wish('2026-03-29T01:30Z'), 't 0 29T00:00 29T02:00', 'two hours in spring');
is(wish('2026-10-25T01:30Z'), 't 0 24T23:00 25T03:00', 'four in autumn');
put('Europe/Berlin', '[{"day": 0, "from": "02:40", "to": "03:10"}]');
is(wish('2026-03-29T01:45Z'), 'f 1 - -',
    'a window that starts in the hour that is not there');

# refusals

for my $bad ([ 'Mars/Base', '[]' ], [ 'X5', '[]' ], [ 'UTC', '{}' ],
    map { [ 'UTC', "[$_]" ] } '{}', '1', '{"day": 7, "from": "01:00",
    "to": "02:00"}', '{"day": 1, "from": "02:00", "to": "02:00"}',
    '{"day": 1, "from": "2:00", "to": "03:00"}', '{"day": 1, "from": "02:00",
    "to": "24:01"}', '{"day": 1, "from": "02:00", "to": "03:00", "x": 1}',
    '{"day": "1", "from": "02:00", "to": "03:00"}',
    '{"day": 1.5, "from": "02:00", "to": "03:00"}')
{
    put(@$bad);
    is($api->state, '23514', "no schedule: @$bad" =~ s/\s+/ /gr);
}
is($api->ask("SELECT api_schedule_delete('$camera'),
    api_schedule_delete('$camera')"), "t\tf", 'removed');
is(wish(), 't 0 - -', 'on all the time');
$worker->notified('recording_changed');
$owner->ask("UPDATE cameras SET deleted_at = now()");
heard('a removed camera');
is(wish(), '', 'is off');

$t->done_testing;

# want, why_not, from and until of the only camera

sub wish {
    my ($now) = @_;

    $now = $now ? "'$now'" : 'clock_timestamp()';

    return $worker->ask("SELECT concat_ws(' ', want, why_not,
            coalesce(to_char(from_time AT TIME ZONE 'UTC', 'DD\"T\"HH24:MI'),
                     '-'),
            coalesce(to_char(until_time AT TIME ZONE 'UTC', 'DD\"T\"HH24:MI'),
                     '-'))
        FROM recording_wishes($now)");
}

sub heard {
    my ($what) = @_;

    is(scalar($worker->notified('recording_changed')), 1, "$what, once");
}

sub put {
    my ($timezone, $windows) = @_;

    return $api->ask("SELECT timezone FROM api_schedule_put('$camera',
        '$timezone', '$windows')");
}
