#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for one disk of two that fails or hangs: its cameras are recorded on the
# other one, without a part missing, and those of the other notice nothing.

use strict;
use warnings;

use Camera::Live;
use Camera::Shim;
use Errno qw(EIO);
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my $shim = Camera::Shim->new($t, disk => 'record/0');
my @ids = map { sprintf '0e8a3c7e-52c1-4f57-9f3d-%012d', $_ } 1 .. 4;

###############################################################################

# by the volumes' uuids it is decided which camera is where

for my $n (0, 1) {
    my $dir = $t->dir . "/volume.$n";
    mkdir $dir;
    $t->write_file("$dir/volume", "camera-volume 1\n"
        . "7d1c0a5e-3f42-4b6d-9a57-00000000000$n\n");
    $t->give_to_service($dir, "$dir/volume");
}

$t->start_recorder(volumes => 2, length => 3600, env => $shim->env);
$t->wish($_) for @ids;

my @feeds = map { $t->feed({ camera => $_, speed => 1 }, 'small', '--loop=99') }
    @ids;

is(scalar(grep { $t->goes_on($_) } @ids), @ids, 'recording');

my @first = grep { $t->record_state($_)->{volume} == 0 } @ids;
my @second = grep { $t->record_state($_)->{volume} == 1 } @ids;

cmp_ok(@first, '>', 0, 'some on the first');
cmp_ok(@second, '>', 0, 'some on the second');

# every write fails

$shim->set(write_errno => EIO, write_fails => 1_000_000);
ok($t->wait_for(sub { !grep { $t->record_state($_)->{volume} == 0
    || $t->record_state($_)->{state} != 1 } @first }, 15, 'the other'),
    'its cameras are recorded on the other');
is(($t->record_volumes)[0]{state}, 4, 'the first has failed');
is(scalar(grep { $t->goes_on($_) } @ids), @ids, 'all go on');

my @elsewhere = grep { $t->recordings($_, 0) } @second;
is(@elsewhere, 0, 'nobody else moved');
$shim->set(write_fails => 0);

if ($t->soak) {
    ok($t->wait_for(sub { !grep { $t->record_state($_)->{volume} == 1 }
        @first }, 60, 'back'), 'they come back when it is tried again');

    # it hangs

    $shim->set(sync_msec => 20_000);
    ok($t->wait_for(sub { !grep { $t->record_state($_)->{volume} == 0 }
        @first }, 20, 'the other'), 'a disk that hangs: on the other');
    is(scalar(grep { $t->goes_on($_) } @ids), @ids, 'all go on');
    $shim->set(sync_msec => 0);
    $t->wait_for(sub { !grep { $t->record_state($_)->{volume} == 1 } @first },
        60, 'back');
}

is(join('', map { $t->missing_parts($_) } @ids), '', 'no part is missing');

# a restart of all: the first is tried again, and nobody else moves

my %files = map { $_ => files($_) } @second;

$t->worker->signal('KILL');
$t->worker->wait(5);
$t->start_recorder(volumes => 2, length => 3600, env => $shim->env);

is(scalar(grep { $t->goes_on($_) } @ids), @ids, 'restart: recording again');
is_deeply({ map { $_ => files($_) } @second }, \%files,
    'restart: in the same files');

$t->wish($_, want => 0) for @ids;
ok($t->wait_for(sub { !grep { $t->record_state($_)->{state} != 0 } @ids }, 10,
    'idle'), 'idle');
$_->stop for @feeds;
is($t->worker->stop, 0, 'stopped');

is(join("\n", $t->check_recordings), '', 'all is right');

$t->done_testing;

###############################################################################

sub files { scalar(() = $t->recordings($_[0])) }
