#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what signed HLS refuses: tokens of every wrong kind, signatures
# with a changed bit, pieces of another camera, cameras that are not there.

use strict;
use warnings;

use Camera::Store;
use Camera::Test;
use Camera::Token qw(random_bytes random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camera_hls));

###############################################################################

$t->start_nginx;

my $store = Camera::Store->new($t);

$store->tell('fed', 90000);
my $camera = $store->camera(segments => 4);
my $r = $t->http_get($store->entrance($camera));
is($r->{status}, 503, 'registry older than a day');
is($r->{headers}{'retry-after'}, 2, 'come again');
$store->tell('fed', 80000);
is($t->http_get($store->entrance($camera))->{status}, 200, 'younger');
$store->tell('fed', 0);

# tokens

my $other = $store->camera(segments => 4);
my $spare = $t->key('playback');
my $now = time;

my %wrong = (
    'none'            => "/hls/$camera->{id}/playlist.m3u8",
    'empty'           => "/hls/$camera->{id}/playlist.m3u8?token=",
    'not a token'     => $store->entrance($camera, token => 'eyJ.eyJ.x'),
    'too long'        => $store->entrance($camera, token => 'a' x 2049),
    'alg none'        => $store->entrance($camera,
                             header => { alg => 'none' }),
    'alg HS512'       => $store->entrance($camera,
                             header => { alg => 'HS512' }),
    'unknown key'     => $store->entrance($camera,
                             header => { kid => 'nobody' }),
    'other secret'    => $store->entrance($camera,
                             secret => random_bytes(32)),
    'stream token'    => $store->entrance($camera, use => 'stream'),
    'stream key'      => $store->entrance($camera, use => 'playback',
                             kid => 'stream'),
    'expired'         => $store->entrance($camera, iat => $now - 900,
                             exp => $now - 1),
    'from the future' => $store->entrance($camera, iat => $now + 500,
                             exp => $now + 900),
    'no expiry'       => $store->entrance($camera, exp => undef),
    'other purpose'   => $store->entrance($camera, pur => 2),
    'revoked'         => $store->entrance($camera, ep => 0),
    'twice'           => $store->entrance($camera) . '&token=x',
    'more arguments'  => $store->entrance($camera) . '&x=1',
    'encoded name'    => $store->entrance($camera) =~ s/token/%74oken/r,
);

for my $name (sort keys %wrong) {
    $r = $t->http_get($wrong{$name});
    is($r->{status}, 403, "token: $name");
}

is($t->http_get($store->entrance($camera, iat => $now - 899,
    exp => $now + 5))->{status}, 200, 'token: old, but not expired');

# what belongs to others looks like what is not there

my $nobody = { id => random_uuid(), tenant => random_uuid(), epoch => 1 };
my $foreign = { %$other, tenant => random_uuid() };

my %absent = (
    'unknown camera'        => $store->entrance($nobody),
    "another tenant's"      => $store->entrance($foreign),
    "another camera's path" => $store->entrance($camera,
                                   path_id => $other->{id}),
    'unknown in the path'   => $store->entrance($camera,
                                   path_id => $nobody->{id}),
);

my %answers;

for my $name (sort keys %absent) {
    $r = $t->http_get($absent{$name});
    is($r->{status}, 404, $name);
    $answers{ $r->{header} =~ s/^Date:.*\r\n//mr . $r->{body} }++;
}

is(keys %answers, 1, 'byte-identical answers');

# cameras that cannot be seen now

my $dark = $store->camera;
$r = $t->http_get($store->entrance($dark));
is($r->{status}, 503, 'never on the air');
is($r->{headers}{'retry-after'}, 2, 'come again');

$store->tell('state', $other->{id}, 2);
is($t->http_get($store->entrance($other))->{status}, 503, 'off the air');
$store->tell('state', $other->{id}, 1);

my $inactive = $store->camera(segments => 4, active => 0);
is($t->http_get($store->entrance($inactive))->{status}, 403, 'not active');

# signatures

my $live = $store->session($camera);
my $text = $t->http_get($live)->{body};
my ($segment) = $text =~ /^(\d+\.m4s\S+)/m;
my ($part) = $text =~ /URI="(\d+\.1\.m4s[^"]+)/;
my ($init) = $text =~ /URI="(init[^"]+)/;
my $path = "/hls/$camera->{id}";

is($t->http_get("$path/$segment")->{status}, 200, 'segment');

for my $uri ($segment, $part, $init, $live =~ /([^\/]+)\z/) {
    my ($file, $query) = $uri =~ /^([^?]+)\?(.*)/;
    my %status;

    for my $i (0 .. length($query) - 1) {
        for my $bit (0 .. 6) {
            my $changed = $query;
            substr $changed, $i, 1,
                chr(ord(substr $changed, $i, 1) ^ 1 << $bit);
            next if $changed =~ /[^!-~]|#/;
            my $status = $t->http_get("$path/$file?$changed")->{status};
            push @{ $status{$status} }, $changed;
        }
    }

    is(join(' ', keys %status), '403', "changed bits, $file")
        or diag($status{200} ? "200: $status{200}[0]" : '');
}

my ($s, $e, $m) = $segment =~ /s=(.*)&e=(\d+)&m=(.*)/;
my ($msn) = $segment =~ /^(\d+)/;
my $later = $e + 3600;

my %forged = (
    'other segment'     => $segment =~ s/^\d+/$msn + 1/er,
    'segment as init'   => $segment =~ s/^\d+\.m4s/init.$msn.mp4/r,
    'later expiry'      => $segment =~ s/e=$e/e=$later/r,
    'no expiry'         => $segment =~ s/&e=$e//r,
    'no signature'      => $segment =~ s/&m=.*//r,
    'no session'        => $segment =~ s/s=.*?&//r,
    'signature twice'   => "$segment&m=$m",
    'padded'            => "$segment%3D%3D",
    'playlist by media' => "live.m3u8?s=$s&e=$e&m=$m",
);

for my $name (sort keys %forged) {
    is($t->http_get("$path/$forged{$name}")->{status}, 403, $name);
}

my $strange = (split /s=/, $store->session($other))[1];
is($t->http_get("/hls/$other->{id}/$segment")->{status}, 403,
    "segment under another camera's path");
is($t->http_get("$path/live.m3u8?s=$strange")->{status}, 403,
    "another camera's session");
is($t->http_get("$path/" . $segment =~ s/s=$s/s=$strange/r)->{status}, 403,
    "another session's signature");

$t->done_testing;
