#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for users in a real Chromium: an administrator adds one, grants a camera
# and ends a session; the new user, whose password somebody else chose, is asked
# for another one, and for nothing else before.

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

my $camera = $run->cli('add', 'Loading bay');
$run->cli('add', 'Vault');
my $admin = login(@{ $run->env }{qw(CAMERA_ADMIN_USER CAMERA_ADMIN_PASSWORD)});
my $browser = Camera::Test::Browser->start($t);
my $page = Camera::Test::Page->new($t, $browser);

###############################################################################

# an administrator adds a user

$page->log_in($run) or BAIL_OUT($run->log);
$page->go('#/users');
ok($page->has('.users-list li'), 'who there is');
$page->click('Add user');
$page->has('dialog [name=username]');
my $password = $page->js('return document.querySelector("[name=password]").value');
like($password, qr/^(?:\w{4}-){3}\w{4}$/, 'a password is proposed');
$page->fill(username => $run->env->{CAMERA_ADMIN_USER});
$page->click('Add user', 'dialog');
ok($page->has_text('Somebody else has it.'), 'a name that is taken');
$page->fill(username => 'carla');
$page->click('Add user', 'dialog');
ok($page->has('[data-user="carla"]'), 'a user is added');

# who sees one camera

task('Edit');
$page->click_at('dialog [name=cameraScope]');
$page->click('Save', 'dialog');
ok($t->wait_for(sub { $page->text('[data-user="carla"]') =~ /granted cameras/ }, 10,
    'the list'), 'granted cameras only');
task('Granted cameras');
ok($page->has_text('Loading bay'), 'cameras to choose from');
$page->js('[...document.querySelectorAll("dialog .check")].find((one) =>'
    . ' one.textContent.includes(arguments[0])).click()', 'Loading bay');
$page->click('Save', 'dialog');
ok(closed(), 'one is granted');
my ($carla) = map { $_->{id} } grep { $_->{username} eq 'carla' }
    @{ request(GET => '/users', undef, $admin)->{json} };
is_deeply(request(GET => "/users/$carla/grants", undef, $admin)->{json}
    {cameraIds}, [ $camera->{id} ], 'that one alone');

# and is logged out of a device

my $token = login('carla', $password);
is(me($token), 200, 'logged in elsewhere');
task('Sessions');
ok($page->has('dialog [data-session]'), 'which is listed');
$page->click('End', 'dialog');
ok($page->has_text('Not logged in anywhere.'), 'until it is ended');
ok($t->wait_for(sub { me($token) == 401 }, 2, 'the end'), 'for good');
$page->click('Close', 'dialog');
is($page->violations(), '', 'nothing against the policy');

# a password that somebody else chose

$page->click_at('.who');
$page->click('Sign out');
$page->has('[name=username]');
$page->fill(username => 'carla', password => $password);
$page->click('Sign in');
ok($page->has_text('Choose a new password'), 'logged in, and asked for another');
ok(!$page->there('.top'), 'and for nothing else');

$page->go('#/cameras');
$page->js('location.reload()');
ok($page->has('[name=newPassword]'), 'a reload leads nowhere else');

$page->fill(currentPassword => 'not this 1', newPassword => 'my own 2');
$page->click('Save and go on');
ok($page->has_text('Your present password is not that'), 'the old one counts');
$page->fill(currentPassword => $password, newPassword => 'short');
$page->click('Save and go on');
ok($page->has('.field-error'), 'a poor one is refused beside its field');
$page->fill(newPassword => 'my own 2');
$page->click('Save and go on');
ok($page->has_text('Loading bay'), 'changed, and the camera is there');
is($page->js('return document.querySelectorAll("a.camera-card").length'), 1,
    'without the other');
ok($page->has('.top-state[data-live="true"]'), 'and current');
ok(login('carla', 'my own 2'), 'it is the password from now on');

is($page->violations(), '', 'nothing against the policy');

$browser->stop;
is($run->stop, 0, 'stop');

$t->done_testing;

###############################################################################

# what the menu of the new user has

sub task {
    my ($name) = @_;

    closed();
    $page->click_at('[data-user="carla"] .menu > button');
    $page->has('[role=menuitem]');
    $page->click($name);
    $page->has('dialog');
}


sub closed {
    return $t->wait_for(sub { !$page->there('dialog') }, 10, 'no dialog');
}


sub me { return request(GET => '/auth/me', undef, $_[0])->{status} }


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
