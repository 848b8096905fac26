#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for going back from live in a real Chromium: what was a moment ago is
# played off the live list, goes on beyond the moment of the click without a
# break and, faster, becomes live by itself; a live picture that stood still goes
# on where it stood; of a camera that is gone what was recorded is played.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Test;
use Camera::Test::Browser;
use Camera::Test::Page;
use Camera::Test::Run;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations worker cli ffmpeg
    camera_rtmps camera_hls camera_recordings));
plan(skip_all => 'no Chromium') unless Camera::Test::Browser->available;
plan(skip_all => 'no page') unless -e $t->root . '/html/dist/index.html';

my $run = Camera::Test::Run->start($t, RECORD_LENGTH => 10);
$run->wait_ready or BAIL_OUT($run->log);

my $camera = $run->cli('add', 'Loading bay');
my $publisher = $t->publish({ publish_url => $camera->{publishUrl} });
my $browser = Camera::Test::Browser->start($t);
my $page = Camera::Test::Page->new($t, $browser);
my $live = '.player[data-state="live"]:not([data-recorded])';

$page->log_in($run) or BAIL_OUT($run->log);
$page->go("#/cameras/$camera->{id}");
$page->has($live);
$page->js('performance.setResourceTimingBufferSize(5000)');
$page->click('Start recording');
$t->wait_for(sub { recorded_sec() >= 14 }, 60, 'some seconds')
    or BAIL_OUT($run->log);

###############################################################################

# ten seconds back, and on

note_states();
note_bars();
my $before = lists();
my $clicked = now();
$page->key('ArrowLeft');
ok($page->has('.player[data-recorded][data-state="playing"]'), 'back from live');
near($clicked - 10_000, $clicked, 3000, 'by ten seconds');
like(lists(), qr{^\Q$before\E /hls/[^ ]+\?from=\d+$}, 'off the live list');
note_states();
$page->choose(speed => "4\x{d7}");
ok($t->wait_for(sub { (eval { played_at() } // 0) > $clicked || $page->there($live) },
    20, 'the moment of the click'), 'over the moment of the click');
unlike(states(), qr/ended|nothing/, 'without an end') or diag(states());
is(scalar(() = lists() =~ /\?from=/g), 1, 'off the same list');
ok($page->has($live), 'and it becomes live by itself');

# it stands still, and goes on

my $stood = now();
$page->key(' ');
ok($page->says('.player .badge', 'Paused'), 'a live picture stands still');
$t->wait_for(sub { now() - $stood > 8000 }, 10, 'a while');
is($page->js('return document.querySelector("video").paused'), JSON::PP::true,
    'for as long as one likes');
my $on = now();
$page->key(' ');
ok($page->has('.player[data-recorded][data-state="playing"]'), 'and goes on');
near($stood, $on, 4000, 'where it stood');
$page->click('Live');
ok($page->has($live), 'live again');

# the timeline has one bar, as nothing is missing where a file follows another

is($page->js('return Math.max(...window.bars)'), 1, 'recorded without a gap')
    or diag($page->js('return window.bars.join(" ")'));

# a camera that is gone

$publisher->stop('KILL');
ok($t->wait_for(sub { $page->text('.camera-title .badge') ne 'Live' }, 30,
    'the status'), 'the camera is gone');
$page->key('ArrowLeft');
$page->key('ArrowLeft');
ok($page->has('.player[data-recorded][data-state="playing"]', 20),
    'what it recorded is played') or diag(lists(), states());
like(lists(), qr{/recordings/\S+$}, 'off the list of recordings');

is($page->violations, '', 'nothing against the policy');
$browser->stop;
is($run->stop, 0, 'stop');

$t->done_testing;

###############################################################################

sub recorded_sec {
    return $page->js('return [...document.querySelectorAll('
        . '".timeline-recorded")].reduce((sum, one) => sum +'
        . ' (one.dataset.to - one.dataset.from) / 1000, 0)');
}


# is shown what was played from a moment on, which began at another?

sub near {
    my ($from, $began, $msec, $name) = @_;

    my $late = played_at() - $from;
    cmp_ok($late, '>', -$msec, $name);
    cmp_ok($late, '<', $msec + now() - $began, "$name, and on");
}


# the browser's clock, in milliseconds; what is shown

sub now { return $page->js('return Date.now()') }

sub played_at {
    return $page->js('return Date.parse('
        . 'document.querySelector(".player-time").dateTime)');
}


# what the player says of itself from now on

sub note_states {
    $page->js(<<'END');
        window.states = [];
        window.observer?.disconnect();
        window.observer = new MutationObserver((changes) =>
            changes.forEach(({ target }) =>
                window.states.push(target.dataset.state)));
        window.observer.observe(document.body, { subtree: true,
            attributeFilter: ["data-state"] });
END
}

# how many bars the timeline shows from now on

sub note_bars {
    $page->js(<<'END');
        window.bars = [];
        new MutationObserver(() => window.bars.push(
            document.querySelectorAll(".timeline-recorded").length)).observe(
            document.querySelector(".timeline-recorded").parentNode,
            { subtree: true, childList: true });
END
}

sub states { return join ' ', @{ $page->js('return window.states') } }


# the lists that were begun, in order, without what is secret

sub lists {
    return $page->js('return performance.getEntriesByType("resource")'
        . '.map((one) => one.name).filter((one) => /playlist\.m3u8/.test(one))'
        . '.map((one) => one.replace(/^https:..[^\/]+/, "")'
        . '.replace(/token=[^&]+&?/, "").replace(/\?$/, "")).join(" ")');
}
