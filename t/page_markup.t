#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for markup and scripts in what people type: camera, group, user, token,
# layout, bookmark, tag, device and search.  On every screen they are shown as
# they were typed, become no element and run nothing.  At the end the same text
# is put in as markup, to show that this would have been seen, and that even
# then the policy of the page lets nothing run.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Test;
use Camera::Test::Browser;
use Camera::Test::Page;
use Camera::Test::Run;
use File::Find;
use JSON::PP;
use POSIX qw(strftime);
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations worker cli ffmpeg
    camera_rtmps camera_hls));
plan(skip_all => 'no Chromium') unless Camera::Test::Browser->available;
plan(skip_all => 'no page') unless -e $t->root . '/html/dist/index.html';

my $run = Camera::Test::Run->start($t);
$run->wait_ready or BAIL_OUT($run->log);

my $admin = login(device('device'))->{accessToken};
my $camera = make('/cameras', { tags => [ short('tag') ],
    map { $_ => evil($_) }
    qw(name company model serialNumber location place externalId) });
my $group = make('/camera-groups', { name => evil('group'),
    description => evil('description') });
my $user = make('/users', { username => 'carla', role => 'viewer',
    name => evil('person'), email => mail(), password => 'first day 1' });
my $token = make('/tokens', { name => evil('token'), remark => evil('remark'),
    permissions => ['cameras:read'] });
make('/bookmarks', { cameraId => $camera->{id}, label => evil('bookmark'),
    at => strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - 600)) });
my $layout = make('/layouts', { name => evil('layout'), layout => [ {
    cameraId => $camera->{id}, position => { x => 0, y => 0 },
    size => { width => 1, height => 1 } } ] });
raise_alert();

my $browser = Camera::Test::Browser->start($t);
my $page = Camera::Test::Page->new($t, $browser);

###############################################################################

# nothing in the page makes markup or code out of text

is_deeply(writers(), [], 'no source file writes markup');

# cameras

$page->log_in($run) or BAIL_OUT($run->log);
is_typed('cameras', evil('name'), evil('place'));
$page->search(evil('search'));
is_typed('a search', 'No camera matches');
is($page->js('return document.querySelector("[role=search] input").value'),
    evil('search'), 'which stands as it was typed');
$page->go('#/cameras?tag=' . short('address'));
is_typed('a tag of the address', short('address'));

$page->go("#/cameras/$camera->{id}");
is_typed('a camera', map { evil($_) } qw(name place location serialNumber
    externalId bookmark));
like($page->js('return document.title'), qr/\Q@{[ evil('name') ]}\E/, 'its tab');
is($page->js('return document.querySelector(".tags a").textContent'),
    short('tag'), 'its tag');
$page->click('Edit');
$page->has('dialog [name=company]');
is_deeply([ map { field($_) } qw(name company model tags) ],
    [ evil('name'), evil('company'), evil('model'), short('tag') ], 'in its form');
$page->click('Cancel', 'dialog');
$page->closed;
$page->click_at('.screen-head .menu > button');
$page->click('Remove camera');
is_typed('its removal', 'Remove ' . evil('name') . '?');
$page->click('Cancel', 'dialog');
$page->click_at('.bell');
is_typed('an alert', evil('alert'));

# the wall

$page->go("#/wall/$layout->{id}");
is_typed('the wall', evil('layout'), evil('name'));
is($page->js('return document.querySelector(".wall a").ariaLabel'),
    evil('name') . ', Offline', 'for those who do not see it');
$page->click('Edit', '.wall-head');
is_typed('what is changed', 'Edit ' . evil('layout'), evil('name'));
$page->click_at('.wall-tile');
is_typed('cameras to choose from', evil('name'));
$page->click('Cancel', 'dialog');
$page->click('Cancel', '.wall-head');
$page->click_at('[aria-label="Choose a layout"]');
is_typed('layouts to choose from', evil('layout'));
$page->click_at(".wall-choice a");
$page->click_at('.wall-head .menu:last-child > button');
$page->click('Remove layout', '.menu-list');
is_typed('the end of one', 'Remove ' . evil('layout') . '?');
$page->click('Cancel', 'dialog');

# users and groups

$page->go('#/users');
is_typed('users', evil('person'), mail());
$page->task('[data-user="carla"]', 'Granted cameras');
is_typed('what is granted', evil('group'), evil('name'), evil('place'));
$page->click('Cancel', 'dialog');
my $name = $run->env->{CAMERA_ADMIN_USER};
$page->task(qq([data-user="$name"]), 'Sessions');
is_typed('sessions', device('device'));
$page->click('Close', 'dialog');

$page->go('#/groups');
is_typed('groups', evil('group'), evil('description'));
$page->task('[data-group]', 'Edit');
is_typed('a group', 'Edit ' . evil('group'));
is(field('description'), evil('description'), 'in its form');
$page->click('Cancel', 'dialog');
$page->task('[data-group]', 'Cameras');
is_typed('its cameras', 'Cameras of ' . evil('group'), evil('place'));
$page->click('Cancel', 'dialog');
$page->task('[data-group]', 'Remove group');
$page->click('Remove group', 'dialog');
is_typed('a group that is gone', evil('group') . ' was removed.');

