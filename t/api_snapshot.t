#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for still pictures by the API: a JPEG of the camera's newest key frame
# for who may watch it, and an error of the API's own form where there is none.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Test;
use Camera::Token;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations worker ffmpeg
    camera_api_database));
$t->start_api;
$t->start_worker;

my $viewer = $t->add_user(role => 'viewer');
my $foreign = $t->add_user(tenant => $t->add_tenant);
my $camera = $t->add_camera;
$t->sql("UPDATE cameras SET external_id = 'gate 1'");

###############################################################################

my $r = snapshot($viewer, $camera->{id});
is("$r->{status} $r->{code}", '503 STREAM_OFFLINE', 'nobody sends');
is($r->{headers}{'content-type'}, 'application/json', 'in the form of errors');
is($r->{headers}{'retry-after'}, 5, 'and when to ask again');
is($r->{headers}{'cache-control'}, 'no-store', 'kept by nobody');
unlike($r->{headers}{'x-request-id'}, qr/,/, 'each header once');

my $publisher = $t->publish($camera, clip => 'small');
ok($t->wait_for(sub { ($r = snapshot($viewer, $camera->{id}))->{status} == 200 },
    15), 'a picture');
is($r->{headers}{'content-type'}, 'image/jpeg', 'a JPEG');
is($r->{headers}{'cache-control'}, 'private, max-age=1', 'for a second');
like($r->{headers}{'last-modified'}, qr/^\w{3}, \d\d \w{3} \d{4} .* GMT$/,
    'from when it is');
like($r->{headers}{'x-request-id'}, qr/^\w+$/, 'the id of the request');
is(size($r), '320x180', 'no wider than the camera\'s own');

$r = snapshot($viewer, $camera->{id}, '?width=100');
is(size($r), '160x90', 'a small one');
is(snapshot($viewer, 'gate%201')->{status}, 200, 'by its external id');
$r = snapshot($viewer, $camera->{id}, '', method => 'HEAD');
is("$r->{status} $r->{body}", '200 ', 'HEAD');

# several at once, on connections that go on

my @sockets = map { snapshot($viewer, $camera->{id}, '?width=320', keep => 1)
    ->{socket} } 1 .. 4;
for my $round (1 .. 3) {
    print $_ join "\r\n", "GET /api/v1/cameras/$camera->{id}/snapshot?width=320"
        . ' HTTP/1.1', 'Host: x', "Authorization: Bearer $viewer->{token}", '', ''
        for @sockets;
    is(join(' ', map { Camera::HTTP::read_response($_, time + 5)->{status} }
        @sockets), '200 200 200 200', "four at once, $round");
    $t->wait_for(sub { 0 }, 0.6);
}

# a client that leaves while it waits

for (1 .. 3) {
    my $s = Camera::HTTP::connect_to($t->port('http'));
    print $s join "\r\n", "GET /api/v1/cameras/$camera->{id}/snapshot?width=1280"
        . ' HTTP/1.1', 'Host: x', "Authorization: Bearer $viewer->{token}", '', '';
    close $s;
}

is(snapshot($viewer, $camera->{id})->{status}, 200, 'the next one is served');

# input, and whose it is

for my $bad (qw(?width=15 ?width=1281 ?width=x ?width= ?size=1
    ?width=160&width=320))
{
    $r = snapshot($viewer, $camera->{id}, $bad);
    is("$r->{status} $r->{code}", '400 VALIDATION_FAILED', $bad);
}

is(snapshot($foreign, $camera->{id})->{code}, 'CAMERA_NOT_FOUND',
    'another tenant');
is(snapshot($viewer, Camera::Token::random_uuid())->{code}, 'CAMERA_NOT_FOUND',
    'no camera');
$r = $t->api_get("/cameras/$camera->{id}/snapshot");
is("$r->{status} $r->{code}", '401 AUTH_TOKEN_MISSING', 'nobody');

# a camera that this node does not know: it has no key

my $other = Camera::Token::random_uuid();
$t->sql("INSERT INTO cameras (id, name) VALUES ('$other', 'elsewhere');
    DELETE FROM stream_keys WHERE camera_id = '$other'");
is(snapshot($viewer, $other)->{code}, 'STREAM_OFFLINE', 'on another node');
is(snapshot($foreign, $other)->{code}, 'CAMERA_NOT_FOUND',
    'for its tenant alone');

# nobody makes pictures

$t->worker->stop;
$t->wait_for(sub { snapshot($viewer, $camera->{id}, '?width=160')->{status}
    != 200 }, 5);
$r = snapshot($viewer, $camera->{id});
is("$r->{status} $r->{code}", '503 SERVICE_UNAVAILABLE', 'camera-worker is away');
is($r->{headers}{'retry-after'}, 5 - 3 * ($r->{json}{error}{message}
    =~ /in time/), 'come again');

$t->done_testing;

###############################################################################

sub snapshot {
    my ($user, $id, $args, %opt) = @_;

    return $t->api_get("/cameras/$id/snapshot" . ($args // ''),
        token => $user->{token}, %opt);
}

# as the header of the frame in the JPEG has it

sub size {
    my ($r) = @_;

    my ($height, $width) = unpack 'x5 n n',
        substr $r->{body}, index $r->{body}, "\xff\xc0";
    return "${width}x$height";
}
