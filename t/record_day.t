#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a day of recordings, compressed: two cameras, eight times as fast, in
# files of ten seconds, over midnight.  Every frame is decoded on both sides of
# every cut.

use strict;
use warnings;

use Camera::Live;
use Camera::Shim;
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my $shim = Camera::Shim->new($t);
my $loops = $t->soak ? 12 : 3;          # of 20 s
my %camera = ($t->camera => 'small',
    '0e8a3c7e-52c1-4f57-9f3d-000000000002' => 'slices');

###############################################################################

# the clock of this test is a quarter of a minute before midnight

$shim->set(clock_msec => 1000 * (86400 - 15 - time % 86400));
$t->start_recorder(length => 10, env => $shim->env);
$t->wish($_, from => 1) for keys %camera;       # all that the store has

my @feeds = map { $t->feed({ camera => $_, speed => 8, env => $shim->env },
    $camera{$_}, "--loop=$loops") } sort keys %camera;
$_->wait(60) for @feeds;

for my $id (sort keys %camera) {
    my $last = $t->ended($id)->{segments}[-1]{msn};
    $t->wait_for(sub { (($t->recordings($id))[-1]{fragments}[-1] // {})->{msn}
        == $last }, 10, 'the last segment');

    my @r = $t->recordings($id);
    my @numbers = map { $t->frame_numbers($_->{file}) } @r;

    cmp_ok(@r, '>=', 2 * $loops, "$camera{$id}: " . @r . ' files');
    is_deeply(\@numbers, [map { $_ % 300 } 0 .. 300 * $loops - 1],
        "$camera{$id}: each frame once, in its order");
    is((grep { $_->{start} % 10000 > 2100 } @r[1 .. $#r]), 0,
        "$camera{$id}: cut by the clock");

    my %day = map { ($_->{file} =~ m{/(\d{4}-\d\d-\d\d)/})[0] => 1 } @r;
    is(keys %day, 2, "$camera{$id}: in the directories of two days");
}

is(join("\n", $t->check_recordings), '', 'files, indexes and journal agree');
is((grep { $_->{n} eq 'close' && $_->{why} ne 'hour' } $t->journal), 0,
    'nothing ended a file but the clock');
is((grep { $_->{n} eq 'removed' } $t->journal), 0, 'nothing was removed');
is(join("\n", $t->alerts), '', 'nobody died');

$t->done_testing;
