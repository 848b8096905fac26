#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the supervision of `make run`: a master that is killed is started
# again, cameras come back by themselves and a player goes on within seconds;
# and nothing outlives a supervisor that is killed.

use strict;
use warnings;

use Camera::Player;
use Camera::Test;
use Camera::Test::Run;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations worker cli ffmpeg
    camera_rtmps camera_hls));

my $limit = 3 + 2;      # issue 2's bound, and room for a loaded machine

my $run = Camera::Test::Run->start($t, DEMO => 1);
$run->wait_ready or BAIL_OUT($run->log);

my $id = $run->cli('list')->{cameras}[0]{id};
my ($path) = $run->cli('play-url', $id)->{playUrl} =~ m{^https?://[^/]+(/.*)$};
my $player = Camera::Player->new($t, $path, port => $run->port('HTTP_PORT'));

ok($player->play_until(sub { $player->segments > 1 }, 20), 'plays');

###############################################################################

drill('nginx master', sub { $run->env->{NGINX_PID} });
drill('camera-worker master', sub {
    grep { cmdline($_) =~ m{bin/camera-worker} }
        Camera::Process::children($run->pid);
});

drill('Redis', sub {
    grep { cmdline($_) =~ /redis-server/ }
        Camera::Process::children($run->pid);
});

isnt($run->cli('list')->{cameras}[0]{id}, undef, 'database goes on');

my @told = $run->log =~ /^run +\| (\w+ was killed by signal 9)/mg;
is(join(', ', @told), join(', ', map { "$_ was killed by signal 9" }
    qw(nginx worker redis)), 'deaths are told by name');

# a password that the administrator has changed is not known here

my $old = $run->env->{CAMERA_ADMIN_PASSWORD};
isnt($run->cli(qw(user password admin))->{password}, $old, 'new password');

# killed itself, it takes everything along: nothing holds ports or the database

my @pids = $run->processes;
$run->{process}->signal('KILL');
$run->{process}->wait(5);

my @left = @pids;
ok($t->wait_for(sub {
    !(@left = grep { Camera::Process::alive($_) } @left);
}, 10, 'processes that go with it'), 'killed supervisor leaves no process')
    or diag(map { cmdline($_) . "\n" } @left);

$run = Camera::Test::Run->start($t, DEMO => 1);
ok($run->wait_ready(30), 'starts again after that') or diag($run->log);
is($run->cli('list')->{cameras}[0]{id}, $id, 'with what it had');
is($run->env->{CAMERA_ADMIN_PASSWORD}, undef, 'without the old password');
unlike($run->log, qr/\Q$old\E/, 'which is not told');
ok(!-e $run->var . '/admin', 'nor kept');
is($run->stop, 0, 'stop');

$t->done_testing;

###############################################################################

# The playlist changes with every part: how long it stands still is how long
# the picture does.

sub drill {
    my ($name, $find) = @_;

    my ($pid) = $find->();
    like(cmdline($pid), qr/master|camera-worker|redis/, "$name: found");

    my $segments = $player->segments;
    $player->forget_still;
    kill 'KILL', $pid;

    ok($player->play_until(sub { $player->segments > $segments + 2 }, 30),
        "$name: player goes on") or diag($run->log);

    my $still = $player->longest_still;
    cmp_ok($still, '<=', $limit, sprintf '%s: stood still for %.1f s', $name,
        $still);

    my ($new) = $find->();
    isnt($new, $pid, "$name: another process");
}


sub cmdline {
    my ($pid) = @_;

    open my $in, '<', '/proc/' . ($pid // 0) . '/cmdline' or return '';
    return (do { local $/; scalar(<$in>) } // '') =~ tr/\0/ /r;
}
