#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what is inside the frames: another resolution in mid-stream,
# B-frames, groups of pictures longer than a segment, frames larger than the
# ring was made for.

use strict;
use warnings;

use Camera::Live;
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my @id = map { sprintf '0e8a3c7e-52c1-4f57-9f3d-%012d', $_ } 1 .. 5;

###############################################################################

$t->start_worker;

my @feeds = (
    $t->feed({ camera => $id[0], speed => 15 }, 'small,other'),
    $t->feed({ camera => $id[1] }, 'bframes'),
    $t->feed({ camera => $id[2] }, 'longgop'),
    $t->feed({ camera => $id[3], speed => 1 }, 'big', '-C', 163840),
);

$_->wait(20) for @feeds;

# the camera's operator chooses another resolution and sound

my ($index, @runs) = runs_of($id[0], 'another codec');

is(@runs, 2, 'another codec: two inits');
is("$runs[0]{init}{width} $runs[1]{init}{width}", '320 640',
    'another codec: sizes');
isnt($runs[0]{init}{codecs}, $runs[1]{init}{codecs}, 'another codec: names');
is($runs[1]{segments}[0]{discontinuity}, 1, 'another codec: discontinuity');
is((grep { $_->{discontinuity} } @{ $index->{segments} }), 1,
    'another codec: one');

my @shown = map { [$t->frame_numbers($_->{file})] } @runs;

is_deeply($shown[1], [0 .. 299], 'another codec: each frame after it');
is_deeply($shown[0], [300 - @{ $shown[0] } .. 299],
    'another codec: each frame before it');
cmp_ok(abs(@{ $runs[1]{audio} } - 20 * 44100 / 1024), '<', 4,
    'another codec: all of the new sound');

# pictures that are shown in another order than they are sent

($index, @runs) = runs_of($id[1], 'B-frames');

is($runs[0]{init}{b_frames}, 1, 'B-frames: said');
is_deeply([$t->frame_numbers($runs[0]{file})], [0 .. 299],
    'B-frames: each frame, in order');
is_deeply([$t->gaps(@{ $runs[0]{video} })], [0, 0], 'B-frames: no gap');

# a key frame each eight seconds: cut at the target duration

($index, @runs) = runs_of($id[2], 'long GOP');

my @s = @{ $index->{segments} };

is($index->{target}, 2000, 'long GOP: target duration');
cmp_ok(scalar(@s), '>=', 11, 'long GOP: segments');
is((grep { $_->{parts}[0]{independent} } @s), 3, 'long GOP: three with a key');
is((grep { $_->{discontinuity} } @s), 0, 'long GOP: no discontinuity');
is_deeply([$t->frame_numbers($runs[0]{file})], [0 .. 359],
    'long GOP: each frame');
is_deeply([map { $_->{parts}[0]{independent} } @s[-4 .. -1]], [1, 0, 0, 0],
    'long GOP: a segment begins with the key frame');

# the ring grows in mid-stream

($index, @runs) = runs_of($id[3], 'growing ring');

my %generation = map { $_->{generation} => 1 } @{ $index->{segments} };

cmp_ok(scalar(keys %generation), '>', 1, 'growing ring: it grew');
is(@runs, 1, 'growing ring: one init');
is_deeply([$t->frame_numbers($runs[0]{file})], [0 .. 119],
    'growing ring: each frame');
is((grep { $_->{discontinuity} } @{ $index->{segments} }), 0,
    'growing ring: no seam');

is(join("\n", $t->alerts), '', 'no alert');

$t->done_testing;

###############################################################################

sub runs_of {
    my ($camera, $name) = @_;

    my $index = $t->ended($camera);
    my @runs = $t->runs($index, $camera);

    is(join('', map { $_->{errors} } @runs), '', "$name: decodes");
    is(join("\n", $t->check_index($index, $camera)), '', "$name: index");

    return ($index, @runs);
}
