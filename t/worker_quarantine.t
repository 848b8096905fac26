#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a camera that kills its packager: after the third time within a
# minute it is shut out, and the others go on.  The crash is a real one: a ring
# file is cut short under the reader's mapping (SIGBUS).

use strict;
use warnings;

use Camera::Live;
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my $bad = '0e8a3c7e-52c1-4f57-9f3d-00000000000b';
my $good = '0e8a3c7e-52c1-4f57-9f3d-00000000000a';
my $crashes = sub { scalar(() = $t->worker_log =~ /died of signal 7/g) };

###############################################################################

$t->start_worker(args => ['--children', 1]);

my $other = $t->feed({ camera => $good, speed => 1 }, 'small', '--loop=20');

$t->wait_index(sub { $_[0]{segments}[0] }, 5, $good);

for my $n (1 .. 3) {
    crash($n);
}

like($t->worker_log, qr/third crash on camera \Q$bad\E within a minute/,
    'shut out');
unlike($t->worker_log, qr/worked on camera \Q$good\E/, 'nobody else blamed');

# its next publication is not touched

my $feed = $t->feed({ camera => $bad, speed => 5 }, 'small', '--loop=20');
my $index = $t->wait_index(sub { $_[0]{state} == 3 }, 5, $bad);

is($index->{state}, 3, 'quarantined');
cmp_ok($index->{warning}, '>', 0, 'reason');
is($crashes->(), 3, 'no fourth crash');
is(scalar(grep { /in quarantine after repeated crashes/ } $t->alerts), 1,
    'alert, once');

# the other camera never noticed more than the restarts

my $before = $t->index($good);
my $after = $t->wait_index(sub { $_[0]{next_msn} > $before->{next_msn} }, 6,
    $good);

cmp_ok($after->{next_msn}, '>', $before->{next_msn}, 'the other goes on');
is($t->index($bad)->{next_msn}, $index->{next_msn},
    'the bad one still does not');

$_->stop for $feed, $other;

$t->done_testing;

###############################################################################

sub crash {
    my ($n) = @_;

    my $before = $t->index($bad);
    my $seen = $before ? $before->{next_msn} : 0;
    my $feed = $t->feed({ camera => $bad, speed => 5 }, 'small', '--loop=20');

    $t->wait_index(sub { $_[0]{state} == 1 && $_[0]{next_msn} > $seen }, 5,
        $bad);

    my $ring = $t->shm . '/rings/' . readlink $t->shm . "/rings/$bad";
    truncate $ring, 0 or die "truncate(\"$ring\") failed: $!";

    ok($t->wait_for(sub { $crashes->() == $n }, 5, 'a crash'), "crash $n");
    $feed->stop;
}
