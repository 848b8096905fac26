#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for /metrics: Prometheus' text format, what publishing, playing and
# packaging add to it, counters that outlive every process, and no secret.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations worker ffmpeg camera_rtmps
    camera_hls));

$t->start_all(server => 'location = /metrics { camera_metrics; }');
my $camera = $t->add_camera;

###############################################################################

my $r = $t->http_get('/metrics');
is($r->{status}, 200, 'the page');
is($r->{headers}{'content-type'},
    'text/plain; version=0.0.4; charset=utf-8', 'its type');
is_deeply([ complaints($r->{body}) ], [], 'its format');

my $before = metrics();
is($before->{camera_cameras_known}, 1, 'cameras that are known');
is($before->{camera_cameras_live}, 0, 'none is live');
is($before->{camera_publish_accepted_total}, 0, 'nobody published');
is($before->{camera_nginx_workers}, 2, 'workers of nginx');
cmp_ok($before->{camera_shm_free_bytes}, '>', 0, 'room in shared memory');

# publishing

my $publisher = $t->publish($camera);
ok(counted('camera_publish_accepted_total', 1), 'a publication');
ok(counted('camera_ingest_frames_total{track="video"}', 25), 'video');
ok(counted('camera_ingest_frames_total{track="audio"}', 25), 'audio');
ok(counted('camera_package_parts_total', 3), 'parts of camera-worker');
is(metrics()->{camera_cameras_live}, 1, 'it is live');

my $refused = $t->publish($camera,
    url => $camera->{publish_url} =~ s/token=.*/token=wrong/r);
ok(counted('camera_publish_refused_total{reason="token_invalid"}', 1),
    'a refusal, by its reason');
is(metrics()->{'camera_publish_refused_total{reason="busy"}'}, 0,
    'and by no other');

# playing

$r = $t->http_get($camera->{play_path});
is($r->{status}, 200, 'a start');
$t->http_get("/hls/$camera->{id}/playlist.m3u8?token=no");

my $now = metrics();
is($now->{'camera_hls_requests_total{kind="start"}'}, 1, 'is counted');
is($now->{camera_hls_refused_total}, 1, 'and so is a refusal');
cmp_ok($now->{camera_hls_bytes_total}, '>', 100, 'and what was sent');

# what a process counted outlives it

$publisher->stop;
ok(counted('camera_publish_ended_total', 1), 'its end');
$t->stop_nginx;
$t->start_nginx;
cmp_ok(metrics()->{'camera_ingest_frames_total{track="video"}'}, '>=', 25,
    'another nginx counts on');

$r = $t->http_get('/metrics');
unlike($r->{body}, qr/\Q$camera->{id}\E|\Q$camera->{key}\E|\Q$camera->{token}\E/,
    'no camera and no secret is named');
is($t->http_get('/metrics', method => 'POST')->{status}, 405, 'only to read');

$t->done_testing;

###############################################################################

sub metrics {
    my %value;

    for (split /\n/, $t->http_get('/metrics')->{body}) {
        $value{$1} = $2 if /^([^#]\S*) (\S+)$/;
    }

    return \%value;
}

sub counted {
    my ($name, $least) = @_;

    return $t->wait_for(sub { (metrics()->{$name} // -1) >= $least }, 15,
        $name);
}

# lines that break the format: a sample without TYPE before it, twice, no number

sub complaints {
    my ($text) = @_;

    my (@bad, %type, %seen, $current);

    for (split /\n/, $text) {
        if (/^# HELP (\w+) \S.*$/) {
            push @bad, "two parts of $1" if $type{$1};
            $current = $1;
        } elsif (/^# TYPE (\w+) (?:counter|gauge|histogram)$/) {
            push @bad, "TYPE of $1 after that of another" if $1 ne $current;
            $type{$1} = 1;
        } elsif (/^((\w+?)(?:_bucket|_sum|_count)?(?:\{[^{}]+\})?) -?[\d.]+$/) {
            push @bad, $_ unless $type{$2} || $type{ $1 =~ s/\{.*//r };
            push @bad, "twice: $_" if $seen{$1}++;
        } else {
            push @bad, $_;
        }
    }

    push @bad, 'no end of line' unless $text =~ /\n\z/;

    return @bad;
}
