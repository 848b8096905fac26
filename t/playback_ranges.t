#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for playing what was recorded: any range, across the cuts of files, gaps
# and a change of the configuration, with every frame in its place.

use strict;
use warnings;

use Camera::Playback;
use Camera::Stopwatch;
use Camera::Store;
use Camera::Test;
use List::Util qw(sum);
use Test::More;
use Time::HiRes ();

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camera_recordings));

###############################################################################

my $second = "$t->{dir}/second";
$t->nginx_conf(Camera::Playback->conf($t,
    volumes => [ $t->volume, $second, "$t->{dir}/away" ]));
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera;
my $p = Camera::Playback->new($t, $camera);

# a clip of 20 s and 15 frames a second: twice whole, one file continuing the
# other; then after a gap, of another configuration and on another volume

my $start = int(time - 7200);
my @file = (
    $t->make_recording($camera, start => $start, count => 24),
    $t->make_recording($camera, start => $start + 12, first => 24),
    $t->make_recording($camera, start => $start + 60, clip => 'other',
        volume => $second),
);
my ($from, $to) = ($file[0]{start}, $file[2]{end});

my $list = $p->playlist(from => $from, to => $to);
my @pieces = @{ $list->{pieces} };

is($list->{type}, 'VOD', 'what is past does not change');
ok($list->{ended}, 'and has an end');
is(@{ $list->{groups} }, 3, 'files are told apart');
is($list->{start}, '0.000', 'begins where it was asked to');
like($p->{master}, qr/CODECS="avc1\.42c01f,mp4a\.40\.2"/, 'codecs');
like($p->{master}, qr/BANDWIDTH=\d{6},AVERAGE-BANDWIDTH=\d{6}/, 'bandwidth');
is($t->http_get($p->{media})->{body}, $list->{text}, 'same text again');

# structure

my %number = (wrong => 0);

for my $piece (@pieces) {
    $number{wrong}++ if $piece->{duration} > $list->{target} + 0.5
        || $piece->{duration} < 1;
}

is($number{wrong}, 0, 'pieces of the length promised');
is($pieces[0]{time}, $from, 'time of the first frame');
is($list->{groups}[1][0]{time}, $file[1]{start}, 'of the second file');
is($list->{groups}[2][0]{time}, $file[2]{start}, 'behind the gap');

my @sizes = map { my $i = $_; sum map { $_->{size} } @{ $list->{groups}[$i] } }
    0 .. 2;
is($sizes[$_], $file[$_]{bytes} - $list->{groups}[$_][0]{map}{size},
    "every byte of file $_") for 0 .. 2;

# every URI, as it stands there

my $different = 0;

for my $piece (map { ($_->[0]{map}, @$_) } @{ $list->{groups} }) {
    my ($path) = $piece->{uri} =~ /^([^?]+)/;
    my ($file) = grep { $_->{path} =~ /\Q$path\E$/ } @file;
    my $r = $p->fetch($piece);

    $different++ if $r->{status} != 206
        || $r->{body} ne substr $t->read_file($file->{file}),
            $piece->{offset}, $piece->{size};
}

is($different, 0, scalar @pieces . ' pieces are what their files have');

is_deeply([ map { $p->frames($list->{groups}[$_]) } 0, 1 ], [ 0 .. 299 ],
    'no frame lost or twice across a cut');
is_deeply([ $p->frames($list->{groups}[2]) ], [ 0 .. 299 ],
    'nor of the other configuration');

# ffmpeg drops what comes after a discontinuity until time has caught up

my $url = 'http://127.0.0.1:' . $t->port('http')
    . $p->entrance(from => $file[2]{start} + 6000, to => $to);
is_deeply([ $t->frame_numbers($url) ], [ 90 .. 299 ], 'as ffmpeg plays it');

# RFC 3339, and open ends of a token

my $iso = iso($from + 4000);
$list = $p->playlist(from => $iso, to => iso($to) =~ s/:/%3A/gr);
is($list->{pieces}[0]{time}, $from + 4000, 'a time in words');
$list = $p->playlist(from => undef, fr => $from + 8000, to => $to);
is($list->{pieces}[0]{time}, $from + 8000, 'the begin of the token');
$list = $p->playlist(from => $from);
is_deeply([ $list->{type}, $list->{ended}, length_of($list) ],
    [ 'VOD', 1, length_of({ pieces => \@pieces }) ],
    'until now, when nothing is being recorded');

# random seconds

my (@late, @wrong);

for (1 .. 30) {
    my $at = $from + int rand 20_000;
    my $watch = Camera::Stopwatch->start;
    my $seek = $p->playlist(from => $at, to => $to);
    my $piece = $seek->{pieces}[0];
    my $r = $p->fetch($piece->{map});
    $r = $p->fetch($piece);
    push @late, $watch->seconds;

    push @wrong, $at unless $r->{status} == 206 && $piece->{time} <= $at
        && $at < $piece->{time} + 1000 * $piece->{duration} + 1
        && abs($piece->{time} + 1000 * $seek->{start} - $at) < 2;
}

is("@wrong", '', 'a seek begins with the piece that has the second');
@late = sort { $a <=> $b } @late;
cmp_ok($late[15], '<', 0.3, sprintf 'after %.0f ms, at most %.0f',
    1000 * $late[15], 1000 * $late[-1]);

# what is not there

is(status(from => $from - 60_000, to => $from), 404, 'before the first frame');
is(status(from => $file[1]{end} + 100, to => $file[2]{start}), 404,
    'in a gap');
is(status(from => $to + 1), 404, 'behind the last');
is($p->playlist(from => $file[1]{end} + 100, to => $to)->{pieces}[0]{time},
    $file[2]{start}, 'a gap is left out');

my $other = Camera::Playback->new($t, $store->camera);
is($t->http_get($other->entrance(from => $from))->{status}, 404,
    'camera without recordings');

# long ranges have few, long pieces

for (2 .. 8) {
    $t->make_recording($camera, start => $start - 86400 + 40 * $_);
}

$list = $p->playlist(from => 1000 * ($start - 86320), to => $to);
is(scalar(grep { $_->{duration} < 9 || $_->{duration} > 10.5 }
    map { @$_[0 .. $#$_ - 1] } @{ $list->{groups} }), 0,
    'of a day, ten seconds each');
is_deeply([ $p->frames($list->{groups}[3]) ], [ 0 .. 299 ],
    'with every frame');

$t->done_testing;

###############################################################################

sub status { return $t->http_get($p->entrance(@_))->{status} }

sub length_of { return sprintf '%.3f', sum map { $_->{duration} }
    @{ $_[0]{pieces} } }

sub iso {
    my ($msec) = @_;

    my ($s, $m, $h, $d, $mon, $y) = gmtime $msec / 1000;
    return sprintf '%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', $y + 1900, $mon + 1,
        $d, $h, $m, $s, $msec % 1000;
}
