#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the wall in a real Chromium: all that is online plays at once, then
# the layout that is the default; one that goes dark keeps its place and says
# so; a click opens a camera; layouts are of one user, and another one has none
# of them.

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
    camera_rtmps camera_hls));
plan(skip_all => 'no Chromium') unless Camera::Test::Browser->available;
plan(skip_all => 'no page') unless -e $t->root . '/html/dist/index.html';

my $run = Camera::Test::Run->start($t);
$run->wait_ready or BAIL_OUT($run->log);

my ($gate, $dock, $yard) = map { $run->cli('add', $_) } qw(Gate Dock Yard);
my @publishers = map { $t->publish({ publish_url => $_->{publishUrl} }) }
    $gate, $dock;
my $admin = login(@{ $run->env }{qw(CAMERA_ADMIN_USER CAMERA_ADMIN_PASSWORD)});
my $browser = Camera::Test::Browser->start($t);
my $page = Camera::Test::Page->new($t, $browser);

###############################################################################

# without a layout: what is online

$page->log_in($run) or BAIL_OUT($run->log);
$page->click('Wall', '.screen-head');
ok($page->has_text('Wall') && plays($gate), 'one camera plays');
ok(plays($dock), 'the other one, too');
ok(frames_pass($gate, $dock), 'at once');
ok(!$page->there(picture($yard)), 'what sends nothing has no place');
is($page->js('return [...document.querySelectorAll(".wall video")]'
    . '.filter((one) => !one.muted).length'), 0, 'without sound');
is($page->attribute(picture($gate), 'aria-label'), 'Gate, Live',
    'for those who do not see it');
$page->key('ArrowRight', picture($gate)) if focus($gate);
is($page->js('return document.activeElement.dataset.camera'), $dock->{id},
    'an arrow key leads to the next');

# the layout that is the default

request(POST => '/layouts', { name => 'Doors', isDefault => JSON::PP::true,
    layout => [ cell($dock, 0, 0, 2, 2), cell($yard, 2, 0, 1, 1),
        cell($gate, 2, 1, 1, 1) ] }, $admin);
$page->js('location.reload()');
ok($t->wait_for(sub { $page->text('h1') eq 'Doors' }, 15, 'the layout'),
    'the default layout opens first');
ok(plays($gate) && plays($dock) && frames_pass($gate, $dock), 'and plays');
is($page->text(picture($yard) . ' .wall-words'), 'Offline',
    'what sends nothing says so');
my ($large, $small) = map { $page->js('return document.querySelector('
    . 'arguments[0]).getBoundingClientRect().width', picture($_)) } $dock, $gate;
cmp_ok($large, '>', 1.9 * $small, 'each in its place and size');
$page->click_at('[aria-label="Choose a layout"]');
$page->has('[role=menuitem]');
$page->click('All that is online');
ok($t->wait_for(sub { $page->text('h1') eq 'Wall' }, 15, 'the wall'),
    'all that is online can still be chosen');
$page->go('#/wall/somebody-elses');
ok($page->has_text('There is no such layout'), 'a layout that is not there');

# one goes dark

$page->go('#/wall');
plays($gate);
$publishers[1]->stop('KILL');
ok($t->wait_for(sub { $page->text(picture($dock) . ' .wall-words') eq 'Offline' },
    30, 'the words'), 'a camera that goes away says so where it was');
ok(frames_pass($gate), 'and the other plays on');

# a camera of its own

$page->click_at(picture($gate));
ok($page->has('.player[data-state="live"]'), 'a click opens the camera');
is($page->text('h1'), 'Gate', 'that one');
is($page->violations, '', 'nothing against the policy');

# somebody else

add_user('vera', 'first day 1');
$page->click_at('.who');
$page->click('Sign out');
$page->has('[name=username]');
$page->fill(username => 'vera', password => 'first day 1');
$page->click('Sign in');
$page->has('.top-state[data-live="true"]');
$page->go('#/wall');
ok(plays($gate), 'another user sees what is online');
ok(!$page->there('[aria-label="Choose a layout"]'), 'and no layout but their own');
is($page->violations, '', 'nothing against the policy');

$browser->stop;
$publishers[0]->stop;
is($run->stop, 0, 'stop');

$t->done_testing;

###############################################################################

sub picture { return qq(.wall-picture[data-camera="$_[0]{id}"]) }


sub plays { return $page->has(picture($_[0]) . '[data-state="live"]', 45) }


# ten more pictures of each of them

sub frames_pass {
    my @cameras = @_;

    my %from;

    return $t->wait_for(sub {
        for my $camera (@cameras) {
            my $now = frames($camera) // return 0;
            my $id = $camera->{id};
            $from{$id} = $now if !defined $from{$id} || $now < $from{$id};
            return 0 if $now - $from{$id} < 10;
        }
        1;
    }, 45, 'pictures');
}


sub frames {
    my ($camera) = @_;

    return $page->js('return document.querySelector(arguments[0])'
        . '?.getVideoPlaybackQuality().totalVideoFrames',
        picture($camera) . ' video');
}


sub focus {
    my ($camera) = @_;

    $page->js('document.querySelector(arguments[0]).focus()', picture($camera));

    return 1;
}


sub cell {
    my ($camera, $x, $y, $width, $height) = @_;

    return { cameraId => $camera->{id}, position => { x => $x, y => $y },
        size => { width => $width, height => $height } };
}


# a viewer whose password is their own

sub add_user {
    my ($name, $password) = @_;

    request(POST => '/users', { username => $name, role => 'viewer',
        password => $password }, $admin);
    $t->run('psql', '-XqAt', '-c', "UPDATE users SET must_change_password = false
        WHERE username = '$name'", $run->env->{CAMERA_DATABASE_URL});
}


sub login {
    my ($name, $password) = @_;

    return request(POST => '/auth/login',
        { username => $name, password => $password })->{accessToken};
}


sub request {
    my ($method, $path, $json, $bearer) = @_;

    return decode_json($run->get("/api/v1$path", method => $method,
        body => encode_json($json), headers => [
            'Content-Type: application/json',
            $bearer ? "Authorization: Bearer $bearer" : (),
        ])->{body});
}
