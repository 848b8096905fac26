#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the process that decodes what cameras sent: how it is locked up,
# what happens when it dies or hangs, and what a camera can do to others by
# frames that are none.

use strict;
use warnings;

use Camera::Snapshot;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Snapshot->new;
$t->skip_without(qw(nginx worker ffmpeg));

my ($good, $bad, $worse) = map { sprintf '0e8a3c7e-52c1-4f57-9f3d-%012d', $_ }
    1 .. 3;
my $r;

###############################################################################

$ENV{CAMERA_SECRET} = 'a secret of whoever starts it';
$t->start_snapshots;

my @feeds = $t->feed({ camera => $good, speed => 1 }, 'small', '--loop=20');
$t->first(320, $good);

# limits

my ($pid) = $t->worker_children('sandbox');
my %limit = $t->read_file("/proc/$pid/limits")
    =~ /^Max (.+?) {2,}(\w+) +\w+/mg;
my $mapped = 1024 * ($t->read_file("/proc/$pid/status")
    =~ /^VmSize:\s+(\d+) kB/m)[0];

cmp_ok($limit{'address space'}, '<=', $mapped + (256 << 20),
    'little more memory than it has') unless $ENV{CAMERA_SANITIZED};
cmp_ok($limit{'cpu time'}, '<=', 5, 'a few seconds on a processor');
is($limit{'open files'}, 0, 'it can open nothing');
is($limit{'core file size'}, 0, 'it leaves no core');

my %status = $t->read_file("/proc/$pid/status") =~ /^(\w+):\s+(.*)/mg;

is($status{Seccomp}, 2, 'system calls are filtered');
is($status{NoNewPrivs}, 1, 'no new privileges');
is($status{Threads}, 1, 'one thread');
is_deeply([map { m{(\d+)$} } glob "/proc/$pid/fd/*"], [2], 'stderr alone');
unlike($t->read_file("/proc/$pid/environ"), qr/secret/, 'no environment');

# a picture that it is about to make when it is killed

kill 'STOP', $pid;
my $s = $t->ask(640, $good);
$t->wait_for(sub { $t->stat->{waited} > 1 }, 2, 'a request that waits');
kill 'KILL', $pid;
$r = $t->answer($s);

is($r->{status}, 200, 'killed while a request waits: it is answered');
is_deeply([$t->picture($r)], [320, 180], 'with a picture');
isnt(($t->worker_children('sandbox'))[0], $pid, 'of another sandbox');

# dies at rest: nobody notices

($pid) = $t->worker_children('sandbox');
kill 'KILL', $pid;
$r = $t->snapshot(1280, $good);
is($r->{status}, 200, 'killed at rest: the next picture comes');

# so does the one that hands it the frames

kill 'KILL', $t->worker_children('snapshot');
$r = expired(640, $good);
is($r->{status}, 200, 'snapshot killed: the next picture comes');

# hangs: those who wait are told, and others after it are served

($pid) = $t->worker_children('sandbox');
kill 'STOP', $pid;
$r = $t->snapshot(160, $good);
is($r->{status}, 503, 'hangs: refused');
is($r->{body}, '4 no picture came in time', 'hangs: told why');
cmp_ok($r->{passed}, '>', 1.5, 'hangs: after two seconds');
cmp_ok($r->{took}, '<', 2.5, 'hangs: and no later');
is($r->{headers}{'retry-after'}, 2, 'hangs: told when to come again');
kill 'CONT', $pid;
is($t->first(160, $good)->{status}, 200, 'goes on: served');

# key frames that are none, but look like some from outside

my $file = garbled('small');
push @feeds, $t->feed_files({ camera => $bad, speed => 1 }, [$file],
    '--loop=20');

$t->wait_for(sub {
    $r = $t->snapshot(320, $bad);
    $r->{body} !~ /^[04]/;
}, 10, 'an answer');
is($r->{status}, 503, 'garbage: refused');
is($r->{body}, '1 what the camera sends cannot be decoded',
    'garbage: told why');

my $start = time;
my ($fine, $sandbox) = (0, ($t->worker_children('sandbox'))[0]);

while (time - $start < 2.5) {
    my @s = ($t->ask(320, $bad), $t->ask(320, $good), $t->ask(640, $bad));
    my @r = map { $t->answer($_) } @s;
    $fine += "$r[0]{status} $r[1]{status} $r[2]{status}" eq '503 200 503'
        or diag("$r[0]{status} $r[1]{status} $r[2]{status}"), last;
}

