#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a full shared memory: parts are lost, the child is not, and live
# goes on when there is room.

use strict;
use warnings;

use Camera::Live;
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));
plan skip_all => 'needs root to mount a small tmpfs' if $> != 0;

my $live = $t->shm . '/live';
my ($uid, $gid) = (getpwnam 'www-data')[2, 3];

system("mount -t tmpfs -o size=256k,uid=$uid,gid=$gid none $live") == 0
    or plan skip_all => 'cannot mount a tmpfs here';

###############################################################################

$t->start_worker(args => ['--children', 1]);

my $child;
$t->wait_for(sub { ($child) = $t->worker_children }, 5, 'the child');

my $feed = $t->feed({ speed => 5 }, 'small', '--loop=50');

ok($t->wait_for(sub { $t->worker_log =~ /no room for the/ }, 10, 'log'),
    'said that it is full');

# it stays full for some segments

my $full = $t->index;
my $told = sub { scalar(() = $t->worker_log =~ /no room for the/g) };

is($full->{state}, 1, 'still live');
is(join("\n", $t->check_index($full)), '', 'index and files agree');

# the rest of the room goes, too

open my $fill, '>', "$live/fill" or die;
1 while syswrite $fill, 'x' x 4096;

$full = $t->index;
my $said = $told->();
my $seen = $full->{next_msn};
sleep 2;

is($t->index->{next_msn}, $seen, 'nothing is published meanwhile');
cmp_ok($told->(), '<=', $said + 1, 'said once, not for each part');
is_deeply([$t->worker_children], [$child], 'same child');

# room again

close $fill;
unlink "$live/fill";
system("mount -o remount,size=16m $live") == 0 or die;

my $index = $t->wait_index(sub { $_[0]{next_msn} >= $seen + 3 }, 5);

cmp_ok($index->{next_msn}, '>=', $seen + 3, 'live goes on');
like($t->worker_log, qr/has room again after \d+ lost parts/, 'said so');

my ($new) = grep { $_->{msn} == $seen } @{ $index->{segments} };

is($new->{discontinuity}, 1, 'after a discontinuity');
is($new->{parts}[0]{independent}, 1, 'at a key frame');

$feed->stop;
$index = $t->ended;
my @runs = $t->runs($index);

is(join('', map { $_->{errors} } @runs), '', 'decodes');
is(join("\n", $t->check_index($index)), '', 'index');
is_deeply([$t->worker_children], [$child], 'still the same child');
is(join("\n", $t->alerts), '', 'no alert');

# a camera that begins while there is no room at all

open $fill, '>', "$live/fill" or die;
1 while syswrite $fill, 'x' x 4096;

my $other = '0e8a3c7e-52c1-4f57-9f3d-000000000002';

$feed = $t->feed({ camera => $other, speed => 5 }, 'small', '--loop=50');
ok($t->wait_for(sub { $t->worker_log =~ /$other: cannot open the live/ }, 10,
    'log'), 'new camera is told why');

close $fill;
unlink "$live/fill";

ok($t->wait_index(sub { @{ $_[0]{segments} } > 1 }, 10, $other),
    'new camera begins when there is room');
is_deeply([$t->worker_children], [$child], 'again the same child');

$feed->stop;
$t->done_testing;


END {
    system("umount -l $live") if $live;
}
