#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the whole way: a camera pushes, FFmpeg plays the signed URL, every
# frame arrives once and in order, over a reload of nginx.

use strict;
use warnings;

use Camera::Stopwatch;
use Camera::Store;
use Camera::Test;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(postgres migrations ffmpeg worker camera_hls));

###############################################################################

$t->start_all;

my $camera = $t->add_camera(name => 'gate');
my $p = $t->publish($camera);

my $start = time;
my $r;
ok($t->wait_for(sub {
    $r = $t->http_get($camera->{play_path});
    $r->{status} == 200;
}, 10, 'picture'), 'on the air');
note sprintf 'after %.2f s', time - $start;

# by plain GET

my ($base) = $camera->{play_path} =~ m{^(.*/)};
my ($variant) = $r->{body} =~ /^(live\S+)/m;
like($r->{body}, qr/BANDWIDTH=\d{4,},RESOLUTION=\d+x\d+,CODECS="avc1/,
    'what there is to see');

my $text = $t->http_get($base . $variant)->{body};
my @uris = Camera::Store->uris($text);
my @bad = grep { $t->http_get($base . $_)->{status} != 200 } @uris;
is("@bad", '', 'every URI of the playlist, by a plain GET');

# by FFmpeg

my $file = $t->dir . '/played.mp4';
my $player = Camera::Process->start({ log => $t->dir . '/player.out' },
    'ffmpeg', '-nostdin', '-v', 'error', '-y', '-i', $camera->{play_url},
    '-t', 8, '-c', 'copy', $file);

ok($t->wait_for(sub { -s $file }, 10, 'player'), 'FFmpeg plays');
ok($t->reload, 'reload of nginx');
ok($t->wait_for(sub { !$player->running }, 20, 'end'), 'played eight seconds');

my @frames = $t->frame_numbers($file);
cmp_ok(@frames, '>', 100, scalar @frames . ' frames');
is(join(' ', grep { $frames[$_] != $frames[$_ - 1] + 1 } 1 .. $#frames), '',
    'each once and in order');

# revoked in the database, with the player on and in either worker

my $url = $t->http_get($camera->{play_path});
is($url->{status}, 200, 'a second session');
my ($second) = $url->{body} =~ /^(live\S+)/m;
my @lists = map { $base . $_ } $variant, $second;
is(join(' ', map { $t->http_get($_)->{status} } @lists), '200 200', 'plays');

$t->sql("UPDATE cameras SET play_epoch = play_epoch + 1
    WHERE id = '$camera->{id}'");
my $watch = Camera::Stopwatch->start;
ok($t->wait_for(sub {
    !grep { $t->http_get($_)->{status} != 403 } (@lists) x 4;
}, 3, 'revocation'), 'revoked');
cmp_ok($watch->seconds, '<', 1, 'within a second');
is($t->http_get($camera->{play_path})->{status}, 403, 'nor does its token');

$t->done_testing;
