#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for playing and downloading encrypted recordings: every byte that a plain
# twin of them gives, by any range, and none when there is no key.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Playback;
use Camera::Store;
use Camera::Test;
use IO::Socket::INET;
use JSON::PP ();
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camera_recordings));

###############################################################################

my ($certificate, $key) = $t->certificate;
my $https = $t->port('https');

$t->nginx_conf(Camera::Playback->conf($t, http => <<"END"));
    server {
        listen 127.0.0.1:$https ssl;
        ssl_certificate $certificate;
        ssl_certificate_key $key;
        location /recordings/ { camera_recordings; aio threads; sendfile on; }
    }
END
$t->start_nginx;

my $store = Camera::Store->new($t);
my @camera = ($store->camera, $store->camera);
my @p = map { Camera::Playback->new($t, $_) } @camera;

# twins, the second one encrypted

my $time = int(time - 7200);
my @file = map { [
    $t->make_recording($camera[$_], start => $time, count => 24, encrypt => $_),
    $t->make_recording($camera[$_], start => $time + 12, first => 24,
        encrypt => $_),
    $t->make_recording($camera[$_], start => $time - 3600, clip => 'big',
        encrypt => $_),
] } 0, 1;
my $plain = $t->read_file($file[0][0]{file});
my $sealed = $t->read_file($file[1][0]{file});

# what lies on the disk

my $sample = substr $plain, -500, 400;
is(length $sealed, length $plain, 'not a byte longer');
isnt(index($plain, $sample), -1, 'a plain file has its samples');
is(index($sealed, $sample), -1, 'an encrypted one has none of them');
is(() = $sealed =~ /edat/g, 24, 'in boxes of another type');
unlike($sealed, qr/mdat/, 'and in no others');
$t->write_file("$t->{dir}/stolen.mp4", $sealed);
is_deeply([ $t->frame_numbers("$t->{dir}/stolen.mp4") ], [],
    'nothing of it plays');

# playing

my @list = map { $_->playlist(from => $time * 1000,
    to => $file[0][1]{end}) } @p;
is(@{ $list[1]{pieces} }, @{ $list[0]{pieces} }, 'the same pieces');
is_deeply([ map { @$_{qw(offset size duration)} } @{ $list[1]{pieces} } ],
    [ map { @$_{qw(offset size duration)} } @{ $list[0]{pieces} } ],
    'at the same places');
