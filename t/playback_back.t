#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for live HLS that reaches back into what was recorded: for whom, how
# far, without a seam, and what comes when there is nothing to reach back to.

use strict;
use warnings;

use Camera::Playback;
use Camera::Store;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camera_recordings));

###############################################################################

$t->nginx_conf(Camera::Playback->conf($t));
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera(segments => 4);
my $p = Camera::Playback->new($t, $camera);

# a file of 12 s that ended, and one that is being written

my $start = time - 20;
$t->make_recording($camera, start => $start, count => 24);
my $source = $t->make_recording($camera, start => $start + 12, first => 24,
    volume => "$t->{dir}/source");
$p->reveal($source, 8);

my $from = 1000 * $start + 4000;
my $fr = 1000 * ($start - 3600);
my $r = $t->http_get($store->entrance($camera, fr => $fr) . "&from=$from");
is($r->{status}, 200, 'a token that reaches back');
my ($media) = $r->{body} =~ m{^(/recordings/\S+)$}m;
ok($media, 'leads to recordings');

$p->{media} = $media;
my $list = $p->reload;
is($list->{type}, 'EVENT', 'which go on');
is($list->{pieces}[0]{time}, $from, 'from then on');
my $text = $list->{text};

$p->reveal($source, 16);
$list = $p->reload;
is(substr($list->{text}, 0, length $text), $text, 'what comes is appended');
is(join(' ', map { $p->frames($_) } @{ $list->{groups} }),
    join(' ', 60 .. 269), 'every frame from then on');

# for whom, and how far

my $entrance = sub { $store->entrance($camera, @_) };
my %status = (
    'no such right'     => [ 403, $entrance->() . "&from=$from" ],
    'not as far'        => [ 403, $entrance->(fr => $from + 1)
                                . "&from=$from" ],
    'recordings token'  => [ 403, $entrance->(fr => $fr, pur => 2)
                                . "&from=$from" ],
    'twice'             => [ 403, $entrance->(fr => $fr)
                                . "&from=$from&from=$from" ],
    'no number'         => [ 403, $entrance->(fr => $fr) . '&from=now' ],
    'the future'        => [ 400, $entrance->(fr => $fr) . '&from='
                                . 1000 * (time + 10) ],
    'longer than a session' => [ 400, $entrance->(fr => 1000) . '&from='
                                . 1000 * (time - 12 * 3600 - 10) ],
);

is($t->http_get($status{$_}[1])->{status}, $status{$_}[0], $_)
    for sort keys %status;

my ($s) = $media =~ /s=(.*)/;
is($t->http_get("/hls/$camera->{id}/live.m3u8?s=$s")->{status}, 403,
    'its session is none of live');

# nothing to reach back to: live as ever

my $never = $store->camera(segments => 4);
$r = $t->http_get($store->entrance($never, fr => $fr) . "&from=$from");
like($r->{body}, qr/^live\.m3u8\?s=/m, 'never recorded');

my $once = $store->camera(segments => 4);
$t->make_recording($once, start => time - 600);
$r = $t->http_get($store->entrance($once, fr => $fr) . '&from='
    . 1000 * (time - 601));
like($r->{body}, qr/^live\.m3u8\?s=/m, 'not recorded any more');

my $off = $store->camera;
is($t->http_get($store->entrance($off, fr => $fr) . "&from=$from")->{status},
    503, 'and off the air');

$t->done_testing;
