#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for path attacks on signed HLS: whatever a path looks like that is not
# exactly one of ours, no byte of a file is served for it.

use strict;
use warnings;

use Camera::Store;
use Camera::Test;
use Camera::Token qw(random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx camera_hls));

###############################################################################

$t->nginx_conf(level => 'info');
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera(segments => 4);
my $other = $store->camera(segments => 4);
my ($id, $foreign) = map { $_->{id} } $camera, $other;

my $live = $store->session($camera);
my ($segment) = $t->http_get($live)->{body} =~ /^(\d+\.m4s\S+)/m;
my ($file, $query) = $segment =~ /^([^?]+)\?(.*)/;
is($t->http_get("/hls/$id/$segment")->{status}, 200, 'right path');

# what could be put between, before and behind the parts of a right path

my @odd = (qw(. .. ... %2e %2E%2e %2e%2e %252e%252e .%2e %c0%ae%c0%ae %00 %0a
    %20 %2f %5c \\ ; ;x=y * ~ + : @ $ !), ',', "\xff", "\xc0\xae", "\x01", "'",
    '"', '%', '%%', '%zz', '%u002e', '_', '-', '#', 'index', '.index');
my @names = ('index', '.index', '.worker', 'init.0.mp4', 'init.99.mp4',
    'playlist.m3u', 'live.m3u8.bak', '1.mp4', 'a' x 300, '9' x 300,
    'registry', '../registry', '../../registry', '..%2fregistry');

my @paths = (
    (map { ("$id/$_/$file", "$id$_/$file", "$_/$id/$file", "$_$id/$file",
        "$id/$_$file", "$id/$file$_", "$id/$file/$_") } @odd),
    (map { ("$id/$_", "$foreign/../$id/$_", "../live/$id/$_") } @names),
    "$id//$file", "/$id/$file", "$id/./$file", "$id/../$id/$file",
    "$id/x/../$file", "$foreign/../$id/$file", "$foreign/$file", $id, "$id/",
    uc($id) . "/$file", substr($id, 1) . "/$file",
    "$id/" . ($file =~ s/4/%34/r),
    "$id/" . $file =~ s/m4s/M4S/r, "$id/0$file", "$id/+$file", "$id/-$file",
    (map { random_uuid() . "/$file" } 1 .. 5),
);

cmp_ok(scalar @paths, '>=', 200, scalar @paths . ' paths');

my %status;
push @{ $status{ status("/hls/$_?$query") } }, $_ for @paths;

# what nginx's own reading of a URI ends before our part of it

my %right = map { $_ => 1 } qw(400 403 404);
my @wrong = grep { !$right{$_} } sort keys %status;
is("@wrong", '', 'all refused, ' . join ', ',
    map { "$_: " . @{ $status{$_} } } sort keys %status)
    or diag(map { "$_ $status{$_}[0]\n" } @wrong);

my @raw = ("/hls/$id/$file", "//hls/$id/$file?$query",
    "/hls//$id/$file?$query", "/./hls/$id/$file?$query",
    "/x/../hls/$id/$file?$query", "/hls%2f$id/$file?$query",
    "/hls/$id/$file?$query#x", "/hls/$id/$file#?$query",
    "/hls/$id/$file??$query", "/HLS/$id/$file?$query");
is(join(' ', grep { status($_) == 200 } @raw), '', 'nor around the location');

is($t->http_get("/hls/$id/$segment")->{status}, 200, 'still served');

# what does not come from the packager is not followed

my $dir = $t->shm . "/live/$id";
my ($first) = $file =~ /^(\d+)/;
rename "$dir/$first.m4s", "$dir/kept" or die;
symlink "$dir/kept", "$dir/$first.m4s" or die;
ok($t->reload, 'reload forgets open files');
is($t->http_get("/hls/$id/$segment")->{status}, 404, 'symbolic link');
unlink "$dir/$first.m4s";
truncate "$dir/kept", 100;
rename "$dir/kept", "$dir/$first.m4s" or die;
is($t->http_get("/hls/$id/$segment")->{status}, 404, 'truncated file');
unlink "$dir/$first.m4s";
is($t->http_get("/hls/$id/$segment")->{status}, 404, 'file is gone');

$t->allow_log(qr/open\(\) .* failed \(40: Too many levels/);
$t->done_testing;

###############################################################################

# a server that says nothing to a hopeless request line has refused it

sub status { return $t->http_get($_[0])->{status} || 400 }
