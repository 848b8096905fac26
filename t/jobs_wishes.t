#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for wishes to record on their way from the database into the table that
# the recorder reads: soon, with their ends, and kept while nobody can be asked.

use strict;
use warnings;

use Camera::Jobs;
use Camera::Stopwatch;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Jobs->new;
$t->skip_without(qw(worker postgres migrations));

$t->start_jobs;

my ($gate, $door, $yard) = map { $t->add_camera->{id} } 1 .. 3;
my $wish;

###############################################################################

# on and off

is(wanted($gate, 1, 0.3), 0, 'nobody wishes');

my $watch = Camera::Stopwatch->start;
$t->sql("UPDATE cameras SET is_recording = true WHERE id = '$gate'");
is(wanted($gate, 1), 1, 'on');
cmp_ok($watch->seconds, '<', 1, 'within a second');
is($wish->{until}, 0, 'without an end');
is(wanted($door, 1, 0), 0, 'not the other camera');

$watch = Camera::Stopwatch->start;
$t->sql("UPDATE cameras SET is_recording = false WHERE id = '$gate'");
is(wanted($gate, 0), 0, 'off');
cmp_ok($watch->seconds, '<', 1, 'within a second');

# an event, with what was before it, ends by itself

$t->sql(q{INSERT INTO recording_events (tenant_id, camera_id, start_time,
    until_time) VALUES (default_tenant(), '} . $gate
    . q{', now() - interval '5 s', now() + interval '2 s')});
is(wanted($gate, 1), 1, 'an event');
cmp_ok(abs($wish->{from} / 1000 - (time - 5)), '<', 2, 'from before it');
cmp_ok(abs($wish->{until} / 1000 - (time + 2)), '<', 2, 'until its end');
is(wanted($gate, 0, 8), 0, 'is over by itself');

# a schedule

my $now = $t->sql(q{SELECT to_char(now() AT TIME ZONE 'UTC', 'ID HH24')});
my ($day, $hour) = split / /, $now;
$day %= 7;

$t->sql("UPDATE cameras SET is_recording = true WHERE id = '$yard'");
is(wanted($yard, 1), 1, 'always, without a schedule');
schedule(($day + 3) % 7, '00:00', '01:00');
is(wanted($yard, 0), 0, 'not in the window of a schedule');
is($wish->{why_not}, 1, 'and why not');
schedule($day, sprintf('%02d:00', $hour), '24:00');
is(wanted($yard, 1), 1, 'in a window');
cmp_ok($wish->{until}, '>', time * 1000, 'which ends');

# what is removed, switched off, or of a tenant that is

$t->sql("UPDATE cameras SET is_recording = true WHERE id IN ('$gate', '$door')");
is(wanted($gate, 1) + wanted($door, 1), 2, 'both');
$t->sql("UPDATE cameras SET is_active = false WHERE id = '$gate'");
is(wanted($gate, 0), 0, 'a camera that was switched off');
$t->sql("UPDATE cameras SET deleted_at = now() WHERE id = '$door'");
is(wanted($door, 0), 0, 'one that was removed');
is(wanted($yard, 1, 0), 1, 'the third stays');
$t->sql('UPDATE tenants SET is_active = false');
is(wanted($yard, 0), 0, 'of a tenant that was switched off');
$t->sql('UPDATE tenants SET is_active = true');
is(wanted($yard, 1), 1, 'or on');

# without the database all stays as it was, over restarts of the jobs, too

$t->stop_postgres('immediate');
$t->kill_jobs;
ok($t->wait_for(sub { $t->worker_children('jobs') }, 5), 'the next jobs');
ok($t->wait_for(sub {
    my @away = $t->worker->log =~ /the database is away/g;
    @away >= 2 }, 5), 'find no database');
is(wanted($yard, 1, 0), 1, 'a wish stays');
is(wanted($gate, 0, 0), 0, 'no wish comes up');

$t->start_postgres;
$t->sql("UPDATE cameras SET is_recording = false WHERE id = '$yard'");
is(wanted($yard, 0, 10), 0, 'the database is heard again');

# a server that hangs is one that is away

$t->pause_postgres;
$t->wait_for(sub { $t->worker->log =~ /away: no answer/ }, 15, 'a deadline');
is(scalar($t->worker_children('jobs')), 1, 'hung');
unlike($t->worker->log, qr/did nothing for/, 'and nobody is killed for it');
$t->resume_postgres;
$t->sql("UPDATE cameras SET is_recording = true WHERE id = '$yard'");
is(wanted($yard, 1, 12), 1, 'and then it does not');

$t->stop_jobs;
$t->done_testing;

###############################################################################

# what is wished, once it is as expected, or after so many seconds

sub wanted {
    my ($camera, $expected, $seconds) = @_;

    $t->wait_for(sub {
        $wish = $t->wishes->{$camera} // { want => 0 };
        $wish->{want} == $expected;
    }, $seconds // 5);

    return $wish->{want};
}

sub schedule {
    my ($dow, $from, $to) = @_;

    $t->sql("INSERT INTO recording_schedules (camera_id, tenant_id, timezone,
        windows) VALUES ('$yard', default_tenant(), 'UTC',
        '[{\"day\": $dow, \"from\": \"$from\", \"to\": \"$to\"}]')
        ON CONFLICT (camera_id) DO UPDATE SET windows = excluded.windows");
}
