#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for snapshots: the newest key frame as a JPEG of the wished width, made
# on demand, once a second at most, for any number of clients at once, and what
# those are told who get none.

use strict;
use warnings;

use Camera::Snapshot;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Snapshot->new;
$t->skip_without(qw(nginx worker ffmpeg));

my @id = map { sprintf '0e8a3c7e-52c1-4f57-9f3d-%012d', $_ } 1 .. 4;
my ($hd, $small, $long, $wide) = @id;
my $budget = $ENV{CAMERA_SANITIZED} ? 2 : 0.5;

###############################################################################

$t->start_snapshots;

# pixels that are not square, as analogue cameras have them, and with all of
# the range, as many others do

my $file = $t->dir . '/wide.flv';
$t->run(qw(ffmpeg -nostdin -loglevel error -i), $t->clip('small'),
    qw(-c copy -bsf:v), 'h264_metadata=sample_aspect_ratio=4/3'
    . ':video_full_range_flag=1', $file);

my @feeds = (
    $t->feed({ camera => $hd, speed => 1 }, 'default', '--loop=20'),
    $t->feed({ camera => $small, speed => 1 }, 'slices', '--loop=5'),
    $t->feed({ camera => $long, speed => 1 }, 'longgop', '--loop=5'),
    $t->feed_files({ camera => $wide, speed => 1 }, [$file], '--loop=5'),
);

my $r = $t->first(320, $hd);

is($r->{headers}{'content-type'}, 'image/jpeg', 'type');
is($r->{headers}{'cache-control'}, 'private, max-age=1', 'may be kept a second');
like($r->{headers}{'last-modified'}, qr/ GMT$/, 'says from when it is');

# widths are taken up to the next one, and never beyond the source

$t->first(320, $_) for $small, $wide;

for my $case ([$hd, 1, 160, 90], [$hd, 160, 160, 90], [$hd, 161, 320, 180],
    [$hd, 500, 640, 360], [$hd, 1280, 1280, 720], [$hd, 4000, 1280, 720],
    [$hd, 99999999, 1280, 720], [$small, 160, 160, 90],
    [$small, 640, 320, 180], [$small, 1280, 320, 180],
    [$wide, 160, 160, 67], [$wide, 1280, 427, 180])
{
    my ($camera, $asked, @size) = @$case;
    $r = $t->snapshot($asked, $camera);
    is_deeply([$t->picture($r)], \@size, "width $asked: $size[0]x$size[1]");
}

# several slices are one picture: this was refused as damaged, once

is($t->number($t->first(1280, $small)) % 30, 0, 'four slices: the whole frame');
is($t->number($t->first(1280, $wide)) % 30, 0, 'full range: the whole frame');

# the newest key frame: each 30th frame is one, and a new one comes each 2 s

my ($seen, $asked, @numbers, @wrong) = (-1);

for (1 .. 3) {
    $t->wait_for(sub {
        $r = $t->snapshot(640, $hd);
        $r->{status} == 200 && $t->number($r) != $seen;
    }, 5, 'another picture');
    push @numbers, $t->number($r);
    push @wrong, "$numbers[-1] after $seen" if $seen >= 0
        && ($numbers[-1] - $seen) % 300 > 30 * int(1.5 + (time - $asked) / 2);
    ($seen, $asked) = ($numbers[-1], time);
}

is((grep { $_ % 30 } @numbers), 0, 'key frames');
is("@wrong", '', 'one after another');

# for a second it is the same file, for whoever asks; to ask may take longer

my (@answers, $made, $soon, $again);

for (1 .. 3) {
    expire(1280, $hd);
    my $at = time;
    @answers = map { $t->ask(1280, $hd) } 1 .. 20;
    @answers = map { $t->answer($_) } @answers;
    $made = $t->made(1280, $hd);
    $soon = $t->snapshot(1280, $hd);
    $again = $t->made(1280, $hd);
    last if time - $at < 1;
}

is((grep { $_->{status} != 200 } @answers), 0, 'twenty at once: all are served');
is(scalar(keys %{ { map { $_->{body} => 1 } @answers } }), 1,
    'twenty at once: one picture');
is($soon->{body}, $answers[0]{body}, 'and one more soon');
is($again, $made, 'the same file');

# after that it is made anew, in time

my @took;

