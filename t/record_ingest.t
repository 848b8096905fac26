#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for recording a camera that publishes over RTMPS while workers of nginx
# are killed: recording goes on when the camera is there again, in order, and
# says what is missing.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Camera::Test;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(postgres ffmpeg worker camera_rtmps));

my $deaths = $t->soak ? 30 : 3;

###############################################################################

$t->start_postgres;
$t->migrate;
$t->nginx_conf;
$t->start_nginx;
$t->start_recorder(length => 10);

my $camera = $t->add_camera(name => 'gate');
my $id = $camera->{id};
$t->wish($id);

my $publisher = $t->publish($camera, rtmps => 1, forever => 1,
    clip => 'small');

ok($t->goes_on($id), 'recording');

for my $n (1 .. $deaths) {
    $t->kill_worker($_) for reverse 0 .. 1;
    ok($t->goes_on($id), "death $n: goes on");
}

$t->wish($id, want => 0);
$t->wait_for(sub { $t->record_state($id)->{state} == 0 }, 10, 'idle');

is(join("\n", $t->check_recordings), '', 'all is right');

# each publication begins the clip anew: within one the frames are in order

my (@parts) = map { @{ $_->{fragments} } } $t->recordings($id);
my @broken = grep { !($parts[$_]{flags} & 2)
    && $parts[$_]{wall} - ended($parts[$_ - 1]) > 1000 } 1 .. $#parts;
my @again = grep { $parts[$_]{flags} & 2 } 1 .. $#parts;

is(@broken, 0, 'what is missing is a discontinuity');
cmp_ok(@again, '<=', $deaths, 'one for each death at most');

my @numbers = map { $t->frame_numbers($_->{file}) } $t->recordings($id);
my @jumps = grep { $numbers[$_] != $numbers[$_ - 1] + 1 } 1 .. $#numbers;

is((grep { $_ == -1 } @numbers), 0, 'no frame is damaged');
cmp_ok(@jumps, '<=', $deaths, 'frames follow each other but there');

my @gaps = grep { $_->{n} eq 'gap' && $_->{camera} eq $id } $t->journal;
is((grep { $_->{cause} ne 'network' } @gaps), 0, 'gaps are of the network');
is((grep { $_->{end} && $_->{end} - $_->{start} > 6000 } @gaps), 0,
    'and short');

$publisher->stop;
$t->done_testing;

###############################################################################

sub ended { $_[0]{wall} + $_[0]{duration} / 1000 }
