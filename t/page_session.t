#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a whole first session in a real Chromium: log in, add a camera,
# push to the address the page shows, see the picture, reload, outlive access
# tokens of ten seconds, change the camera while somebody else does, remove it,
# log out in two tabs.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Test;
use Camera::Test::Browser;
use Camera::Test::Run;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations worker cli ffmpeg
    camera_rtmps camera_hls camera_api_access_ttl));
plan(skip_all => 'no Chromium') unless Camera::Test::Browser->available;
plan(skip_all => 'no page') unless -e $t->root . '/html/dist/index.html';

my $run = Camera::Test::Run->start($t);
$run->wait_ready or BAIL_OUT($run->log);
shorten_tokens();

my $home = 'https://localhost:' . $run->port('HTTPS_PORT') . '/';
my ($user, $password) = @{ $run->env }{qw(CAMERA_ADMIN_USER
    CAMERA_ADMIN_PASSWORD)};
my $browser = Camera::Test::Browser->start($t);
my $publisher;

###############################################################################

# the files of the page

my $index = $run->get('/');
like($index->{body}, qr{<div id="root">}, 'the page is what one comes to');
like($index->{headers}{'cache-control'}, qr/no-cache/, 'looked up each time');
my ($script) = $index->{body} =~ m{src="\./(assets/[^"]+\.js)"};
my $packed = $run->get("/$script", headers => ['Accept-Encoding: gzip']);
is($packed->{headers}{'content-encoding'}, 'gzip', 'compressed');
cmp_ok(length $packed->{body}, '<', 150_000, 'and small');
like($packed->{headers}{'cache-control'}, qr/max-age=31536000/, 'kept a year');
is($run->get('/cameras')->{status}, 404, 'what is no file is not found');

# log in

$browser->open($home);
ok(wait_for('[name=username]'), 'log in is asked for');

fill(username => $user, password => "not $password");
click('Sign in');
ok(wait_text('User name or password is wrong'), 'wrong password');

fill(password => $password);
click('Sign in');
ok(wait_text('Add your first camera'), 'logged in, and led to the first step');
is($browser->script('return document.cookie'), '', 'no script reads the cookie');

# add a camera

click('Add camera');
wait_for('[name=serialNumber]');
click('Add and connect');
ok(wait_text('Is required.'), 'missing fields are marked');

fill(name => 'South gate', location => 'Depot', place => 'Gate 3',
    company => 'Axis', model => 'P3265', serialNumber => 'A-1');
click('Add and connect');
ok(wait_text('Waiting for your camera'), 'waiting for the camera');
my ($id) = $browser->script('return location.hash') =~ m{([\w-]{36})/connect};
ok($id, 'it has an address of its own');

