#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for kill -9 of each part while a camera publishes and a player
# watches: the picture goes on within three seconds, in the same session.

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

my $camera = $t->add_camera(name => 'gate');
my $publisher = $t->publish($camera, rtmps => 1, forever => 1);
my $player = Camera::Player->new($t, $camera->{play_path});

# between a request that fails in the second of a restart and the picture
# there is a whole connection, a TLS handshake and a key frame

my $limit = 3;

ok($player->play_until(sub { $player->segments >= 2 }, 20), 'picture');

for my $n (1 .. ($t->soak ? 20 : 1)) {
    drill("nginx workers, round $n", sub {
        kill 'KILL', $t->worker_pids;
    });

    drill("packager child, round $n", sub {
        kill 'KILL', $t->worker_children;
    });

    drill("camera-worker master, round $n", sub {
        $t->worker->signal('KILL');
        $t->worker->wait(2);
        $t->start_worker;
    });

    drill("nginx master, round $n", sub {
        my @workers = $t->worker_pids;
        $t->{nginx}->signal('KILL');
        $t->{nginx}->wait(2);
        $t->wait_for(sub { !grep { Camera::Process::alive($_) } @workers }, 3,
            'workers that follow their master');
        $t->start_nginx;
    });
}

is($player->{live} =~ /\bs=([\w-]+)/ ? 1 : 0, 1, 'one session');

my @kept = $t->run('ls', "$t->{shm}/rings") =~ /\.\d+$/mg;
$t->wait_for(sub {
    @kept = $t->run('ls', "$t->{shm}/rings") =~ /\.\d+$/mg;
    @kept <= 1;
}, 10, 'dead rings that are swept');
cmp_ok(scalar @kept, '<=', 1, 'no rings left behind by the dead');

$t->allow_log(qr/exited on signal 9/, qr/signal 9/);
$t->done_testing;


# the newest part's number must grow after the kill

sub drill {
    my ($name, $kill) = @_;

    my $before = newest_part($player->playlist);
    my $watch = Camera::Stopwatch->start;

    $kill->();

    my $resumed = $player->play_until(sub {
        newest_part($player->playlist) > $before && $watch->seconds;
    }, 15);

    ok($resumed, "$name: goes on") or diag($publisher->log);
    cmp_ok($resumed || $watch->seconds, '<=', $limit, "$name: within $limit s");

    $before = $player->segments;
    ok($player->play_until(sub { $player->segments > $before + 1 }, 10),
        "$name: new segments");
}


# (media sequence number, part) as one number

sub newest_part {
    my @parts = $_[0] =~ /^#EXT-X-PART:.*URI="(\d+)\.(\d+)\.m4s/mg or return 0;

    return $parts[-2] * 1000 + $parts[-1];
}
