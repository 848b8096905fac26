#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for users in a real Chromium: an administrator adds one, grants a camera
# and a group of cameras, and ends a session; the new user, whose password
# somebody else chose, is asked for another one, and for nothing else before;
# then the user is searched for and removed.

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
$page->fill(username => 'carla', name => 'Carla Nowak');
$page->click('Add user', 'dialog');
ok($page->has('[data-user="carla"]'), 'a user is added');
like($page->text('[data-user="carla"]'), qr/Carla Nowak/, 'with a name');

# who sees one camera

$page->task('[data-user="carla"]', 'Edit');
$page->click_at('dialog [name=cameraScope]');
$page->click('Save', 'dialog');
ok($page->says('[data-user="carla"]', qr/granted cameras/), 'granted cameras only');
$page->task('[data-user="carla"]', 'Granted cameras');
ok($page->has_text('Loading bay'), 'cameras to choose from');
$page->tick('Loading bay');
$page->click('Save', 'dialog');
ok($page->closed, 'one is granted');
my ($carla) = map { $_->{id} } grep { $_->{username} eq 'carla' }
    @{ request(GET => '/users', undef, $admin)->{json} };
is_deeply(request(GET => "/users/$carla/grants", undef, $admin)->{json}
    {cameraIds}, [ $camera->{id} ], 'that one alone');

# a group is made, with a camera in it, and granted as a whole

$page->go('#/groups');
ok($page->has_text('No groups yet'), 'no groups');
$page->click('Add group');
$page->fill(name => 'Dors', description => 'What locks');
$page->click('Add group', 'dialog');
ok($page->has('[data-group]'), 'a group is added');
$page->closed;
$page->click('Add group');
$page->fill(name => 'dors');
$page->click('Add group', 'dialog');
ok($page->has_text('Another group has it.'), 'a name that is taken');
$page->click('Cancel', 'dialog');
$page->task('[data-group]', 'Edit');
$page->fill(name => 'Doors');
$page->click('Save', 'dialog');
ok($page->has_text('Doors'), 'and named anew');
$page->task('[data-group]', 'Cameras');
ok($page->has_text('Vault'), 'cameras to choose from');
$page->tick('Vault');
$page->click('Save', 'dialog');
ok($page->has_text('1 camera'), 'one is put into it');

$page->go('#/users');
$page->task('[data-user="carla"]', 'Granted cameras');
ok($page->has_text('Doors'), 'a group to choose');
$page->tick('Doors');
$page->click('Save', 'dialog');
$page->closed;
is_deeply(cameras_of($carla), ['Doors', 'Loading bay'], 'is granted as well');

$page->go('#/groups');
$page->task('[data-group]', 'Cameras');
$page->has_text('Cameras (1 in it)');
$page->tick('Vault');
$page->click('Save', 'dialog');
ok($page->has_text('0 cameras'), 'the camera is taken out');
$page->task('[data-group]', 'Remove group');
ok($page->has_text('Remove Doors?'), 'which is asked');
$page->click('Remove group', 'dialog');
ok($page->has_text('No groups yet'), 'and the group is removed');
is_deeply(cameras_of($carla), ['Loading bay'], 'and granted no longer');

# and is logged out of a device

$page->go('#/users');
my $token = login('carla', $password);
is(me($token), 200, 'logged in elsewhere');
$page->task('[data-user="carla"]', 'Sessions');
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

# is searched for, and removed

$page->click_at('.who');
$page->click('Sign out');
$page->has('[name=username]');
$page->log_in($run);
$page->go('#/users');
$page->has('[data-user="carla"]');
$page->search('nobody');
ok($page->has_text('No user matches'), 'a search that finds nobody');
$page->click('Show all users');
my $first = $run->env->{CAMERA_ADMIN_USER};
ok($page->has(qq([data-user="$first"])), 'is left');
$page->search('CARL');
ok($t->wait_for(sub { $page->js('return location.hash') eq '#/users?q=CARL'
    && $page->js('return document.querySelectorAll(".users-list > li").length')
    == 1 }, 10, 'one'), 'and one that finds');
$page->task('[data-user="carla"]', 'Remove user');
ok($page->has_text('Remove carla?'), 'who is asked');
like($page->text('dialog'), qr/API tokens .* stop.*Bookmarks and exports stay/s,
    'with what goes and what stays');
$page->click('Remove user', 'dialog');
ok($page->has_text('carla was removed.'), 'and it is done');
is(login('carla', 'my own 2'), undef, 'nobody logs in');

is($page->violations(), '', 'nothing against the policy');

$browser->stop;
is($run->stop, 0, 'stop');

$t->done_testing;

###############################################################################

sub me { return request(GET => '/auth/me', undef, $_[0])->{status} }


# what somebody is granted, by name

sub cameras_of {
    my $grants = request(GET => "/users/$_[0]/grants", undef, $admin)->{json};
    my %name = map { $_->{id} => $_->{name} } map {
        @{ request(GET => $_, undef, $admin)->{json} } }
        qw(/cameras /camera-groups);

    return [ sort map { $name{$_} } map { @$_ }
        @$grants{qw(cameraIds groupIds)} ];
}


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
