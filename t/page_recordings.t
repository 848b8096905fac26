#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for recordings in a real Chromium: start recording, see the last hour
# fill, play a moment of it with a click and with keys, mark it, export a range
# and download its file, hold a recording, have it encrypted, follow alerts, look
# at the storage, and at the audit.

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

$page->log_in($run) or BAIL_OUT($run->log);
$page->go("#/cameras/$camera->{id}");

###############################################################################

# nobody has asked for a recording yet

ok($page->has('.player[data-state="live"]'), 'the live picture');
ok($page->has('.timeline'), 'and beneath it the last hour');
ok($page->says('.recordings .badge', 'Not recorded'), 'nobody wants it recorded');
ok($page->has_text('Nothing was recorded in this time.'), 'so nothing is');

# started, it shows itself

$page->click('Start recording');
ok($page->says('.recordings .badge', 'Recording'), 'recording begins');
ok($page->has('.player .rec'), 'marked in the live picture');
ok($t->wait_for(sub { recorded_sec() >= 16 }, 40, 'some seconds'),
    'the last hour fills') or diag($run->log);
$page->key('+', '.timeline-track') for 1 .. 5;
ok($page->says('.timeline-ticks', qr/\d\d:\d\d/), 'under a clock');
like($page->attribute('.timeline-track', 'aria-valuetext'), qr/recorded|Still/,
    'and for those who do not see it');

# a click plays that moment

my $began = (spans())[0][0];
my $clicked = time;
click_time($began + 2000);
ok($page->has('.player[data-recorded][data-state="playing"]'), 'a click plays')
    or diag($page->attribute('.player', 'data-state'), ' ', $page->text('.player'));
ok($page->frames_pass(10), 'pictures advance');
my $at = played_at();
cmp_ok($at, '>=', $began + 1500, 'from that moment on');
cmp_ok($at, '<', $began + 4000 + 1000 * (time - $clicked), 'not from another');

# the space bar and the arrows

$page->key(' ');
ok($page->has('.player[data-recorded][data-state="paused"]'), 'the space bar');
ok(goes_back(), 'an arrow goes back, as far as there is something');
$page->key('ArrowRight');
ok($t->wait_for(sub { abs(played_at() - $began - 10_000) < 2500 }, 10,
    'ten seconds'), 'and ten seconds ahead') or diag(played_at() - $began);

# a bookmark

$page->click('Bookmark');
$page->fill(label => 'A parcel');
$page->click('Add bookmark', 'dialog');
ok($page->has('.timeline-pin[data-type="bookmark"]'), 'a bookmark on the timeline');
ok($page->says('[data-bookmark] .row-name', qr/^[\d:]+(?: [AP]M)?A parcel$/),
    'and in its list');
$page->click_at('[data-bookmark] [aria-label^="Remove"]');
ok($t->wait_for(sub { !$page->there('[data-bookmark]') }, 10, 'removal'), 'removed');

# an export

$page->click('Export');
ok($page->has('.clip'), 'a range');
$page->click('Make one file');
ok($page->has('[data-export]'), 'an export');
ok($page->has('[data-export][data-state="done"]', 30), 'is finished by itself');
my $link = download_of('[data-export] .row-actions button:nth-of-type(2)');
like($link, qr{^/exports/$camera->{id}/[\w-]{36}\.mp4\?}, 'a signed link');
my $file = $run->get($link);
is($file->{status}, 200, 'which is its file');
like($file->{headers}{'content-disposition'}, qr/^attachment; .*\.mp4/,
    'with a name of its own');
$t->write_file($t->dir . '/export.mp4', $file->{body});
cmp_ok(scalar(grep { $_ >= 0 } $t->frame_numbers($t->dir . '/export.mp4')),
    '>', 20, 'with whole pictures');

# files of the day, and a hold

$page->click_at('.files summary');
ok($page->has('[data-recording][data-state="complete"]'), 'files of the day');
$page->click_at('[data-state="complete"] [aria-label^="Hold"]');
$page->fill(reason => 'case 12');
$page->click('Hold', 'dialog');
ok($page->has_text('Held'), 'one is held');
ok($t->wait_for(sub { $page->there('[data-recording] [aria-label^="Remove"]:disabled') },
    10, 'a locked one'), 'and cannot be removed');

# back to life

$page->click('Live');
ok($page->has('.player[data-state="live"]:not([data-recorded])'), 'back to life');

