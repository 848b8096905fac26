#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a difficult camera in a real player: sound that comes late, a
# clock that is set, a reconnect and another resolution, one after the other,
# while Chromium watches.  The picture goes on after each.

use strict;
use warnings;

use Camera::Live;
use Camera::Test::Browser;
use Camera::Test::Run;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Live->new;
$t->skip_without(qw(nginx postgres migrations worker cli ffmpeg
    camera_rtmps camera_hls));
plan(skip_all => 'no Chromium') unless Camera::Test::Browser->available;
plan(skip_all => 'no page') unless -e $t->root . '/html/dist/watch.html';

my $run = Camera::Test::Run->start($t, DEMO => 0);
$run->wait_ready or BAIL_OUT($run->log);
$t->{shm} = $run->env->{CAMERA_SHM};

my $camera = $run->cli('add', 'difficult');
my $browser = Camera::Test::Browser->start($t);

###############################################################################

my $feed = $t->feed({ camera => $camera->{id}, speed => 1 },
    'small,other,small', qw(--audio-after=11000 --jump-at=14000
    --jump-by=60000 --reconnect-at=17000));

$t->wait_index(sub { $_[0]{segments}[0] }, 5, $camera->{id});
$browser->open(page($camera->{playUrl}));

ok(wait_frames(15, 10), 'plays without sound');
is(sound(), 0, 'there is none');

goes_on('late sound', sub { $_[0]{inits}[-1]{has_audio} });
goes_on('clock set', sub { discontinuities($_[0]) >= 2 });
goes_on('reconnect', sub { discontinuities($_[0]) >= 3 });
goes_on('another resolution', sub {
    grep { $_->{width} == 640 } @{ $_[0]{inits} };
});

ok($t->wait_for(sub {
    $browser->script('return document.querySelector("video").videoWidth')
        == 640;
}, 10, 'size'), 'new size is shown');

$browser->stop;
$feed->stop;
is($run->stop, 0, 'stop');

$t->done_testing;

###############################################################################

# waits for the change in the index, then for pictures after it

sub goes_on {
    my ($name, $changed) = @_;

    my $index = $t->wait_index($changed, 20, $camera->{id});
    ok($changed->($index), "$name: packaged");

    my $since = time;
    ok($t->wait_for(sub {
        my $behind = behind();
        defined $behind && time - $behind > $since;
    }, 15, 'the player'), "$name: player got there") or diag(state());
    ok(wait_frames(15, 10), "$name: pictures go on") or diag(state());
}

sub discontinuities {
    my ($index) = @_;

    return $index->{discontinuity_seq}
        + grep { $_->{discontinuity} } @{ $index->{segments} };
}


sub page {
    my ($url) = @_;

    $url =~ s{^https?://[^/]+(?=/hls/)}{};
    return 'https://localhost:' . $run->port('HTTPS_PORT')
        . "/watch.html#$url";
}


# seconds between what happened and what is shown of it

sub behind {
    return ($browser->script('return document.getElementById("delay")'
        . '.textContent') // '') =~ /^([\d.]+) s behind/ ? $1 : undef;
}


sub frames {
    return $browser->script('return document.querySelector("video")'
        . '.getVideoPlaybackQuality().totalVideoFrames');
}


sub wait_frames {
    my ($more, $seconds) = @_;

    my $from;

    return $t->wait_for(sub {
        my $now = frames();
        $from = $now if !defined $from || $now < $from;
        $now - $from >= $more;
    }, $seconds, 'pictures');
}


sub sound {
    return $browser->script('return document.querySelector("video")'
        . '.webkitAudioDecodedByteCount');
}


sub state {
    return $browser->script('const v = document.querySelector("video");'
        . 'const b = []; for (let i = 0; i < v.buffered.length; i++)'
        . ' b.push(v.buffered.start(i) + "-" + v.buffered.end(i));'
        . 'return document.body.innerText + " | at " + v.currentTime'
        . ' + " of " + b.join(",") + " ready " + v.readyState'
        . ' + " paused " + v.paused + " error "'
        . ' + (v.error ? v.error.message : "none")');
}
