#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the wall in a real Chromium: all that is online plays at once, and
# nothing in a tab that is not seen.  It is kept as a layout, changed by menu,
# mouse and key, also while somebody else does, opens first, and is removed.
# Cameras that go dark or are gone keep their place and say so; a click opens
# one.  Layouts are of one user, and another one has none of them.

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
ok($page->has(picture($gate) . '[aria-label="Gate, Live"]'),
    'for those who do not see it');
$page->key('ArrowRight', picture($gate)) if focus($gate);
is($page->js('return document.activeElement.dataset.camera'), $dock->{id},
    'an arrow key leads to the next');

# a tab that is not seen

visibility('hidden');
ok($t->wait_for(sub { !$page->there('.wall [data-state="live"]')
    && !$page->there('.wall video[src]') }, 30, 'no picture'),
    'a tab that is not seen plays nothing');
visibility('visible');
ok(plays($gate) && plays($dock), 'until it is');

# what is online is kept as a layout, which is the default one

$page->click('Keep as a layout', '.wall-invite');
$page->fill(name => 'Doors');
$page->click('Save', 'dialog');
ok($page->closed && titled('Doors'), 'a layout is kept');
ok($page->says('.wall-head .badge', 'Opens first'), 'the first one opens first');
is_deeply(kept('Doors'), [ cell($gate, 0, 0, 1, 1), cell($dock, 1, 0, 1, 1) ],
    'as it was seen');

# it is changed: by menu and search, by mouse and by key

$page->click('Edit', '.wall-head');
$page->choose(columns => '3');
$page->choose(rows => '2');
$page->click_at(place(2, 0) . ' .wall-free');
ok($page->says('dialog .wall-cameras button:enabled', qr/^Yard/),
    'what stands there already cannot be chosen');
$page->fill(find => 'yar');
ok($t->wait_for(sub { 1 == $page->js('return document.querySelectorAll('
    . '"dialog .wall-cameras button").length') }, 15, 'one'), 'one is found');
$page->js('document.querySelector("dialog form").requestSubmit()');
ok($page->closed && $page->has(place(2, 0) . tile($yard)), 'and put in');
drag(tile($gate), place(0, 1));
ok($page->has(place(0, 1) . tile($gate)), 'a picture is dragged');
press(tile($gate), 'ArrowRight', 1);
ok($t->wait_for(sub { $page->attribute(tile($gate), 'aria-label')
    =~ /column 1, row 2, 2 wide, 1 high/ }, 10, 'the size'), 'a key makes it wider');
press(tile($dock), 'ArrowLeft', 0);
ok($page->has(place(0, 0) . tile($dock)), 'another one moves it');
is($page->js('return document.activeElement.dataset.edits'), $dock->{id},
    'which keeps the focus');
is_deeply(kept('Doors'), [ cell($gate, 0, 0, 1, 1), cell($dock, 1, 0, 1, 1) ],
    'nothing is saved before a word');
$page->click('Save', '.wall-head');
my @cells = (cell($dock, 0, 0, 1, 1), cell($yard, 2, 0, 1, 1),
    cell($gate, 0, 1, 2, 1));
ok($page->has('.wall:not(.wall-edit)'), 'saved');
is_deeply(kept('Doors'), \@cells, 'each in its place and size');

# and opens first

$page->go('#/cameras');
$page->has('.camera-card');
$page->js('location.reload()');
$page->click('Wall', '.screen-head');
ok(titled('Doors'), 'the default layout opens first');
ok(plays($gate) && plays($dock) && frames_pass($gate, $dock), 'and plays');
ok($page->says(picture($yard) . ' .wall-words', 'Offline'),
    'what sends nothing says so');
my ($large, $small) = map { $page->js('return document.querySelector('
    . 'arguments[0]).getBoundingClientRect().width', picture($_)) } $gate, $dock;
cmp_ok($large, '>', 1.9 * $small, 'in the sizes that were chosen');
menu('Choose a layout', 'All that is online');
ok(titled('Wall'), 'all that is online can still be chosen');
$page->go('#/wall/somebody-elses');
ok($page->has_text('There is no such layout'), 'a layout that is not there');

# it is changed elsewhere meanwhile

$page->go('#/wall');
titled('Doors');
$page->click('Edit', '.wall-head');
$page->has('.wall-edit');
press(tile($yard), 'Delete', 0);
ok($page->has(place(2, 0) . ' .wall-free'), 'one is taken out');
change('Doors', { layout => [ $cells[0] ] });
$page->click('Save', '.wall-head');
ok($page->has_text('changed elsewhere meanwhile'), 'somebody else was faster');
is_deeply(kept('Doors'), [ $cells[0] ], 'whose work is not lost unseen');
$page->click('Save mine on top', '.wall-head');
$page->has('.wall:not(.wall-edit)');
is_deeply(kept('Doors'), [ @cells[0, 2] ], 'mine is saved when I say so');

# another one, and other names

