#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for signatures inside playback URLs by a second implementation: what
# Perl signs by docs/hls.md is accepted, and what it signs wrongly is not.

use strict;
use warnings;

use Camera::Store;
use Camera::Test;
use Camera::Token qw(base64url unbase64url random_bytes);
use Digest::SHA qw(hmac_sha256);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camera_hls));

###############################################################################

$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera(segments => 8);
my $path = "/hls/$camera->{id}";
my $now = time;
my %uses = map { $_ => key_index($_) } qw(stream playback);

# a session that is older than the table needs no place in it

my %good = (version => 1, key => $uses{playback}, purpose => 1, zero => 0,
    sid => random_bytes(8), slot => 5, epoch => 1, started => $now - 3600,
    ends => $now + 3600);

is(playlist(), 200, 'session as it should be');

my ($verifies) = grep { $_->{use} eq 'playback' && !$_->{sign} }
    @{ $t->{keys} };
is(playlist(key => key_index($verifies->{kid})), 200, 'of a key that verifies');

my %wrong = (
    'ended'         => { ends => $now - 1 },
    'over just now' => { ends => $now },
    'other version' => { version => 2 },
    'other purpose' => { purpose => 2 },
    'reserved byte' => { zero => 1 },
    'stream key'    => { key => $uses{stream} },
    'no such key'   => { key => 15 },
    'older epoch'   => { epoch => 0 },
    'lost its place' => { started => $now + 5 },
    'no such place' => { started => $now + 5, slot => 0xffffffff },
);

is(playlist(%{ $wrong{$_} }), 403, "session: $_") for sort keys %wrong;

# media

my $s = session(%good);
my $text = $t->http_get("$path/live.m3u8?s=$s")->{body};
my @uris = Camera::Store->uris($text);
my @other;

for my $uri (@uris) {
    my ($file, $e) = $uri =~ /^([^?]+)\?s=\Q$s\E&e=(\d+)&m=[\w-]{22}\z/;
    push @other, $uri if $uri ne media($file, $e);
}

cmp_ok(scalar @uris, '>', 15, 'URIs of a playlist');
is("@other", '', 'signed like this');

my ($init) = grep { /^init/ } @uris;
like($init, qr/&e=$good{ends}&/, 'init: until the end of the session');

my ($file, $e) = (grep { /^\d+\.m4s/ } @uris)[0] =~ /^([^?]+)\?.*e=(\d+)/;
cmp_ok($e, '>', $now + 60, 'segment: for a minute at least');
cmp_ok($e, '<', $now + 300, 'and for minutes at most');

my @segment = ($file, $now + 60);
is(get(media(@segment)), 200, 'own expiry, rightly signed');
is(get(media($file, $now - 1)), 403, 'expired');
is(get(media('1.m4s', $now + 60)), 404, 'rightly signed, but not there');
is(get(media($file =~ s/m4s/31.m4s/r, $now + 60)), 404, 'no such part');
is(get(media('init.9.mp4', $now + 60)), 404, 'no such init');
is(get(media($file, "0$segment[1]")), 403, 'leading zero');

$t->done_testing;

###############################################################################

sub key_index {
    my ($name) = @_;

    my $kid = $t->key($name)->{kid};
    my @keys = @{ $t->{keys} };

    return (grep { $keys[$_]{kid} eq $kid } 0 .. $#keys)[0];
}

sub secret { return unbase64url(($t->{keys}[$_[0]] // $t->{keys}[0])->{k}) }

sub uuid { return pack 'H*', $camera->{id} =~ s/-//gr }

sub session {
    my (%s) = @_;

    my $body = pack 'CCCCa8NNnNnN', @s{qw(version key purpose zero sid slot
        epoch)}, map { ($_ >> 32, $_ & 0xffffffff) } @s{qw(started ends)};

    return base64url($body . substr hmac_sha256('S' . uuid() . $body,
        secret($s{key})), 0, 16);
}

sub playlist {
    my $s = session(%good, @_);
    return $t->http_get("$path/live.m3u8?s=$s")->{status};
}

sub media {
    my ($name, $expires) = @_;

    my ($init, $number) = $name =~ /^(init\.)?(\d+)/;
    my $data = pack 'aCCa16a8NQ>Q>', 'M', $init ? 1 : 2, 1, uuid(),
        @good{qw(sid slot)}, $number, $expires;
    my $m = base64url(substr hmac_sha256($data, secret($good{key})), 0, 16);

    return "$name?s=" . session(%good) . "&e=$expires&m=$m";
}

sub get { return $t->http_get("$path/$_[0]")->{status} }
