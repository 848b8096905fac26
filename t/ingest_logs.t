#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for secrets: no token of either shape is in any log, wherever the
# client put it, accepted or refused, with logs at level info and with the
# access log of nginx-rtmp, which writes arguments, switched on.

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
$t->nginx_conf(level => 'info');

my $conf = $t->dir . '/nginx.conf';
my $access = $t->dir . '/rtmp.log';
$t->write_file($conf,
    $t->read_file($conf) =~ s/access_log off;/access_log $access;/r);
$t->start_nginx;

my $camera = $t->add_camera(opaque => 1);
$t->wait_for(sub { keys %{ registry($t)->{cameras} } }, 5, 'registry');

my $canary = 'CaNaRy0123456789_-abcd';       # 22 bytes, as an opaque key
my @secrets = ($canary, $camera->{token}, $camera->{opaque});

my @ways = (
    { name => "$camera->{key}?token=%s" },
    { name => $camera->{key}, app => 'live?token=%s' },
    { name => '%s' },
    { name => "$camera->{key}?token=%s&x=%s" },
    { name => "$camera->{key}?other=%s" },
    { name => "%s/%s" },
    { name => 'a', app => '%s' },
    { name => 'a', app => 'live/%s' },
    { name => "$camera->{key}?token=" . $canary x 150 },
);

for my $way (@ways) {
    for my $secret (@secrets) {
        for my $tls (0, 1) {
            my $r = Camera::RTMP->open($t->port($tls ? 'rtmps' : 'rtmp'),
                tls => $tls);
            $r->handshake;
            my ($app, $name) = map { s/%s/$secret/gr }
                $way->{app} // 'live', $way->{name};
            $r->command('connect', 1, { app => $app, flashVer => $secret,
                tcUrl => "rtmp://host/$app", swfUrl => $secret,
                pageUrl => $secret });
            $r->command('releaseStream', 2, undef, $name);
            $r->command('FCPublish', 3, undef, $name);
            $r->command('createStream', 4, undef);
            $r->publish_name($name) if $r->reply(1);
            $r->command('FCUnpublish', 5, undef, $name);
            $r->command('play', 6, undef, $name);
            $r->close;
        }
    }
}

$t->wait_for(sub { $t->error_log =~ /publishing ended/ }, 2, 'end');
$t->stop_nginx('QUIT');

like($t->error_log, qr/publish refused/, 'refusals are logged');
like($t->error_log, qr/publishing started/, 'publications are logged');
ok(-s $access, 'access log of nginx-rtmp is written');

for my $file (glob $t->dir . '/*.log ' . $t->dir . '/*.out') {
    next if $file =~ /postgres/;
    my $text = $t->read_file($file);
    ok(!(grep { index($text, $_) >= 0 } @secrets), "no secret in $file");
}

$t->done_testing;
