#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a wall clock that is set while cameras are recorded, an hour back,
# an hour ahead and five seconds back: every frame is kept once, no file goes
# back in time, no gap is made up, nothing is removed.

use strict;
use warnings;

use Camera::Live;
use Camera::Shim;
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my $shim = Camera::Shim->new($t);
my $id = $t->camera;
my $hour = 3_600_000;

###############################################################################

$t->start_recorder(length => 3600, env => $shim->env);
$t->wish($id);

my $feed = $t->feed({ speed => 4, env => $shim->env }, 'small', '--loop=50');
ok(grows(), 'recording');

# a small step: the file goes on, its times wait until the clock has caught up

my $before = newest();

$shim->set(clock_msec => -5000);
ok(grows(), 'five seconds back: goes on');
is(newest()->{recording}, $before->{recording}, 'in the same file');

# large ones: each begins another file, whose name is the new time

for my $step ([ back => -$hour ], [ ahead => $hour ], [ again => 0 ]) {
    my ($name, $msec) = @$step;

    $before = newest();
    my $old = $shim->get('clock_msec');
    $shim->set(clock_msec => $msec);

    ok($t->wait_for(sub { newest()->{recording} ne $before->{recording} }, 10),
        "$name: another file");
    ok(grows(), "$name: grows");

    my $moved = newest()->{start} - $before->{fragments}[-1]{wall};
    cmp_ok(abs($moved - ($msec - $old)), '<', 60_000, "$name: of that time");
}

# what is there in the end

$feed->stop;
$t->ended;
$t->wish($id, want => 0);
$t->wait_for(sub { grep { $_->{n} eq 'close' && $_->{why} eq 'stop' }
    $t->journal }, 5, 'the end');

my @lines = $t->journal;
my @files = in_order();
my @numbers = map { $t->frame_numbers($_->{file}) } @files;
my $first = $numbers[0];

is(@files, 4, 'four files');
cmp_ok(@numbers, '>', 300, 'frames');
is_deeply([grep { $numbers[$_] != ($first + $_) % 300 } 0 .. $#numbers], [],
    'each once, in their order');
is(join("\n", $t->check_recordings), '', 'files, indexes and journal agree');
is_deeply([map { $_->{why} } grep { $_->{n} eq 'close' } @lines],
    [qw(clock clock clock stop)], 'closed for the clock');
is((grep { $_->{n} eq 'gap' && $_->{end} != $files[0]{start} } @lines), 0,
    'no gap, but before the first frame');
is((grep { $_->{n} eq 'removed' } @lines), 0, 'nothing was removed');
is((grep { $_->{n} eq 'alert' && $_->{type} eq 'clock_jump' } @lines), 3,
    'an alert for each large step');
is(join("\n", $t->alerts), '', 'nobody died');

$t->done_testing;

###############################################################################

# as the journal has them: by name an hour back comes first

sub in_order {
    my %file = map { $_->{recording} => $_ } $t->recordings($id);

    return map { $file{ $_->{id} } // () }
        grep { $_->{n} eq 'open' } $t->journal;
}

sub newest { (in_order())[-1] // { recording => '', fragments => [] } }

# two seconds of media more

sub grows {
    my $count = sub {
        my $n = 0;
        $n += @{ $_->{fragments} } for $t->recordings($id);
        return $n;
    };
    my $old = $count->();

    return $t->wait_for(sub { $count->() >= $old + 4 && @{ newest()->{fragments} } }, 10, 'growth');
}
