#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for requests about what is removed while they are on their way: they are
# done once more, and answered as if they had come later.  Once, they were errors
# of the server.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Test;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $admin = $t->add_user;
my $owner = $t->pg_session('camera_owner');

###############################################################################

my $camera = $t->add_camera(name => 'gate');
my $group = $t->api(POST => '/camera-groups', token => $admin->{token},
    json => { name => 'doors' })->{json}{id};

$owner->ask("BEGIN; DELETE FROM camera_groups WHERE id = '$group'");
is(after(PUT => "/camera-groups/$group/cameras/$camera->{id}"),
    '404 NOT_FOUND', 'a camera for a group');

my $bob = $t->add_user(role => 'api_only');
$owner->ask("BEGIN; DELETE FROM users WHERE id = '$bob->{id}'");
is(after(POST => '/tokens',
        { userId => $bob->{id}, name => 'x', permissions => ['cameras:read'] }),
    '400 VALIDATION_FAILED', 'a token for a user');

my $ann = $t->add_user(role => 'viewer');
$owner->ask("BEGIN; DELETE FROM users WHERE id = '$ann->{id}'");
is(after(PUT => "/users/$ann->{id}/grants",
        { cameraIds => [ $camera->{id} ], groupIds => [] }),
    '404 NOT_FOUND', 'grants for a user');

# who asks: there is no answer for them but to come again, as nobody

my $eve = $t->add_user(role => 'operator');
$t->api_get('/auth/me', token => $eve->{token});
$owner->ask("BEGIN; DELETE FROM users WHERE id = '$eve->{id}'");
is(after(POST => '/layouts', { name => 'x', layout => [] }, $eve),
    '503 SERVICE_UNAVAILABLE', 'a layout of who is removed');
ok($t->wait_for(sub { $t->api_get('/layouts', token => $eve->{token})->{status}
    == 401 }, 2, 'the news'), 'who is nobody then');

$t->done_testing;

###############################################################################

# a request that waits for what is open in the database, and its answer once
# that is over

sub after {
    my $s = begin(@_);

    $owner->ask('COMMIT');
    my $r = Camera::HTTP::read_response($s, time + 10);

    return "$r->{status} " . ($r->{body} =~ /"code":"(\w+)"/ ? $1 : '');
}

sub begin {
    my ($method, $path, $json, $user) = @_;

    my $body = $json ? encode_json($json) : '';
    my $s = Camera::HTTP::connect_to($t->port('http'));

    print $s join "\r\n", "$method /api/v1$path HTTP/1.1", 'Host: localhost',
        'Authorization: Bearer ' . ($user // $admin)->{token},
        ($json ? 'Content-Type: application/json' : ()),
        'Content-Length: ' . length $body, '', $body;

    $t->wait_for(sub { $t->sql('SELECT count(*) FROM pg_locks
        WHERE NOT granted') }, 5, "$method $path waits");

    return $s;
}
