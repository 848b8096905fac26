#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what /metrics says of the API: requests by route and class of
# status over all workers and over a reload, and how long they took; by kind of
# credential; which limits refused some; how many run.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_database
    camera_metrics));
$t->start_api(server => 'location = /metrics { camera_metrics; }',
    http => <<'END');
    camera_api_limit 30r/h;
    camera_api_concurrent 2;
END

$t->wait_for_the_hour;

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

# by kind of credential: those of a token that is none are nobody's

my %before = map { $_ => credential($_) } qw(session token none);
my $api = $t->api(POST => '/tokens', token => $admin->{token}, json => {
    name => 'x', permissions => ['cameras:read'], rateLimit => 3 })->{json};
my @status = map { get($_)->{status} } $api->{token}, $api->{token}, 'none';

is("@status", '200 200 401', 'of three kinds');
$t->wait_for(sub { credential('none') > $before{none} }, 2, 'the last one');
is_deeply({ map { $_ => credential($_) - $before{$_} } keys %before },
    { session => 1, token => 2, none => 1 }, 'are told apart');

# what was too many, by the limit that refused it

my $user = $t->add_user;

get($api->{token}) for 1 .. 3;
is(limited('token'), 2, 'of a token');
get($user->{token}) for 1 .. 33;
is(limited('user'), 3, 'of a user');

# how many run: as many as wait for the database

$user = $t->add_user;
get($user->{token}) for 1 .. 4;
$t->pause_postgres;
my @waiting = map { $t->api_send('/cameras?limit=1', $user->{token}) } 1 .. 2;
ok($t->wait_running(2), 'two run');
is(get($user->{token})->{code}, 'CONCURRENT_LIMIT_EXCEEDED', 'a third may not');
$t->resume_postgres;
ok($t->wait_running(0), 'none runs');
is(limited('concurrent'), 1, 'at once');
is_deeply([ map { limited($_) } qw(address tenant login register) ],
    [ (0) x 4 ], 'and no other limit');

%before = map { $_ => credential($_) } qw(session token);

$t->reload;
$t->wait_api;
cmp_ok(metric("camera_api_requests_total{$one,class=\"2xx\"}"), '>=', 6,
    'a reload forgets nothing');
is(limited('user'), 3, 'nor that some were too many');
is_deeply({ map { $_ => credential($_) } keys %before }, \%before,
    'nor whose they were');
is($t->metric('camera_api_requests_running'), 0, 'what ran is no more');
unlike($t->http_get('/metrics')->{body}, qr/\Q$camera->{id}\E|\Q$user->{id}\E/,
    'nobody is named');

$t->done_testing;

###############################################################################

sub metric { $t->metric(@_) }

# of all classes of status

sub credential {
    my ($kind) = @_;

    my $sum = 0;
    $sum += metric('camera_api_credential_requests_total'
        . "{credential=\"$kind\",class=\"${_}xx\"}") for 2 .. 5;

    return $sum;
}

sub limited {
    my ($policy) = @_;

    return metric("camera_api_limited_total{policy=\"$policy\"}");
}

sub get {
    my ($token) = @_;

    return $t->api_get('/cameras?limit=1', token => $token);
}
