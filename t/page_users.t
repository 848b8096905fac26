#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for users in a real Chromium: whoever has a password that somebody else
# chose is asked for another one, and for nothing else before.

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

my $home = 'https://localhost:' . $run->port('HTTPS_PORT') . '/';
my $admin = login(@{ $run->env }{qw(CAMERA_ADMIN_USER CAMERA_ADMIN_PASSWORD)});
my $browser = Camera::Test::Browser->start($t);
my $page = Camera::Test::Page->new($t, $browser);

###############################################################################

# a password that somebody else chose

is(request(POST => '/users', { username => 'carla', role => 'viewer',
    password => 'first day 1' }, $admin)->{status}, 201, 'a user is added');
$browser->open($home);
$page->has('[name=username]') or BAIL_OUT($run->log);
$page->fill(username => 'carla', password => 'first day 1');
$page->click('Sign in');
ok($page->has_text('Choose a new password'), 'logged in, and asked for another');
ok(!$page->there('.top'), 'and for nothing else');

$page->go('#/cameras');
$page->js('location.reload()');
ok($page->has('[name=newPassword]'), 'a reload leads nowhere else');

$page->fill(currentPassword => 'not this 1', newPassword => 'my own 2');
$page->click('Save and go on');
ok($page->has_text('Your present password is not that'), 'the old one counts');
$page->fill(currentPassword => 'first day 1', newPassword => 'short');
$page->click('Save and go on');
ok($page->has('.field-error'), 'a poor one is refused beside its field');
$page->fill(newPassword => 'my own 2');
$page->click('Save and go on');
ok($page->has_text('No cameras yet'), 'changed, and everything is there');
ok($page->has('.top-state[data-live="true"]'), 'and current');
ok(login('carla', 'my own 2'), 'it is the password from now on');

is($page->violations(), '', 'nothing against the policy');

$browser->stop;
is($run->stop, 0, 'stop');

$t->done_testing;

###############################################################################

sub login {
    my ($name, $password) = @_;

    return request(POST => '/auth/login',
        { username => $name, password => $password })->{json}{accessToken};
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
