#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a reload while events are followed: streams end, over TLS and
# without, old workers go soon, and who comes again has missed nothing.

use strict;
use warnings;

use Camera::EventStream qw(follow);
use Camera::Stopwatch;
use Camera::Test;
use Camera::WebSocket qw(ws_connect);
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres redis migrations camera_api_streams tls));
$t->start_redis;

my ($certificate, $key) = $t->certificate;
$t->start_api(
    camera => 'redis ' . $t->redis_address . ';',
    http   => 'server { listen 127.0.0.1:' . $t->port('https') . ' ssl;'
        . " ssl_certificate $certificate; ssl_certificate_key $key;"
        . ' location /api/ { camera_api; } }',
);

my $user = $t->add_user(role => 'viewer');
my $camera = $t->add_camera(name => 'gate')->{id};
my $n = 0;

###############################################################################

# a reload

my @all = ((map { follow($t, $user->{token}) } 1 .. 6),
    follow($t, $user->{token}, port => $t->port('https'), tls => 1));
my $ws = ws_connect($t, token => $user->{token},
    port => $t->port('https'), tls => 1);
is($ws->next(3)->{type}, 'ready', 'a WebSocket over TLS');

rename_it();
is(join(' ', map { read_to($_, $n) } @all), "n$n " x 6 . "n$n",
    'streams over TLS and without');

my $watch = Camera::Stopwatch->start;
$t->reload;
rename_it();

is(scalar(grep { $_->ended(6) } @all), 7, 'a reload ends streams');
is($ws->closed(3), 1001, 'and WebSockets');
cmp_ok($watch->seconds, '<', 6, 'soon');
ok($t->wait_for(sub { !$t->old_worker_pids }, 8), 'old workers go');
$ws->close;

rename_it();
my @names = map {
    my $one = follow($t, $user->{token}, last => drained($_));
    my $name = read_to($one, $n);
    $one->close;
    $name;
} @all;
is(join(' ', @names), join(' ', ("n$n") x 7), 'and nothing is missed');

# an old worker that is told to end at once

@all = map { follow($t, $user->{token}) } 1 .. 6;
$t->reload;
$t->stop_nginx;
is(scalar(grep { $_->ended(3) } @all), 6, 'TERM in the middle of a reload');

$t->done_testing;

###############################################################################

sub rename_it {
    $n++;
    $t->sql("UPDATE cameras SET name = 'n$n' WHERE id = '$camera'");
}

# reads up to the event of that number; undef: it does not come

sub read_to {
    my ($s, $n) = @_;

    my ($event) = grep { ($_->{json}{data}{name} // '') eq "n$n" }
        $s->until(sub { ($_[0]{json}{data}{name} // '') eq "n$n" }, 4);

    return $event && "n$n";
}

# the last id, when everything that came was read

sub drained {
    my ($s) = @_;

    1 while $s->next(0);
    return $s->last;
}