cmp_ok($fine, '>', 2, 'garbage: another camera is served meanwhile');
is(($t->worker_children('sandbox'))[0], $sandbox, 'garbage: it kills nobody');

# frames on which it dies: that camera's pictures are shut out, and no more

push @feeds, $t->feed({ camera => $worse, speed => 1 }, 'small', '--loop=20');
$t->wait_index(sub { $_[0]{segments}[0] }, 5, $worse);

for my $n (1 .. 3) {
    crash($n, $worse);
}

like($t->worker_log,
    qr/third crash on camera $worse within a minute, pictures of it are shut/,
    'third crash: alert');
$r = expired(320, $worse);
is($r->{body}, "2 this camera's pictures are suspended", 'shut out: told why');
is($r->{headers}{'retry-after'}, 60, 'shut out: told when to come again');
is($t->first(320, $good)->{status}, 200, 'another camera is served');

my $index = $t->index($worse);
my $after = $t->wait_index(sub { $_[0]{next_msn} > $index->{next_msn} }, 5,
    $worse);

is($after->{state}, 1, 'its stream is live');
cmp_ok($after->{next_msn}, '>', $index->{next_msn}, 'and goes on');

# nobody is there to make pictures

$t->worker->stop;
$r = expired(320, $good);
is($r->{status}, 503, 'no camera-worker: refused');
is($r->{body}, '3 pictures cannot be made at the moment',
    'no camera-worker: told why');
unlike($t->worker_log, qr/ it worked on camera .*\n.*signal 15, stopping/,
    'nobody is blamed for the end');

$t->start_worker(args => ['--children', 1]);
is($t->first(320, $good)->{status}, 200, 'it is back: served');

$_->stop for @feeds;

my @alerts = grep { !/sandbox died of signal [79]|snapshot died of signal 9/
    } $t->alerts;
is(@alerts, 1, 'alerts: of the quarantine alone') or diag(@alerts);
$t->done_testing;

###############################################################################

# asks when there is no fresh file

sub expired {
    my ($width, $camera) = @_;

    my $changed = (Time::HiRes::stat($t->shm
        . "/live/$camera/snapshot.$width.jpg"))[10] // 0;
    $t->wait_for(sub { time - $changed >= 1 }, 2, 'a second');

    return $t->snapshot($width, $camera);
}

# the sandbox dies with a picture of this camera in hand

sub crash {
    my ($n, $camera) = @_;

    my ($pid) = $t->worker_children('sandbox');
    my $died = sub { scalar(() = $t->worker_log =~ /died of signal 7/g) };

    kill 'STOP', $pid;
    my $waited = $t->stat->{waited};
    my $s = $t->ask(qw(160 320 640)[$n - 1], $camera);
    $t->wait_for(sub { $t->stat->{waited} > $waited }, 2, 'a request');
    $t->wait_for(sub { handed_over() }, 2, 'a job');
    kill 'BUS', $pid;
    kill 'CONT', $pid;
    ok($t->wait_for(sub { $died->() == $n }, 5, 'the crash'), "crash $n");
    $t->wait_for(sub { $t->worker_children('sandbox') }, 5, 'a successor');
    $t->answer($s);
}

# the snapshot role sleeps in futex() until the job is no longer READY (1)

sub handed_over {
    my ($pid) = $t->worker_children('snapshot');

    return $t->read_file("/proc/$pid/syscall") =~ /^\d+ 0x\w+ 0x0 0x1 /;
}

# a clip whose pictures are random bytes behind true headers

sub garbled {
    my ($clip) = @_;

    my $flv = $t->read_file($t->clip($clip));
    my $at = 13;

    srand 1;

    while ($at + 11 < length $flv) {
        my ($type, $high, $low) = unpack 'C C n', substr $flv, $at, 4;
        my $size = $high << 16 | $low;

        if ($type == 9 && substr($flv, $at + 12, 1) eq "\1") {
            garble(\$flv, $at + 16, $at + 11 + $size);
        }

        $at += 11 + $size + 4;
    }

    my $file = $t->dir . '/garbled.flv';
    $t->write_file($file, $flv);

    return $file;
}

# each NAL unit keeps its length, its type and three bytes

sub garble {
    my ($flv, $at, $end) = @_;

    while ($at + 4 < $end) {
        my $size = unpack 'N', substr $$flv, $at, 4;

        for my $i ($at + 8 .. $at + 3 + $size) {
            substr $$flv, $i, 1, chr int rand 256;
        }

        $at += 4 + $size;
    }
}
