#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for publishers that stop sending: none ever came, a pause, and signs
# of life that are not media.

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
$t->nginx_conf(rtmp => 'camera_publish_timeout 500ms;'
    . 'camera_first_media_timeout 1s; camera_media_timeout 700ms;');
$t->start_nginx;

sub live {
    my ($name, %opt) = @_;

    my $camera = $t->add_camera(name => $name);
    $t->wait_for(sub { registry($t)->{cameras}{ $camera->{id} } }, 5, $name);
    my ($r, $status) = Camera::RTMP->publisher($t, $camera, %opt);
    is($status->{code}, 'NetStream.Publish.Start', "$name: started");

    return ($camera, $r);
}

sub idle {
    my ($camera, $r, $from, $to, $send) = @_;

    my $watch = Camera::Stopwatch->start;
    until ($r->closed(0.05)) {
        last if $watch->over(4);
        $send->($r) if $send;
    }

    ok($r->closed(0), "$camera->{name}: closed");
    cmp_ok($watch->passed, '>', $from, "$camera->{name}: not too early");
    cmp_ok($watch->seconds, '<', $to, "$camera->{name}: in time");
    is(registry($t)->{cameras}{ $camera->{id} }{refused}, 'idle',
        "$camera->{name}: noted");
    ok(!registry($t)->{cameras}{ $camera->{id} }{publishing},
        "$camera->{name}: not live");
    is(($r->status(0) // {})->{level}, 'error', "$camera->{name}: status");
}

for my $tls (0, 1) {
    my $how = $tls ? 'TLS' : 'plain';

    idle(live("no media, $how", tls => $tls), 0.8, 2);

    idle(live("metadata but no media, $how", tls => $tls), 0.8, 2, sub {
        $_[0]->message(18, 'x' x 100, msid => 1);
        $_[0]->message(4, pack('nN', 6, 1), csid => 2);
    });

    my ($camera, $r) = live("pause, $how", tls => $tls);
    $r->config;
    for (1 .. 20) {
        $r->video($_ * 50, key => 1);
        last if $r->closed(0.05);
    }
    ok(!$r->closed(0), "media goes on, $how");
    idle($camera, $r, 0.5, 1.6);
}

$t->done_testing;
