#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a volume that fills up: the oldest recordings make room, those that
# are held do not; when there is nothing to remove live goes on, an alert and a
# gap say so, and recording resumes when there is room.

use strict;
use warnings;

use Camera::Live;
use Camera::Stopwatch;
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));
plan skip_all => 'needs root to mount a small tmpfs' if $> != 0;

my $id = $t->camera;
my $volume = $t->dir . '/volume.0';
my ($uid, $gid) = (getpwnam 'www-data')[2, 3];

mkdir $volume;
system("mount -t tmpfs -o size=8m,mode=750,uid=$uid,gid=$gid none $volume") == 0
    or plan skip_all => 'cannot mount a tmpfs here';

###############################################################################

$t->start_recorder(args => ['--reserve', '30%']);
$t->wish($id);

# 10 s of it are 500 kB: more than the volume has in a few moments

my $feed = $t->feed({ speed => 20 }, 'other', '--loop=100');
my @removed;

ok($t->wait_for(sub { @removed = grep { $_->{n} eq 'removed' } $t->journal;
    @removed >= 2 }, 20, 'removed'), 'the oldest make room');

my @opened = grep { $_->{n} eq 'open' } $t->journal;

is_deeply([map { $_->{id} } @removed[0, 1]], [map { $_->{id} } @opened[0, 1]],
    'the oldest first');
is($removed[0]{why}, 'space', 'for their space');
is(scalar(grep { $_->{n} eq 'alert' } $t->journal), 0, 'no alert');
is(join("\n", $t->check_recordings(decode => 0)), '', 'the others are right');

# a hold keeps one, and what is younger goes; the oldest may go while it is held

my $held;
$t->wait_for(sub {
    my @there = $t->recordings($id);
    $held = $there[@there / 2] or return 0;
    open my $hold, '>', $held->{file} =~ s/mp4$/hold/r or die;
    -e $held->{file};
}, 10, 'one to hold');
$t->wait_for(sub { younger_goes() }, 30, 'more go');
ok(-e $held->{file}, 'one that is held stays');
is((grep { $_->{n} eq 'removed' && $_->{id} eq $held->{recording} }
    $t->journal), 0, 'and nobody says otherwise');

# somebody else takes the room, while another camera is recorded

$feed->stop;
$t->wish($id, want => 0);
$id = '0e8a3c7e-52c1-4f57-9f3d-000000000002';
$t->wish($id);
$feed = $t->feed({ camera => $id, speed => 1 }, 'other', '--loop=100');
$t->wait_for(sub { (($t->record_state($id) // {})->{state} // 0) == 1 }, 10,
    'another camera');

my $seen = $t->index($id)->{next_msn};
my $watch = Camera::Stopwatch->start;
open my $fill, '>', "$volume/fill" or die;
1 while syswrite $fill, 'x' x 65536;
1 while syswrite $fill, 'x' x 512;

# all that can go goes first, so hold the rest

my $alert = $t->wait_for(sub { hold_all(); 1 while syswrite $fill, 'x' x 512;
    (grep { $_->{n} eq 'alert' && $_->{type} eq 'storage_full' } $t->journal)
}, 10, 'alert');

ok($alert, 'an alert');
cmp_ok($watch->seconds, '<', 10, 'soon');
ok($t->wait_for(sub { $t->record_state($id)->{state} == 3 }, 5, 'state'),
    'no space');
is(($t->record_volumes)[0]{state}, 3, 'full');

my $gap;
ok($t->wait_for(sub { ($gap) = grep { $_->{n} eq 'gap' && $_->{camera} eq $id
    && !$_->{end} } $t->journal }, 10, 'gap'), 'a gap');
is($gap->{cause}, 'disk', 'for the disk');
ok($t->wait_index(sub { $_[0]{next_msn} > $seen + 1 }, 10, $id),
    'live goes on');
is(join("\n", $t->check_index($t->index($id), $id)), '', 'as it should');

# room again

close $fill;
unlink "$volume/fill";
$watch = Camera::Stopwatch->start;

ok($t->wait_for(sub { $t->record_state($id)->{state} == 1 }, 10, 'recording'),
    'goes on when there is room');
cmp_ok($watch->seconds, '<', 10, 'soon');
ok($t->wait_for(sub { grep { $_->{n} eq 'calm' && $_->{type} eq 'storage_full' }
    $t->journal }, 5, 'calm'), 'the alert is over');
ok($t->wait_for(sub { grep { $_->{n} eq 'gap' && $_->{end}
    && $_->{start} == $gap->{start} } $t->journal }, 5, 'end'), 'and the gap');
is(join("\n", $t->check_recordings), '', 'all is right');

$feed->stop;
$t->done_testing;

###############################################################################

# was one removed that is younger than the one that is held?

sub younger_goes {
    my (%younger, $after);

    for ($t->journal) {
        $younger{ $_->{id} } = 1 if $_->{n} eq 'open' && $after;
        $after ||= $_->{n} eq 'open' && $_->{id} eq $held->{recording};
        return 1 if $_->{n} eq 'removed' && $younger{ $_->{id} };
    }

    return 0;
}

sub hold_all {
    for (glob "$volume/media/*/*/*.mp4") {
        open my $hold, '>', s/mp4$/hold/r or next;
    }
}


END {
    system("umount -l $volume") if $volume;
}
