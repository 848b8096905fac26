#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what is not H.264 or AAC: the publisher is cut and told the name
# of what it sent, and the registry keeps it for the operator.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Camera::RTMP;
use Camera::Registry qw(registry);
use Camera::Test;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(camera_rtmps postgres migrations));

$t->start_postgres;
$t->migrate;
$t->start_nginx;

sub live {
    my ($name) = @_;

    my $camera = $t->add_camera(name => $name);
    $t->wait_for(sub { registry($t)->{cameras}{ $camera->{id} } }, 5, $name);
    my ($r, $status) = Camera::RTMP->publisher($t, $camera);
    is($status->{code}, 'NetStream.Publish.Start', "$name: started");

    return ($camera, $r);
}

sub cut {
    my ($name, $reason, $detail, $text, $send) = @_;

    my ($camera, $r) = live($name);
    $send->($r);

    my $status = $r->status(2) // {};
    is($status->{level}, 'error', "$name: error");
    like($status->{description}, $text, "$name: says what it is");
    ok($r->closed(2), "$name: closed");

    my $state = registry($t)->{cameras}{ $camera->{id} };
    is($state->{refused}, $reason, "$name: $reason");
    is($state->{detail}, $detail, "$name: detail");
}

sub video { my ($b) = @_; sub { $_[0]->message(9, $b, msid => 1) } }
sub audio { my ($b) = @_; sub { $_[0]->message(8, $b, msid => 1) } }
sub fourcc { unpack 'N', $_[0] }

cut('HEVC by number', 'video_codec', 12, qr/^H\.265 \(HEVC\): the video is/,
    video("\x1c\x00\0\0\0" . "\x01" x 20));
cut('HEVC by FourCC', 'video_codec', fourcc('hvc1'), qr/^H\.265 \(HEVC\): /,
    video("\x90hvc1" . "\x01" x 20));
cut('AV1', 'video_codec', fourcc('av01'), qr/^AV1: /,
    video("\x90av01" . "\x81" x 20));
cut('VP9', 'video_codec', fourcc('vp09'), qr/^VP9: /,
    video("\x90vp09" . "\x81" x 20));
cut('FourCC nobody knows', 'video_codec', fourcc("\n\n\n\n"),
    qr/^video codec 0x0a0a0a0a: /, video("\x90\n\n\n\n\x01"));
cut('Sorenson', 'video_codec', 2, qr/^H\.263: /, video("\x12" . "\0" x 20));
cut('G.711', 'audio_codec', 7, qr/^G\.711 A-law: the audio is not AAC/,
    audio("\x72" . "\xd5" x 160));
cut('MP3', 'audio_codec', 2, qr/^MP3: /, audio("\x2f" . "\xff" x 160));
cut('Opus', 'audio_codec', fourcc('Opus'), qr/^Opus: /,
    audio("\x90Opus" . "\0" x 10));

cut('broken avcC', 'bad_media', 0, qr/broken media/,
    video("\x17\0\0\0\0\x01\x42"));
cut('avcC that is no end', 'bad_media', 0, qr/broken media/, video(pack 'H*',
    '17000000000142c00dffe1000f6742c00dd30000000000800000000000'));
cut('huge avcC', 'bad_media', 0, qr/broken media/,
    video("\x17\0\0\0\0" . $Camera::RTMP::AVCC . "\0" x 5000));
cut('broken ASC', 'bad_media', 0, qr/broken media/, audio("\xaf\0\xff"));
cut('unknown packet type', 'bad_media', 0, qr/broken media/,
    video("\x17\x09\0\0\0" . "\0" x 10));

# what is neither: it is passed over

my ($camera, $r) = live('tolerated');
$r->config;
$r->message(9, '', msid => 1);
$r->message(8, '', msid => 1);
$r->message(9, "\x57\x00", msid => 1);             # a command frame
$r->message(9, "\x17\x02\0\0\0", msid => 1);       # end of sequence
$r->message(9, "\x27\x01\0\0\0", msid => 1);       # a frame of nothing
$r->message(18, Camera::RTMP::amf('@setDataFrame')
    . Camera::RTMP::amf('onMetaData') . "\x0a" x 50_000, msid => 1);
$r->message(18, '', msid => 1);
$r->video(40, key => 1);
ok(!$r->closed(0.3), 'empty messages, commands and metadata do no harm');

$t->done_testing;
