#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for recordings: every frame of a camera is in one file and in no other,
# over the cut of the hour, a reconnect and another codec; files play from 0 and
# the journal says what they are.

use strict;
use warnings;

use Camera::Live;
use List::Util qw(sum);
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my $id = $t->camera;
my $other = '0e8a3c7e-52c1-4f57-9f3d-000000000002';

###############################################################################

$t->start_recorder(length => 10);
$t->wish($id, from => 1);
$t->wish($other);

# one that comes and goes, meanwhile

my $feed = $t->feed({ camera => $other, speed => 1 }, 'small');

# twenty seconds of media, arrival times with them, reach over a cut or two

$t->feed({ speed => 5 }, 'default')->wait(30);
$t->ended;
$t->wait_for(sub { seconds() > 19.9 }, 10, 'all of it');

my @r = $t->recordings($id);
my @numbers = map { [$t->frame_numbers($_->{file})] } @r;

cmp_ok(@r, '>=', 2, 'more than one file');
is_deeply([map { @$_ } @numbers], [0 .. 299], 'each frame once');
is(join("\n", $t->check_recordings), '', 'files, indexes and journal agree');

for my $i (1 .. $#r) {
    my ($last, $next) = ($r[$i - 1]{fragments}[-1], $r[$i]{start});
    is($next % 10000 < 2000, 1, "file $i begins at the boundary");
    cmp_ok(abs($last->{wall} + $last->{duration} / 1000 - $next), '<', 60,
        "file $i begins where the last one ends");
    cmp_ok(abs(($last->{duration} + 50) / 100 + $last->{live}
        - $r[$i]{fragments}[0]{live}), '<', 500,
        "time of the live store runs on to file $i");
}

cmp_ok($r[0]{fragments}[0]{time}, '<', 50000, 'time begins at 0');
cmp_ok(abs(seconds() - 20), '<', 0.02, 'all of the time');
is($r[0]{segment_sec}, 10, 'length');
is("$r[0]{width}x$r[0]{height}", '1280x720', 'size');
like($r[0]{codecs}, qr/^avc1\.42[0-9a-f]{4},mp4a\.40\.2$/, 'codecs');

my ($first) = $t->run(qw(ffprobe -v error -show_entries packet=dts_time -of
    csv=p=0 -read_intervals), '%+#1', $r[1]{file}) =~ /([\d.]+)/;
cmp_ok($first, '<', 0.05, 'the second begins at 0, too');

# any prefix that ends with a fragment plays

my $cut = $r[0]{fragments}[2];
my $prefix = $t->dir . '/prefix.mp4';
$t->write_file($prefix, substr $t->read_file($r[0]{file}), 0,
    $cut->{offset} + $cut->{size});
my @some = $t->frame_numbers($prefix);
unlike($t->{decoder_log}, qr/(?!-vsync)^./m, 'a prefix plays');
is_deeply(\@some, [0 .. $#some], 'with its frames');

# what the journal has

my %mine = map { $_->{recording} => 1 } @r;
my %n;
push @{ $n{ $_->{n} } }, $_ for grep { $mine{ $_->{id} // '' } } $t->journal;

is(@{ $n{open} }, @r, 'opened');
is(@{ $n{close} }, $#r, 'closed but the last');
is((grep { $_->{why} ne 'hour' } @{ $n{close} }), 0, 'for the hour');
is($n{open}[0]{path}, $r[0]{file} =~ s{.*/media/}{media/}r, 'path');
is($n{open}[0]{start}, $r[0]{start}, 'start');
is(sprintf('%012x', $r[0]{start}), substr($r[0]{recording}, 0, 8)
    . substr($r[0]{recording}, 9, 4), 'the id begins with it');

# the other one left: that is a gap, which is closed when it comes again

$feed->stop;
my $gap;
$t->wait_for(sub { ($gap) = grep { $_->{n} eq 'gap' && $_->{camera} eq $other
    && !$_->{end} } $t->journal }, 10, 'gap');

my ($last) = map { $_->{fragments}[-1] } ($t->recordings($other))[-1];
is($t->record_state($other)->{state}, 2, 'waiting for the camera');
is($gap->{cause}, 'network', 'cause of the gap');
is($gap->{start}, $last->{wall} + int($last->{duration} / 1000),
    'from the last frame on');

$feed = $t->feed({ camera => $other, speed => 1 }, 'small,other');
my $closed;
$t->wait_for(sub { ($closed) = grep { $_->{n} eq 'gap' && $_->{end}
    && $_->{start} == $gap->{start} } $t->journal }, 10, 'end of the gap');

cmp_ok($closed->{end}, '>=', $closed->{start} + 3000, 'its length');
is($t->record_state($other)->{state}, 1, 'recording again');

my @again = grep { $_->{flags} & 2 } map { @{ $_->{fragments} } }
    $t->recordings($other);
cmp_ok(@again, '<=', 1, 'a discontinuity, or another file');
$feed->stop;

# another codec is another file

$t->feed({ camera => $other, speed => 10 }, 'other');
ok($t->wait_for(sub { grep { $_->{width} == 640 } $t->recordings($other) }, 10,
    'another size'), 'another file for another size');

# the wish is taken back

$t->wish($_, want => 0) for $id, $other;
$t->wait_for(sub { $t->record_state($other)->{state} == 0 }, 5, 'idle');
$t->wait_for(sub { 2 == grep { $_->{n} eq 'close' && $_->{why} eq 'stop' }
    $t->journal }, 5, 'both are closed');
is(join("\n", $t->check_recordings), '', 'all is right');
is($t->record_state($other)->{start}, 0, 'nothing is open');
is(join("\n", $t->alerts), '', 'no alert');

$t->done_testing;

###############################################################################

sub seconds {
    return (sum(map { $_->{duration} } map { @{ $_->{fragments} } }
        $t->recordings($id)) // 0) / 1e6;
}
