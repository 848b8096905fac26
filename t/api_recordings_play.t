#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for addresses of recordings that the API hands out: they play and
# download what they are of, from the media plane, and nothing else.

use strict;
use warnings;

use Camera::Playback;
use Camera::Test;
use POSIX qw(strftime);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations ffmpeg
    camera_api_database camera_recordings));
$t->start_api(Camera::Playback->conf($t));

my $viewer = $t->add_user(role => 'viewer');
my $camera = $t->add_camera(name => 'Front "door"');
my $yard = $t->add_camera(name => 'yard');
my $start = time - 7200;
my $file = $t->add_recording($camera, start => $start);
my $bytes = $t->read_file($file->{file});

###############################################################################

# a download

my $r = get("/recordings/$file->{id}/signed-url");
my $got;
ok($t->wait_for(sub {
    ($got = $t->http_get(path($r->{url})))->{status} == 200;
}, 5, 'the camera'), 'a download');
ok($got->{body} eq $bytes, 'of the file');
is(length $got->{body}, $r->{fileSize}, 'as long as it says');
like($got->{headers}{'content-disposition'},
    qr/^attachment; filename="Front _door_ \S+\.mp4"/, 'under its name');
is($t->http_get(path($r->{url}), headers => [ 'Range: bytes=10-19' ])->{body},
    substr($bytes, 10, 10), 'or a part of it');
is($t->http_get(path($r->{url} =~ s/&d=.*//r))->{status}, 403,
    'under no other name');

# the same to be played

is_deeply([ $t->frame_numbers('http://127.0.0.1:' . $t->port('http')
    . path($r->{playbackUrl})) ], [ 0 .. 299 ], 'every frame of it');

# a range of it

my ($from, $to) = map { strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $start + $_) }
    0, 10;
$r = get("/cameras/$camera->{id}/recordings/playback?from=$from&to=$to");
my @frames = $t->frame_numbers('http://127.0.0.1:' . $t->port('http')
    . path($r->{url}));
cmp_ok(scalar @frames, '>=', 150, scalar(@frames) . ' frames of ten seconds');
cmp_ok(scalar @frames, '<', 200, 'and no more');

# another camera's is not to be had with it

is($t->http_get(path($r->{url} =~ s/$camera->{id}/$yard->{id}/r))->{status},
    404, 'of this camera alone');

$t->done_testing;

###############################################################################

sub get {
    my ($path) = @_;

    return $t->api_get($path, token => $viewer->{token})->{json};
}

sub path { $_[0] =~ s{^http://localhost}{}r }
