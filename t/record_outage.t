#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for PostgreSQL that is stopped, killed, hangs and comes back while cameras
# are recorded: nothing is lost on disk, and in the end the database has
# each file and each gap exactly once.

use strict;
use warnings;

use Camera::Live;
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker postgres migrations ffmpeg));

my $down = $t->soak ? 60 : 2;           # seconds

###############################################################################

$t->start_postgres;
$t->migrate;

my @cameras = map { $t->add_camera->{id} } 1 .. 3;
my $file = $t->dir . '/database';

$t->write_file($file, $t->database('camera_worker') . "\n");
chmod 0600, $file;
$t->give_to_service($file);

$t->start_recorder(length => 10, args => ['--database', $file]);

my @feeds = map { $t->feed({ camera => $_, speed => 3 }, 'small',
    '--loop=100') } @cameras;

$t->sql('UPDATE cameras SET is_recording = true');
ok($t->wait_for(sub { rows() >= 3 }, 10), 'recorded, and in the database');

for my $case (
    [ stopped => sub { $t->stop_postgres('fast') },
        sub { $t->start_postgres } ],
    [ killed => sub { $t->stop_postgres('kill') },
        sub { $t->start_postgres } ],
    [ hung => sub { $t->pause_postgres },
        sub { $t->wait_for(sub { $t->worker_log =~ /away: no answer/ }, 15,
                  'a deadline');
              $t->resume_postgres } ])
{
    my ($name, $break, $mend) = @$case;
    my $files = files();

    $break->();
    sleep_until_rotated($files);
    cmp_ok(files(), '>', $files, "$name: files end and begin");
    is((grep { $t->record_state($_)->{state} != 1 } @cameras), 0,
        "$name: all are recorded");
    $mend->();
    ok($t->wait_for(sub { rows() >= files() }, 20), "$name: level again");
}

# the jobs, too

kill 'KILL', $t->worker_children('jobs');
$t->restart_postgres('immediate');

$_->stop for @feeds;
$t->ended($_) for @cameras;
$t->wait_for(sub { $t->sql('SELECT count(*) FROM recordings') >= files() }, 20);
$t->sql('UPDATE cameras SET is_recording = false');
ok($t->wait_for(sub {
    !$t->sql(q{SELECT count(*) FROM recordings WHERE state <> 'complete'})
}, 20), 'all files end');

# what is on disk, in the journal and in the database

for my $id (@cameras) {
    is($t->missing_parts($id), '', 'every part of the store');
    is($t->repeated_parts($id), 0, 'each once');
}

is(join("\n", $t->check_recordings), '', 'files and indexes agree');

my %on_disk = map { $_->{recording} => join ' ', $_->{file} =~ m{(media/.*)},
    -s $_->{file}, scalar @{ $_->{fragments} } } $t->recordings;
my %in_table = map { split /\t/, $_, 2 } $t->sql(q{SELECT id,
    file_path || ' ' || file_size || ' ' || fragments FROM recordings});

is_deeply(\%in_table, \%on_disk, 'each file has its row, and no row has none');

is($t->sql('SELECT count(*) FROM (SELECT camera_id, start_time FROM
    recording_gaps GROUP BY 1, 2 HAVING count(*) > 1) twice'), 0,
    'no gap is there twice');
is($t->sql(q{SELECT count(*) FROM recording_garbage}), 0, 'no garbage');
is((grep { !/died of signal 9/ } $t->alerts), 0, 'nobody died by itself');
unlike($t->worker_log, qr/user=|host=/, 'no connection string in the log');

$t->done_testing;

###############################################################################

sub files { return scalar(() = glob $t->record_volume . '/media/*/*/*.mp4') }

sub rows { return $t->sql('SELECT count(*) FROM recordings') }

# each camera has another file, and so many seconds have passed

sub sleep_until_rotated {
    my ($files) = @_;

    my $until = time + $down;
    $t->wait_for(sub { files() >= $files + 3 && time >= $until }, $down + 10,
        'the next files');
}
