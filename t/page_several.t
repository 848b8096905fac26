#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for somebody who watches several cameras in a real Chromium: a picture
# of each in the list, renewed by itself; one after the other live; two of them
# live at a time, in windows beside each other; one that goes away, and the
# others stay.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Test;
use Camera::Test::Browser;
use Camera::Test::Page;
use Camera::Test::Run;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations worker cli ffmpeg
    camera_rtmps camera_hls));
plan(skip_all => 'no Chromium') unless Camera::Test::Browser->available;
plan(skip_all => 'no page') unless -e $t->root . '/html/dist/index.html';

my $run = Camera::Test::Run->start($t);
$run->wait_ready or BAIL_OUT($run->log);

my @cameras = map { $run->cli('add', $_) } 'Gate', 'Dock', 'Yard';
my @publishers = map { $t->publish({ publish_url => $_->{publishUrl} }) }
    @cameras;
my $home = 'https://localhost:' . $run->port('HTTPS_PORT') . '/';
my $browser = Camera::Test::Browser->start($t);
my $page = Camera::Test::Page->new($t, $browser);

###############################################################################

# all of them in the list

$page->log_in($run) or BAIL_OUT($run->log);
ok($t->wait_for(sub { 3 == grep { state($_) eq 'Live' } @cameras }, 30, 'live'),
    'three cameras are live');
ok($t->wait_for(sub { 3 == grep { picture($_) } @cameras }, 30, 'pictures'),
    'with a picture each');
my @first = map { picture($_) } @cameras;
ok($t->wait_for(sub { !grep { picture($cameras[$_]) eq $first[$_] } 0 .. 2 }, 30,
    'others'), 'which are renewed by themselves');

# one after the other

$page->click_at(card($cameras[0]));
ok($page->has('.player[data-state="live"]'), 'the first, live');
ok($page->frames_pass(10), 'pictures advance');
ok($page->says('h1', 'Gate'), 'it is that one');
$page->click_at('.back');
ok($page->has(card($cameras[1]) . ' img'), 'back, where pictures still are');
$page->click_at(card($cameras[1]));
ok($page->has('.player[data-state="live"]'), 'the second, live');
ok($page->frames_pass(10), 'pictures advance');
ok($page->says('h1', 'Dock'), 'it is the other one');

# two at a time

my $dock = $browser->tab;
my $yard = $browser->new_window;
$browser->open("$home#/cameras/$cameras[2]{id}");
ok($page->has('.player[data-state="live"]'), 'a third in a window beside it');
ok($page->frames_pass(10), 'pictures advance');
$browser->tab($dock);
ok($page->frames_pass(10), 'and those of the second, still');

# one goes away

$publishers[2]->stop('KILL');
$browser->tab($yard);
ok($page->has('.player[data-state="interrupted"]', 30), 'one goes away');
$browser->tab($dock);
ok($page->frames_pass(10), 'which the other does not notice');
ok($page->has('.player[data-state="live"]'), 'it is live');
$page->click_at('.back');
ok($page->says(card($cameras[2]) . ' .badge', 'Offline', 30),
    'in the list it is away');
ok($page->says(card($_) . ' .badge', 'Live'), 'and the others are live')
    for @cameras[0, 1];
ok($page->has(card($cameras[2]) . ' .poster[data-old="true"]'),
    'its picture is an old one');
is($page->violations, '', 'nothing against the policy');

$browser->stop;
$_->stop for @publishers[0, 1];
is($run->stop, 0, 'stop');

$t->done_testing;

###############################################################################

sub card { return qq(.camera-card[data-camera="$_[0]{id}"]) }

sub state { return $page->text(card($_[0]) . ' .badge') }


# where the browser has the newest picture of it, when that is painted

sub picture {
    return $page->js('const one = document.querySelector(arguments[0]);'
        . ' return one?.naturalWidth > 0 ? one.src : ""', card($_[0]) . ' img');
}
