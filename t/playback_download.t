#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for downloading recordings and exports by a second implementation of
# their signatures: whole files, ranges, names, and what a link is not good for.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Playback;
use Camera::Store;
use Camera::Test;
use Camera::Token qw(random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camera_recordings));

###############################################################################

my ($certificate, $key) = $t->certificate;
my $https = $t->port('https');

$t->nginx_conf(Camera::Playback->conf($t,
    volumes => [ "$t->{dir}/first", $t->volume ], http => <<"END"));
    server {
        listen 127.0.0.1:$https ssl;
        ssl_certificate $certificate;
        ssl_certificate_key $key;
        location /recordings/ { camera_recordings; aio threads; sendfile on; }
    }
END
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera;
my $p = Camera::Playback->new($t, $camera);
my $file = $t->make_recording($camera, start => time - 3600);
my $start = $file->{start};
my $bytes = $t->read_file($file->{file});

# a recording

my $url = $p->download(start => $start);
my $r = $t->http_get($url);
is($r->{status}, 200, 'a recording');
ok($r->{body} eq $bytes, 'whole');
is($r->{headers}{'content-type'}, 'video/mp4', 'type');
is($r->{headers}{'accept-ranges'}, 'bytes', 'ranges are taken');
is($r->{headers}{'content-disposition'}, 'attachment', 'to be saved');
is($r->{headers}{'cache-control'}, 'private, no-store', 'and not kept');
like($r->{headers}{etag}, qr/^"[0-9a-f]+-[0-9a-f]+"$/, 'validator');
is_deeply([ $t->frame_numbers('http://127.0.0.1:' . $t->port('http') . $url) ],
    [ 0 .. 299 ], 'it plays as it is');

my $etag = $r->{headers}{etag};

