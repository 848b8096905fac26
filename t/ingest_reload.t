#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for publishers over a reload: none is dropped, the camera stays one
# publication over both generations of workers, and old workers leave when
# their last publisher does.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Camera::RTMP;
use Camera::Registry qw(registry);
use Camera::Test;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(camera_rtmps postgres migrations tls));

$t->start_postgres;
$t->migrate;
$t->start_nginx;

my @cameras = map { $t->add_camera(name => "camera $_") } 1 .. 6;
$t->wait_for(sub { keys %{ registry($t)->{cameras} } == 6 }, 5, 'registry');

my @live = map { (Camera::RTMP->publisher($t, $cameras[$_],
    tls => $_ % 2))[0] } 0 .. 5;
$_->config for @live;

for my $n (1 .. 2) {
    ok($t->reload, "reload $n");
    my $dropped = grep { $_->video(40 * $n, key => 1); $_->closed(0.05) } @live;
    is($dropped, 0, "reload $n: no publisher is dropped");
}

ok(scalar($t->old_worker_pids), 'old workers live on');

my ($new, $status) = Camera::RTMP->publisher($t, $cameras[0],
    token => $t->token(camera => $cameras[0]));
is($status->{code}, 'NetStream.Publish.BadName',
    'new worker: other credential is busy with the old one\'s');

($new, $status) = Camera::RTMP->publisher($t, $cameras[0]);
is($status->{code}, 'NetStream.Publish.Start',
    'new worker: same credential takes over');
$new->config;
ok($live[0]->closed(1), 'old worker\'s publisher is ended');
ok(!$new->closed(0), 'the new one stays');

$_->close for @live[1 .. 5];
ok($t->wait_for(sub { !$t->old_worker_pids }, 3),
    'old workers leave after their last publisher');

# a fast stop ends publications in the registry, in old workers too

my ($r) = Camera::RTMP->publisher($t, $cameras[1]);
$r->config;
ok($t->reload, 'reload');
$t->stop_nginx;
is(scalar(grep { $_->{publishing} } values %{ registry($t)->{cameras} }), 0,
    'stopped: nobody publishes');

$t->done_testing;
