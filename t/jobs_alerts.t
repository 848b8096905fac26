#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for alerts of what lasts: raised once when it begins, calmed when it is
# over, and counted instead of repeated.

use strict;
use warnings;

use Camera::Jobs;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = Camera::Jobs->new;
$t->skip_without(qw(worker postgres migrations ffmpeg));

$t->start_jobs;

my ($gate, $door) = map { $t->add_camera->{id} } 1, 2;
my $bad = $t->camera;

$t->sql("INSERT INTO cameras (id, name) VALUES ('$bad', 'bad')");
$t->sql('UPDATE cameras SET is_recording = true');

###############################################################################

# a camera that kills its packager is shut out, which is told

my $feed;

for my $n (1 .. 3) {
    my $before = $t->index;
    my $seen = $before ? $before->{next_msn} : 0;
    $feed = $t->feed({ speed => 5 }, 'small', '--loop=20');
    $t->wait_index(sub { $_[0]{state} == 1 && $_[0]{next_msn} > $seen }, 5);
    my $ring = $t->shm . '/rings/' . readlink $t->shm . "/rings/$bad";
    truncate $ring, 0 or die "truncate(\"$ring\") failed: $!";
    $t->wait_for(sub { $n == (() = $t->worker->log =~ /died of signal 7/g) }, 5,
        'a crash');
    $feed->stop;
}

is(wait_alert('camera_quarantined', $bad), 'critical 1 open',
    'a camera that is shut out');

# what the recorder says

$t->journal(alert => { type => 'recording_failed', severity => 'critical',
    camera => $gate, message => 'The disk says no.' });
is(wait_alert('recording_failed', $gate), 'critical 1 open', 'by a line');
$t->journal(map { (alert => { type => 'recording_failed', camera => $gate,
    severity => 'medium', message => 'Again.' }) } 1 .. 3);
is(wait_alert('recording_failed', $gate, 'medium 4 open'), 'medium 4 open',
    'counted, with what is said last');
$t->journal(calm => { type => 'recording_failed', camera => $gate });
is(wait_alert('recording_failed', $gate, 'medium 4 over'), 'medium 4 over',
    'calmed by a line');

# gaps: short ones, long ones, those that last

my $now = int(time) * 1000;
my $close = sub {
    my ($camera, $start, $sec) = @_;
    return (gap => { camera => $camera, start => $start,
        end => $start + $sec * 1000, cause => 'network' });
};

$t->journal($close->($gate, $now - 600_000, 29),
    $close->($door, $now - 600_000, 40));
is(wait_alert('recording_gap', $door), 'medium 1 open', 'a long gap');
is(alert('recording_gap', $gate), '', 'not a short one');
like($t->sql(q{SELECT message FROM alerts WHERE type = 'recording_gap'}),
    qr/^Not recorded for 40 s from \d{4}-.*Z, cause: network$/, 'how long');

$t->journal($close->($door, $now - 600_000, 40));
$t->journal($close->($door, $now - 500_000, 50));
is(wait_alert('recording_gap', $door, 'medium 2 open'), 'medium 2 open',
    'another one counts, the same one does not');

$t->journal(gap => { camera => $gate, start => $now - 20_000, end => undef,
    cause => 'camera' });
$t->sql('UPDATE tenants SET gap_alert_sec = 21');
is(wait_alert('recording_gap', $gate), 'medium 1 open', 'one that lasts');
like($t->sql("SELECT message FROM alerts WHERE type = 'recording_gap'
    AND camera_id = '$gate'"), qr/^Not recorded since /, 'since when');
$t->sql(q{UPDATE alerts SET last_seen_at = now() - interval '2 min'
    WHERE type = 'recording_gap'});
is(wait_alert('recording_gap', $door, 'medium 2 over'), 'medium 2 over',
    'over after a minute without a gap');
is(alert('recording_gap', $gate), 'medium 1 open', 'not while it lasts');
$t->journal($close->($gate, $now - 20_000, 60));
$t->wait_sql(1, "SELECT count(*) FROM recording_gaps
    WHERE camera_id = '$gate' AND end_time = start_time + interval '60 s'");
$t->sql(q{UPDATE alerts SET last_seen_at = now() - interval '2 min'
    WHERE type = 'recording_gap'});
is(wait_alert('recording_gap', $gate, 'medium 1 over'), 'medium 1 over',
    'but after its end');

$t->journal(gap => { camera => $gate, start => $now - 3_600_000,
    end => $now - 1_800_000, cause => 'schedule' }, $close->($door,
    $now - 300_000, 33));
is(wait_alert('recording_gap', $door, 'medium 1 open'), 'medium 1 open',
    'a new one');
is(alert('recording_gap', $gate), 'medium 1 over',
    'a time that was not wanted is none');

# the next master lets the camera in

$t->stop_jobs;
$t->start_jobs;
is(wait_alert('camera_quarantined', $bad, 'critical 1 over'),
    'critical 1 over', 'let in again');

$t->stop_jobs;
$t->done_testing;

###############################################################################

# severity, count and whether the newest one is open

sub alert {
    my ($type, $camera) = @_;

    return $t->sql("SELECT concat_ws(' ', severity, count,
            CASE WHEN resolved_at IS NULL THEN 'open' ELSE 'over' END)
        FROM alerts WHERE type = '$type' AND camera_id = '$camera'
        ORDER BY created_at DESC LIMIT 1") // '';
}

sub wait_alert {
    my ($type, $camera, $expected, $seconds) = @_;

    my $got;

    $t->wait_for(sub {
        $got = alert($type, $camera);
        ($expected ? $got eq $expected : $got ne '') || (sleep 0.08, 0)[1];
    }, $seconds // 12);

    return $got;
}
