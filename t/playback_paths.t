#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for path attacks on recordings: whatever a path looks like that is not
# exactly the name of a recording, and links that somebody put onto a volume.

use strict;
use warnings;

use Camera::Playback;
use Camera::Store;
use Camera::Test;
use Camera::Token qw(random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camera_recordings));

###############################################################################

$t->nginx_conf(Camera::Playback->conf($t));
$t->start_nginx;

my $store = Camera::Store->new($t);
my ($camera, $other) = map { $store->camera } 1, 2;
my ($id, $foreign) = map { $_->{id} } $camera, $other;
my $p = Camera::Playback->new($t, $camera);
my $mine = $t->make_recording($camera, start => time - 3600);
my $theirs = $t->make_recording($other, start => time - 3600);

my ($path, $query) = $p->download(start => $mine->{start}) =~ /(.*)(\?.*)/;
my ($day, $file) = $path =~ m{/([^/]+)/([^/]+)\z};
my ($base) = $file =~ /(.*)\.mp4/;
is($t->http_get("$path$query")->{status}, 200, 'right path');

my @odd = (qw(. .. ... %2e %2E%2e %2e%2e %252e%252e .%2e %c0%ae%c0%ae %00 %0a
    %20 %2f %5c \\ ; ;x=y * ~ + : @ $ !), ',', "\xff", "\xc0\xae", "\x01", "'",
    '"', '%', '%%', '%zz', '%u002e', '_', '-', '#', 'volume', 'lock');
my @names = ("$base.idx", "$base.hold", $base, "$base.MP4", "$base.mp4.mp4",
    'volume', 'lock', 'journal', '../volume', '../../volume', '../../../volume',
    "..%2f$day%2f$file", "../../$foreign/$day/$file", "media/$id/$day/$file",
    '..%2f..%2f..%2fetc%2fpasswd', 'a' x 300, '9' x 300, $file =~ s/Z/z/r,
    $file =~ s/T/t/r, $file =~ s/\.\d{3}Z/Z/r, "0$file", substr $file, 1);

my @paths = (
    (map { ("$id/$_/$file", "$id/$day/$_/$file", "$id/$_$day/$file",
        "$id/$day$_/$file", "$id/$day/$_$file", "$id/$day/$file$_",
        "$_/$id/$day/$file", "$id/$day/$file/$_") } @odd),
    (map { ("$id/$_", "$id/$day/$_", "$_") } @names),
    "$id//$day/$file", "$id/$day//$file", "/$id/$day/$file", "$id/./$day/$file",
    "$id/$day/../$day/$file", uc($id) . "/$day/$file", "$id/$file",
    "$id/" . ($day =~ s/-//gr) . "/$file", "$id/2001-01-01/$file",
    (map { "$id/$day/$file" =~ s/$_/sprintf '%%%02x', ord $_/er }
        qw(- 0 T mp4)),
);

cmp_ok(scalar @paths, '>=', 300, scalar @paths . ' paths');

my %status;
push @{ $status{ $t->http_get("/recordings/$_$query")->{status} } }, $_
    for @paths;
my %right = map { $_ => 1 } qw(400 403 404);
my @wrong = grep { !$right{$_} } sort keys %status;
is("@wrong", '', 'all refused, ' . join ', ',
    map { "$_: " . @{ $status{$_} } } sort keys %status)
    or diag(map { "$_ $status{$_}[0]\n" } @wrong);

my @raw = ($path, "/exports$path$query", "//recordings/$id/$day/$file$query",
    "/recordings//$id/$day/$file$query", "/x/../$path$query",
    "/recordings%2f$id/$day/$file$query", "/exports/$id/$day/$file$query",
    "/RECORDINGS/$id/$day/$file$query");
is(join(' ', grep { $t->http_get($_)->{status} == 200 } @raw), '',
    'nor around the location');

# links are not followed, wherever they are

my $secret = "$t->{dir}/secret";
$t->write_file($secret, 'nobody reads this' x 100);
chmod 0644, $secret;
my $volume = $t->volume;
my $start = $mine->{start} - 3_600_000;
my $playlist = sub { $p->get($p->entrance(from => $start,
    to => $mine->{start} + 20_000)) };

my $link = Camera::Playback::file_name($start);
my ($in) = $link =~ m{(.*)/};
$t->run(qw(mkdir -p), "$volume/media/$id/$in");
symlink $secret, "$volume/media/$id/$link";
is($t->http_get($p->download(start => $start))->{status}, 404,
    'a link for a file');

symlink $mine->{index}, "$volume/media/$id/" . $link =~ s/mp4$/idx/r;
is($playlist->()->{status}, 200, 'and its index');
is(@{ $p->playlist(from => $start, to => $mine->{end})->{groups} }, 1,
    'neither is listed');

rename "$volume/media/$id/$day", "$volume/media/$id/away";
symlink 'away', "$volume/media/$id/$day";
is($t->http_get("$path$query")->{status}, 404, 'a link for a day');

unlink "$volume/media/$id/$day";
rename "$volume/media/$id/away", "$volume/media/$id/$day";
is($t->http_get("$path$query")->{status}, 200, 'not a link');

rename "$volume/media/$id", "$volume/media/away";
symlink $foreign, "$volume/media/$id";
is($t->http_get($p->download(start => $theirs->{start}))->{status}, 404,
    "a link to another camera's directory");
unlink "$volume/media/$id";

mkdir "$volume/media/$id";
mkdir "$volume/media/$id/$day";
system 'mkfifo', "$volume/media/$id/$day/$file";
is($t->http_get("$path$query")->{status}, 404, 'a pipe');
unlink "$volume/media/$id/$day/$file";
mkdir "$volume/media/$id/$day/$file";
is($t->http_get("$path$query")->{status}, 404, 'a directory');

# an index of another camera

$t->run('rm', '-r', "$volume/media/$id");
rename "$volume/media/away", "$volume/media/$id";
$t->run('cp', $theirs->{index}, $mine->{index});
is($p->get($p->entrance(from => $mine->{start}))->{status}, 404,
    "another camera's index");

# exports

my $export = random_uuid();
mkdir "$volume/exports";
symlink $secret, "$volume/exports/$export.mp4";
is($t->http_get($p->download(id => $export))->{status}, 404,
    'a link for an export');

$t->done_testing;
