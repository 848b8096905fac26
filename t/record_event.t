#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for wishes with a beginning and an end: what the live store has from
# before is recorded, too, recording ends by itself, and a wish that comes while
# another one is in force takes no frame twice.

use strict;
use warnings;

use Camera::Live;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my $id = $t->camera;

###############################################################################

$t->start_recorder(length => 3600);
my $feed = $t->feed({ speed => 1 }, 'small', '--loop=20');
$t->wait_index(sub { @{ $_[0]{segments} } > 2 }, 15);

is_deeply([$t->recordings($id)], [], 'nothing is recorded unwished');

# three seconds before, two seconds after

my $now = int(time * 1000);
$t->wish($id, from => $now - 3000, until => $now + 2000);

ok($t->wait_for(sub { closed('end') == 1 }, 10, 'end'), 'ends by itself');

my ($r, @more) = $t->recordings($id);
my @f = @{ $r->{fragments} };

is(@more, 0, 'one recording');
cmp_ok($r->{start}, '<=', $now - 3000, 'from before the event');
cmp_ok($r->{start}, '>', $now - 5100, 'not more than a segment');
cmp_ok(abs(ended($r) - $now - 2000), '<=', 500, 'until after it');
is($t->record_state($id)->{state}, 0, 'idle');
is(scalar(grep { $_->{n} eq 'gap' } $t->journal), 0, 'no gap');

# the wish as it is does not begin again

my $next_msn = $t->index->{next_msn};
$t->wait_index(sub { $_[0]{next_msn} > $next_msn + 1 }, 10);
is(scalar(() = $t->recordings($id)), 1, 'over is over');

# longer, while it is in force

$now = int(time * 1000);
$t->wish($id, from => $now - 1000, until => $now + 1500);
$t->wait_for(sub { $t->record_state($id)->{state} == 1 }, 5, 'recording');
$t->wish($id, from => $now, until => $now + 3000);
$t->wait_for(sub { closed('end') == 2 }, 10, 'end');

(undef, $r, @more) = $t->recordings($id);
is(@more, 0, 'one recording of both');
cmp_ok(abs(ended($r) - $now - 3000), '<=', 500, 'until the later end');

# from the beginning of the store to ever: all that is left of it

$t->wish($id, from => 1);
$t->wait_for(sub { $t->record_state($id)->{state} == 1 }, 5, 'recording');
$t->wish($id, want => 0);
$t->wait_for(sub { closed('stop') == 1 }, 10, 'stop');

my @r = $t->recordings($id);
is(@r, 3, 'a third one');
my ($last, $next) = ($r[1]{fragments}[-1], $r[2]{fragments}[0]);
cmp_ok($next->{msn}, '>=', $last->{msn}, 'goes on where the last one ended');
cmp_ok($next->{msn}, '<=', $last->{msn} + 1, 'at once');
is(join("\n", $t->check_recordings), '', 'all is right');

# a camera that is not there: the wish ends all the same, with its gap

$feed->stop;
$t->ended;
my $other = '0e8a3c7e-52c1-4f57-9f3d-000000000002';
$now = int(time * 1000);
$t->wish($other, until => $now + 4500);
my $gap;
ok($t->wait_for(sub { ($gap) = grep { $_->{n} eq 'gap'
    && $_->{camera} eq $other } $t->journal }, 10, 'gap'), 'a gap');
is($gap->{cause}, 'network', 'for nobody was there');
ok($t->wait_for(sub { grep { $_->{n} eq 'gap' && $_->{camera} eq $other
    && $_->{end} } $t->journal }, 10, 'end'), 'that ends with the wish');

$t->done_testing;

###############################################################################

sub closed {
    my ($why) = @_;

    return scalar grep { $_->{n} eq 'close' && $_->{why} eq $why } $t->journal;
}

sub ended {
    my $last = $_[0]{fragments}[-1];
    return $last->{wall} + $last->{duration} / 1000;
}
