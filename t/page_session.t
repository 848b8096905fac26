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
use Camera::Test::Page;
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
my $page = Camera::Test::Page->new($t, $browser);
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
ok($page->has('[name=username]'), 'log in is asked for');

$page->fill(username => $user, password => "not $password");
$page->click('Sign in');
ok($page->has_text('User name or password is wrong'), 'wrong password');

$page->fill(password => $password);
$page->click('Sign in');
ok($page->has_text('Add your first camera'), 'logged in, and led to the first step');
is($browser->script('return document.cookie'), '', 'no script reads the cookie');

# add a camera

$page->click('Add camera');
$page->has('[name=serialNumber]');
$page->click('Add and connect');
ok($page->has_text('Is required.'), 'missing fields are marked');

$page->fill(name => 'South gate', location => 'Depot', place => 'Gate 3',
    company => 'Axis', model => 'P3265', serialNumber => 'A-1');
$page->click('Add and connect');
ok($page->has_text('Waiting for your camera'), 'waiting for the camera');
my ($id) = $browser->script('return location.hash') =~ m{([\w-]{36})/connect};
ok($id, 'it has an address of its own');

ok($page->says('.copy', qr{^rtmps://[^/]+/live/[\w-]{16,}\?token=\S+$}),
    'where to push to');
my $address = $page->text('.copy');

# push, and see it

$publisher = $t->publish({ publish_url => $address });
ok($page->has_text('Connected', 30), 'connected');
ok($page->frames_pass(15), 'pictures advance');

$page->click('Open camera');
ok($page->has('.player[data-state="live"]'), 'live');
ok($page->says('.player-delay', qr/^\d+\.\d s behind$/), 'delay is shown');
ok($page->has_text('H.264'), 'facts of the stream');

$page->go('#/cameras');
ok($page->has('.camera-card .poster img'), 'still in the list');
ok($t->wait_for(sub { ($page->js('return document.querySelector(".poster img")'
    . '?.naturalWidth') // 0) >= 160 }, 15, 'the picture'), 'which is a picture');
ok($page->says('.camera-card .badge', 'Live'), 'status in the list');
ok($page->has('.top-state[data-live="true"]'), 'events are followed');
is($page->violations, '', 'nothing against the policy');

# reload

$page->go("#/cameras/$id");
$page->has('.player[data-state="live"]');
$browser->script('location.reload()');
ok($page->has('.player-delay', 20), 'a reload keeps session and place');
ok($page->frames_pass(15), 'and picture');

# nobody notices that access tokens end

$browser->script('window.unbroken = true');
my $renewed = renewals();
ok($t->wait_for(sub { renewals() >= $renewed + 2 }, 40, 'renewals'),
    'tokens were renewed');
ok($browser->script('return window.unbroken'
    . ' && !document.querySelector("[name=username]")'), 'nobody noticed');
ok($page->frames_pass(15), 'pictures still advance');
ok($page->has('.top-state[data-live="true"]'), 'events still come');

# the camera pauses

$publisher->stop('KILL');
ok($page->has('.player[data-state="interrupted"]', 30), 'a pause is shown');
ok($t->wait_for(sub { $page->text('.camera-title .badge') ne 'Live' }, 30, 'status'),
    'and reported');
$publisher = $t->publish({ publish_url => $address });
ok($page->has('.player[data-state="live"]', 30), 'it returns by itself');
ok($page->says('.camera-title .badge', 'Live', 30), 'and is reported');

# somebody else changes it meanwhile

$page->click('Edit');
$page->has('dialog [name=name]');
is(other_client(PUT => "/cameras/$id", { place => 'Gate 4' })->{status}, 200,
    'somebody else changes the place');
$page->fill(name => 'North gate', tags => 'north gate');
$page->click('Save');
ok($page->has_text('Somebody changed this camera meanwhile'), 'which is noticed');
ok($page->says('.changed', qr/Place: Gate 3 . Gate 4/), 'and shown');
$page->click('Save mine on top');
ok($page->says('h1', 'North gate'), 'mine is saved');
my $camera = other_client(GET => "/cameras/$id")->{json};
is("$camera->{name}, $camera->{place}", 'North gate, Gate 4', 'and theirs kept');

# found by its tag

$page->click('north');
ok($t->wait_for(sub { $browser->script('return location.hash')
    eq '#/cameras?tag=north' }, 10, 'address'), 'a tag leads to the list');
ok($page->has('.camera-card'), 'where the camera is');
$page->go('#/cameras?tag=south');
ok($page->has_text('No camera matches'), 'but not under another tag');
$page->go("#/cameras/$id");
ok($page->has('.camera-title'), 'back');

# another tab, removing, logging out

my $first = $browser->tab;
my $second = $browser->new_tab;
$browser->open($home);
ok($page->has('.camera-card'), 'another tab is logged in');

$browser->tab($first);
$page->click_at('[aria-label="More"]');
$page->click('Remove camera');
ok($page->has_text('It is live: it is cut'), 'what removing means');
$page->click('Remove camera', 'dialog');
ok($page->has_text('Add your first camera'), 'removed');
ok($page->has_text('North gate was removed and its live picture ended'),
    'what became of it');

$browser->tab($second);
ok($page->has_text('Add your first camera'), 'the other tab heard of it');

$page->click_at('.who');
$page->click('Sign out');
ok($page->has('[name=username]'), 'logged out');
$browser->tab($first);
ok($page->has('[name=username]'), 'in the other tab, too');
$browser->script('location.reload()');
ok($page->has('[name=username]'), 'for good');

my @foreign = grep { !m{^(?:blob:)?https://localhost:} }
    @{ $browser->script('return performance.getEntriesByType("resource")'
        . '.map((entry) => entry.name)') };
is("@foreign", '', 'no other host is asked');
is($page->violations, '', 'nothing against the policy');
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
