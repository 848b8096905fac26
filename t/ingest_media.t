#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for frames on their way into the ring: whole, in order, with the right
# times, however they were cut into chunks and however big they are.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Camera::Process;
use Camera::RTMP;
use Camera::Registry qw(registry);
use Camera::Test;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(camera_rtmps postgres migrations tls));

my $tool = $t->root . '/build/t/tool/ring_dump';
plan(skip_all => 'no build/t/tool/ring_dump') unless -x $tool;

$t->start_postgres;
$t->migrate;
$t->nginx_conf(camera => 'ring_size 1m; ring_max 16m;');
$t->start_nginx;

# publishes with the code, and answers the records that a reader saw

sub records {
    my ($name, $code, %opt) = @_;

    my $camera = $t->add_camera(name => $name);
    $t->wait_for(sub { registry($t)->{cameras}{ $camera->{id} } }, 5, $name);

    my ($r, $status) = Camera::RTMP->publisher($t, $camera, %opt);
    is($status->{code}, 'NetStream.Publish.Start', "$name: started");

    my $reader = Camera::Process->start($t->dir . "/$name.dump", $tool,
        $t->shm, $camera->{id}, 10);
    $t->wait_for(sub { $reader->log =~ /generation/ }, 5, 'reader');

    $code->($r);

    # the last record is a mark of ours
    $r->audio(9_000_000, 'the end');
    $t->wait_for(sub { $reader->log =~ / 7 [0-9a-f]{8} / }, 5, 'the end');
    $reader->stop;

    my $log = $reader->log;
    my @records = map { [split / /] } grep { !/^#/ } split /\n/, $log;

    # a ring that grew holds its frames since the newest key frame again

    my (%seq, @once);
    for my $r (@records) {
        push @once, $r unless $seq{ $r->[0] };
        is("@$r", $seq{ $r->[0] }, "$name: record $r->[0] again, the same")
            if $seq{ $r->[0] };
        $seq{ $r->[0] } = "@$r";
    }
    pop @once;

    is(join(',', map { $_->[0] } @once), join(',', 0 .. $#once),
        "$name: every record, in order");

    return (\@once, $log);
}

my ($seen, $log) = records('chunks', sub {
    my ($r) = @_;
    $r->config;
    $r->video(0, key => 1, size => 300);
    $r->audio(10);
    $r->video(40, size => 1000, cts => 80);
    $r->video(80, size => 100, cts => -40);
    $r->chunk_size(4096);
    $r->video(120, size => 100_000);
    $r->chunk_size(65536);
    $r->video(160, size => 100_000);
    $r->chunk_size(1048576);
    $r->video(200, key => 1, size => 100_000);
});

is_deeply([map { join ' ', @$_[1 .. 5] } @$seen], [
    'video -config 0 0 ' . length($Camera::RTMP::AVCC),
    'audio -config 0 0 2',
    'video key 0 0 304',
    'audio - 10 0 32',
    'video - 40 80 1004',
    'video - 80 -40 104',
    'video - 120 0 100004',
    'video - 160 0 100004',
    'video key 200 0 100004',
], 'tracks, flags, times and sizes');
is($seen->[6][6], $seen->[7][6], 'same bytes by any chunk size');
isnt($seen->[6][6], $seen->[8][6], 'and different ones are told apart');

($seen) = records('clock', sub {
    my ($r) = @_;
    $r->config;
    $r->video(4294967290, key => 1);
    $r->audio(4294967295);
    $r->video(30);
    $r->audio(20);
    $r->video(70, key => 1);
}, tls => 1);

is(join(' ', map { $_->[3] } @$seen[2 .. 6]),
    '4294967290 4294967295 4294967326 4294967316 4294967366',
    'a clock that wraps goes on');

# a frame above half the ring, and one above nginx-rtmp's own limit

($seen, $log) = records('big', sub {
    my ($r) = @_;
    $r->config;
    $r->chunk_size(65536);
    $r->video($_ * 40, key => $_ % 10 == 0, size => 20_000) for 0 .. 9;
    $r->video(400, key => 1, size => 3_000_000);
    $r->video(440, size => 10_000);
}, tls => 1);

is(scalar(grep { $_->[5] == 3_000_004 } @$seen), 1, 'frame of 3 MB');
is($seen->[-1][5], 10_004, 'and what follows it');
like($log, qr/capacity 1048576 /, 'began in the small ring');
like($log, qr/capacity 8388608 /, 'went on in one that holds two of it');
unlike($log, qr/lost/, 'nothing was lost on the way');

# a long group of pictures makes the ring grow too

($seen, $log) = records('long', sub {
    my ($r) = @_;
    $r->config;
    $r->chunk_size(65536);
    $r->video($_ * 40, key => $_ == 0, size => 50_000) for 0 .. 59;
});

is(scalar(@$seen), 62, 'every frame of a group of 3 MB');
like($log, qr/capacity 8388608 /, 'ring holds two of them');

# frames without configuration cannot be decoded: they are left out

($seen) = records('late', sub {
    my ($r) = @_;
    $r->config('audio');
    $r->video(0, key => 1);
    $r->audio(10);
    $r->config('video');
    $r->video(40, key => 1);
});

is(join(' ', map { "$_->[1] $_->[3]" } @$seen),
    'audio 0 audio 10 video 10 video 40', 'configuration first')
    or diag explain $seen;

$t->done_testing;