# tokens, with what is said of one that is revoked

$page->go('#/tokens');
is_typed('tokens', evil('token'), evil('remark'));
$page->task('[data-token]', 'Permissions');
is_typed('its permissions', 'Permissions of ' . evil('token'));
$page->click('Cancel', 'dialog');
$page->task('[data-token]', 'Revoke');
$page->click('Revoke token', 'dialog');
is_typed('its end', evil('token') . ' was revoked.');

# the audit, which has all of them, and what was there before

$page->go('#/audit');
is_typed('the audit', map { evil($_) } qw(name group token bookmark layout));

# addresses that somebody was sent

$page->go('#/' . evil('path'));
is_typed('an address that leads nowhere', 'There is nothing here');
$page->go('#/cameras/' . evil('id'));
is_typed('an id that is none', 'There is no such camera');
is($page->violations, '', 'nothing against the policy');
$browser->open(home() . 'watch.html#' . evil('link'));
ok($page->has('#notice:not([hidden])'), 'a link that is none');
is_typed('the watch page');
$browser->open(home() . '?error=' . escaped(evil('error')));
$page->has('.top-state[data-live="true"]');
is_typed('an error', evil('name'));
is($page->violations, '', 'nothing against the policy');

# what would have been seen

$page->js('document.querySelector("main").insertAdjacentHTML("beforeend",'
    . ' arguments[0])', evil('itself') . short('itself'));
is(elements(), 2, 'markup that is put in is found');
ok($t->wait_for(sub { $page->violations =~ /inline/ }, 10, 'the policy'),
    'and against the policy');
is($page->js('return window.hacked ?? ""'), '', 'which lets nothing run');

$browser->stop;
is($run->stop, 0, 'stop');

$t->done_testing;

###############################################################################

# what would run if it were markup; where no blank may be; an address; a device

sub evil { return qq('"><img src='x' onerror="hacked='$_[0]'">) }

sub short { return qq('"><svg/onload=hacked='$_[0]'>) }

sub mail { return short('mail') . '@example.org' }

sub device { return "Mozilla <script>hacked='$_[0]'</script>" }


# on the screen as it was typed, and nothing but a text

sub is_typed {
    my ($where, @texts) = @_;

    subtest $where => sub {
        for my $text (@texts) {
            ok($t->wait_for(sub { eval { $page->js('return document.body'
                . '.textContent.includes(arguments[0])', $text) } }, 15, $text),
                "shows $text");
        }

        is(elements(), 0, 'no element came of it');
        is($page->js('return window.hacked ?? ""'), '', 'nothing ran');
    };
}


# those which the page itself does not have

sub elements {
    return $page->js('return document.querySelectorAll("img[src=x], [onerror],'
        . ' [onload], script:not([src])").length');
}


sub field {
    my ($name) = @_;

    return $page->js('return document.querySelector('
        . '`dialog [name="${arguments[0]}"]`).value', $name);
}


sub home { return 'https://localhost:' . $run->port('HTTPS_PORT') . '/' }


sub escaped { return $_[0] =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger }


# lines of the page's source which make markup, or code, out of a text

sub writers {
    my @found;

    find({ no_chdir => 1, wanted => sub {
        return unless /\.tsx?$/ && !/\.gen\.ts$/;
        push @found, map { "$File::Find::name: $_" }
            grep { /dangerouslySet|(?:inner|outer)HTML|insertAdjacentHTML
                |document\.write|\beval\(|new\ Function|srcdoc/x }
            split /\n/, $t->read_file($File::Find::name);
    } }, $t->root . '/html/src');

    return \@found;
}


# the API

sub login {
    my ($device) = @_;

    my ($user, $password) = @{ $run->env }{qw(CAMERA_ADMIN_USER
        CAMERA_ADMIN_PASSWORD)};

    return decode_json($run->get('/api/v1/auth/login', method => 'POST',
        headers => [ 'Content-Type: application/json', "User-Agent: $device" ],
        body => encode_json({ username => $user, password => $password }))
        ->{body});
}


sub make {
    my ($path, $json) = @_;

    my $r = $run->get("/api/v1$path", method => 'POST',
        body => encode_json($json), headers => [
            'Content-Type: application/json', "Authorization: Bearer $admin" ]);
    BAIL_OUT("$path: $r->{body}") if $r->{status} != 201;

    return decode_json($r->{body});
}


sub raise_alert {
    my $text = evil('alert') =~ s/'/''/gr;
    $t->run('psql', '-XqAt', '-c', "SELECT alert_raise(tenant_id, id,
        'recording_failed', 'critical', '$text') FROM cameras",
        $run->env->{CAMERA_DATABASE_URL});
}
