#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for draining: an old worker ends its publishers after "drain", each in
# front of a key frame, and no more than three old generations are kept.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time);

use Camera::RTMP;
use Camera::Registry qw(registry);
use Camera::Test;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(camera_rtmps postgres migrations));

$t->start_postgres;
$t->migrate;
$t->nginx_conf(camera => 'drain 1s;');
$t->start_nginx;

my @cameras = map { $t->add_camera(name => "camera $_") } 1 .. 5;
$t->wait_for(sub { keys %{ registry($t)->{cameras} } == 5 }, 5, 'registry');

sub state_of { registry($t)->{cameras}{ $_[0]{id} } }

sub publish {
    my ($camera) = @_;

    my ($r, $status) = Camera::RTMP->publisher($t, $camera);
    is($status->{code}, 'NetStream.Publish.Start', "$camera->{name} publishes");
    $r->config;
    $r->video(0, key => 1);

    return $r;
}

# how often the log says so of the camera

sub logged {
    my ($camera, $text) = @_;

    return scalar grep { /$text.*$camera->{id}/ } split /\n/, $t->error_log;
}

# after its time, with the next key frame

my ($good, $endless) = map { publish($_) } @cameras[0, 1];
my @old = $t->worker_pids;
my $at = time;

ok($t->reload, 'reload');
ok($t->wait_for(sub { $good->video(40); $endless->video(40);
    logged($cameras[0], 'publishing drains') }, 5), 'drains');
cmp_ok(time - $at, '>=', 1, 'after its time');
my $draining = time;

$good->video(80);
ok(!$good->closed(0.6), 'not within a group of pictures');
$good->video(120, key => 1);

my $status = $good->status(2);
is($status->{code}, 'NetStream.Failed', 'with a key frame: a status');
like($status->{description}, qr/come again/, 'that says what to do');
ok($good->closed(2), 'and the end');
is(state_of($cameras[0])->{publishing}, 0, 'nobody publishes');
is(state_of($cameras[0])->{refused}, '', 'it is nobody\'s fault');

my $again = publish($cameras[0]);
ok(!$again->closed(0.3), 'it comes again, to a new worker');

# a camera that sends no key frames is not waited for for ever

ok($t->wait_for(sub { $endless->video(160); $again->video(160);
    $endless->closed(0.2) }, 14), 'no key frame: ended');
cmp_ok(time - $draining, '>', 9.9, 'after ten seconds');
ok($t->wait_for(sub { !grep { Camera::Process::alive($_) } @old }, 3),
    'old worker ends');

# three old generations; the default keeps publishers for a day

$again->close;
$t->nginx_conf;
ok($t->reload, 'a reload with the default');
$t->wait_for(sub { !$t->old_worker_pids }, 3, 'old workers to end');

my @live = publish($cameras[0]);

for my $n (1 .. 3) {
    ok($t->reload, "reload $n");
    push @live, publish($cameras[$n]);
}

$_->video(160, key => 1) for @live;
is(scalar(grep { $_->closed(0.3) } @live), 0,
    'three old generations are kept');
is(scalar($t->old_worker_pids), 3, 'three old workers');
my $drained = logged($cameras[0], 'publishing drain');

ok($t->reload, 'reload 4');
ok($t->wait_for(sub { logged($cameras[0], 'publishing drain') > $drained }, 2),
    'the oldest drains at once');
push @live, publish($cameras[4]);
$_->video(200, key => 1) for @live;

ok($live[0]->closed(2), 'its publisher is ended');
ok($t->wait_for(sub { $t->old_worker_pids == 3 }, 3), 'its worker ends');
is(scalar(grep { $_->closed(0) } @live[1 .. 4]), 0, 'the others stay');

$t->done_testing;