is((grep { $p[0]->fetch($list[0]{pieces}[$_])->{body}
    ne $p[1]->fetch($list[1]{pieces}[$_])->{body} }
    0 .. $#{ $list[0]{pieces} }), 0, 'of the same bytes');
is_deeply([ map { $p[1]->frames($_) } @{ $list[1]{groups} } ], [ 0 .. 299 ],
    'every frame');

my $part = $p[1]->playlist(from => ($time + 4) * 1000, to => ($time + 6) * 1000);
my $inner = $part->{pieces}[0];
is($p[1]->fetch($inner)->{status}, 206, 'a part of a file');
is($p[1]->fetch($inner)->{body}, substr($plain, $inner->{offset}, $inner->{size}),
    'is that part');
is($p[1]->fetch($inner->{map})->{body}, substr($plain, 0, $inner->{map}{size}),
    'with what explains it');
is($p[1]->range($inner->{uri}, $inner->{offset} + $inner->{size} + 9_999,
    $inner->{offset} + $inner->{size} + 10_999)->{status}, 403,
    'and nothing else of it');

# downloads

my @url = map { $p[$_]->download(start => $file[$_][0]{start}) } 0, 1;
my $r = $t->http_get($url[1]);
is("$r->{status} $r->{headers}{'accept-ranges'}", '200 bytes', 'a download');
ok($r->{body} eq $plain, 'is the plain file');
is($r->{headers}{'content-type'}, 'video/mp4', 'type');
my $etag = $r->{headers}{etag};

my $second = unpack 'x256x56Q<', $t->read_file($file[1][0]{index});
my $size = length $plain;

for my $range (
    'bytes=0-0', 'bytes=1000-', 'bytes=-500', 'bytes=-99999999', "bytes=$size-",
    'bytes=0-99999999', 'bytes=-0', 'bytes=' . ($size - 1) . '-',
    (map { 'bytes=' . ($second + $_) . '-' . ($second + 2 * $_ + 20_001) }
        -9, -1, 0, 1, 7, 8, 100, 131),
) {
    my @r = map { $t->http_get($_, headers => ["Range: $range"]) } @url;
    is($r[1]{status}, $r[0]{status}, "$range: status");
    is($r[1]{headers}{'content-range'}, $r[0]{headers}{'content-range'},
        "$range: where") ;
    ok($r[1]{body} eq $r[0]{body}, "$range: bytes") if $r[0]{status} == 206;
}

is($t->http_get($url[1], headers => ['Range: bytes=10-19',
    "If-Range: $etag"])->{status}, 206, 'goes on with the same file');
is($t->http_get($url[1], headers => ['Range: bytes=10-19',
    'If-Range: "other"'])->{status}, 200, 'begins anew with another');
$r = $t->http_get($url[1], headers => ['Range: bytes=1-2,5-6']);
is($r->{status}, 200, 'of several ranges there is the whole');
is($t->http_get($url[1], headers => ["If-None-Match: $etag"])->{status}, 304,
    'not modified');
$r = $t->http_get($url[1], method => 'HEAD');
is("$r->{status} $r->{headers}{'content-length'}", "200 $size", 'HEAD');
$r = $t->http_get($url[1], method => 'HEAD', headers => ['Range: bytes=5-9']);
is("$r->{status} $r->{headers}{'content-length'}", '206 5', 'HEAD of a range');

# longer than any buffer, over TLS, and slowly

my $big = $t->read_file($file[0][2]{file});
my $get = $p[1]->download(start => $file[1][2]{start});
$r = Camera::HTTP::get($https, $get, tls => 1);
ok($r->{body} eq $big, 'a large one over TLS');
$r = Camera::HTTP::get($https, $get, tls => 1,
    headers => ['Range: bytes=1000000-2999999']);
ok($r->{body} eq substr($big, 1e6, 2e6), 'a range of it');
ok(slowly($get) eq $big, 'to somebody who takes his time');

# to many at once, more than are read for at the same time

my @many = map { ask($get) } 1 .. 50;
is((grep { !read_all($_, $big) } @many), 0, 'to fifty at once');

# who leaves is forgotten

my $before = descriptors();
for (1 .. 5) {
    my $s = ask($get);
    read $s, my $some, 10_000;
    close $s;
}
ok($t->wait_for(sub { descriptors() <= $before }, 10, 'files to be closed'),
    'nothing stays open') or diag(descriptors());

# another key encrypts, the old one still decrypts

$t->write_keys(map { { %$_, sign => $_->{kid} eq 'r2' ? JSON::PP::true
    : $_->{kid} eq 'r1' ? JSON::PP::false : $_->{sign} } } @{ $t->{keys} });
$t->reload;
my $new = $t->make_recording($camera[1], start => $time + 600, encrypt => 1);
isnt(index($t->read_file($new->{index}), "r2\0"), -1, 'by the new key');
ok($t->http_get($p[1]->download(start => $new->{start}))->{body}
    eq $t->read_file($t->make_recording($camera[0], start => $time + 600)->{file}),
    'a new recording');
ok($t->http_get($url[1])->{body} eq $plain, 'an old one');

# an index that was copied from another recording opens nothing

my $index = $t->read_file($new->{index});
$t->write_file($new->{index}, substr($index, 0, 152)
    . substr($t->read_file($file[1][0]{index}), 152, 56)
    . substr($index, 208, 44));
crc_head($new->{index}, substr $index, 256);
is($t->http_get($p[1]->download(start => $new->{start}))->{status}, 503,
    'a key of another recording');

# without the key

$t->write_keys(grep { $_->{use} ne 'recording' } @{ $t->{keys} });
$t->reload;
$r = $t->http_get($url[1]);
is($r->{status}, 503, 'without the key nothing is sent');
is(index($r->{body}, 'moov'), -1, 'really nothing');
is($p[1]->fetch($inner)->{status}, 503, 'nor a piece');
is($t->http_get($url[0])->{status}, 200, 'plain ones play on');
like($t->error_log, qr/reading a file failed \(126: Required key not available\)/,
    'and the log says why');
unlike($t->error_log, qr/\b$_->{k}\b/, "but not key $_->{kid}")
    for @{ $t->{keys} };

$t->done_testing;

###############################################################################

sub ask {
    my ($path) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1:' . $t->port('http'))
        or die "connect: $!";
    setsockopt $s, 6, 10, pack('l', 16384);
    print $s "GET $path HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    return $s;
}


# whether that is what comes

sub read_all {
    my ($s, $expected) = @_;

    my $all = do { local $/; <$s> };

    return $all =~ s/^.*?\r\n\r\n//sr eq $expected;
}


sub slowly {
    my $s = ask(@_);
    my $all = '';

    while (sysread $s, $all, 60_000, length $all) {
        select undef, undef, undef, 0.002;
    }

    return $all =~ s/^.*?\r\n\r\n//sr;
}


# of workers, to recordings

sub descriptors {
    my @links = map { readlink($_) // '' }
        map { glob "/proc/$_/fd/*" } $t->worker_pids;

    return scalar grep { /\.(?:mp4|idx)$/ } @links;
}


# a head with its checksum, and what follows

sub crc_head {
    my ($file, $rest) = @_;

    my $head = substr $t->read_file($file), 0, 252;
    require Compress::Raw::Zlib;
    $t->write_file($file, $head . pack('L<', Compress::Raw::Zlib::crc32($head))
        . $rest);
}
