#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for camera fsck on a run that takes long: what is written of its progress
# where nobody looks at a terminal, and how much of the database it opens.

use strict;
use warnings;

use Camera::Shim;
use Camera::Test;
use Camera::Test::Cli;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations cli ffmpeg));

my $shim = Camera::Shim->new($t);

$t->start_postgres;
$t->migrate;

my $day = 86_400;
my $now = time;
my @cameras = map { $t->add_camera(name => "gate $_") } 1 .. 4;

$t->add_recording($cameras[0], start => $now - 40 * $day);
$t->add_recording($_, start => $now - $day) for @cameras;

my %env = (CAMERA_ENV => '/dev/null', CAMERA_RECORD => $t->volume,
    CAMERA_DATABASE_URL => $t->database_url('camera_owner'));
my $cli = Camera::Test::Cli->new($t, %env, %{ $shim->env });

###############################################################################

# a line each ten seconds

my $r = $cli->run('fsck');
is($r->{out}, "5 files, 5 rows: 0 found, 0 repaired\n", 'a short run');
is($r->{err}, '', 'says nothing of its progress');

$shim->set(hurry => 1_000_000);

$r = $cli->run('fsck');
is($r->{status}, 0, 'one of days');
my @lines = split /\n/, $r->{err};
is(@lines, 5, 'says how far it is');
like($lines[0], qr/^camera:  20 %, 1 of 5 files, 0 a second, \d+ \S+ left$/,
    'how much there is, and how long that will take');
like($lines[4], qr/^camera: 100 %, 5 of 5 files, /, 'to the end');

$r = $cli->run(qw(fsck --deep));
like($r->{err}, qr/^camera: .* of \d+ bytes, /, 'with --deep in bytes');

# in a tenth of a second ten pass: most of five files take less

$shim->set(hurry => 100);
$r = $cli->run('fsck');
cmp_ok(() = $r->{err} =~ /\n/g, '<', 5, 'not a line each file');
$shim->set(hurry => 0);

# a camera is asked for in the days in which it has something: once for all, and
# once for the one that was there then

my $old = $t->sql("SELECT min(relname) FROM pg_stat_user_tables
    WHERE relname ~ '^recordings_[0-9]'");
my $scans = scans();
is($cli->run('fsck')->{status}, 0, 'four cameras, two days');
$t->wait_for(sub { scans() > $scans }, 5, 'statistics');
is(scans() - $scans, 2, "the day of one camera is opened for no other");

$t->done_testing;

###############################################################################

sub scans {
    return $t->sql("SELECT seq_scan + coalesce(idx_scan, 0)
        FROM pg_stat_user_tables WHERE relname = '$old'");
}
