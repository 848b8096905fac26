#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what the RTMPS listener refuses at start: each by one clear line.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Camera::Test;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(camera_rtmps));

my ($certificate, $key) = $t->certificate;
my $port = $t->port('other');

sub refused {
    my ($server, $line, $name) = @_;

    $t->nginx_conf(rtmp => "server { $server }", level => 'warn');
    my $said = $t->nginx_test;
    my @emerg = grep { /\[emerg\]/ } split /\n/, $said;

    isnt($?, 0, "$name: does not start");
    is(scalar @emerg, 1, "$name: one line");
    like($emerg[0] // '', $line, "$name: says what is wrong");
}

my $live = 'application live { camera on; }';

refused("listen 127.0.0.1:$port; camera_rtmps on; $live",
    qr/"camera_rtmps" needs "camera_certificate"/, 'no certificate');

refused("listen 127.0.0.1:$port; camera_rtmps on; camera_certificate /none;"
    . "camera_certificate_key $key; $live",
    qr{cannot load certificate "/none"}, 'missing certificate');

refused("listen 127.0.0.1:$port; camera_rtmps on; $live"
    . "camera_certificate $certificate; camera_certificate_key $certificate;",
    qr/cannot load certificate key/, 'certificate for a key');

refused("listen $port; $live",
    qr/"listen 0\.0\.0\.0:$port" would take camera tokens unencrypted/,
    'plain on every address');

refused("listen [::]:$port; $live",
    qr/"listen \[::\]:$port" would take camera tokens unencrypted/,
    'plain on every IPv6 address');

refused("listen 127.0.0.1:$port proxy_protocol; $live",
    qr/"proxy_protocol" cannot take cameras/, 'proxy protocol');

refused("listen 127.0.0.1:$port; application other { live on; }",
    qr/application "other" has no "camera on"/, 'stock application');

$t->nginx_conf(level => 'warn', rtmp => <<"END");
server {
    listen $port;
    camera_plain_rtmp on;
    $live
}
END
$t->nginx_test;
is($?, 0, 'plain on every address when it is wanted');

$t->allow_log(qr/\[emerg\]/);
$t->done_testing;
