#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for deaths: kill -9 of a package child and of the master in
# mid-stream.  Live goes on within three seconds, numbers never go back.

use strict;
use warnings;

use Camera::Live;
use Camera::Stopwatch;
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my $deaths = $t->soak ? 30 : 3;

###############################################################################

$t->start_worker(args => ['--children', 1]);

my $feed = $t->feed({ speed => 1 }, 'small', '--loop=20');
my $before = $t->wait_index(sub { $_[0]{segments}[0] }, 5);

ok($before->{segments}[0], 'packaging');

# a child: its master restarts it

for my $n (1 .. $deaths) {
    $before = $t->index;
    $t->kill_worker_child(0);

    my ($after, $took) = resumed($before);

    cmp_ok($took, '<', 3, sprintf 'child %d: live resumed after %.1f s', $n,
        $took);
    is(join("\n", $t->check_index($after)), '', "child $n: index");
}

# the master: its children die with it, and the supervisor starts another

my @children = Camera::Process::children($t->worker->pid);

is(@children, 3, 'children of all roles');

$before = $t->index;
kill 'KILL', $t->worker->pid;
ok($t->wait_for(sub { !grep { -e "/proc/$_" } @children }, 2, 'children'),
    'children die with their master');
$t->start_worker(args => ['--children', 1]);

my ($after, $took) = resumed($before);

cmp_ok($took, '<', 3, sprintf 'master: live resumed after %.1f s', $took);

# between two deaths: an orderly stop loses nothing that was published

$before = $t->index;
is($t->worker->stop, 0, 'stopped');
$after = $t->index;
is($after->{state}, 1, 'still live, for the next one');
is((grep { !$_->{complete} } @{ $after->{segments} }), 0,
    'last segment is whole');
cmp_ok($after->{next_msn}, '>=', $before->{next_msn}, 'numbers');

$t->start_worker(args => ['--children', 1]);
($after, $took) = resumed($after);
cmp_ok($took, '<', 3, 'restart: live resumed');

# what was served throughout decodes, one publication after the other

$feed->stop;
my $index = $t->ended;

is($index->{state}, 2, 'ended');
is(join("\n", $t->check_index($index)), '', 'index');

my @wrong = grep { $_->{errors} ne '' } map { alone($_) }
    split_at_discontinuities($index);

is(@wrong, 0, 'each run decodes');

# the publisher is killed, then the worker: what is left is served once

$feed = $t->feed({ speed => 5 }, 'small', '--loop=20');
$before = $index->{next_msn};
$index = $t->wait_index(sub { $_[0]{next_msn} > $before + 1 }, 5);
$feed->signal('KILL');
$t->worker->signal('KILL');
$t->worker->wait(5);
is($t->index->{state}, 1, 'nobody could say that it ended');

$before = $t->index;
$t->start_worker(args => ['--children', 1]);
$index = $t->ended;

is($index->{state}, 2, 'the next worker does');
cmp_ok($index->{next_msn}, '>=', $before->{next_msn}, 'and what is left');
my $last = alone((split_at_discontinuities($index))[-1]);
my @numbers = $t->frame_numbers($last->{file});
is_deeply(\@numbers, [map { ($numbers[0] + $_) % 300 } 0 .. $#numbers],
    'nothing twice');
ok($index->{segments}[-1]{complete}, 'last segment is whole');

$t->done_testing;

###############################################################################

# waits for a segment that was not there before; answers the index and how
# long that took

sub resumed {
    my ($before) = @_;

    my $watch = Camera::Stopwatch->start;
    my $after = $t->wait_index(sub {
        my $last = $_[0]{segments}[-1];
        $last && $last->{msn} >= $before->{next_msn} && @{ $last->{parts} };
    }, 10);

    cmp_ok($after->{next_msn}, '>', $before->{next_msn}, 'numbers go on');

    my ($new) = grep { $_->{msn} >= $before->{next_msn} }
        @{ $after->{segments} };
    is($new->{discontinuity}, 0, 'without a seam');

    return ($after, $watch->seconds);
}

sub split_at_discontinuities {
    my ($index) = @_;

    my @runs;

    for my $segment (@{ $index->{segments} }) {
        push @runs, [] if !@runs || $segment->{discontinuity};
        push @{ $runs[-1] }, $segment;
    }

    return map { { %$index, segments => $_ } } @runs;
}

sub alone {
    my ($index) = @_;

    return ($t->runs($index))[0];
}
