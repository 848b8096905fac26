#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for draining under publishers and viewers: old workers end, each camera
# connects again once, and its players go on in their sessions.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use lib 't/lib';
use Camera::Player;
use Camera::Test;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(postgres ffmpeg worker camera_hls camera_rtmps));

$t->start_all(camera => 'drain 2s;');

my @cameras = map { $t->add_camera } 1 .. ($t->soak ? 20 : 3);
my @publishers = map { $t->publish($_, clip => 'small', rtmps => 1,
    forever => 1) } @cameras;
my @players = map { Camera::Player->new($t, $_->{play_path}) } @cameras;

for my $player (@players) {
    ok($player->play_until(sub { $player->segments >= 1 }, 20), 'picture');
}

# until the first segment there is none, and a player is told to come again
$_->forget_failures for @players;

my @old = $t->worker_pids;
my $at = time;
ok($t->reload, 'reload');

my $end = time + 20;
while (time < $end && grep { Camera::Process::alive($_) } @old) {
    $_->poll for @players;
    select undef, undef, undef, 0.2;
}

is(scalar(grep { Camera::Process::alive($_) } @old), 0, 'old workers end');
cmp_ok(time - $at, '>=', 2, 'not before their time');

# whole segments of what the cameras sent after that

my @newest = map { $_->newest->{msn} } @players;
$end = time + 10;
while (time < $end && grep { $players[$_]->newest->{msn} < $newest[$_] + 2 }
    0 .. $#players)
{
    $_->poll for @players;
    select undef, undef, undef, 0.2;
}

for my $n (0 .. $#cameras) {
    my $player = $players[$n];
    my $log = join "\n", grep { /$cameras[$n]{id}/ } split /\n/, $t->error_log;

    is(scalar(() = $log =~ /publishing drained/g), 1, "camera $n: drained");
    is(scalar(() = $log =~ /publishing started/g), 2, 'connected again once');
    cmp_ok($player->newest->{msn}, '>=', $newest[$n] + 2, 'picture goes on');
    is(scalar($player->missed), 0, 'no segment missed');
    is($player->errors, 0, 'no request failed')
        or diag(explain([$player->failures]));
    cmp_ok($player->longest_wait, '<', 6, 'one reconnect, no more');
}

$_->stop for @publishers;

$t->done_testing;
