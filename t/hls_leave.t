#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for playback by somebody's leave: what a user or a session has started
# ends within a second of a change that takes it, a start token that was given
# out before starts nothing any more, and what changes nothing ends nothing.

use strict;
use warnings;

use Camera::Stopwatch;
use Camera::Test;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations worker ffmpeg tls
    camera_api_database));
$t->start_api(http => 'camera_api_limit 100000r/m;');
$t->start_worker;

my $admin = $t->add_user;
my $viewer = $t->add_user(role => 'viewer', password => 1);
my $r = $t->api(POST => '/cameras', token => $admin->{token}, json => {
    map { $_ => 'x' } qw(name company model serialNumber location place) });
my $id = $r->{json}{id};
$t->publish({ id => $id }, url => $r->{json}{rtmpUrl}, clip => 'small');
ok($t->wait_for(sub { $t->http_get(entrance($admin), timeout => 3)->{status}
    == 200 }, 15, 'pictures'), 'a camera is live');

###############################################################################

# what changes nothing for the viewer ends nothing

my $other = $t->open_session($viewer);
my $play = started($viewer);
$t->api(DELETE => "/auth/sessions/$other", token => $viewer->{token});
$t->sql("UPDATE users SET email = 'v\@example.org', password_hash = '\$2b\$12\$'
    || repeat('.', 53) WHERE id = '$viewer->{id}'");
$t->api(PATCH => "/users/$viewer->{id}", token => $admin->{token},
    json => { username => 'vera' });
ok($t->wait_for(sub { $t->api_get('/auth/me', token => $viewer->{token})
    ->{json}{username} eq 'vera' }, 2, 'vera'), 'a new name');
is(status($play), 200, 'another session, a password, a name: it plays on');

# less to be seen

ends('nothing is granted', sub { change({ cameraScope => 'granted' }) });
is($t->api_get("/cameras/$id/stream/hls", token => $viewer->{token})->{code},
    'CAMERA_NOT_FOUND', 'and no other address');

grant($id);
ok($t->wait_for(sub { entrance($viewer) }, 2, 'a grant'), 'it is granted');
ends('a grant is taken', sub { grant() });

my $group = $t->api(POST => '/camera-groups', token => $admin->{token},
    json => { name => 'doors' })->{json}{id};
$t->api(PUT => "/camera-groups/$group/cameras/$id", token => $admin->{token});
$t->api(PUT => "/users/$viewer->{id}/grants", token => $admin->{token},
    json => { cameraIds => [], groupIds => [ $group ] });
ok($t->wait_for(sub { entrance($viewer) }, 2, 'a group'), 'by a group');
ends('it leaves the group', sub { $t->api(DELETE =>
    "/camera-groups/$group/cameras/$id", token => $admin->{token}) });

change({ cameraScope => 'all' });
ok($t->wait_for(sub { entrance($viewer) }, 2, 'all'), 'all is seen again');
ends('another role', sub { change({ role => 'operator' }) });
ends('the session ends', sub { $t->api(DELETE =>
    "/users/$viewer->{id}/sessions/$viewer->{sid}",
    token => $admin->{token}) });

$viewer->{sid} = $t->open_session($viewer);
$viewer->{token} = $t->access_token(%$viewer);
ends('the user is disabled', sub { change({ isActive => JSON::PP::false() }) });

# by an API token, which is revoked

my $program = $t->api(POST => '/tokens', token => $admin->{token}, json =>
    { name => 'wall', permissions => [ 'streams:view' ] })->{json};
ends('an API token is revoked', sub { $t->api(DELETE =>
    "/tokens/$program->{id}", token => $admin->{token}) }, $program);

# others, and what was started by nobody in particular, play on

my $mine = started($admin);
my $nobody = $t->http_get("/hls/$id/playlist.m3u8?token="
    . $t->token(camera => { id => $id, epoch => 1 }, use => 'playback',
        claims => { ten => $admin->{tenant} }));
$t->api(DELETE => "/users/$viewer->{id}", token => $admin->{token});
is(status($mine), 200, 'an administrator plays on');
is($nobody->{status}, 200, 'and so does a link of the operator');

$t->done_testing;

###############################################################################

sub change {
    my ($json) = @_;

    $t->api(PATCH => "/users/$viewer->{id}", token => $admin->{token},
        json => $json);
}

sub grant {
    $t->api(PUT => "/users/$viewer->{id}/grants", token => $admin->{token},
        json => { cameraIds => [ @_ ], groupIds => [] });
}

# the path that starts a session

sub entrance {
    my ($user) = @_;

    my $url = $t->api_get("/cameras/$id/stream/hls", token => $user->{token})
        ->{json}{url} // return;

    return $url =~ s{^http://localhost}{}r;
}

# a session: the path of its media playlist

sub started {
    my ($user, $path) = @_;

    $path //= entrance($user);
    my $r = $t->http_get($path);
    my ($live) = $r->{body} =~ /^(live\.m3u8\S*)/m or return;

    return "/hls/$id/$live";
}

sub status {
    my ($path) = @_;

    return $t->http_get($path, timeout => 5)->{status};
}

# a session of the viewer, or of somebody else, which a change ends

sub ends {
    my ($what, $change, $who) = @_;

    $who //= $viewer;
    my $path = entrance($who);
    my $play = started($who, $path);
    is(status($play // '/'), 200, "$what: it plays");

    my $watch = Camera::Stopwatch->start;
    $change->();
    ok($t->wait_for(sub { status($play) == 403 }, 3, '403'), 'it ends');
    cmp_ok($watch->seconds, '<', 1, 'within a second');
    is(status($path), 403, 'and its address starts nothing');

    # a token of the second in which it was taken counts as one before it

    select undef, undef, undef, 1 + int(time) - time;
}
