#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for addresses to play: a camera that was added by the API pushes to its
# rtmpUrl, and whoever may watch plays what GET /cameras/:id/stream/hls answers,
# down to the media; others get nothing.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Player;
use Camera::Test;
use Camera::Token;
use POSIX qw(strftime);
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations worker ffmpeg tls
    camera_api_database));
$t->start_api;
$t->start_worker;

my $admin = $t->add_user;
my $viewer = $t->add_user(role => 'viewer');
my $foreign = $t->add_user(tenant => $t->add_tenant);
my $watcher = { token => $t->api(POST => '/tokens', token => $admin->{token},
    json => { name => 'wall', permissions => ['streams:view'] })->{json}{token} };

###############################################################################

my $r = $t->api(POST => '/cameras', token => $admin->{token}, json => {
    name => 'gate', company => 'a', model => 'b', serialNumber => 'c',
    location => 'd', place => 'e', externalId => 'CAM 1' });
my $id = $r->{json}{id};
my $camera = { id => $id };
$t->publish($camera, url => $r->{json}{rtmpUrl}, clip => 'small');

# the address, at once

$r = url($viewer, $id);
is($r->{status}, 200, 'a viewer gets it, before the first picture');
is_deeply([ sort keys %{ $r->{json} } ],
    [ qw(expiresAt expiresIn protocol url) ], 'its fields');
