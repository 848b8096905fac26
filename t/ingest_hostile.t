#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a publisher that was authorised and then misbehaves, and for the
# parts of nginx-rtmp that must stay closed: relay, record, HLS, exec, play and
# the control page have nothing to work on.

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
mkdir $t->dir . "/$_" for qw(hls rec);
chmod 0777, $t->dir . "/$_" for qw(hls rec);
my $dir = $t->dir;
$t->nginx_conf(
    rtmp_server => "application all { camera on; live on; hls on;"
        . "hls_path $dir/hls; hls_fragment 1s; record all;"
        . "record_path $dir/rec; exec_push touch $dir/executed;"
        . "push rtmp://127.0.0.1:1/live; }",
    server => 'location /control { rtmp_control all; }'
        . 'location /stat { rtmp_stat all; }');
$t->start_nginx;

my ($worker) = $t->worker_pids;
my $n = 0;

sub live {
    my (%opt) = @_;

    my $camera = $t->add_camera(name => 'camera ' . ++$n);
    $t->wait_for(sub { registry($t)->{cameras}{ $camera->{id} } }, 5, 'camera');
    my ($r, $status) = Camera::RTMP->publisher($t, $camera, %opt);
    is($status->{code}, 'NetStream.Publish.Start', 'started');
    $r->config;

    return ($camera, $r);
}

sub ends {
    my ($name, $line, $send) = @_;

    for my $tls (0, 1) {
        my $rss = $t->rss($worker);
        my ($camera, $r) = live(tls => $tls);
        my $seen = length $t->error_log;
        $send->($r);
        ok($r->closed(3), "$name: closed");
        like(substr($t->error_log, $seen), $line, "$name: log line");
        is(join(' ', $t->worker_pids), $worker, "$name: same worker");
        cmp_ok($t->rss($worker) - $rss, '<', $t->growth(20_000),
            "$name: has not grown");
        ok($t->wait_for(sub {
            !registry($t)->{cameras}{ $camera->{id} }{publishing} }, 2),
            "$name: not live any more");
    }
}

ends('aggregate', qr/guard: aggregate message.*camera: /, sub {
    $_[0]->message(22, "\x09" . "\0" x 14) });
ends('chunk size 0', qr/guard: chunk size out of bounds/, sub {
    $_[0]->message(1, pack('N', 0), csid => 2) });
ends('big command', qr/guard: too big command/, sub {
    $_[0]->message(20, "\x0a\0\0\0\1" x 4000) });
ends('length changed', qr/guard: message length changed/, sub {
    my ($r) = @_;
    $r->chunk_size(65536);
    $r->raw("\x05\0\0\0\x70\0\0\x09\1\0\0\0" . "\x27" . "\0" x 65535
        . "\xc5" . "\0" x 65536 . "\x45\0\0\0\0\0\x10\x09" . "\0" x 65536) });
ends('many messages at once', qr/guard: too many messages at once/, sub {
    my ($r) = @_;
    $r->chunk_size(1048576);
    for my $csid (3 .. 30) {
        $r->raw(pack('C', $csid) . "\0\0\0\x30\0\0\x09\1\0\0\0"
            . "\x27" . "\0" x 1048575) or last;
    } });
ends('play', qr/guard: command of a viewer/, sub {
    $_[0]->command('play', 0, undef, 'camera', -2) });
ends('second publish', qr/second publish command/, sub {
    $_[0]->publish_name('other') });
ends('closeStream', qr/publishing ended/, sub {
    $_[0]->command('closeStream', 0, undef) });
ends('deleteStream', qr/publishing ended/, sub {
    $_[0]->command('deleteStream', 0, undef, 1) });

# clients that leave at every moment

for my $tls (0, 1) {
    for my $n (1 .. 20) {
        my $r = Camera::RTMP->open($t->port($tls ? 'rtmps' : 'rtmp'),
            tls => $tls);
        $r->handshake if $n > 5;
        $r->command('connect', 1, { app => 'live' }) if $n > 10;
        $r->message(20, join('', map { Camera::RTMP::amf($_) } 'publish', 0,
            undef, 'nobody', 'live'), msid => 1) if $n > 15;
        $r->close;
    }
}

my ($camera, $r) = live(app => 'all');
$r->video($_ * 40, key => $_ % 10 == 0) for 1 .. 100;

$t->http_get("/control/$_?app=all&name=$camera->{key}")
    for qw(drop/publisher drop/client record/start redirect/publisher);
ok(!$r->closed(0.3), 'control page: publisher stays');
unlike($t->http_get('/stat')->{body}, qr/$camera->{key}/,
    'statistics page: does not know it');

my $viewer = Camera::RTMP->open($t->port('rtmp'));
$viewer->handshake;
$viewer->connect('all');
$viewer->command('createStream', 2, undef);
$viewer->reply(1);
$viewer->command('play', 0, undef, $camera->{key}, -2000);
ok($viewer->closed(1), 'viewer: closed');

is(join(' ', glob("$dir/hls/* $dir/rec/*")), '', 'nothing recorded or packaged');
ok(!-e "$dir/executed", 'nothing executed');
is(join(' ', $t->worker_pids), $worker, 'same worker');

$t->done_testing;
