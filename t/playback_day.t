#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for how long a seek takes in a day of recordings without a gap: 172,800
# fragments in 24 files, whose indexes are real and whose media are holes.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Playback;
use Camera::Stopwatch;
use Camera::Store;
use Camera::Test;
use Compress::Zlib qw(crc32);
use List::Util qw(max sum);
use Test::More;
use Time::HiRes ();

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camera_recordings));

my ($fragments, $size, $seeks) = (7200, 62_000, 15);      # of an hour

###############################################################################

my $narrow = $t->port('narrow');

$t->nginx_conf(Camera::Playback->conf($t, http => <<"END"));
    server {
        listen 127.0.0.1:$narrow sndbuf=16k;
        location /recordings/ { camera_recordings; }
    }
END
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera;
my $p = Camera::Playback->new($t, $camera);
my $start = 3600 * int(time / 3600) - 86400;
my $real = $t->make_recording($camera, start => $start - 7200,
    volume => "$t->{dir}/source");
my $head = substr $t->read_file($real->{index}), 0, 256;
my $init = unpack 'x64L<', $head;

make_hour($start + 3600 * $_) for 0 .. 23;

my @shape = ([ 600, 2, '10 minutes' ], [ 3600, 2, 'an hour' ],
    [ 6 * 3600, 6, 'six hours' ], [ 86400, 10, 'a day' ]);

for (@shape) {
    my ($range, $target, $name) = @$_;
    my (@took, $list);

    for (1 .. $seeks) {
        my $from = 1000 * ($start + int rand 86401 - $range);
        my $watch = Camera::Stopwatch->start;
        my $text = $p->get($p->{media} = $p->start(from => $from,
            to => $from + 1000 * $range))->{body};
        my $read = Camera::Stopwatch->start;
        $list = Camera::Playback::read_playlist($text);
        my $ours = $read->seconds;
        $p->fetch($list->{pieces}[0]);
        push @took, $watch->seconds - $ours;
    }

    my $median = (sort { $a <=> $b } @took)[$seeks / 2];

    is($list->{target}, $target, "$name: length of a piece");
    cmp_ok(abs($range - sum map { $_->{duration} } @{ $list->{pieces} }), '<=',
        2, "$name: all of it");
    cmp_ok(max(map { $_->{duration} } @{ $list->{pieces} }), '<=', $target,
        "$name: none is longer");
    cmp_ok($median, '<', 0.3, sprintf '%s: the first piece after %.0f ms, %d kB'
        . ' of playlist', $name, 1000 * $median, length($list->{text}) / 1000);
}

# clients that take nothing of what they asked for

my @slow = map {
    my $s = Camera::HTTP::connect_to($narrow);
    print $s "GET $p->{media} HTTP/1.0\r\n\r\n";
    $s;
} 1 .. 50;

ok($t->wait_for(sub { $p->get($p->{media})->{status} == 503 }, 15, 'refusals'),
    'no more than 64 MB of playlists wait to be sent');
@slow = ();
ok($t->wait_for(sub { $p->get($p->{media})->{status} == 200 }, 5, 'room'),
    'when they are gone there is room');

$t->done_testing;

###############################################################################

sub make_hour {
    my ($second) = @_;

    my $path = $t->volume . "/media/$camera->{id}/"
        . Camera::Playback::file_name(1000 * $second);
    my ($offset, $index) = ($init, '');

    substr $head, 56, 8, pack 'q<', 1000 * $second;
    substr $head, 252, 4, pack 'L<', crc32(substr $head, 0, 252);

    for my $n (0 .. $fragments - 1) {
        my $entry = pack 'Q<q<q<Q<L<L<L<S<S<L<', $offset,
            1000 * $second + 500 * $n, 500_000 * $n, int $n / 4, $size, 500_000,
            0, $n % 4, $n % 4 ? 0 : 5, 0;
        $index .= $entry . pack 'L<', crc32($entry);
        $offset += $size;
    }

    $t->_service_dir($t->volume);
    $t->run({ user => 'www-data' }, qw(mkdir -p), $path =~ s{/[^/]+\z}{}r);
    $t->write_file($path =~ s/mp4$/idx/r, $head . $index);
    $t->write_file($path, substr $t->read_file($real->{file}), 0, $init);
    truncate $path, $offset;
    $t->give_to_service($path, $path =~ s/mp4$/idx/r);
}