for (
    [ 'bytes=0-0', 206, 0, 1 ],
    [ 'bytes=1000-', 206, 1000 ],
    [ 'bytes=-500', 206, length($bytes) - 500 ],
    [ 'bytes=' . length($bytes) . '-', 416 ],
    [ 'bytes=5000-4000', 416 ],
) {
    my ($range, $status, $from, $length) = @$_;
    my $r = $t->http_get($url, headers => ["Range: $range"]);
    is($r->{status}, $status, $range);
    ok($r->{body} eq substr($bytes, $from, $length // length $bytes),
        "the bytes of $range") if $status == 206;
}

is($t->http_get($url, headers => ['Range: bytes=10-19',
    "If-Range: $etag"])->{status}, 206, 'goes on with the same file');
is($t->http_get($url, headers => ['Range: bytes=10-19',
    'If-Range: "other"'])->{status}, 200, 'begins anew with another');
is($t->http_get($url, headers => ["If-None-Match: $etag"])->{status}, 304,
    'not modified');
$r = $t->http_get($url, method => 'HEAD');
is("$r->{status} $r->{headers}{'content-length'}", '200 ' . length $bytes,
    'HEAD');
is($t->http_get($url, method => 'POST')->{status}, 405, 'POST');

# over TLS, where bytes are read by threads

my $big = $t->make_recording($camera, start => time - 5400, clip => 'big');
$r = Camera::HTTP::get($https, $p->download(start => $big->{start}), tls => 1);
ok($r->{body} eq $t->read_file($big->{file}), 'over TLS');
$r = Camera::HTTP::get($https, $p->download(start => $big->{start}), tls => 1,
    headers => ['Range: bytes=1000000-2999999']);
ok($r->{body} eq substr($t->read_file($big->{file}), 1e6, 2e6), 'a range of it');

# names

my %name = (
    'Gate.mp4' => [ 'Gate.mp4' ],
    'Hof%20%C3%A4%C3%B6.mp4' => [ 'Hof __.mp4' ],
    '%E9%97%A8.mp4' => [ '_.mp4' ],
    'a%22b%5Cc%2Fd%25.mp4' => [ 'a_b_c_d_.mp4' ],
    'x%0D%0ASet-Cookie:%20y.mp4' => [ 'x__Set-Cookie: y.mp4' ],
);

for my $name (sort keys %name) {
    my $r = $t->http_get($p->download(start => $start, name => $name));
    is($r->{headers}{'content-disposition'}, 'attachment; filename="'
        . "$name{$name}[0]\"; filename*=UTF-8''$name", "name $name");
    is($r->{headers}{'set-cookie'}, undef, 'and nothing else');
}

# exports

my $id = random_uuid();
my $dir = "$t->{dir}/recordings/exports";
$t->run({ user => 'www-data' }, 'mkdir', $dir);
$t->write_file("$dir/$id.mp4", 'moving pictures' x 1000);
$t->write_file("$dir/$id.json", '{"camera":"x"}');
chmod 0644, glob "$dir/*";

my $export = $p->download(id => $id, name => 'Export.mp4');
$r = $t->http_get($export);
is("$r->{status} " . length $r->{body}, '200 15000', 'an export');
is($r->{headers}{'content-type'}, 'video/mp4', 'type');
$r = $t->http_get($p->download(id => $id, suffix => 'json'));
is($r->{body}, '{"camera":"x"}', 'its manifest');
is($r->{headers}{'content-type'}, 'application/json', 'type');
is($t->http_get($p->download(id => random_uuid()))->{status}, 404,
    'one that is gone');

# what a link is not good for

my $other = Camera::Playback->new($t, $store->camera);
my $second = $t->make_recording($camera, start => time - 1800);
my $now = time;
my ($m) = $url =~ /&m=(.*)/;
my %denied = (
    'expired'        => $p->download(start => $start, expires => $now - 1),
    'later expiry'   => $url =~ s/e=\d+/'e=' . ($now + 9999)/er,
    'no signature'   => $url =~ s/&m=.*//r,
    'no expiry'      => $url =~ s/e=\d+&//r,
    'a name'         => "$url&d=x.mp4",
    'another name'   => $p->download(start => $start, name => 'a.mp4')
                            =~ s/a\.mp4$/a.exe/r,
    'without name'   => $p->download(start => $start, name => 'a.mp4')
                            =~ s/&d=.*//r,
    'another file'   => $p->download(start => $second->{start})
                            =~ s/&m=.*/&m=$m/r,
    'another camera' => $url =~ s/\Q$camera->{id}/$other->{camera}{id}/r,
    'another export' => $export =~ s/\Q$id/random_uuid()/er,
    'its manifest'   => $export =~ s/\.mp4\?/.json?/r,
    'an older epoch' => $p->download(start => $start, epoch => 0),
    'a session'      => $url =~ s/e=\d+/'s=' . $p->session(from => $start,
                            to => $start + 1)/er,
);

is($t->http_get($denied{$_})->{status}, 403, "not good: $_")
    for sort keys %denied;

my %status;

for my $i (index($url, '?') + 1 .. length($url) - 1) {
    for my $bit (0, 2, 5) {
        my $changed = $url;
        substr $changed, $i, 1, chr(ord(substr $changed, $i, 1) ^ 1 << $bit);
        next if $changed =~ /[^!-~]|#/;
        $status{ $t->http_get($changed)->{status} }++;
    }
}

is(join(' ', keys %status), '403', 'changed bits');

# a camera of nobody, a recording that never was

my $nobody = Camera::Playback->new($t, { id => random_uuid(), epoch => 1 });
is($t->http_get($nobody->download(start => $start))->{status}, 404,
    'unknown camera');
is($t->http_get($p->download(start => $start + 1))->{status}, 404,
    'nothing of that name');

# without its index a file that is whole can still be had

unlink $file->{index};
ok($t->http_get($url)->{body} eq $bytes, 'index lost');
$t->write_file($second->{index}, 'x' x 1000);
is($t->http_get($p->download(start => $second->{start}))->{status}, 200,
    'index damaged');

# revoked

$camera->{epoch}++;
$store->put($camera);
is($t->http_get($url)->{status}, 403, 'after "revoke --viewers"');
is($t->http_get($export)->{status}, 403, 'exports, too');
is($t->http_get($p->download(start => $start))->{status}, 200, 'a new link');

unlike($t->error_log . $t->read_file("$t->{dir}/access.log"),
    qr/&m=\w|d=\w|\Q$m\E/, 'no signature in a log');

$t->done_testing;