for (1 .. 2) {
    my $old = expire(640, $hd);
    $r = $t->snapshot(640, $hd);
    push @took, $r->{took};
    is($r->{status}, 200, 'asked after a second');
    cmp_ok(changed(640, $hd) - $old, '>=', 1, 'it is fresh again');
}

cmp_ok($_, '<', $budget, sprintf 'in %.0f ms', $_ * 1000) for @took;

# a key frame that is still the newest is not decoded again

$r = $t->first(160, $long);
$made = $t->made(160, $long);
my $old = expire(160, $long);
$again = $t->snapshot(160, $long);

SKIP: {
    skip 'a key frame came in between', 4
        if $again->{headers}{'last-modified'}
            ne $r->{headers}{'last-modified'};
    is($again->{status}, 200, 'same key frame: served');
    is($again->{body}, $r->{body}, 'same key frame: same picture');
    is($t->made(160, $long), $made, 'same key frame: same file');
    cmp_ok(changed(160, $long), '>', $old, 'same key frame: known to be fresh');
}

$r = $t->snapshot(160, $long, headers => [
    "If-Modified-Since: $again->{headers}{'last-modified'}"]);
is($r->{status}, 304, 'a client that has it is told so');

$r = $t->snapshot(160, $long, method => 'HEAD');
is("$r->{status} $r->{headers}{'content-type'} " . length $r->{body},
    '200 image/jpeg 0', 'HEAD');

# what there is no picture of

for my $none ('ffffffff-52c1-4f57-9f3d-000000000000', ended($small)) {
    $r = $t->snapshot(320, $none);
    is($r->{status}, 503, 'offline: refused');
    is($r->{body}, '0 the camera sends nothing', 'offline: told why');
    is($r->{headers}{'retry-after'}, 5, 'offline: told when to come again');
    cmp_ok($r->{took}, '<', $budget, 'offline: at once');
}

# clients that leave while they wait

my $pid = ($t->worker_pids)[0];
my ($sandbox) = $t->worker_children('sandbox');
my $before = $t->stat;
my $fds = settled_fds($pid);

kill 'STOP', $sandbox;
my @gone = map { $t->ask(160, $hd) } 1 .. 30;
$t->wait_for(sub { $t->stat->{waited} - $before->{waited} == 30 }, 2,
    'thirty that wait');
close $_ for @gone;
$t->wait_for(sub { $t->fds($pid) <= $fds }, 2, 'closed connections');
kill 'CONT', $sandbox;

is($t->first(160, $hd)->{status}, 200, 'thirty have left: others are served');
$t->wait_for(sub { $t->fds($pid) <= $fds }, 2, 'closed connections');
cmp_ok($t->fds($pid), '<=', $fds, 'thirty have left: nothing is left open');
is($t->stat->{refused}, $before->{refused}, 'thirty have left: nobody is told');
is(($t->worker_pids)[0], $pid, 'same worker of nginx');
is(($t->worker_children('sandbox'))[0], $sandbox, 'same sandbox');

# pictures that nobody wants any more are removed

SKIP: {
    skip 'takes a minute, set CAMERA_SOAK=1', 2 unless $t->soak;

    ok($t->wait_for(sub { !$t->made(1280, $hd) }, 130, 'the sweep'),
        'removed a minute after the last wish');
    is($t->first(1280, $hd)->{status}, 200, 'and made again');
}

$_->stop for @feeds;

is(join("\n", $t->alerts), '', 'no alert');
unlike($t->worker_log, qr/libav/, 'nothing to complain about');
$t->done_testing;

###############################################################################

# descriptors, once those of the request before are closed

sub settled_fds {
    my ($pid) = @_;

    my $n = -1;

    $t->wait_for(sub { my $last = $n; $last == ($n = $t->fds($pid)) }, 2,
        'closed connections');

    return $n;
}

# when the file was last known to be fresh

sub changed {
    my ($width, $camera) = @_;

    return (Time::HiRes::stat($t->shm
        . "/live/$camera/snapshot.$width.jpg"))[10];
}

# waits until a file is not fresh any more; answers when it last was

sub expire {
    my ($width, $camera) = @_;

    my $old = changed($width, $camera);
    $t->wait_for(sub { time - $old >= 1 }, 2, 'a second');

    return $old;
}

# a camera whose publication is over, and its last picture old

sub ended {
    my ($camera) = @_;

    $feeds[1]->stop;
    $t->wait_for(sub {
        $r = $t->snapshot(320, $camera);
        $r->{status} == 503;
    }, 3, 'the end');

    return $camera;
}
