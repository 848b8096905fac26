#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a camera's clock: set forth, set back, silent for a while, and
# starting anew with each connection; and for the server's being set.

use strict;
use warnings;

use Camera::Live;
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my @id = map { sprintf '0e8a3c7e-52c1-4f57-9f3d-%012d', $_ } 1 .. 8;

###############################################################################

$t->start_worker;

my @feeds = (
    $t->feed({ camera => $id[0] }, 'small', qw(--jump-at=7000
        --jump-by=60000)),
    $t->feed({ camera => $id[1] }, 'small', qw(--jump-at=7000
        --jump-by=-5000)),
    $t->feed({ camera => $id[2] }, 'small', qw(--reconnect-at=7000)),
    $t->feed({ camera => $id[3] }, 'small', qw(--silent-from=6500
        --silent-until=10500)),
    $t->feed({ camera => $id[4] }, 'small', qw(--jump-at=7000
        --jump-by=4294967)),
    $t->feed({ camera => $id[5] }, 'small', qw(--silent-from=6500
        --silent-until=14000)),
    $t->feed({ camera => $id[6] }, 'small', qw(--clock-at=7500
        --clock-by=3600000)),
    $t->feed({ camera => $id[7] }, 'small', qw(--clock-at=7500
        --clock-by=-3600000)),
);

$_->wait(20) for @feeds;

jumped($id[0], 'a minute ahead');
jumped($id[1], 'five seconds back');
jumped($id[4], 'by an hour');

# a reconnect: another generation, whose time starts at 0

my ($index, $run) = run_of($id[2], 'reconnect');
my @s = @{ $index->{segments} };

is_deeply([$t->frame_numbers($run->{file})], [0 .. 299],
    'reconnect: each frame');
is((grep { $_->{discontinuity} } @s), 1, 'reconnect: one discontinuity');

my ($new) = grep { $_->{discontinuity} } @s;

is((grep { $_->{generation} != $new->{generation}
    && $_->{msn} >= $new->{msn} } @s), 0, 'reconnect: generation');
ok($new->{parts}[0]{independent}, 'reconnect: begins with a key frame');

# four seconds without a frame: no segment is made longer by it

($index, $run) = run_of($id[3], 'silence');
@s = @{ $index->{segments} };
($new) = grep { $_->{discontinuity} } @s;

is($index->{target}, 2000, 'silence: same target duration');
is(scalar($t->frame_numbers($run->{file})), 240, 'silence: each frame');
ok($new, 'silence: discontinuity');
cmp_ok(abs($new->{wall} - $s[0]{wall} - 10500), '<', 150,
    'silence: wall clock is right after it');

# a long silence of both tracks is none of either

($index, $run) = run_of($id[5], 'long silence');
is(scalar($t->frame_numbers($run->{file})), 188, 'long silence: each frame');

# the server's clock is set: the picture does not stop, only its time is another

for my $case ([6, 3_600_000, 'an hour ahead'], [7, -3_600_000, 'an hour back'])
{
    my ($n, $step, $name) = @$case;

    ($index, $run) = run_of($id[$n], "server's clock $name");
    @s = @{ $index->{segments} };

    is_deeply([$t->frame_numbers($run->{file})], [0 .. 299],
        "server's clock $name: each frame");
    is((grep { $_->{discontinuity} } @s), 0,
        "server's clock $name: no discontinuity");
    cmp_ok(abs($s[-1]{wall} - $s[0]{wall} - 18000 - $step), '<', 300,
        "server's clock $name: times follow");
}

is(join("\n", $t->alerts), '', 'no alert');

$t->done_testing;

###############################################################################

# a jump costs no frame, and the output's own time runs on

sub jumped {
    my ($camera, $name) = @_;

    my ($index, $run) = run_of($camera, $name);
    my @s = @{ $index->{segments} };

    is_deeply([$t->frame_numbers($run->{file})], [0 .. 299],
        "$name: each frame");
    is_deeply([$t->gaps(@{ $run->{video} })], [0, 0], "$name: pictures run on");
    is(($t->gaps(@{ $run->{audio} }))[1], 0, "$name: sound never goes back");
    is((grep { $_->{discontinuity} } @s), 1, "$name: one discontinuity");
    cmp_ok(abs($run->{video}[-1][0] - $run->{audio}[-1][0]), '<', 0.2,
        "$name: sound and picture stay together");
    cmp_ok(abs($s[-1]{wall} - $s[0]{wall} - 18000), '<', 300,
        "$name: wall clock runs on");
}

sub run_of {
    my ($camera, $name) = @_;

    my $index = $t->ended($camera);
    my ($run, @more) = $t->runs($index, $camera);

    is(@more, 0, "$name: one init");
    is($run->{errors}, '', "$name: decodes");
    is(join("\n", $t->check_index($index, $camera)), '', "$name: index");

    return ($index, $run);
}