# encrypted, and not any more

$page->click_at('.recordings-head .menu > .button');
$page->click('Encrypt on disk');
ok($page->has('.recordings [aria-label="Encrypted on disk"]'), 'encrypted');
ok($t->wait_for(sub { grep { $t->read_file($_) =~ /edat/ }
    glob $run->var . "/recordings/media/$camera->{id}/*/*.mp4" }, 15, 'edat'),
    'on the disk, too') or diag($run->log);
$page->click_at('.recordings-head .menu > .button');
$page->click('Stop encrypting');
ok($t->wait_for(sub { !$page->there('.recordings [aria-label="Encrypted on disk"]') },
    10, 'plain'), 'and not any more');

# alerts

raise_alert();
ok($t->wait_for(sub { ($page->text('.bell') // '') eq '1' }, 15, 'the bell'),
    'an alert rings by itself') or diag($page->text('.bell'));
$page->click_at('.bell') unless $page->there('.alerts');
ok($page->has_text('Something is wrong'), 'and says what it is');
$page->click_at('.alert [aria-label^="Acknowledge"]');
ok($t->wait_for(sub { !$page->there('.alert') && $page->text('.bell') eq '' }, 10, 'calm'),
    'acknowledged');

# storage

$page->go('#/storage');
ok($page->has('.storage-bars li'), 'storage');
ok($page->says('.storage-facts', qr/Recorded[\d.]+ (?:kB|MB)/), 'says what it takes');
ok($page->says('.storage-bars li', qr/^Loading bay/), 'by camera');

# the audit

$page->go('#/audit');
ok($page->has('.audit-entries li'), 'who did what');
ok($page->says('.audit-entries', qr/auth\.login/), 'logging in, for one');

is($page->violations(), '', 'nothing against the policy');
unlike($t->run('cat', glob $run->var . '/log/*.log'),
    qr/[?&](?:token|m|s)=|eyJ[\w-]+\./, 'no signature in the logs');

$browser->stop;
$publisher->stop;
is($run->stop, 0, 'stop');

$t->done_testing;

###############################################################################

# what the timeline shows as recorded, in milliseconds

sub spans {
    return @{ $page->js('return [...document.querySelectorAll('
        . '".timeline-recorded")].map((one) => [Number(one.dataset.from),'
        . ' Number(one.dataset.to)])') };
}


sub recorded_sec {
    my $sum = 0;

    $sum += ($_->[1] - $_->[0]) / 1000 for spans();
    return $sum;
}


# a click on the timeline, at that time

sub click_time {
    my ($at) = @_;

    $page->js(<<'END', $at);
        const track = document.querySelector(".timeline-track");
        const { left, top, width } = track.getBoundingClientRect();
        const { from, to } = track.dataset;
        const clientX = left + (arguments[0] - from) / (to - from) * width;
        for (const type of ["pointerdown", "pointerup"]) {
            track.dispatchEvent(new PointerEvent(type, { clientX,
                clientY: top + 40, button: 0, pointerId: 1, bubbles: true }));
        }
END
}


# the moment that is shown

sub played_at {
    return $page->js('return Date.parse('
        . 'document.querySelector(".player-time").dateTime)');
}


# ten seconds at a time, however far it had played

sub goes_back {
    for (;;) {
        my $to = played_at() - 10_000;
        $to = $began if $to < $began;
        $page->key('ArrowLeft');
        $t->wait_for(sub { abs(played_at() - $to) < 1500 }, 10, 'an earlier time')
            or return 0;
        return 1 if $to == $began;
    }
}


# where a button would have the browser save something from

sub download_of {
    my ($selector) = @_;

    $page->js(<<'END', $selector);
        window.saved = undefined;
        HTMLAnchorElement.prototype.click = function () {
            window.saved = this.getAttribute("href");
        };
        document.querySelector(arguments[0]).click();
END
    $t->wait_for(sub { $page->js('return window.saved ?? null') }, 10,
        'a download');

    return $page->js('return window.saved');
}


sub raise_alert {
    $t->run('psql', '-XqAt', '-c', "SELECT alert_raise(tenant_id, id,
        'recording_failed', 'critical', 'Something is wrong')
        FROM cameras WHERE id = '$camera->{id}'",
        $run->env->{CAMERA_DATABASE_URL});
}
