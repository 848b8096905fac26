#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for packaging of a well-behaved camera: every frame comes out once, in
# order, and the index tells the truth about the files.

use strict;
use warnings;

use Camera::Live;
use List::Util qw(sum);
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

###############################################################################

$t->start_worker;

my ($video, $audio) = sent($t->feed('default'));
my $index = $t->ended;
my ($run, @more) = $t->runs($index);

is(@more, 0, 'one init');
is(join("\n", $t->check_index($index)), '', 'index and files agree');
is($run->{errors}, '', 'decodes without an error');
is_deeply([$t->frame_numbers($run->{file})], [0 .. 299], 'each frame once');
is(@{ $run->{video} }, $video, 'video packets');
cmp_ok(@{ $run->{audio} }, '>=', $audio - 2, 'audio packets');
is_deeply([$t->gaps(@{ $run->{video} })], [0, 0], 'no gap in the pictures');
is_deeply([$t->gaps(@{ $run->{audio} })], [0, 0], 'no gap in the sound');

my @s = @{ $index->{segments} };

is(@s, 10, 'segments of two seconds');
is((grep { !$_->{parts}[0]{independent} } @s), 0, 'each starts with a key');
is((grep { $_->{discontinuity} } @s), 0, 'no discontinuity');
is((grep { abs($s[$_]{wall} - $s[0]{wall} - 2000 * $_) > 20 } 0 .. $#s), 0,
    'wall clock runs with the media');
is($index->{target}, 2000, 'target duration');
is($index->{part_target}, 500, 'part target');
cmp_ok(abs($index->{fps} - 1500), '<', 5, 'pictures in 100 s');
is($index->{dropped}, 0, 'none were dropped');

my $init = $run->{init};

is("$init->{width}x$init->{height}", '1280x720', 'size');
like($init->{codecs}, qr/^avc1\.42[0-9a-f]{4},mp4a\.40\.2$/, 'codecs');
is($init->{b_frames}, 0, 'no B-frames');

my $peak = (sort { $b <=> $a } map { $_->{size} * 8e6 / $_->{duration} } @s)[0];
cmp_ok(abs($init->{bandwidth} / $peak - 1), '<', 0.3, 'bandwidth');

# a part is a fragment of its own

my $s = $s[4];
my $bytes = $t->read_file($t->shm . '/live/' . $t->camera . "/$s->{msn}.m4s");
is((grep { substr($bytes, $_->{offset} + 4, 4) ne 'moof' } @{ $s->{parts} }), 0,
    'parts begin with moof');
is(sum(map { $_->{duration} } @{ $s->{parts} }), $s->{duration},
    'parts fill their segment');

# more segments than are kept

$t->feed({ speed => 30 }, 'small', '--loop=3')->wait(20);
$index = $t->wait_index(sub { $_[0]{state} == 2
    && $_[0]{next_msn} > $s[-1]{msn} + 20 }, 10);

is(@{ $index->{segments} }, 16, 'window');
is(join("\n", $t->check_index($index)), '', 'index and files still agree');

my @files = glob $t->shm . '/live/' . $t->camera . '/*.m4s';
is(@files, 16, 'older files are gone');
is($index->{discontinuity_seq}, 1, 'discontinuity that left is counted');

is(join("\n", $t->alerts), '', 'no alert');

$t->done_testing;

###############################################################################

sub sent {
    my ($feed) = @_;

    $feed->wait(20);
    return split ' ', $feed->log;
}
