#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for camera-worker as a program: options, one instance, heartbeat,
# start before nginx, and an end that leaves nothing behind.

use strict;
use warnings;

use Camera::Live;
use Fcntl qw(:mode);
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my $worker = $t->root . '/bin/camera-worker';

###############################################################################

my $help = $t->run($worker, '--help');

like($help, qr/^Usage: camera-worker -s DIR/, 'help');
like($help, qr/--$_\b/, "help names --$_")
    for qw(shm children user group log-level no-probe probe-only no-snapshots
        help);

like(refused(), qr/needs --shm/, 'no directory');
like(refused('-s', $t->shm, '-n', 0), qr/1 to \d+ children/, 'no children');
like(refused('-s', $t->shm, '-l', 'loud'), qr/no log level "loud"/, 'level');
like(refused('-s', $t->shm, 'more'), qr/--help/, 'too many arguments');

# nginx makes the directories, perhaps later

my $live = $t->shm . '/live';

rmdir $live;
$t->start_worker(args => ['--children', 2]);
ok($t->wait_for(sub { $t->worker_log =~ /waiting for nginx to make/ }, 5,
    'log'), 'waits for nginx');
mkdir $live;

my $gone = '0e8a3c7e-52c1-4f57-9f3d-00000000000c';

mkdir "$live/$_" for $gone, 'lost+found';
$t->give_to_service($live, "$live/$gone");

ok($t->wait_for(sub { $t->worker_children == 2 }, 5, 'children'),
    'two children');

my $feed = $t->feed('small');

like($t->worker_log, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z
    [ ]camera-worker\[master\][ ]info:[ ]started[ ]with[ ]2/mx, 'log line');

# heartbeat

my ($pid, $beat);
$t->wait_for(sub {
    ($pid, $beat) = split ' ', $t->read_file("$live/.worker");
    defined $beat;
}, 3, 'the first beat');

is($pid, $t->worker->pid, 'heartbeat has the pid');
ok($t->wait_for(sub {
    (split ' ', $t->read_file("$live/.worker"))[1] > $beat;
}, 3, 'a beat'), 'heart beats');

# a second one on the same directory

my $second = $t->run({ may_fail => 1, user => 'www-data' }, $worker,
    '-s', $t->shm);

like($second, qr/another camera-worker serves .* pid $pid\b/, 'one instance');

# a child that hangs is not left hanging

SKIP: {
    skip 'takes 12 s, set CAMERA_SOAK=1', 2 unless $t->soak;

    my ($hung) = $t->worker_children;
    kill 'STOP', $hung;
    ok($t->wait_for(sub { !grep { $_ == $hung } $t->worker_children }, 15,
        'the kill'), 'hung child is killed');
    ok($t->wait_for(sub { $t->worker_children == 2 }, 5, 'children'),
        'and replaced');
}

# cameras that are no more, and directories that are not ours

ok($t->wait_for(sub { !-e "$live/$gone" }, 10, 'the sweep'),
    'unknown camera is removed');
ok(-e "$live/lost+found", 'others stay');
ok(-e "$live/" . $t->camera, 'known camera stays');

my $mode = (stat "$live/" . $t->camera . '/index')[2];

is($mode & S_IRWXO, 0, 'others may not read');
is($mode & S_IWGRP, 0, 'the group may not write');

# the end

my @children = Camera::Process::children($t->worker->pid);

is(@children, 4, 'children of all roles');
is($t->worker->stop('QUIT'), 0, 'exit status');
is((grep { -e "/proc/$_" } @children), 0, 'nobody is left');
is(-s "$live/.worker", 0, 'heart has stopped');

# whoever wants no decoder need not have one

$t->start_worker(args => [qw(--children 1 --no-snapshots)]);
ok($t->wait_for(sub { $t->worker_children == 1 }, 5, 'the child'),
    'without snapshots');
is(scalar Camera::Process::children($t->worker->pid), 1, 'that child alone');
like($t->worker_log, qr/started with 1 children .* without snapshots$/m,
    'said so');
is($t->worker->stop, 0, 'exit status again');

# but of the child that was made to hang

my @alerts = grep { !/did nothing for \d+ ms|died of signal 9/ } $t->alerts;
is("@alerts", '', 'no alert');
is(scalar $t->alerts, $t->soak ? 2 : 0, 'two of the hung child');

$t->done_testing;

###############################################################################

sub refused {
    my (@args) = @_;

    my $text = $t->run({ may_fail => 1 }, $worker, @args);
    is($? >> 8, 2, "exit status of \"@args\"");

    return $text;
}
