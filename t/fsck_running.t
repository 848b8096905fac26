#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for camera fsck beside a recorder, without a database, on what is no
# volume, and on a terminal; and for camera volume.

use strict;
use warnings;

use Camera::Stopwatch;
use Camera::Test;
use Camera::Test::Cli;
use Fcntl qw(:flock);
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations cli ffmpeg));

$t->start_postgres;
$t->migrate;

my $camera = $t->add_camera(name => 'gate');
my %env = (CAMERA_ENV => '/dev/null',
    CAMERA_DATABASE_URL => $t->database_url('camera_owner'));
my $cli = Camera::Test::Cli->new($t, %env, CAMERA_RECORD => $t->volume);

###############################################################################

# beside a recorder

my $closed = $t->add_recording($camera, start => time - 7200);
my $open = $t->add_recording($camera, start => time - 10_800);
append($_->{file}, 'torn') for $closed, $open;
mkdir $t->volume . '/journal';
$t->write_file($t->volume . '/journal/1790000000000.log',
    qq({"n":"open","id":"$open->{id}","path":"$open->{path}"}\n));
$t->sql("SELECT journal_position('$open->{volume}', '1790000000000.log', 999)");

open my $lock, '>', $t->volume . '/lock' or die "open() failed: $!";
flock $lock, LOCK_EX;

my $r = $cli->run(qw(fsck --json));
is($r->{status}, 1, 'beside a recorder');
ok($r->{json}{volumes}[0]{recorder}, 'it says so');
is_deeply([ map { $_->{path} } @{ $r->{json}{findings} } ],
    [ $closed->{path} ], 'closed files are repaired');
is(-s $open->{file}, $open->{bytes} + 4, 'the open one is left alone');
like($cli->run('fsck')->{out}, qr/a recorder works on/, 'for people');

close $lock;
is($cli->run('fsck')->{status}, 1, 'without it');
is(-s $open->{file}, $open->{bytes}, 'the open one is looked at');
is($cli->run('fsck')->{out}, "2 files, 2 rows: 0 found, 0 repaired\n",
    'nothing more');

# volumes that reported themselves

$r = Camera::Test::Cli->new($t, %env)->run(qw(fsck --json));
is($r->{json}{files}, 2, 'the volumes of this machine');
is($cli->run(qw(fsck --json --volume), $t->volume)->{json}{files}, 2,
    'the one that is named');

# what is none

my $none = $t->dir . '/none';
mkdir $none;
$r = $cli->run('fsck', '--volume', $none);
is($r->{status}, 3, 'no volume');
like($r->{err}, qr/is no volume: its file "volume" is missing/, 'says why');
is_deeply([ glob "$none/*" ], [], 'and nothing is made there');
is($cli->run('fsck', '--volume', "$none/none")->{status}, 3, 'not there');

# on a terminal, while the database lets it wait

$t->pause_postgres;
my $p = Camera::Process->start({ log => $t->dir . '/terminal.log', env =>
    { %env, CAMERA_RECORD => $t->volume } }, qw(script -qec),
    $t->program('camera') . ' fsck', '/dev/null');
my $since = time;
$t->wait_for(sub { time > $since + 1.3 }, 3);
$t->resume_postgres;
is($p->wait(10), 0, 'on a terminal');
like($p->log, qr/\r *50 %, 1 of 2 files, \d+ a second, \d+ s left/, 'progress');
like($p->log, qr/\r\e\[K2 files, 2 rows/, 'makes place for the answer');

# without a database

append($closed->{file}, 'torn');
$t->stop_postgres('immediate');
my $watch = Camera::Stopwatch->start;
$r = $cli->run('fsck');
is($r->{status}, 3, 'no database');
like($r->{err}, qr/check that PostgreSQL runs/, 'it says so');
cmp_ok($watch->seconds, '<', 6, 'soon');
is(-s $closed->{file}, $closed->{bytes} + 4, 'nothing was touched');
$t->start_postgres;

# volumes

my $new = $t->dir . '/new';
$r = $cli->run(qw(volume init --json), $new);
is($r->{status}, 0, 'init');
my $id = $r->{json}{id};
is($t->read_file("$new/volume"), "camera-volume 1\n$id\n", 'its uuid');
is($cli->run('volume', 'init', $new)->{status}, 5, 'not twice');
is($cli->run('volume', 'init', $t->root)->{status}, 5, 'not over other things');
is($cli->run(qw(volume show --json), $new)->{json}{id}, $id, 'show');
is($cli->run(qw(volume show), $none)->{status}, 4, 'show what is none');
is($cli->run(qw(volume)  )->{status}, 2, 'no verb');

$r = $cli->run(qw(volume list --json))->{json}{volumes};
is_deeply([ map { "$_->{here} $_->{path}" } @$r ], [ 'yes ' . $t->volume ],
    'list');
rename $t->volume . '/volume', $t->volume . '/elsewhere';
is($cli->run(qw(volume list --json))->{json}{volumes}[0]{here}, 'not mounted',
    'its disk is away');
system 'cp', "$new/volume", $t->volume;
is($cli->run(qw(volume list --json))->{json}{volumes}[0]{here}, 'another',
    'another disk');

$t->done_testing;

###############################################################################

sub append {
    my ($file, $bytes) = @_;
    open my $fh, '>>:raw', $file or die "open(\"$file\") failed: $!";
    print $fh $bytes;
    close $fh or die "close(\"$file\") failed: $!";
}
