#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for camera fsck on what a real recorder leaves: nothing to find after a
# stop or while it runs, torn ends alone after a kill, and nothing the second
# time.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Cli;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx worker cli ffmpeg postgres migrations));

$t->start_postgres;
$t->migrate;
$t->nginx_conf;
$t->start_nginx;

my $database = $t->dir . '/database';
$t->write_file($database, $t->database('camera_worker') . "\n");
chmod 0600, $database;
$t->give_to_service($database);

my $camera = $t->add_camera;
$t->sql("UPDATE cameras SET is_recording = true WHERE id = '$camera->{id}'");

start();
my $cli = Camera::Test::Cli->new($t, CAMERA_ENV => '/dev/null',
    CAMERA_DATABASE_URL => $t->database_url('camera_owner'),
    CAMERA_RECORD => $t->record_volume, CAMERA_SHM => $t->{shm});
my $publisher = $t->publish($camera, clip => 'small');

###############################################################################

ok($t->wait_for(sub { files() > 1 }, 30), 'recordings');
my $r = fsck(0, 'while it records');
ok($r->{volumes}[0]{recorder}, 'beside the recorder');

my $rounds = $t->soak ? 100 : 4;
my (%kinds, $again);

for my $round (1 .. $rounds) {
    my $until = time + rand 1.5;
    $t->wait_for(sub { time > $until }, 3);
    my @children = Camera::Process::children($t->worker->pid);
    $t->worker->stop('KILL');
    $t->wait_for(sub { !grep { Camera::Process::alive($_) } @children }, 5);

    my $json = $cli->run(qw(fsck --json))->{json};
    $kinds{ $_->{kind} }++ for @{ $json->{findings} };
    $again += $cli->run(qw(fsck --json))->{json}{found};

    my $bytes = bytes();
    start();
    $t->wait_for(sub { bytes() > $bytes }, 15, 'it to go on');
}

delete @kinds{qw(media_torn index_torn)};
is_deeply(\%kinds, {}, "killed $rounds times: nothing but torn ends");
is($again, 0, 'and none the second time');

# to the end

$publisher->stop;
$t->worker->stop('TERM');
$r = fsck(0, 'after a stop');
is($r->{damaged}, 0, 'nothing is damaged');

start();
$t->sql("UPDATE cameras SET is_recording = false");
ok($t->wait_for(sub { $t->sql("SELECT count(*) FROM recordings
    WHERE state = 'recording'") == 0 }, 15), 'all closed');
$t->worker->stop('TERM');
$r = fsck(0, 'to the last byte', '--deep');
is($r->{files}, $r->{rows}, 'a row for each file');
is($r->{pending}, 0, 'and nothing in the journal');

$t->done_testing;

###############################################################################

sub start {
    $t->start_recorder(length => 10, args => [ '--database', $database ]);
}

sub fsck {
    my ($status, $name, @options) = @_;

    my $r = $cli->run('fsck', '--json', @options);
    is($r->{status}, $status, $name) or diag $r->{out}, $r->{err};

    return $r->{json} // {};
}

sub files {
    return scalar(() = glob $t->record_volume . '/media/*/*/*.mp4');
}

sub bytes {
    my $sum = 0;
    $sum += -s $_ // 0 for glob $t->record_volume . '/media/*/*/*.mp4';
    return $sum;
}
