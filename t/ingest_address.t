#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the list of addresses a camera may come from.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Camera::RTMP;
use Camera::Registry qw(registry);
use Camera::Test;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(camera_rtmps postgres migrations tls));

$t->start_postgres;
$t->migrate;
$t->start_nginx;

my $camera = $t->add_camera(cidr => ['10.0.0.0/8', '127.0.0.2/32']);
$t->wait_for(sub { keys %{ registry($t)->{cameras} } }, 5, 'registry');

for my $tls (0, 1) {
    my $how = $tls ? 'TLS' : 'plain';

    my ($r, $status) = Camera::RTMP->publisher($t, $camera, tls => $tls,
        local => '127.0.0.2');
    is($status->{code}, 'NetStream.Publish.Start', "$how: on the list");
    $r->close;
    $t->wait_for(sub { !registry($t)->{cameras}{ $camera->{id} }{publishing} },
        2, 'end');

    ($r, $status) = Camera::RTMP->publisher($t, $camera, tls => $tls,
        local => '127.0.0.3');
    is($status->{code}, 'NetStream.Publish.Denied', "$how: not on the list");
    is(registry($t)->{cameras}{ $camera->{id} }{refused}, 'address', 'noted');
}

like($t->error_log,
    qr/refused: address, client: 127\.0\.0\.3.*camera: $camera->{id}/,
    'log line with the client\'s true address and the camera');

$t->done_testing;
