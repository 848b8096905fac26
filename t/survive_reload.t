#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for reload under publishers and viewers: no publisher is dropped, a
# player goes on in its session, and a publisher that an old worker kept is
# still cut when its key is revoked.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Camera::Player;
use Camera::Stopwatch;
use Camera::Test;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(postgres ffmpeg worker camera_hls camera_rtmps));

$t->start_all;

my @cameras = map { $t->add_camera } 1 .. 3;
my @publishers = map { $t->publish($_, clip => 'small', rtmps => 1) }
    @cameras;
my @players = map { Camera::Player->new($t, $_->{play_path}) } @cameras;

for my $player (@players) {
    ok($player->play_until(sub { $player->segments >= 1 }, 20), 'picture');
}

# until the first segment there is none, and a player is told to come again
$_->forget_failures for @players;

my @old = $t->worker_pids;
$t->reload;
$t->wait_for(sub {
    my %old = map { $_ => 1 } @old;
    grep { !$old{$_} } $t->worker_pids;
}, 5, 'new workers');

my $rounds = $t->soak ? 60 : 6;

for (1 .. $rounds * 5) {
    $_->poll for @players;
    select undef, undef, undef, 0.2;
}

is(scalar(grep { $_->running } @publishers), 3, 'no publisher dropped');
is(scalar(map { $_->failures } @players), 0, 'no request of a player failed')
    or diag(explain([map { $_->failures } @players]));
cmp_ok((sort map { $_->longest_wait } @players)[-1], '<', 4,
    'no player stood still');
is(scalar(map { $_->missed } @players), 0, 'no segment missed');

# the old workers serve on, fed by what is in shared memory

my $watch = Camera::Stopwatch->start;
$t->sql("SELECT rotate_stream_key('$cameras[0]{id}', 0)");
ok($t->wait_for(sub { !$publishers[0]->running }, 5), 'revoked after reload');
cmp_ok($watch->seconds, '<=', 1.5, 'within a second, and what ffmpeg needs to end');
is(scalar(grep { $_->running } @publishers), 2, 'the others go on');

$_->stop for @publishers;
ok($t->wait_for(sub { !grep { Camera::Process::alive($_) } @old }, 10),
    'old workers end with their last publisher');

$t->done_testing;
