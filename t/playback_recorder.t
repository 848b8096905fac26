#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for recording and playing back end to end: what the recorder writes is
# seen while it writes it, over the cut of its files, every frame once.

use strict;
use warnings;

use Camera::Live;
use Camera::Playback;
use Camera::Store;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Live->new(workers => 1);
$t->skip_without(qw(nginx worker ffmpeg camera_recordings));

###############################################################################

my $began = int(1000 * time);
$t->start_recorder(length => 10);
$t->nginx_conf(Camera::Playback->conf($t, volumes => [ $t->record_volume ]));
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = { id => $t->camera, tenant => $t->camera, epoch => 1 };
$store->put($camera);
my $p = Camera::Playback->new($t, $camera);

$t->wish($camera->{id}, from => 1);

# sixteen seconds, which reach over the end of a file of ten whenever they begin

my $feed = $t->feed({ speed => 1 }, 'bench2m', '--loop=2');

# two key frames are there: the first piece is

$t->wait_for(sub {
    $t->http_get($p->entrance(from => $began))->{status} == 200;
}, 15, 'something to be recorded');

my $list = $p->playlist(from => $began);
is($list->{type}, 'EVENT', 'it is being recorded');

my $text = $list->{text};
my ($changed, $listed) = (0, 0);

while ($feed->running) {
    my $more = $p->reload;
    $changed++ if substr($more->{text}, 0, length $text) ne $text;
    $listed = @{ $more->{pieces} };
    $text = $more->{text};
    Time::HiRes::sleep(0.1);
}

cmp_ok($listed, '>=', 2, 'pieces come while it is');
is($changed, 0, 'and stay as they are');

$t->ended;

# the last piece may go on, for all one knows

$t->wait_for(sub { @{ ($list = $p->reload)->{pieces} } == 7 }, 5, 'the rest');
my @file = $t->recordings($camera->{id});

is(join(' ', map { $p->frames($_) } grep { @$_ } @{ $list->{groups} }),
    join(' ', 0 .. 119, 0 .. 89), 'every frame once, in its order');
cmp_ok(scalar @file, '>=', 2, 'of two files, or three');
is($list->{groups}[$_][0]{time}, $file[$_]{start}, "when file $_ began")
    for 0 .. $#{ $list->{groups} };
like($p->{master}, qr/RESOLUTION=1280x720,CODECS="avc1\.42/, 'as it was sent');

my $all = join ' ', 0 .. 119, 0 .. 119;
$t->wait_for(sub { downloaded() eq $all }, 10, 'the last piece');
is(downloaded(), $all, 'all of them in the files');

$t->done_testing;

###############################################################################

# the frames of all files

sub downloaded {
    my @numbers;

    for (@file) {
        my $r = $t->http_get($p->download(start => $_->{start}));
        $t->write_file("$t->{dir}/saved.mp4", $r->{body});
        push @numbers, $t->frame_numbers("$t->{dir}/saved.mp4");
    }

    return "@numbers";
}
