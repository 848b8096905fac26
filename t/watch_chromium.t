#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the watch page in a real headless Chromium: pictures are decoded
# and are those of the camera, a reload of nginx, a pause of the camera and the
# death of a worker are lived through, a refusal is said in words, and nothing
# but this server is talked to.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Browser;
use Camera::Test::Run;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations worker cli ffmpeg
    camera_rtmps camera_hls));
plan(skip_all => 'no Chromium') unless Camera::Test::Browser->available;
plan(skip_all => 'no page') unless -e $t->root . '/html/dist/watch.html';

my $run = Camera::Test::Run->start($t, DEMO => 1);
$run->wait_ready or BAIL_OUT($run->log);
my @links = $run->log =~ m{(https://\S+/watch\.html#\S+)}g;

my $camera = $run->cli('add', 'gate');
my $publisher = publish();
my $browser = Camera::Test::Browser->start($t);

###############################################################################

# the links that were printed

is(scalar @links, 2, 'links of the demo cameras');

for my $n (1, 2) {
    $browser->open('about:blank');
    $browser->open($links[$n - 1]);
    ok(wait_frames(15, 30), "demo camera $n plays");
}

# a camera that was added

$browser->open('about:blank');
$browser->open(page($camera->{playUrl}));
ok(wait_frames(30, 30), 'pictures advance');

my $pixels = pixels();
cmp_ok($pixels->{bright}, '>', 0.05, 'picture is not black');
cmp_ok($pixels->{dark}, '>', 0.05, 'nor white');

ok(says('badge-text', qr/^Live$/), 'state');
ok(says('delay', qr/^\d+\.\d s behind$/), 'delay is shown');
ok(says('delay', qr/^[0-5]\./), 'delay is low');

click('mute');
ok(!$browser->script('return document.getElementById("video").muted'),
    'sound on');
ok(wait_frames(5, 10), 'goes on with sound');

# nginx -s reload

kill 'HUP', $run->env->{NGINX_PID};
ok(wait_frames(60, 20), 'goes on after a reload');

# the camera pauses

$publisher->stop('KILL');
ok(says('badge-text', qr/^Offline$/, 30), 'a pause is shown');
ok(says('notice', qr/The camera sends no picture/), 'in words');

$publisher = publish();
ok(says('badge-text', qr/^Live$/, 30), 'the picture returns by itself');
ok(wait_frames(15, 20), 'and goes on');
ok($t->wait_for(sub { $browser->script(
    'return document.getElementById("notice").hidden') }, 10, 'no words'),
    'words are gone');

# only this server, and no complaint from the browser

my @foreign = grep { !m{^(?:https://localhost:|blob:https://localhost:)} }
    @{ $browser->script('return performance.getEntriesByType("resource")'
        . '.map((entry) => entry.name)') };
is("@foreign", '', 'no other host is asked');

# refusals

$browser->open('about:blank');
$browser->open(page($camera->{playUrl} =~ s/.{8}$/AAAAAAAA/r));
ok(says('badge-text', qr/^Expired$/, 20), 'altered link is refused');
ok(says('notice', qr/This link has expired/), 'in words');

$browser->open('about:blank');
$browser->open(page('https://example.com/playlist.m3u8'));
ok(says('notice', qr/points to another server/), 'foreign address');

$browser->open('about:blank');
$browser->open(page(''));
ok(says('notice', qr/carries no camera address/), 'no address');

unlike($t->read_file($run->var . '/log/access.log'), qr/token=|eyJ/,
    'no token in the log');

$browser->stop;
$publisher->stop;
is($run->stop, 0, 'stop');

$t->done_testing;

###############################################################################

sub publish {
    return $t->publish({ publish_url => $camera->{publishUrl} });
}


sub page {
    my ($url) = @_;

    $url =~ s{^https?://[^/]+(?=/hls/)}{};
    return 'https://localhost:' . $run->port('HTTPS_PORT')
        . "/watch.html#$url";
}


sub text {
    return $browser->script('const e = document.getElementById(arguments[0]);'
        . 'return e ? e.textContent : ""', $_[0]) // '';
}


sub says {
    my ($id, $pattern, $seconds) = @_;

    return $t->wait_for(sub { text($id) =~ $pattern }, $seconds // 10, $pattern)
        || diag(text($id));
}


sub click {
    $browser->script('document.getElementById(arguments[0]).click()', $_[0]);
}


# more pictures are decoded than before

sub wait_frames {
    my ($more, $seconds) = @_;

    my $from;

    return $t->wait_for(sub {
        my $now = $browser->script('const v = document.querySelector("video");'
            . 'return v ? v.getVideoPlaybackQuality().totalVideoFrames : 0');
        $from = $now if !defined $from || $now < $from;
        $now - $from >= $more;
    }, $seconds, 'pictures');
}


# shares of bright and dark pixels of what the video shows

sub pixels {
    return $browser->script(<<'END');
        const video = document.querySelector("video");
        const canvas = document.createElement("canvas");
        canvas.width = 64;
        canvas.height = 36;
        const context = canvas.getContext("2d");
        context.drawImage(video, 0, 0, 64, 36);
        const data = context.getImageData(0, 0, 64, 36).data;
        let bright = 0;
        let dark = 0;
        for (let i = 0; i < data.length; i += 4) {
            const light = (data[i] + data[i + 1] + data[i + 2]) / 3;
            if (light > 96) bright++;
            if (light < 160) dark++;
        }
        return { bright: bright / 2304, dark: dark / 2304 };
END
}
