#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a live list that reaches back, played by hls.js in a real headless
# Chromium: a minute back, then at the live edge with the latency of live, then
# far enough behind that the live store has let go of what is played.

use strict;
use warnings;

use Camera::Back;
use Camera::Live;
use Camera::Playback;
use Camera::Store;
use Camera::Test::Browser;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Live->new(workers => 1);
$t->skip_without(qw(nginx worker ffmpeg camera_recordings camera_hls));
plan(skip_all => 'no Chromium') unless Camera::Test::Browser->available;

my $hls = $t->root . '/html/node_modules/hls.js/dist/hls.light.min.js';
plan(skip_all => 'no hls.js') unless -e $hls;

###############################################################################

$t->start_recorder(length => 10);
$t->nginx_conf(Camera::Playback->conf($t, volumes => [ $t->record_volume ],
    server => "location / { root $t->{dir}/www; }"));
mkdir "$t->{dir}/www";
$t->write_file("$t->{dir}/www/hls.js", $t->read_file($hls));
$t->write_file("$t->{dir}/www/index.html", <<'END');
<!DOCTYPE html><video muted playsinline></video><script src="hls.js"></script>
END
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = { id => $t->camera, tenant => $t->camera, epoch => 1 };
$store->put($camera);
my $p = Camera::Back->new($t, $camera);

# a minute of what was recorded before, then live that is being recorded

$t->wait_for(sub { -e $t->record_volume . '/volume' }, 5, 'a volume');
my $start = int(time) - 63;
$t->make_recording($camera, start => $start + 20 * $_,
    volume => $t->record_volume) for 0 .. 2;
$t->wish($camera->{id}, from => 1);
my $feed = $t->feed({ speed => 1 }, 'small', '--loop=3');
$t->wait_index(sub { $_[0]{segments}[1] }, 10);

my $browser = Camera::Test::Browser->start($t);
$browser->open('http://127.0.0.1:' . $t->port('http') . '/index.html');

my $asked = time;
play(from => 1000 * $start + 5000);
ok(wait_for(sub { $_->{ready} >= 3 && $_->{frames} > 10 }), 'a minute back')
    or diag(explain(state()));
ok(wait_for(sub { abs($_->{frame} - 15 * ($_->{date} / 1000 - $start)) < 3 }),
    'the frame of its second') or diag(explain(state()));
my $state = state();
cmp_ok($state->{date}, '<', 1000 * ($start + 8 + time - $asked),
    'from the second asked for');

# back to live

$browser->script('video.currentTime = player.liveSyncPosition');
ok(wait_for(sub { !$_->{seeking} && $_->{ready} >= 3 && $_->{latency} < 4 }),
    'back to live') or diag(explain(state()));
my $frames = state()->{frames};
ok(wait_for(sub { $_->{frames} > $frames + 30 }), 'pictures go on');
ok(wait_for(sub { $_->{latency} < 3 }), 'with the latency of live')
    or diag(explain(state()));
$state = state();
cmp_ok(abs($state->{now} - $state->{date}), '<', 4000, 'by the wall clock, too');
note(sprintf '%.2f s behind', $state->{latency});

# over the seam, at four times the speed

$browser->script('video.currentTime = player.latestLevelDetails.fragments'
    . '.find(one => /hls/.test(one.url)).start - 4; video.playbackRate = 4');
my $seam = state()->{time};
ok(wait_for(sub { !$_->{seeking} && $_->{time} > $seam + 8 }),
    'over the seam') or diag(explain(state()));
$browser->script('video.playbackRate = 1; video.currentTime = 2');
ok(wait_for(sub { !$_->{seeking} && $_->{ready} >= 3 && $_->{time} > 2.5 }),
    'and as far back as it goes');
is($browser->script('return window.errors.join(" ")'), '', 'without an error');
$feed->stop;

$t->done_testing;

###############################################################################

sub play {
    $browser->script(<<'END', $p->entrance(@_));
        window.video = document.querySelector("video");
        window.errors = [];
        window.player = new Hls({ lowLatencyMode: true,
            maxLiveSyncPlaybackRate: 1.1 }); // as html/src/player/player.ts
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
        const buffered = [];
        for (let i = 0; i < video.buffered.length; i++) {
            buffered.push(video.buffered.start(i), video.buffered.end(i));
        }
        return { frame, buffered, time: video.currentTime,
            ready: video.readyState, seeking: video.seeking,
            frames: video.getVideoPlaybackQuality().totalVideoFrames,
            latency: player.latency, errors, now: Date.now(),
            date: player.playingDate ? player.playingDate.getTime() : 0 };
END
}

sub wait_for {
    my ($condition) = @_;

    return $t->wait_for(sub { local $_ = state(); $condition->() }, 15,
        'the player');
}
