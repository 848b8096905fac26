#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for "camera_hls check": a cache by path behind the check, so that a
# piece is fetched once for all, and still nobody gets it without a right.

use strict;
use warnings;

use Camera::Store;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camera_hls));

###############################################################################

my $inner = $t->port('inner');

$t->nginx_conf(conf => <<'END' =~ s/%%INNER%%/$inner/gr);
daemon off;
%%USER%%
worker_processes 1;
error_log %%DIR%%/error.log info;
pid %%DIR%%/nginx.pid;
%%MODULES%%
events { }
camera {
    database "%%DATABASE%%";
    keys %%KEYS%%;
    shm %%SHM%%;
    cameras 1024;
}
http {
    log_format masked '$camera_request $upstream_cache_status';
    access_log %%DIR%%/access.log masked;
    proxy_temp_path %%DIR%%/proxy;
    proxy_cache_path %%DIR%%/cache keys_zone=hls:1m;

    server {
        listen 127.0.0.1:%%HTTP_PORT%%;

        location /hls/ {
            camera_hls check;
            proxy_pass http://127.0.0.1:%%INNER%%;
            proxy_cache hls;
            proxy_cache_key $uri;
            proxy_cache_valid 200 1m;
            proxy_ignore_headers Cache-Control;
            set $uncached '';
            if ($uri ~ m3u8$) { set $uncached 1; }
            proxy_cache_bypass $uncached;
            proxy_no_cache $uncached;
            add_header X-Cache $upstream_cache_status;
        }
    }

    server {
        listen 127.0.0.1:%%INNER%%;
        access_log off;

        location /hls/ {
            camera_hls;
            if ($args) { add_header X-Inner 1; }
        }
    }
}
END
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera(segments => 5);
my $live = $store->session($camera);
my $text = $t->http_get($live)->{body};
my ($segment) = $text =~ /^(\d+\.m4s\S+)/m;
my $path = "/hls/$camera->{id}";

my $r = $t->http_get("$path/$segment");
is($r->{status}, 200, 'segment');
is($r->{headers}{'x-cache'}, 'MISS', 'from the packager');
is($r->{headers}{'x-inner'}, 1, '"if" is the same location');

my ($again) = $t->http_get($store->session($camera))->{body}
    =~ /^(\d+\.m4s\S+)/m;
isnt($again, $segment, 'another session');
$r = $t->http_get("$path/$again");
is($r->{headers}{'x-cache'}, 'HIT', 'from the cache');

is($t->http_get("$path/" . $segment =~ s/.\z/-/r)->{status}, 403,
    'changed signature');
is($t->http_get("$path/" . $segment =~ s/\?.*//r)->{status}, 403, 'none');

$camera->{epoch}++;
$store->put($camera);
is($t->http_get("$path/$segment")->{status}, 403, 'revoked, though cached');

$t->stop;
my $log = $t->read_file($t->dir . '/access.log');
like($log, qr{GET /hls/.*/playlist\.m3u8\?token=\* HTTP/1\.1 }, 'masked');
unlike($log, qr/[?&](?:s|m|token)=[^*]/, 'no secret');

$t->done_testing;
