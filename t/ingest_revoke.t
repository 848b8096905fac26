#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the end of a right while it is used: a live publisher is cut
# within a second, in old workers too, and the camera is told why.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time);

use Camera::RTMP;
use Camera::Registry qw(registry);
use Camera::Stopwatch;
use Camera::Test;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(camera_rtmps postgres migrations tls));

$t->start_postgres;
$t->migrate;
$t->start_nginx;

my $start = 'NetStream.Publish.Start';

sub live {
    my ($name, %opt) = @_;

    my $camera = $t->add_camera(name => $name, %{ $opt{add} // {} });
    $t->wait_for(sub { registry($t)->{cameras}{ $camera->{id} } }, 5, $name);

    if ($opt{cut_at_expiry}) {
        $t->sql('UPDATE cameras SET cut_at_expiry = true '
            . "WHERE id = '$camera->{id}'");
        $t->wait_for(sub {
            registry($t)->{cameras}{ $camera->{id} }{flags} & 2 }, 2, 'flag');
        $camera->{token} = $t->token(camera => $camera,
            exp => int(time) + 2);
    }

    my ($r, $status) = Camera::RTMP->publisher($t, $camera, tls => 1,
        $opt{opaque} ? (name => $camera->{opaque}) : ());
    is($status->{code}, $start, "$name: live");
    $r->config;

    return ($camera, $r);
}

sub cut {
    my ($r, $camera, $reason, $name, $within) = @_;

    my $watch = Camera::Stopwatch->start;
    $within //= 1;
    my $ms = 0;
    $r->video($ms += 40, key => 1)
        until $r->closed(0.04) || $watch->over($within + 2);
    my $took = $watch->seconds;

    cmp_ok($took, '<', $within, sprintf '%s: dark after %.0f ms', $name,
        $took * 1000);
    my $status = $r->status(0) // {};
    is($status->{level}, 'error', "$name: status");
    my $now = registry($t)->{cameras}{ $camera->{id} };
    ok(!$now || !$now->{publishing}, "$name: not live any more");
    is($now->{refused}, $reason, "$name: $reason") if $now;
}

sub goes_on {
    my ($r, $seconds, $name) = @_;

    my $end = time + $seconds;
    $r->video(0, key => 1) until $r->closed(0.05) || time > $end;
    ok(!$r->closed(0), $name);
}

my ($camera, $r) = live('rotated at once');
$t->sql("SELECT rotate_stream_key('$camera->{id}', 0)");
cut($r, $camera, 'token_revoked', 'rotated at once');

($camera, $r) = live('rotated with an overlap');
$t->sql("SELECT rotate_stream_key('$camera->{id}', 3)");
my $rotated = time;
my $watch = Camera::Stopwatch->start;
$camera->{generation} = 2;
$t->wait_for(sub { registry($t)->{cameras}{ $camera->{id} }{key_generation}
    == 2 }, 2, 'rotation');
goes_on($r, 0.8, 'overlap: old key goes on');

my ($second, $status) = Camera::RTMP->publisher($t, $camera, tls => 1);
is($status->{code}, $start, 'overlap: old token is still taken');
$r = $second;
$r->config;
goes_on($r, $rotated + 1.8 - time, 'overlap: old key goes on');
ok($t->wait_for(sub { $r->video(0, key => 1); $r->closed(0.05) }, 3),
    'overlap is over: cut');
cmp_ok($watch->seconds, '<', 4.5, 'in time');
($second, $status) = Camera::RTMP->publisher($t,
    $t->camera_urls($camera), tls => 1);
is($status->{code}, $start, 'new token');

($camera, $r) = live('opaque key', opaque => 1, add => { opaque => 1 });
$t->sql("SELECT rotate_stream_key('$camera->{id}', 0)");
cut($r, $camera, 'token_revoked', 'opaque key');

($camera, $r) = live('switched off');
$t->sql("UPDATE cameras SET is_active = false WHERE id = '$camera->{id}'");
cut($r, $camera, 'camera_inactive', 'switched off');
($second, $status) = Camera::RTMP->publisher($t, $camera);
is($status->{level}, 'error', 'switched off: cannot come back');

($camera, $r) = live('removed');
$t->sql("UPDATE cameras SET deleted_at = now() WHERE id = '$camera->{id}'");
cut($r, $camera, undef, 'removed');

($camera, $r) = live('list of addresses');
$t->sql("UPDATE cameras SET allowed_cidrs = '{10.0.0.0/8}' "
    . "WHERE id = '$camera->{id}'");
cut($r, $camera, 'address', 'list of addresses');

($camera, $r) = live('something else');
$t->sql("UPDATE cameras SET name = 'a new name' WHERE id = '$camera->{id}'");
goes_on($r, 0.6, 'a change that takes no right away');

# a token's end, where the camera wants it

($camera, $r) = live('ends with its token', cut_at_expiry => 1);
cut($r, $camera, 'token_expired', 'ends with its token', 3);

# an old worker

($camera, $r) = live('old worker');
ok($t->reload, 'reload');
ok($t->wait_for(sub { $t->old_worker_pids }, 2), 'old worker lives on');
goes_on($r, 0.5, 'old worker: publisher goes on');
$t->sql("SELECT rotate_stream_key('$camera->{id}', 0)");
cut($r, $camera, 'token_revoked', 'old worker');

$t->done_testing;
