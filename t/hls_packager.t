#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for playback while the packager dies: a session goes on with its
# successor, also when the index was lost, and files nobody watches any more
# are let go of, for they hold shared memory.

use strict;
use warnings;

use Camera::Store;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camera_hls));

###############################################################################

$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera(segments => 4);
my $id = $camera->{id};
my $live = $store->session($camera);
my $last = newest();

kill 'KILL', $store->{pid};
undef $store;
is(newest(), $last, 'packager killed: the old playlist');

$store = Camera::Store->new($t);
$store->tell('segments', $id, 1, 8000);
ok($t->wait_for(sub { newest() == $last + 1 }, 2, 'one segment more'),
    'its successor goes on');

# the index is lost, the media files are not

my ($old) = $t->http_get($live)->{body} =~ /^(\d+\.m4s\S+)/m;
undef $store;
unlink $t->shm . "/live/$id/index" or die;
is(newest(), $last + 1, 'index lost: the old playlist');

$store = Camera::Store->new($t);
$store->tell('init', $id, 640, 360);
$store->tell('segments', $id, 2, 8000);
ok($t->wait_for(sub { newest() > $last + 1 }, 3, 'new index'),
    'a new index is found');

my $text = $t->http_get($live)->{body};
my @bad = grep { $t->http_get("/hls/$id/$_")->{status} != 200 }
    grep { !/^\d+\.0\.m4s/ } Camera::Store->uris($text);
is("@bad", '', 'and plays');
is($t->http_get("/hls/$id/$old")->{status}, 404, 'what it does not list, not');

# garbage for an index

my $pid = ($t->worker_pids)[0];
my $size = -s $t->shm . "/live/$id/index";
$t->write_file($t->shm . "/live/$id/garbage", "\xa5" x $size);
rename $t->shm . "/live/$id/garbage", $t->shm . "/live/$id/index" or die;
ok($t->wait_for(sub { $t->error_log =~ /cam_live_reader_open\(\) failed/
    || $t->http_get($live)->{status} != 0 }, 3), 'garbage');
$t->http_get($live) for 1 .. 20;
is(($t->worker_pids)[0], $pid, 'kills nobody');

# what is open

is((grep { m{/live/\Q$id\E/} } open_files($pid)) > 0, 1, 'files are open');
ok($t->wait_for(sub { !grep { /\.m4s|\.mp4/ } open_files($pid) }, 10,
    'closed files'), 'and closed when nobody watches');

$t->done_testing;

###############################################################################

sub newest {
    my @msn = $t->http_get($live)->{body} =~ /^(\d+)\.m4s/mg;
    return $msn[-1] // 0;
}

sub open_files {
    return grep { defined } map { readlink } glob "/proc/$_[0]/fd/*";
}
