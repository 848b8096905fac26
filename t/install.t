#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for `make install`: what lies where, that the example configuration
# has no holes, and that a changed one is never overwritten.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx worker cli));

my $to = $t->dir . '/to';
my @make = ('make', '-s', '-C', $t->root, 'install', "DESTDIR=$to",
    'PREFIX=/opt/camera', 'MODULES_DIR=/usr/lib/nginx/modules');

###############################################################################

$t->run(@make);

for my $file (qw(
    /usr/lib/nginx/modules/ngx_camera_module.so
    /usr/lib/nginx/modules/ngx_camera_api.so
    /etc/nginx/modules-enabled/60-camera.conf
    /opt/camera/bin/camera /opt/camera/bin/camera-worker
    /opt/camera/share/camera/html/watch.html
    /opt/camera/share/camera/deploy/migrate
    /opt/camera/share/camera/sql/001_tenants.sql
    /opt/camera/share/camera/conf/nginx.conf
    /opt/camera/share/camera/deploy/render-conf
    /opt/camera/share/camera/deploy/image/entrypoint
    /etc/camera/nginx.conf /etc/camera/conf/rtmp.conf))
{
    ok(-s "$to$file", $file);
}

is($t->read_file("$to/etc/nginx/modules-enabled/60-camera.conf"),
    join('', map { "load_module modules/$_.so;\n" } qw(ngx_camera_module
    ngx_camera_api)), 'load snippet');
ok(-x "$to/opt/camera/bin/camera", 'programs may be run');

my $conf = $t->run('cat', "$to/etc/camera/nginx.conf",
    glob "$to/etc/camera/conf/*.conf");
unlike($conf, qr/@[A-Z_0-9]+@/, 'nothing is left to be filled in');
like($conf, qr{^\s*root\s+/opt/camera/share/camera/html;}m, 'where the page is');
unlike($conf, qr/\Q$to\E/, 'without DESTDIR');

# a second time, over what somebody has changed

$t->write_file("$to/etc/camera/conf/limits.conf", "# mine\n");
$t->run(@make);

is($t->read_file("$to/etc/camera/conf/limits.conf"), "# mine\n", 'change kept');
like($t->read_file("$to/etc/camera/conf/limits.conf.new"), qr/send_timeout/,
    'new one beside it');
ok(!-e "$to/etc/camera/conf/rtmp.conf.new", 'none where nothing changed');

$t->done_testing;
