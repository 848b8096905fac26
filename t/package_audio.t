#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for sound: absent, late, lost, and sound alone.

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
    $t->feed({ camera => $id[0] }, 'noaudio'),
    $t->feed({ camera => $id[1] }, 'small', '--audio-after=3000'),
    $t->feed({ camera => $id[2] }, 'small', '--audio-until=6000'),
    $t->feed({ camera => $id[3], speed => 5 }, 'small', '--audio-after=900'),
);

$_->wait(20) for @feeds;

# without sound

my ($run, @more) = runs($id[0]);

is(@more, 0, 'no audio: one init');
is($run->{init}{has_audio}, 0, 'no audio: none announced');
like($run->{init}{codecs}, qr/^avc1\.[0-9a-f]{6}$/, 'no audio: codecs');
is_deeply([$t->frame_numbers($run->{file})], [0 .. 299],
    'no audio: each frame');

# sound that comes after three seconds: at the next key frame

my ($first, $second) = runs($id[1]);

is($first->{init}{has_audio}, 0, 'late audio: begins without');
is($second->{init}{has_audio}, 1, 'late audio: joins');
is($second->{segments}[0]{discontinuity}, 1, 'late audio: discontinuity');
is($second->{segments}[0]{parts}[0]{independent}, 1, 'late audio: at a key');
is_deeply([map { $t->frame_numbers($_->{file}) } $first, $second], [0 .. 299],
    'late audio: each frame');
is(@{ $first->{segments} }, 2, 'late audio: joins at once');
cmp_ok(@{ $second->{audio} }, '>', 740, 'late audio: 16 s of it');
cmp_ok(abs($second->{audio}[0][1] - $second->{video}[0][1]), '<', 0.1,
    'late audio: together with the picture');

# sound that stops is given up, or players would wait for it

($first, $second) = runs($id[2]);

is($first->{init}{has_audio}, 1, 'lost audio: begins with');
is($second->{init}{has_audio}, 0, 'lost audio: is left out');
is_deeply([map { $t->frame_numbers($_->{file}) } $first, $second], [0 .. 299],
    'lost audio: each frame');

# sound within the first second is waited for

($first, @more) = runs($id[3]);

is(@more, 0, 'audio after 0.9 s: one init');
is($first->{init}{has_audio}, 1, 'audio after 0.9 s: in it');
is_deeply([$t->frame_numbers($first->{file})], [0 .. 299],
    'audio after 0.9 s: each frame');

# sound alone

$t->feed({ camera => $id[4] }, 'small', '--no-video')->wait(20);
($run, @more) = runs($id[4]);

is(@more, 0, 'audio only: one init');
is($run->{init}{has_video}, 0, 'audio only: no video announced');
cmp_ok(@{ $run->{audio} }, '>', 930, 'audio only: all of it');
is_deeply([$t->gaps(@{ $run->{audio} })], [0, 0], 'audio only: no gap');

is(join("\n", $t->alerts), '', 'no alert');

$t->done_testing;

###############################################################################

# its runs, after what is true of every camera

sub runs {
    my ($camera) = @_;

    my $index = $t->ended($camera);
    my @runs = $t->runs($index, $camera);

    is(join('', map { $_->{errors} } @runs), '', 'decodes');
    is(join("\n", $t->check_index($index, $camera)), '', 'index');

    return @runs;
}
