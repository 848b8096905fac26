#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the end of a right to play: a session outlives its start token, but
# not a revocation, which cuts it within a second on every worker, not even
# after a reload.

use strict;
use warnings;

use Camera::Stopwatch;
use Camera::Store;
use Camera::Test;
use Test::More;
use Time::HiRes qw(time sleep);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx camera_hls));

###############################################################################

$t->start_nginx;

my $store = Camera::Store->new($t);

# a token of two seconds starts a session that plays on; half a minute and
# twenty minutes in the soak

my $camera = $store->camera(segments => 8);
my ($valid, $play) = $t->soak ? (30, 1200) : (2, 6);
my $token = $t->token(camera => $camera, use => 'playback', iat => int time,
    exp => int(time) + $valid);
my $live = $store->session($camera, token => $token);

my ($start, $reloads, @bad) = (time, 0);
my %fetched;

while (time < $start + $play) {
    $store->tell('segments', $camera->{id}, 1, 4000);
    my $r = $t->http_get($live);
    push @bad, "$r->{status} playlist" if $r->{status} != 200;

    for my $uri (grep { !/\.\d\.m4s/ } $store->uris($r->{body})) {
        next if $fetched{$uri}++;
        my $status = $t->http_get("/hls/$camera->{id}/$uri")->{status};
        push @bad, "$status $uri" if $status != 200;
    }

    $t->reload if ++$reloads % 10 == 5;
    sleep($t->soak ? 2 : 0.25);
}

is("@bad", '', "${play}s of play with a token of ${valid}s");
is($t->http_get($store->entrance($camera, token => $token))->{status}, 403,
    'which cannot start another');

# revoked, inactive, removed

for my $how (qw(revoked inactive removed)) {
    my $one = $store->camera(segments => 4);
    my $path = $store->session($one);
    my $text = $t->http_get($path)->{body};
    my @uris = map { "/hls/$one->{id}/$_" } $store->uris($text);
    my @all = ($path, grep { $t->http_get($_)->{status} == 200 }
        grep { !/HINT/ } @uris[0 .. $#uris - 1]);
    cmp_ok(scalar @all, '>', 10, "$how: plays");

    my $old = $store->entrance($one);

    if ($how eq 'revoked') {
        $one->{epoch}++;
        $store->put($one);
    } elsif ($how eq 'inactive') {
        $store->put($one, active => 0);
    } else {
        $store->tell('remove', $one->{id});
    }

    my $watch = Camera::Stopwatch->start;
    my $want = $how eq 'removed' ? 404 : 403;
    my @open = grep { $t->http_get($_)->{status} != $want } (@all) x 2;
    is("@open", '', "$how: nothing plays");
    cmp_ok($watch->seconds, '<', 1, "$how: within a second");
    is($t->http_get($old)->{status}, $want, "$how: nor does its token");

    next unless $how eq 'revoked';
    is($t->http_get($store->entrance($one))->{status}, 200,
        'a new token does');
    ok($t->reload, 'reload');
    is($t->http_get($path)->{status}, 403, 'revoked: after a reload');
}


$t->done_testing;
