#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for encoders that come back at once after a refusal: the first answer
# is immediate, the following ones are late, and a client that does not wait
# for them leaves nothing behind.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Camera::RTMP;
use Camera::Registry qw(registry);
use Camera::Stopwatch;
use Camera::Test;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(camera_rtmps postgres migrations tls));

$t->start_postgres;
$t->migrate;
$t->start_nginx;

my $camera = $t->add_camera;
$t->wait_for(sub { keys %{ registry($t)->{cameras} } }, 5, 'registry');
my ($worker) = $t->worker_pids;

sub refusal {
    my ($r, $status) = Camera::RTMP->publisher($t, $camera, token => 'wrong',
        tls => $_[0]);
    is($status->{code}, 'NetStream.Publish.Denied', 'refused');
    return ($status, $r);
}

my ($status, $first) = refusal(0);
cmp_ok($status->{ours_msec}, '<', 300, 'first refusal: at once');

for my $tls (0, 1) {
    my ($late, $r) = refusal($tls);
    cmp_ok($late->{msec}, '>', 400, 'next refusal: late');
    cmp_ok($late->{ours_msec}, '<', 1500, 'but not too late');
    my $watch = Camera::Stopwatch->start;
    ok($r->closed(2), 'closed');
    cmp_ok($watch->seconds, '<', 1, 'soon after the status');
}

# what is sent while it waits is not looked at

my $r = Camera::RTMP->open($t->port('rtmp'));
$r->handshake;
$r->connect('live');
$r->command('publish', 0, undef, "$camera->{key}?token=wrong", 'live');
$r->config;
$r->chunk_size(4096);
$r->video(40 * $_, key => 1, size => 3000) for 1 .. 5;
$r->command('play', 0, undef, 'a');
$status = $r->status(3) // {};
is($status->{level}, 'error', 'a refusal comes through media and commands');
ok($r->closed(2), 'closed');

# clients that leave first

my $fds = $t->fds($worker);

for (1 .. 20) {
    my $r = Camera::RTMP->open($t->port('rtmp'));
    $r->handshake;
    $r->connect('live');
    $r->command('publish', 0, undef, "$camera->{key}?token=wrong", 'live');
    $r->close;
}

ok($t->wait_for(sub { $t->fds($worker) <= $fds }, 3), 'no descriptor is left');

my ($good, $accepted) = Camera::RTMP->publisher($t, $camera);
is($accepted->{code}, 'NetStream.Publish.Start',
    'the right token is accepted at once all the same');
cmp_ok($accepted->{ours_msec}, '<', 300, 'without a delay');
is(join(' ', $t->worker_pids), $worker, 'same worker');

$t->done_testing;
