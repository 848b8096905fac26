#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for camera_recv_delay: small messages are taken in together, none
# waits long, also not when the camera falls quiet, and nothing waits with 0.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time sleep);

use Camera::Process;
use Camera::RTMP;
use Camera::Test;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(camera_rtmps postgres migrations tls));

my $tool = $t->root . '/build/t/tool/ring_dump';
plan(skip_all => 'no build/t/tool/ring_dump') unless -x $tool;

$t->start_postgres;
$t->migrate;
$t->nginx_conf(rtmps_server => 'camera_recv_delay 0;');
$t->start_nginx;

my ($arrivals, $busy, $quiet) = messages('together', 0);
cmp_ok($arrivals, '<', 0.6, 'small messages arrive together');
cmp_ok($busy, '<', 150, 'none waits long');
cmp_ok($quiet, '<', 350, 'a camera that falls quiet is not forgotten');

($arrivals, $busy, $quiet) = messages('at once', 1);
cmp_ok($arrivals, '>', 0.7, 'without a delay each arrives alone');
cmp_ok($quiet, '<', 150, 'at once');

$t->done_testing;


# Two seconds of 300 bytes each 5 ms, then one each 200 ms.  Answers the share
# of arrivals that are a message's own, of those after the first second, by
# which the rate is known; and the way into the ring in ms: while busy the one
# that 19 of 20 stay below, when quiet the median.  A machine that pauses delays
# what is under way; a message that waits for the next one does so always.

sub messages {
    my ($name, $tls) = @_;

    my $camera = $t->add_camera;
    my ($r) = Camera::RTMP->publisher($t, $camera, tls => $tls);
    my $reader = Camera::Process->start($t->dir . "/$name.dump", $tool,
        $t->shm, $camera->{id}, 15);
    $t->wait_for(sub { $reader->log =~ /generation/ }, 5, 'reader');

    $r->config('audio');
    my (@sent, $begin);
    $begin = time;

    for my $i (0 .. 409) {
        my $due = $begin + ($i < 400 ? $i * 0.005 : 2 + ($i - 399) * 0.2);
        sleep $due - time if $due > time;
        $r->audio(1000 + $i * 5, pack('N', $i) . 'x' x 296);
        push @sent, time * 1000;
    }

    my @arrived;
    $t->wait_for(sub {
        @arrived = map { (split / /)[7] }
            grep { /audio - / } split /\n/, $reader->log;
        @arrived == 410;
    }, 3, 'all messages');
    is(scalar @arrived, 410, "$name: all arrived");

    my @way = map { $arrived[$_] - $sent[$_] } 0 .. $#arrived;
    my %own = map { $_ => 1 } @arrived[240 .. 399];

    return (keys(%own) / 160, most(@way[0 .. 399]), median(@way[400 .. 409]));
}

sub most { (sort { $a <=> $b } @_)[0.95 * @_] }

sub median { (sort { $a <=> $b } @_)[@_ / 2] }
