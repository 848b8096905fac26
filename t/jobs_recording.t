#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a recording from the wish for it to the end of its files, with all
# parts as they are: the row is there at once, grows, is closed and probed
# without a fault, says what lies on the disk, and goes when somebody asks.

use strict;
use warnings;

use Camera::Jobs;
use Camera::Stopwatch;
use Test::More;

my $t = Camera::Jobs->new;
$t->skip_without(qw(worker postgres migrations ffmpeg));

$t->start_jobs(args => ['--record-length', 10]);

my $camera = $t->camera;
my $rows = "FROM recordings WHERE camera_id = '$camera'";

$t->sql("INSERT INTO cameras (id, name) VALUES ('$camera', 'gate')");

my $feed = $t->feed({ speed => 1 }, 'small', '--loop=20');
$t->wait_index(sub { $_[0]{state} == 1 }, 10);

###############################################################################

my $watch = Camera::Stopwatch->start;
$t->sql("UPDATE cameras SET is_recording = true WHERE id = '$camera'");
is($t->wait_sql(1, "SELECT count(*) $rows", 10), 1, 'a row');
cmp_ok($watch->seconds, '<', 5, 'seconds after the wish');

# a file ends at each tenth second

is($t->wait_sql('t', "SELECT count(*) > 1 $rows AND probed_at IS NOT NULL", 45),
    't', 'files are closed and probed');
is($t->sql("SELECT count(*) $rows AND (state = 'damaged'
    OR probe_error IS NOT NULL)"), 0, 'without a fault');
is($t->sql("SELECT count(*) $rows AND state = 'complete'
    AND close_reason <> 'hour'"), 0, 'ended by the clock');

for my $row ($t->sql("SELECT file_path, file_size $rows AND state = 'complete'
    ORDER BY start_time LIMIT 2"))
{
    my ($path, $size) = split /\t/, $row;
    is(-s $t->volume . "/$path", $size, 'the size of the file');
}

is($t->sql('SELECT state FROM volumes'), 'ok', 'its volume');

# the end of the wish, and a gap that is not told

$t->sql("UPDATE cameras SET is_recording = false WHERE id = '$camera'");
is($t->wait_sql(0, "SELECT count(*) $rows AND state = 'recording'", 10), 0,
    'off: the last one is closed');
is($t->sql('SELECT count(*) FROM recording_gaps WHERE end_time IS NULL'), 0,
    'and nothing is missing');

# and of the first recording

my ($id, $path) = split /\t/, $t->sql("SELECT id, file_path $rows
    ORDER BY start_time LIMIT 1");
ok(-e $t->volume . "/$path", 'a file');
$t->sql("UPDATE recordings SET state = 'deleting' WHERE id = '$id'");
is($t->wait_sql(0, "SELECT count(*) $rows AND id = '$id'"), 0, 'is deleted');
ok(!-e $t->volume . '/' . $path =~ s/mp4$/$_/r, "no $_") for qw(mp4 idx);

$feed->stop;
$t->stop_jobs;
$t->done_testing;
