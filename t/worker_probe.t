#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the probe: a worker of nginx that hangs is killed by camera-worker
# and replaced by nginx's master, one that was only slow is left alone, and one
# that shuts down is watched as long as it has publishers; by a probe of its own
# where camera-worker cannot see them.

use strict;
use warnings;

use Test::More;

use lib 't/lib';
use Camera::Stopwatch;
use Camera::Test;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(postgres ffmpeg worker camera_rtmps));

###############################################################################

$t->start_all;

my $camera = $t->add_camera;
my $publisher = $t->publish($camera, clip => 'small', rtmps => 1,
    forever => 1);
$t->wait_for(sub { $t->error_log =~ /$camera->{id}/ }, 10, 'a publication');

is_deeply([ watched() ], [ sort { $a <=> $b } $t->worker_pids ],
    'every worker has a slot');

# what a reload leaves behind still beats

$t->reload;
ok($t->wait_for(sub { $t->old_worker_pids == 1 && watched() == 3 }, 5,
    'one worker to end'), 'one old worker stays, with its publisher');

my ($old) = $t->old_worker_pids;
my $first = beat($old);

ok($t->wait_for(sub { beat($old) > $first + 1500 }, 5, 'two beats'),
    'it beats on');

# one worker hangs, another for a time that may happen

my ($slow, $hung) = $t->worker_pids;
my $watch = Camera::Stopwatch->start;

$t->allow_log(qr/process $hung exited on signal 9/);
kill 'STOP', $slow, $hung;
$t->wait_for(sub { $watch->passed > 2.7 }, 4);
kill 'CONT', $slow;

ok($t->wait_for(sub { !Camera::Process::alive($hung) }, 10, 'the kill'),
    'hung worker is killed');

cmp_ok($watch->passed, '>=', 4, 'after long enough');
cmp_ok($watch->seconds, '<', 8, sprintf 'and soon: %.1f s', $watch->passed);

ok($t->wait_for(sub {
    my @now = $t->worker_pids;
    @now == 2 && "@{[ watched() ]}" eq join ' ', sort { $a <=> $b } @now, $old;
}, 3, 'another worker'), 'replaced, and the new one is watched');

is((grep { $_ == $slow } $t->worker_pids), 1, 'slow worker is left alone');
is(join(' ', $t->old_worker_pids), $old, 'old worker, too');
ok($publisher->running, 'its publisher never noticed');

my @alerts = grep { /alert:/ } split /\n/, $t->worker->log;

is(@alerts, 1, 'one alert');
like($alerts[0] // '', qr/nginx worker $hung did nothing for \d+ ms, killed/,
    'names the worker');

# a debugger may stop a worker as long as it likes

$t->worker->stop;
is(scalar(watched()), 3, 'heartbeats need no camera-worker');
$t->start_worker(args => ['--no-probe']);
ok($t->wait_for(sub { $t->worker->log =~ /without a probe/ }, 5, 'log'),
    'switched off');

SKIP: {
    skip 'takes 12 s, set CAMERA_SOAK=1', 1 unless $t->soak;

    kill 'STOP', $slow;
    $watch = Camera::Stopwatch->start;
    $t->wait_for(sub { $watch->passed > 12 }, 13);
    ok(Camera::Process::alive($slow), 'stopped worker is left alone');
    kill 'CONT', $slow;
}

# a probe of its own, as in nginx's container

my $probe = Camera::Process->start(
    { log => $t->dir . '/probe.log', name => 'probe', user => 'www-data' },
    $t->program('camera-worker'), '--shm', $t->shm, '--probe-only');

$t->allow_log(qr/process $slow exited on signal 9/);
kill 'STOP', $slow;

ok($t->wait_for(sub { !Camera::Process::alive($slow) }, 10, 'the kill'),
    'the probe kills what hangs');
like($probe->log, qr/\[probe\] alert: nginx worker $slow did nothing/,
    'and says so');
ok($t->worker->running, 'camera-worker never noticed');
is($probe->stop, 0, 'the probe ends when told');

# who ends in order gives its slot back

$publisher->stop;
ok($t->wait_for(sub { !grep { $_ == $old } watched() }, 10, 'its end'),
    'old worker ended');

$t->done_testing;

###############################################################################

# pid => monotonic ms, out of shm/heartbeats

sub beats {
    my ($magic, $slots, @words) = unpack 'L<2 x56 (Q<2)*',
        $t->read_file($t->shm . '/heartbeats');

    my %beats;

    while (my ($owner, $beat) = splice @words, 0, 2) {
        $beats{ $owner & ((1 << 22) - 1) } = $beat if $owner;
    }

    return \%beats;
}

sub beat { beats()->{ $_[0] } // 0 }

# slots of the dead are free, and keep their words until they are taken

sub watched {
    my @pids = sort { $a <=> $b } grep { Camera::Process::alive($_) }
        keys %{ beats() };
    return @pids;
}