is("$r->{json}{protocol} $r->{json}{expiresIn}", 'hls 900', '15 minutes');
like($r->{json}{url}, qr{^http://localhost/hls/$id/playlist\.m3u8\?token=eyJ},
    'absolute, by the Host of the request');
is($r->{headers}{'cache-control'}, 'no-store', 'kept by nobody');

my ($path) = $r->{json}{url} =~ m{^http://localhost(.*)$};
my $claims = claims($r);
is("$claims->{typ} $claims->{sub} $claims->{ten} $claims->{ep}",
    "pb+jwt $id $viewer->{tenant} 1", 'for this camera alone');
cmp_ok(abs($claims->{exp} - time - 900), '<', 5, 'expires');

my $player = Camera::Player->new($t, $path);
ok($t->wait_for(sub { $t->http_get($path, timeout => 3)->{status} == 200 }, 10),
    'the playlist comes');
ok($player->play_until(sub { $player->segments >= 2 }, 10), 'media');
cmp_ok($player->newest->{bytes}, '>', 1000, 'with pictures in it');

is(url($viewer, 'CAM%201')->{json}{expiresIn}, 900, 'by its external id');
like(url($viewer, uc $id)->{json}{url}, qr{/hls/$id/}, 'an id in capitals');

# one that begins in the past: leave to watch a recording, which is noted as that

my $from = int(time) - 600;
$r = back($admin, $from);
is($r->{status}, 200, 'an address that reaches back');
like($r->{json}{url}, qr{\?token=[^&]+&from=${from}000$}, 'to when it was asked');
is(claims($r)->{fr}, $from . '000', 'and no further');
is(claims(url($admin, $id))->{fr}, undef, 'one of live does not reach back');
is($t->http_get(url($admin, $id)->{json}{url} =~ s{^http://localhost}{}r
    . "&from=${from}000")->{status}, 403, 'whatever is added to it');
is($t->sql(q{SELECT string_agg(action || ' ' || coalesce(details ->> 'from', '-'),
        ', ' ORDER BY action) FROM audit_log WHERE user_id = '} . $admin->{id}
        . q{' AND action ~ 'watch'}),
    'recording.watch ' . stamp($from, '.000') . ', stream.watch -',
    'both are in the audit');
is(back($watcher, $from)->{code}, 'AUTH_INSUFFICIENT_PERMISSIONS',
    'for who may read recordings');
is(back($admin, int(time) + $_)->{code}, 'VALIDATION_FAILED', "$_ s from now")
    for -43_300, 60;
is(back($foreign, $from)->{code}, 'CAMERA_NOT_FOUND', 'nor another tenant\'s');

# nobody else

is(url($foreign, $id)->{code}, 'CAMERA_NOT_FOUND', 'another tenant');
is(url($viewer, Camera::Token::random_uuid())->{code}, 'CAMERA_NOT_FOUND',
    'no camera');
is(url(undef, $id)->{code}, 'AUTH_TOKEN_MISSING', 'nobody');
is($t->http_get("/hls/$id/playlist.m3u8?token=" . $t->token(camera =>
    { id => $id, epoch => 1, tenant => $foreign->{tenant} }, use => 'playback')
    )->{status}, 404, 'nor would its token be good for it');

# revoked, removed

$t->sql("UPDATE cameras SET play_epoch = 2 WHERE id = '$id'");
ok($t->wait_for(sub { $t->http_get($path)->{status} == 403 }, 3), 'revoked');
($path) = url($viewer, $id)->{json}{url} =~ m{^http://localhost(.*)$};
is($t->http_get($path)->{status}, 200, 'the next one plays');

# a camera that this node does not know: it has no key

my $other = Camera::Token::random_uuid();
$t->sql("INSERT INTO cameras (id, name, play_epoch)
    VALUES ('$other', 'elsewhere', 7);
    DELETE FROM stream_keys WHERE camera_id = '$other'");
is(Camera::Token::claims(url($viewer, $other)->{json}{url} =~
    s/.*token=//r)->{ep}, 7, 'another node\'s, by its row');
is(url($foreign, $other)->{code}, 'CAMERA_NOT_FOUND', 'for its tenant alone');
$t->sql("UPDATE cameras SET deleted_at = now() WHERE id = '$other'");
is(url($viewer, $other)->{code}, 'CAMERA_NOT_FOUND', 'until it is removed');

# Host

for my $host ("localhost:1234", '192.0.2.1', '[2001:db8::1]:8443',
    'Camera.Example')
{
    like(url($viewer, $id, $host)->{json}{url},
        qr{^http://\Q$host\E/hls/$id/}i, "Host: $host");
}

for my $host ('evil.example"><script>', 'a@b', 'a b', 'a#b', "a%0d%0ab",
    'x' x 256)
{
    is(url($viewer, $id, $host)->{status}, 400, 'no host: ' . substr $host, 0, 30);
}

$t->nginx_conf(api => '',
    http => 'camera_api_public_url https://camera.example/site/;');
$t->reload;
$t->wait_api;
like(url($viewer, $id, 'evil.example')->{json}{url},
    qr{^https://camera\.example/site/hls/$id/playlist\.m3u8\?token=},
    'camera_api_public_url');

$t->allow_log(qr/is no URL of a server/);

for my $bad ('camera.example', 'ftp://camera.example', 'https://',
    'https://a.example/?x')
{
    $t->nginx_conf(api => '', http => "camera_api_public_url $bad;");
    like($t->nginx_test, qr/"\S+" is no URL of a server/, "refused: $bad");
}

unlike($t->error_log . $t->read_file($t->dir . '/access.log'), qr/eyJ/,
    'no token in a log');

$t->done_testing;

###############################################################################

sub back {
    my ($user, $from) = @_;

    return $t->api_get("/cameras/$id/stream/hls?from=" . stamp($from),
        token => $user->{token});
}

sub stamp {
    my ($time, $fraction) = @_;

    return strftime('%Y-%m-%dT%H:%M:%S', gmtime $time) . ($fraction // '') . 'Z';
}

sub claims {
    my ($r) = @_;

    return Camera::Token::claims($r->{json}{url} =~ s/.*token=([^&]+).*/$1/r);
}

sub url {
    my ($user, $id, $host) = @_;

    return $t->api_get("/cameras/$id/stream/hls",
        $user ? (token => $user->{token}) : ()) unless defined $host;

    my $s = Camera::HTTP::connect_to($t->port('http'));
    print $s join "\r\n", "GET /api/v1/cameras/$id/stream/hls HTTP/1.1",
        "Host: $host", "Authorization: Bearer $user->{token}",
        'Connection: close', '', '';
    my $r = Camera::HTTP::read_response($s, time + 10);
    $r->{json} = eval { JSON::PP::decode_json($r->{body}) };

    return $r;
}