$page->click_at('[aria-label="Choose a layout"]');
$page->click('New layout');
$page->click_at(place(1, 1) . ' .wall-free');
$page->click_at('dialog .wall-cameras button:enabled');
$page->has('.wall-tile');
$page->click('Save', '.wall-head');
$page->fill(name => 'doors');
$page->click('Save', 'dialog');
ok($page->has_text('Another layout of yours has it.'), 'a name that is taken');
$page->fill(name => 'Night');
$page->click('Save', 'dialog');
ok($page->closed && titled('Night'), 'a second layout');
ok(!$page->there('.wall-head .badge'), 'does not open first');
menu('More for Night', 'Open first');
ok($page->has('.wall-head .badge'), 'until it is told to');
menu('More for Night', 'Rename');
$page->fill(name => 'Late');
$page->click('Save', 'dialog');
ok($page->closed && titled('Late'), 'it has another name');
is_deeply([ map { "$_->{name} $_->{isDefault}" } @{ layouts() } ],
    [ 'Doors 0', 'Late 1' ], 'one opens first');

# they go

menu('More for Late', 'Remove layout');
ok($page->has_text('Remove Late?'), 'it is asked first');
$page->click('Cancel', 'dialog');
is(scalar @{ layouts() }, 2, 'nothing is done without a word');
$page->closed;
menu('More for Late', 'Remove layout');
$page->click('Remove layout', 'dialog');
ok($page->closed && titled('Wall'), 'removed, what is online is there again');
is_deeply([ map { $_->{name} } @{ layouts() } ], ['Doors'], 'and the other one');

# a camera goes while it is looked at

change('Doors', { layout => \@cells });
$page->js('location.reload()');
$page->has('.wall');
menu('Choose a layout', 'Doors');
titled('Doors');
$page->has(picture($yard));
request(DELETE => "/cameras/$yard->{id}", undef, $admin);
ok($page->has('.wall [data-state="missing"]', 30), 'a camera that is removed');
ok($page->says('.wall [data-state="missing"]', qr/This camera is gone/),
    'says so');

# one goes dark

plays($gate);
$publishers[1]->stop('KILL');
ok($page->says(picture($dock) . ' .wall-words', 'Offline', 30),
    'a camera that goes away says so where it was');
ok(frames_pass($gate), 'and the other plays on');

# a camera of its own

$page->click_at(picture($gate));
ok($page->has('.player[data-state="live"]'), 'a click opens the camera');
ok($page->says('h1', 'Gate'), 'that one');
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
$page->click_at('[aria-label="Choose a layout"]');
$page->has('[role=menuitem]');
unlike($page->text('.menu-list'), qr/Doors/, 'and no layout but their own');
$page->go('#/wall/' . layouts()->[0]{id});
ok($page->has_text('There is no such layout'), 'nor by its address');
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


# the tab, as a browser says it

sub visibility {
    my ($state) = @_;

    $page->js(<<'END', $state);
        const [value] = arguments;
        Object.defineProperty(document, "visibilityState",
            { value, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
END
}


sub titled { return $page->says('h1', $_[0]) }


sub menu {
    my ($label, $item) = @_;

    $page->click_at(qq([aria-label="$label"]));
    $page->click($item, '.menu-list');
}


# of the grid that is changed

sub place { return qq([data-place="$_[0],$_[1]"] ) }

sub tile { return qq([data-edits="$_[0]{id}"]) }


sub press {
    my ($selector, $key, $shift) = @_;

    $page->has($selector);
    $page->js(<<'END', $selector, $key, $shift);
        const [selector, key, shift] = arguments;
        document.querySelector(selector).dispatchEvent(new KeyboardEvent(
            "keydown", { key, shiftKey: shift === 1, bubbles: true,
                         cancelable: true }));
END
}


# by a mouse, from the middle of one to the middle of the other

sub drag {
    my ($from, $to) = @_;

    my ($start, $end) = map { middle($_) } $from, $to;
    my @way = map { { type => 'pointerMove', duration => 50, %$_ } } $start,
        { x => $start->{x} + 20, y => $start->{y} + 10 }, $end, $end;

    $browser->call(POST => "$browser->{session}/actions", { actions => [ {
        type => 'pointer', id => 'mouse', parameters => { pointerType => 'mouse' },
        actions => [ $way[0], { type => 'pointerDown', button => 0 },
            @way[1 .. 3], { type => 'pointerUp', button => 0 } ],
    } ] });
}


sub middle {
    my ($selector) = @_;

    $page->has($selector);

    return $page->js(<<'END', $selector);
        const { x, y, width, height } = document.querySelector(arguments[0])
            .getBoundingClientRect();
        return { x: Math.round(x + width / 2), y: Math.round(y + height / 2) };
END
}


# the administrator's layouts, as the API has them

sub layouts { return request(GET => '/layouts', undef, $admin) }


sub kept {
    my ($name) = @_;

    return [ map { $_->{layout} } grep { $_->{name} eq $name } @{ layouts() } ]
        ->[0];
}


sub change {
    my ($name, $json) = @_;

    my ($layout) = grep { $_->{name} eq $name } @{ layouts() };
    request(PATCH => "/layouts/$layout->{id}", $json, $admin);
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
        ($json ? (body => encode_json($json)) : ()), headers => [
            'Content-Type: application/json',
            $bearer ? "Authorization: Bearer $bearer" : (),
        ])->{body});
}
