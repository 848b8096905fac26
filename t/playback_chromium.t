#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for playing recordings by hls.js in a real headless Chromium: the frame
# that is shown after a seek is that of the second asked for, files, a gap and
# another configuration are played over.

use strict;
use warnings;

use Camera::Playback;
use Camera::Store;
use Camera::Test;
use Camera::Test::Browser;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx ffmpeg camera_recordings));
plan(skip_all => 'no Chromium') unless Camera::Test::Browser->available;

my $hls = $t->root . '/html/node_modules/hls.js/dist/hls.min.js';
plan(skip_all => 'no hls.js') unless -e $hls;

###############################################################################

$t->nginx_conf(Camera::Playback->conf($t,
    server => "location / { root $t->{dir}/www; }"));
mkdir "$t->{dir}/www";
$t->write_file("$t->{dir}/www/hls.js", $t->read_file($hls));
$t->write_file("$t->{dir}/www/index.html", <<'END');
<!DOCTYPE html><video muted playsinline></video><script src="hls.js"></script>
END
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera;
my $p = Camera::Playback->new($t, $camera);
my $start = int(time - 3600);
my @file = (
    $t->make_recording($camera, start => $start, count => 24),
    $t->make_recording($camera, start => $start + 12, first => 24),
    $t->make_recording($camera, start => $start + 60, clip => 'other'),
);

my $browser = Camera::Test::Browser->start($t);
$browser->open('http://127.0.0.1:' . $t->port('http') . '/index.html');

# from a second in the middle

my $from = 1000 * $start + 5000;
play(from => $from, to => $file[2]{end});
ok(wait_for(sub { $_->{ready} >= 3 }), 'it plays');

ok(wait_for(sub { abs($_->{frame} - 15 * ($_->{date} - 1000 * $start) / 1000)
    < 2 }), 'the frame shown is that of its time') or diag(explain(state()));
my $state = state();
cmp_ok($state->{date}, '>=', $from - 70, 'it begins with the second');
cmp_ok(abs($state->{duration} - 36), '<', 0.2, 'a gap takes no time');

# random seconds, each a seek in what plays

my (@wrong, @late);

for (1 .. 8) {
    my $to = 1 + rand 14;
    my $began = time;
    $browser->script('video.pause(); video.currentTime = arguments[0]', $to);
    wait_for(sub { !$_->{seeking} && $_->{ready} >= 2
        && abs($_->{time} - $to) < 0.2 });
    push @late, time - $began;
    wait_for(sub { abs($_->{frame} - 15 * ($to + 4)) <= 2 })
        or push @wrong, "$to: " . state()->{frame};
}

is("@wrong", '', 'seeks show the frame of their time');
@late = sort { $a <=> $b } @late;
note(sprintf 'seeks took %.0f ms at the median', 1000 * $late[4]);

# over the cut, the gap, and into the other configuration

$browser->script('video.currentTime = 7; video.playbackRate = 4; video.play()');
ok(wait_for(sub { $_->{time} > 10 }), 'over the cut of two files');
ok(wait_for(sub { $_->{width} == 640 && $_->{time} > 20 }),
    'over a gap into another size') or diag(explain(state()));
$state = state();
cmp_ok(abs($state->{date} - $file[2]{start} - 1000 * ($state->{time} - 16)),
    '<', 500, 'at its time');
ok(wait_for(sub { $_->{ended} }), 'to the end');
is($browser->script('return window.errors.join(" ")'), '', 'without an error');

$t->done_testing;

###############################################################################

sub play {
    $browser->script(<<'END', $p->entrance(@_));
        window.video = document.querySelector("video");
        window.errors = [];
        window.player = new Hls();
        player.on(Hls.Events.ERROR, (_, data) => {
            if (data.fatal) errors.push(data.details);
        });
        player.loadSource(arguments[0]);
        player.attachMedia(video);
        video.play();
END
}

# what is shown, with the number in its strip; see Camera::Test::Media

sub state {
    return $browser->script(<<'END');
        const canvas = document.createElement("canvas");
        canvas.width = 20;
        canvas.height = 1;
        const context = canvas.getContext("2d");
        context.drawImage(video, 0, 0, video.videoWidth / 2,
            video.videoHeight / 10, 0, 0, 20, 1);
        const data = context.getImageData(0, 0, 20, 1).data;
        let frame = 0;
        for (let i = 0; i < 16; i++) {
            frame = frame * 2 + (data[i * 4] > 125 ? 1 : 0);
        }
        return { frame, time: video.currentTime, ended: video.ended,
            ready: video.readyState, seeking: video.seeking,
            duration: video.duration, width: video.videoWidth,
            date: player.playingDate ? player.playingDate.getTime() : 0 };
END
}

sub wait_for {
    my ($condition) = @_;

    return $t->wait_for(sub { local $_ = state(); $condition->() }, 15,
        'the player');
}
