#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for TLS inside the RTMP listener: version, several listeners with
# certificates of their own, plain and TLS addresses of one port, reload.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::SSL;
use Test::More;

use Camera::RTMP;
use Camera::Test;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(camera_rtmps tls));

my $second = $t->port('second');
my $mixed = $t->port('mixed');

for my $name (qw(one two)) {
    $t->run(qw(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256
        -nodes -days 2 -subj), "/CN=$name",
        '-keyout', $t->dir . "/$name.key", '-out', $t->dir . "/$name.crt");
}

sub conf {
    my ($name) = @_;

    my $tls = 'camera_rtmps on; camera_certificate ' . $t->dir . "/$name.crt;"
        . 'camera_certificate_key ' . $t->dir . "/$name.key;"
        . 'application live { camera on; }';

    $t->nginx_conf(rtmp => <<"END");
server { listen 127.0.0.1:$second; $tls }
server { listen $mixed; $tls }
server { listen 127.0.0.3:$mixed; application live { camera on; } }
END
}

sub subject {
    my ($port, %opt) = @_;

    my $s = IO::Socket::SSL->new(PeerAddr => '127.0.0.1', PeerPort => $port,
        Timeout => 3, SSL_verify_mode => 0, %opt) or return $SSL_ERROR;
    return $s->peer_certificate('cn') . ' ' . $s->get_sslversion;
}

conf('one');
$t->start_nginx;

is(subject($t->port('rtmps')), 'localhost TLSv1_3', 'first listener');
is(subject($second), 'one TLSv1_3', 'second listener, its own certificate');
like(subject($second, SSL_version => 'TLSv1_2'), qr/alert|version/,
    'nothing older than TLS 1.3');

my $r = Camera::RTMP->open($second, tls => 1);
ok($r->handshake, 'RTMP handshake over TLS');
ok($r->connect('live'), 'connect over TLS');

is(subject($mixed), 'one TLSv1_3', 'wildcard address with TLS');
$r = Camera::RTMP->open($mixed, peer => '127.0.0.3');
ok($r->handshake, 'plain address of the same port');

my $kept = Camera::RTMP->open($second, tls => 1);
ok($kept->handshake, 'session before the reload');

conf('two');
ok($t->reload, 'reload');
ok($t->wait_for(sub { subject($second) eq 'two TLSv1_3' }, 5),
    'new certificate after the reload');
ok($kept->connect('live'), 'session of before goes on');

$r = Camera::RTMP->open($t->port('rtmp'));
ok($r->handshake, 'plain listener beside');

$t->done_testing;