my $address = text('.copy');
like($address, qr{^rtmps://[^/]+/live/[\w-]{16,}\?token=\S+$}, 'where to push to');

# push, and see it

$publisher = $t->publish({ publish_url => $address });
ok(wait_text('Connected', 30), 'connected');
ok(wait_frames(15), 'pictures advance');

click('Open camera');
ok(wait_for('.player[data-state="live"]'), 'live');
like(text('.player-delay'), qr/^\d+\.\d s behind$/, 'delay is shown');
ok(wait_text('H.264'), 'facts of the stream');

go('#/cameras');
ok(wait_for('.camera-card .poster img'), 'still in the list');
cmp_ok($browser->script('return document.querySelector(".poster img")'
    . '.naturalWidth'), '>=', 160, 'which is a picture');
is(text('.camera-card .badge'), 'Live', 'status in the list');
ok(wait_for('.top-state[data-live="true"]'), 'events are followed');
is(violations(), '', 'nothing against the policy');

# reload

go("#/cameras/$id");
wait_for('.player[data-state="live"]');
$browser->script('location.reload()');
ok($t->wait_for(sub { defined eval { text('.player-delay') } }, 20,
    'the player'), 'a reload keeps session and place');
ok(wait_frames(15), 'and picture');

# nobody notices that access tokens end

$browser->script('window.unbroken = true');
my $renewed = renewals();
ok($t->wait_for(sub { renewals() >= $renewed + 2 }, 40, 'renewals'),
    'tokens were renewed');
ok($browser->script('return window.unbroken'
    . ' && !document.querySelector("[name=username]")'), 'nobody noticed');
ok(wait_frames(15), 'pictures still advance');
ok(wait_for('.top-state[data-live="true"]'), 'events still come');

# the camera pauses

$publisher->stop('KILL');
ok(wait_for('.player[data-state="interrupted"]', 30), 'a pause is shown');
ok($t->wait_for(sub { text('.camera-title .badge') ne 'Live' }, 30, 'status'),
    'and reported');
$publisher = $t->publish({ publish_url => $address });
ok(wait_for('.player[data-state="live"]', 30), 'it returns by itself');
ok($t->wait_for(sub { text('.camera-title .badge') eq 'Live' }, 30, 'status'),
    'and is reported');

# somebody else changes it meanwhile

click('Edit');
wait_for('dialog [name=name]');
is(other_client(PUT => "/cameras/$id", { place => 'Gate 4' })->{status}, 200,
    'somebody else changes the place');
fill(name => 'North gate', tags => 'north gate');
click('Save');
ok(wait_text('Somebody changed this camera meanwhile'), 'which is noticed');
like(text('.changed'), qr/Place: Gate 3 . Gate 4/, 'and shown');
click('Save mine on top');
ok($t->wait_for(sub { text('h1') eq 'North gate' }, 10, 'name'), 'mine is saved');
my $camera = other_client(GET => "/cameras/$id")->{json};
is("$camera->{name}, $camera->{place}", 'North gate, Gate 4', 'and theirs kept');

# found by its tag

click('north');
ok($t->wait_for(sub { $browser->script('return location.hash')
    eq '#/cameras?tag=north' }, 10, 'address'), 'a tag leads to the list');
ok(wait_for('.camera-card'), 'where the camera is');
go('#/cameras?tag=south');
ok(wait_text('No camera matches'), 'but not under another tag');
go("#/cameras/$id");
ok(wait_for('.camera-title'), 'back');

# another tab, removing, logging out

my $first = $browser->tab;
my $second = $browser->new_tab;
$browser->open($home);
ok(wait_for('.camera-card'), 'another tab is logged in');

$browser->tab($first);
click_at('[aria-label="More"]');
click('Remove camera');
ok(wait_text('It is live: it is cut'), 'what removing means');
click_in_dialog('Remove camera');
ok(wait_text('Add your first camera'), 'removed');
ok(wait_text('North gate was removed and its live picture ended'),
    'what became of it');

$browser->tab($second);
ok(wait_text('Add your first camera'), 'the other tab heard of it');

click_at('.who');
click('Sign out');
ok(wait_for('[name=username]'), 'logged out');
$browser->tab($first);
ok(wait_for('[name=username]'), 'in the other tab, too');
$browser->script('location.reload()');
ok(wait_for('[name=username]'), 'for good');

my @foreign = grep { !m{^(?:blob:)?https://localhost:} }
    @{ $browser->script('return performance.getEntriesByType("resource")'
        . '.map((entry) => entry.name)') };
is("@foreign", '', 'no other host is asked');
is(violations(), '', 'nothing against the policy');
unlike($t->read_file($run->var . '/log/access.log'),
    qr/token=|eyJ|\Q$password\E/, 'no secret in the log');

$browser->stop;
$publisher->stop;
is($run->stop, 0, 'stop');

$t->done_testing;

###############################################################################

# access tokens live for ten seconds, the shortest life there is

sub shorten_tokens {
    my $file = $run->var . '/conf/api.conf';

    $t->write_file($file, $t->read_file($file)
        =~ s/^camera_api_access_ttl \s*\K.*$/10s;/mr);
    kill 'HUP', $run->env->{NGINX_PID};
    $t->wait_for(sub { (login()->{json}{expiresIn} // 0) == 10 }, 20,
        'short tokens') or BAIL_OUT('tokens live as long as before');
}


sub login {
    my ($name, $secret) = @{ $run->env }{qw(CAMERA_ADMIN_USER
        CAMERA_ADMIN_PASSWORD)};

    return request(POST => '/auth/login',
        { username => $name, password => $secret });
}


# what a program does that has a session of its own

sub other_client {
    my ($method, $path, $json) = @_;

    return request($method, $path, $json, login()->{json}{accessToken});
}


sub request {
    my ($method, $path, $json, $token) = @_;

    my $r = $run->get("/api/v1$path", method => $method, headers => [
        $json ? 'Content-Type: application/json' : (),
        $token ? "Authorization: Bearer $token" : (),
    ], $json ? (body => encode_json($json)) : ());
    $r->{json} = eval { decode_json($r->{body}) } // {};

    return $r;
}


sub renewals {
    return scalar(() = $t->read_file($run->var . '/log/api.log')
        =~ m{/auth/refresh","status":200}g);
}


# the page, as a person sees it

sub wait_for {
    my ($selector, $seconds) = @_;

    return $t->wait_for(sub {
        eval { $browser->script(
            'return document.querySelector(arguments[0]) !== null', $selector) };
    }, $seconds // 15, $selector);
}


sub wait_text {
    my ($text, $seconds) = @_;

    return $t->wait_for(sub {
        eval { $browser->script('return document.body.innerText'
            . '.includes(arguments[0])', $text) };
    }, $seconds // 15, $text);
}


sub text {
    return $browser->script('return document.querySelector(arguments[0])'
        . '?.textContent', $_[0]);
}


sub click {
    my ($name, $root) = @_;

    $browser->script(<<'END', $name, $root // 'body');
        const [name, root] = arguments;
        const all = document.querySelector(root)
            .querySelectorAll("button, a, [role=menuitem]");
        [...all].find((one) => one.textContent.trim() === name).click();
END
}


sub click_in_dialog { click($_[0], 'dialog') }


sub click_at {
    $browser->script('document.querySelector(arguments[0]).click()', $_[0]);
}


sub go {
    $browser->script('location.hash = arguments[0]', $_[0]);
}


# as typed: what React renders from is the event

sub fill {
    my %value = @_;

    $browser->script(<<'END', $_, $value{$_}) for keys %value;
        const [name, value] = arguments;
        const open = document.querySelector("dialog") ?? document;
        const field = open.querySelector(`[name="${name}"]`);
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")
            .set.call(field, value);
        field.dispatchEvent(new Event("input", { bubbles: true }));
END
}


# more pictures are decoded than before

sub wait_frames {
    my ($more) = @_;

    my $from;

    return $t->wait_for(sub {
        my $now = eval { $browser->script(
            'return document.querySelector("video")'
            . '.getVideoPlaybackQuality().totalVideoFrames') } // return;
        $from //= $now;
        $now - $from >= $more;
    }, 30, 'pictures');
}


# what the browser did not allow since the page was loaded

sub violations {
    return join ' ', @{ $browser->script(<<'END') };
        return new Promise((resolve) => {
            new ReportingObserver(
                (reports) => resolve(reports.map((one) => one.body.blockedURL)),
                { buffered: true, types: ["csp-violation"] }).observe();
            setTimeout(() => resolve([]), 200);
        });
END
}
