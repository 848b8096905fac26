#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for snapshots without room in shared memory: none is made, that is said
# once, nothing dies of it, and they come when there is room.

use strict;
use warnings;

use Camera::Snapshot;
use Test::More;

my $t = Camera::Snapshot->new;
$t->skip_without(qw(nginx worker ffmpeg));
plan skip_all => 'needs root to mount a small tmpfs' if $> != 0;

my $live = $t->shm . '/live';
my ($uid, $gid) = (getpwnam 'www-data')[2, 3];

system("mount -t tmpfs -o size=4m,uid=$uid,gid=$gid none $live") == 0
    or plan skip_all => 'cannot mount a tmpfs here';

###############################################################################

$t->start_snapshots;

my $feed = $t->feed({ speed => 1 }, 'small', '--loop=20');

$t->first(160);
my @children = Camera::Process::children($t->worker->pid);

# old parts go now and then: what they leave has to be taken, too

my $r;
open my $fill, '>', "$live/fill" or die "open() failed: $!";

$t->wait_for(sub {
    1 while syswrite $fill, 'x' x 4096;
    $r = $t->snapshot(640);
    $r->{status} == 503;
}, 20, 'a picture without room');

is($r->{body}, '4 no picture came in time', 'no room: told why');
is(said(qr/snapshot not written, trying on/) - said(qr/room for snapshots/), 1,
    'no room: said once');
is((grep { /\.snapshot/ } $t->run('find', $live)), 0,
    'no room: nothing is left over');

close $fill;
unlink "$live/fill";

is($t->first(640)->{status}, 200, 'room: served');
is(said(qr/snapshot not written/), said(qr/has room for snapshots again/),
    'room: said so');
is_deeply([Camera::Process::children($t->worker->pid)], \@children,
    'nobody died');

$feed->stop;
is(join("\n", $t->alerts), '', 'no alert');
$t->done_testing;

###############################################################################

sub said { scalar(() = $t->worker_log =~ /$_[0]/g) }


END {
    system("umount -l $live") if $live;
}
