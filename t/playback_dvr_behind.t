#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a player that falls behind in a live list that reaches back: hls.js
# in a real headless Chromium pauses until the live store has let go of what it
# would play next, catches up, and has played everything.

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

my $browser = Camera::Test::Browser->start($t);
$browser->open('http://127.0.0.1:' . $t->port('http') . '/index.html');

# thirteen seconds in which eighty pass; wall times are those of the media

my $began = int(1000 * time);
$t->wish($camera->{id}, from => 1);
my $feed = $t->feed({ speed => 6 }, 'small', '--loop=4');
$t->wait_for(sub { ($t->record_state($camera->{id})->{end} // 0)
    > $began + 14_000 }, 15, 'recordings');

play(from => $began + 2000);
wait_for(sub { $_->{ready} >= 3 && $_->{frames} > 5 });
$browser->script('video.currentTime = player.latestLevelDetails.fragments'
    . '.find(one => /hls/.test(one.url)).start + 1; video.pause()');
ok(wait_for(sub { !$_->{seeking} && $_->{ready} >= 3 }), 'plays what is live');
my $paused = state();
my $next = $t->index->{next_msn};

# what it has loaded by now is behind the seam, what comes next is gone

ok($t->wait_for(sub { $t->index->{segments}[0]{msn} > $next }, 15,
    'the store'), 'pauses until the store has let go');
$browser->script('video.playbackRate = 8; video.play()');
$feed->wait(20);
$t->ended;

my $edge = 'return player.latestLevelDetails.edge';
ok(wait_for(sub { $_->{time} > $browser->script($edge) - 0.7 }),
    'catches up to the end') or diag(explain(state()));

my $state = state();
is_deeply($state->{errors}, [], 'without an error');
is($state->{stalls}, 0, 'and nothing was missing');
is($state->{dropped}, 0, 'no fragment is a gap');
my @range = @{ $state->{buffered} }[-2, -1];
cmp_ok($range[0], '<', $paused->{time}, 'from where it was');
cmp_ok($range[1] - $range[0], '>', 40, 'all of it, without a hole')
    or diag(explain($state));

# most of it came out of recordings, under its address of live

my @log = grep { m{GET /hls/[^ ]+\.m4s} } split /\n/,
    $t->read_file("$t->{dir}/access.log");
cmp_ok(scalar(grep { / 206 / } @log), '>', 15, 'segments');
is((grep { !/ 20[06] / } @log), 0, 'all were there');

$t->done_testing;

###############################################################################

sub play {
    $browser->script(<<'END', $p->entrance(@_));
        window.video = document.querySelector("video");
        window.errors = [];
        window.stalls = 0;
        window.player = new Hls({ lowLatencyMode: true, maxBufferLength: 3,
            maxMaxBufferLength: 3, backBufferLength: 600 });
        player.on(Hls.Events.ERROR, (_, data) => {
            if (data.fatal) errors.push(data.details);
            if (/Hole|NudgeOn/.test(data.details)) stalls++;
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
            latency: player.latency, errors, stalls,
            dropped: player.latestLevelDetails ? player.latestLevelDetails
                .fragments.filter(one => one.gap).length : 0,
            date: player.playingDate ? player.playingDate.getTime() : 0 };
END
}

sub wait_for {
    my ($condition) = @_;

    return $t->wait_for(sub { local $_ = state(); $condition->() }, 15,
        'the player');
}
