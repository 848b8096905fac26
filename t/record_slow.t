#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a disk that is slow, or hangs: live never notices, and no frame is
# lost while the live store has it.

use strict;
use warnings;

use Camera::Live;
use Camera::Shim;
use Camera::Stopwatch;
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(sleep time);

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my $shim = Camera::Shim->new($t, disk => 'record/');
my $id = $t->camera;

my ($slow, $hung) = $t->soak ? (60, 20) : (3, 4);      # seconds

###############################################################################

$t->start_recorder(length => 3600, env => $shim->env);
$t->wish($id);

my $feed = $t->feed({ speed => 1 }, 'small', '--loop=1000');
ok($t->goes_on($id), 'recording');

# each write and each sync takes its time

$shim->set(write_msec => 700, sync_msec => 1500);
cmp_ok(live_lag($slow), '<', 1.5, 'slow: live is on time');
$shim->set(write_msec => 0, sync_msec => 0);
ok(level(), 'slow: caught up');

# a sync that does not end, for less time than the live store keeps

my $syncs = $shim->get('syncs');

$shim->set(sync_msec => 3_600_000);
$t->wait_for(sub { $shim->get('syncs') > $syncs }, 10, 'a sync that hangs');
my $end = $t->record_state($id)->{end};
cmp_ok(live_lag($hung), '<', 1.5, 'hung: live is on time');
is($t->record_state($id)->{end}, $end, 'hung: nothing is recorded');
$shim->set(sync_msec => 0);
ok(level(), 'hung: caught up');

is(files(), 1, 'one file');
is($t->missing_parts($id), '', 'every part of the store');
is($t->repeated_parts($id), 0, 'each once');
is(join("\n", $t->check_recordings), '', 'files, indexes and journal agree');
is((grep { $_->{n} eq 'gap' && $_->{cause} eq 'disk' } $t->journal), 0,
    'no gap');

my @numbers = map { $t->frame_numbers($_->{file}) } $t->recordings($id);
is((grep { $numbers[$_] != ($numbers[0] + $_) % 300 } 0 .. $#numbers), 0,
    'every frame, in its order');

# one that the master gives up, with its child

if ($t->soak) {
    my $pid = $t->recorder;

    $shim->set(sync_msec => 3_600_000);
    ok($t->wait_for(sub { ($t->recorder // $pid) != $pid }, 100),
        'hung for a minute: another child');
    $shim->set(sync_msec => 0);
    ok($t->goes_on($id), 'which goes on');
    is((grep { $_->{n} eq 'gap' && $_->{cause} eq 'restart' } $t->journal), 1,
        'with a gap for what the store did not keep');
}

is((grep { !/did nothing for|died of signal 9/ } $t->alerts), 0,
    'nobody died of it');

$feed->stop;
$t->done_testing;

###############################################################################

# the longest time between two parts in live while so many seconds pass

sub live_lag {
    my ($seconds) = @_;

    my ($seen, $most, $until) = (newest(), 0, time + $seconds);
    my $watch = Camera::Stopwatch->start;

    while (time < $until) {
        my $now = newest();

        if ($now ne $seen) {
            $most = max($most, $watch->seconds);
            ($seen, $watch) = ($now, Camera::Stopwatch->start);
        }

        sleep 0.05;
    }

    return max($most, $watch->seconds);
}

sub newest {
    my $last = $t->index->{segments}[-1];

    return "$last->{msn}." . @{ $last->{parts} };
}

# what is recorded is no older than two seconds

sub level {
    return $t->wait_for(sub {
        my ($last) = map { $_->{fragments}[-1] } ($t->recordings($id))[-1];
        $last && $last->{wall} / 1000 > time - 2;
    }, 15, 'what is recorded to be level with live');
}

sub files { return scalar(() = $t->recordings($id)) }
