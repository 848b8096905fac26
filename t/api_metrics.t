#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what /metrics says of the API: requests by route and class of
# status over all workers and over a reload, and how long they took.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_database
    camera_metrics));
$t->start_api(server => 'location = /metrics { camera_metrics; }');

my $admin = $t->add_user;
my $camera = $t->add_camera;
my $one = 'method="GET",route="/cameras/:id"';

###############################################################################

$t->api_get("/cameras/$camera->{id}", token => $admin->{token}) for 1 .. 6;
$t->api_get('/cameras/unknown', token => $admin->{token});
$t->api_get('/nothing', token => $admin->{token});

is(metric("camera_api_requests_total{$one,class=\"2xx\"}"), 6, 'served');
is(metric("camera_api_requests_total{$one,class=\"4xx\"}"), 1, 'refused');
is(metric('camera_api_requests_total{method="",route="none",class="4xx"}'), 1,
    'of no route');
is(metric("camera_api_request_seconds_count{$one}"), 7, 'timed');
is(metric("camera_api_request_seconds_bucket{$one,le=\"+Inf\"}"), 7,
    'all of them in the last bucket');

my @buckets = map { metric("camera_api_request_seconds_bucket{$one,le=\"$_\"}") }
    qw(0.001 0.005 0.01 0.025 0.05 0.1 0.25 1 2.5);
is("@buckets", join(' ', sort { $a <=> $b } @buckets), 'buckets only grow');
cmp_ok($buckets[-1], '>', 0, 'and are used');

$t->reload;
$t->wait_api;
cmp_ok(metric("camera_api_requests_total{$one,class=\"2xx\"}"), '>=', 6,
    'a reload forgets nothing');
unlike($t->http_get('/metrics')->{body}, qr/\Q$camera->{id}\E/,
    'no camera is named');

$t->done_testing;

###############################################################################

sub metric {
    my ($name) = @_;

    my ($value) = $t->http_get('/metrics')->{body} =~ /^\Q$name\E (\S+)$/m;

    return $value;
}
