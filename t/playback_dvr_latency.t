#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the live edge of a list that reaches back: each part as soon as in
# the plain list, whole or as a delta update; and that ffmpeg reads it.

use strict;
use warnings;

use Camera::Back;
use Camera::HTTP;
use Camera::Live;
use Camera::Playback;
use Camera::Store;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Live->new(workers => 1);
$t->skip_without(qw(nginx worker ffmpeg camera_recordings camera_hls));

###############################################################################

$t->start_recorder(length => 10);
$t->nginx_conf(Camera::Playback->conf($t, volumes => [ $t->record_volume ]));
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = { id => $t->camera, tenant => $t->camera, epoch => 1 };
$store->put($camera);

# what was recorded before, then live that is being recorded

$t->wait_for(sub { -e $t->record_volume . '/volume' }, 5, 'a volume');
my $start = int(time) - 22;
$t->make_recording($camera, start => $start, volume => $t->record_volume);
$t->wish($camera->{id}, from => 1);
my $feed = $t->feed({ speed => 1 }, 'small', '--stay');
$t->wait_index(sub { $_[0]{segments}[1] }, 10);

my $p = Camera::Back->new($t, $camera);
my $list = $p->start(from => 1000 * $start);
my $plain = $store->session($camera);
my @recorded = grep { $_->{recorded} } @{ $list->{segments} };
is(@recorded, 10, 'twenty seconds back');

# both ask for the next part at the same time

my (@later, @wrong);
my ($msn, $part) = ($list->{next}, scalar @{ $list->{parts} });

for (0 .. 9) {
    my $what = "&_HLS_msn=$msn&_HLS_part=$part";
    my @ask = map { ask($_) } "$plain$what",
        "$p->{media}$what" . ($_ % 2 ? '&_HLS_skip=YES' : '');
    my @answer = map { answer($_) } @ask;
    push @later, abs($answer[1]{at} - $answer[0]{at});
    my ($one, $other) = map { newest($_->{body}) } @answer;
    push @wrong, "$one, $other" if $one ne $other;
    ($msn, $part) = split /\./, $one;
    $part++;
}

is("@wrong", '', 'both lists have the same newest part');
@later = sort { $a <=> $b } @later;
cmp_ok($later[5], '<', 0.05, 'at the same time');
cmp_ok($later[-1], '<', $list->{part_target}, 'within a part');
note(sprintf '%.0f ms apart at the median', 1000 * $later[5]);
is($list->{hold_back} * 1, 3 * $list->{part_target}, 'players stay as close');

# a reader that knows nothing of parts

my $url = 'http://127.0.0.1:' . $t->port('http')
    . $p->entrance(from => 1000 * $start);
my $probe = $t->run(qw(ffprobe -v error -show_entries),
    'stream=codec_name,width', qw(-of csv=p=0), $url);
my %stream = map { $_ => 1 } grep { /\w/ } split /\n/, $probe;
is(join(' ', sort keys %stream), 'aac h264,320', 'ffprobe');
my $file = $t->dir . '/read.mp4';
$t->run(qw(ffmpeg -nostdin -v error -live_start_index 0 -i), $url,
    qw(-frames:v 320 -c copy), $file);
my @numbers = $t->frame_numbers($file);
is_deeply([ @numbers[0 .. 279] ], [ 0 .. 279 ], 'ffmpeg: what was recorded');
my @live = @numbers[grep { $numbers[$_] < $numbers[$_ - 1] } 1 .. $#numbers];
is(@live, 1, 'and then live');
cmp_ok($numbers[-1], '<', 200, 'from its beginning');

$feed->stop;
$t->done_testing;

###############################################################################

sub ask {
    my ($path) = @_;

    my $s = Camera::HTTP::connect_to($t->port('http'));
    print $s "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    return $s;
}

sub answer {
    my $r = Camera::HTTP::read_response($_[0], time + 10);

    return { %$r, at => time };
}

# the last part listed

sub newest { return ($_[0] =~ /PART:DURATION=[\d.]+,URI="(\d+\.\d+)\.m4s/g)[-1] }
