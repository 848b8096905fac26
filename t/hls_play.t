#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for signed HLS: every URI of the playlists plays by plain GET, gives
# the bytes of the packager's file, and stays the same from reload to reload.

use strict;
use warnings;

use Camera::Store;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx camera_hls));

###############################################################################

$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera(segments => 9);
my $id = $camera->{id};
my $live = "/hls/$id";

my $r = $t->http_get($store->entrance($camera));
is($r->{status}, 200, 'entrance');
is($r->{headers}{'content-type'}, 'application/vnd.apple.mpegurl', 'type');
is($r->{headers}{'cache-control'}, 'private, no-store', 'not cached');
is($r->{headers}{'referrer-policy'}, 'no-referrer', 'no referrer');
like($r->{body}, qr/\A\#EXTM3U\n\#EXT-X-VERSION:9\n
    \#EXT-X-STREAM-INF:BANDWIDTH=1000000,RESOLUTION=1280x720,
    CODECS="avc1\.64001f,mp4a\.40\.2"\nlive\.m3u8\?s=[\w-]{64}\n\z/x,
    'multivariant playlist');

my ($variant) = $r->{body} =~ /^(live\S+)/m;
my $first = $t->http_get("$live/$variant");
is($first->{status}, 200, 'media playlist');

my $text = $first->{body};
is(() = $text =~ /^#EXTINF:2\.000000,$/mg, 7, 'seven segments listed');
is(() = $text =~ /^#EXT-X-PART:DURATION=0\.500000,/mg, 8, 'their parts');
is(() = $text =~ /^#EXT-X-MAP:/mg, 1, 'one init');
like($text, qr/^#EXT-X-TARGETDURATION:2$/m, 'target duration');
like($text, qr/CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1\.500$/m, 'server control');
like($text, qr/^#EXT-X-PART-INF:PART-TARGET=0\.500$/m, 'part target');
like($text, qr/^#EXT-X-PROGRAM-DATE-TIME:20\d\d-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/m,
    'wall clock');

# what was hinted at, comes

$store->tell('part', $id, 3000);
my @uris = $store->uris($text);
my @bad = grep { $t->http_get("$live/$_")->{status} != 200 } @uris;
is("@bad", '', 'all ' . @uris . ' URIs');
is(scalar(grep { /%|\/|:/ } @uris), 0, 'relative and plain');

# bytes

my ($segment) = grep { /^\d+\.m4s/ } @uris;
my ($msn) = $segment =~ /^(\d+)/;
my $file = $t->read_file($t->shm . "/live/$id/$msn.m4s");

$r = $t->http_get("$live/$segment");
ok($r->{body} eq $file, 'segment is the file');
is($r->{headers}{'content-type'}, 'video/mp4', 'type of media');
like($r->{headers}{'cache-control'}, qr/^private, .*immutable/, 'cacheable');

$r = $t->http_get("$live/$segment", headers => ['Range: bytes=10-19']);
is($r->{status}, 206, 'range');
ok($r->{body} eq substr($file, 10, 10), 'bytes of the range');

$r = $t->http_get("$live/$segment", method => 'HEAD');
is($r->{status}, 200, 'HEAD');
is($r->{headers}{'content-length'}, length $file, 'length');
is($t->http_get("$live/$segment", method => 'POST')->{status}, 405, 'POST');

my @parts = grep { /^\d+\.\d\.m4s/ } @uris;
($msn) = $parts[0] =~ /^(\d+)/;
is(join('', map { $t->http_get("$live/$_")->{body} } @parts[0 .. 3]),
    $t->read_file($t->shm . "/live/$id/$msn.m4s"), 'parts are the segment');

$r = $t->http_get("$live/$parts[1]", headers => ['Range: bytes=5-9']);
is($r->{body}, substr($t->read_file($t->shm . "/live/$id/$msn.m4s"), 2005, 5),
    'range of a part');

# reloads: lines go and come, no line changes or moves

my @history = map { [ split /\n/, $_ ] } $text;
my %uri = map { ($_ =~ /^([^?]+)/, $_) } @uris;

for my $step (1 .. 60) {
    $store->tell('init', $id, 640, 360) if $step == 15;
    $store->tell($step % 4 == 3 ? 'done' : 'part', $id,
        $step % 4 == 3 ? () : 2500);

    my $body = $t->http_get("$live/$variant")->{body};
    push @history, [ split /\n/, $body ];

    for my $now ($store->uris($body)) {
        my ($name) = $now =~ /^([^?]+)/;
        push @bad, $name if ($uri{$name} //= $now) ne $now;
    }
}

is("@bad", '', 'URIs stay the same');
is(join("\n", map { unlike_reload(@history[$_, $_ + 1]) } 0 .. $#history - 1),
    '', 'reloads differ by appended and removed lines');

my @last = @{ $history[-1] };
is(scalar(grep { $_ eq '#EXT-X-DISCONTINUITY' } @last), 0, 'break is past');
is((grep { /^#EXT-X-DISCONTINUITY-SEQUENCE/ } @last)[0],
    '#EXT-X-DISCONTINUITY-SEQUENCE:1', 'and was counted');
like(join("\n", @last), qr/URI="init\.2\.mp4/, 'new init');
is(scalar(grep { /^#EXT-X-DISCONTINUITY$/ } map { @$_ } @history) > 1, 1,
    'break was listed');

is($t->http_get("$live/$segment")->{status}, 404, 'old segment is gone');

# secrets

my ($s) = $variant =~ /s=(.*)/;
$t->stop;

my $logs = $t->error_log . $t->read_file($t->dir . '/access.log');
like($logs, qr/playlist\.m3u8\?token=\* HTTP/, 'masked token');
unlike($logs, qr/eyJ/, 'no token in a log');
ok(index($logs, substr($s, 20)) < 0, 'no session in a log');
unlike($logs, qr/[?&][sm]=[^*&]/, 'no signature in a log');

$t->done_testing;

###############################################################################

# Answers what breaks the rule.  Old lines that are still there come first and
# in their order; an insertion stops that, and old lines then stand behind it.

sub unlike_reload {
    my ($old, $new) = @_;

    my $i = 0;

    for my $line (@$old) {
        last if $i == @$new;
        $i++ if same($line, $new->[$i]);
    }

    my %old = map { $_ => 1 } grep { !/^#EXT(?:INF:|-X-DISCONTINUITY$)/ } @$old;
    my ($behind) = grep { $old{$_} } @$new[$i .. $#$new];

    return $behind ? "before \"$behind\": \"$new->[$i]\"" : ();
}

# numbers in the head grow

sub same {
    my ($old, $new) = @_;

    my ($name) = $old =~ /^(#EXT-X-\w+-SEQUENCE:)/;

    return $name ? index($new, $name) == 0 : $old eq $new;
}
