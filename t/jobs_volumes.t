#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for volumes as the jobs tell of them: a row each, and alerts for each
# tenant that records when one is away, full, broken or silent.

use strict;
use warnings;

use Camera::Jobs;
use Test::More;

my $t = Camera::Jobs->new;
$t->skip_without(qw(worker postgres migrations));

$t->start_jobs;

###############################################################################

my $other = $t->sql("INSERT INTO tenants (slug, name) VALUES ('b', 'B')
    RETURNING id");
$t->add_camera;
$t->sql('UPDATE cameras SET is_recording = true');
$t->sql("INSERT INTO cameras (tenant_id, name, is_recording)
    VALUES ('$other', 'b', true)");

for my $case ([ 5 => 'volume_away', 'not mounted' ],
    [ 3 => 'storage_full', 'full' ], [ 4 => 'recording_failed', 'error' ])
{
    my ($state, $type, $row) = @$case;

    $t->say_volume($state);
    is(wait_alert($type, 'critical 2 open'), 'critical 2 open', $type);
    is($t->wait_sql($row, 'SELECT state FROM volumes', 7), $row,
        "$type: its row");
    $t->say_volume;
    is(wait_alert($type, 'critical 2 over'), 'critical 2 over',
        "$type: over");
}

is($t->sql(q{SELECT path = '} . $t->volume . q{' AND node <> ''
    AND bytes_total > bytes_free FROM volumes}), 't', 'path, node and bytes');
like($t->sql(q{SELECT message FROM alerts WHERE type = 'volume_away'}),
    qr/^The volume ".*volume" is not there/, 'which one');

# a volume that was mounted, and is not any more

rename $t->volume, $t->volume . '.away' or die "rename() failed: $!";
is(wait_alert('volume_away', 'critical 2 open', 12), 'critical 2 open',
    'really away');
rename $t->volume . '.away', $t->volume or die "rename() failed: $!";
is(wait_alert('volume_away', 'critical 2 over', 12), 'critical 2 over',
    'back');

# a volume whose record child is not heard of, for example because its disk
# hangs; and jobs that were not there when it came back

kill 'STOP', $t->worker_children('record');
is(wait_alert('volume_away', 'critical 2 open', 12), 'critical 2 open',
    'silent');
$t->stop_jobs;
$t->start_jobs;
is(wait_alert('volume_away', 'critical 2 over', 15), 'critical 2 over',
    'calmed by the next jobs');

$t->stop_jobs;
$t->done_testing;

###############################################################################

# of all tenants: severity, counts, and whether the newest ones are open

sub wait_alert {
    my ($type, $expected, $seconds) = @_;

    return $t->wait_sql($expected, "SELECT concat_ws(' ', max(severity),
            sum(count),
            CASE WHEN bool_and(resolved_at IS NULL) THEN 'open'
                 WHEN bool_and(resolved_at IS NOT NULL) THEN 'over' END)
        FROM (SELECT DISTINCT ON (tenant_id) * FROM alerts
              WHERE type = '$type' AND camera_id IS NULL
              ORDER BY tenant_id, created_at DESC) a", $seconds // 9);
}
