#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for blocking playlist reloads and hinted parts (RFC 8216bis 6.2.5.2):
# they wait for the packager without holding up the worker.

use strict;
use warnings;

use Camera::Stopwatch;
use Camera::Store;
use Camera::Test;
use IO::Select;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camera_hls));

###############################################################################

$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera(segments => 4);
my $id = $camera->{id};
my $live = $store->session($camera);

my $next = $store->tell('part', $id, 1000);
my $last = $next - 1;

# what is there already

is(reload(msn => $last)->{status}, 200, 'segment that is there');
is(reload(msn => $last, part => 3)->{status}, 200, 'part that is there');
is(reload(msn => $next, part => 0)->{status}, 200, 'part of the open one');
is(reload(msn => 0)->{status}, 200, 'segment long gone');

# what nobody may ask for

is(reload(msn => $last + 3)->{status}, 400, 'too far ahead');
is(reload(part => 1)->{status}, 400, 'part without a segment');
is(reload(msn => $next, part => 32)->{status}, 400, 'no such part');
is(reload(msn => 'x')->{status}, 400, 'not a number');
is(reload(msn => $last, skip => 'YES')->{status}, 200, 'delta not offered');

# a part

my $waiting = ask(reload_path(msn => $next, part => 1));
ok(!IO::Select->new($waiting)->can_read(0.3), 'reload waits');
is($t->http_get($live)->{status}, 200, 'worker serves others');

my $watch = Camera::Stopwatch->start;
$store->tell('part', $id, 1000);
my $r = answer($waiting);
cmp_ok($watch->seconds, '<', 0.2, 'answered at once');
is($r->{status}, 200, 'with a playlist');
like($r->{body}, qr/URI="$next\.1\.m4s/, 'that has the part');

# the part that was hinted at

my ($hint) = $r->{body} =~ /PRELOAD-HINT:TYPE=PART,URI="([^"]+)"/;
like($hint, qr/^$next\.2\.m4s/, 'hint');
$waiting = ask("/hls/$id/$hint");
ok(!IO::Select->new($waiting)->can_read(0.3), 'hinted part waits');
$store->tell('part', $id, 1234);
$r = answer($waiting);
is($r->{status}, 200, 'hinted part');
is(length $r->{body}, 1234, 'whole');

# a segment, and the first part of the next one

my @waiting = map { ask(reload_path(@$_)) } [ msn => $next ],
    [ msn => $next, part => 3 ], [ msn => $next + 1, part => 0 ];
$store->tell('done', $id);
is(answer($waiting[0])->{status}, 200, 'segment is complete');
ok(!IO::Select->new(@waiting[1, 2])->can_read(0.3), 'the others wait');

my ($first) = $t->http_get($live)->{body} =~ /HINT:TYPE=PART,URI="([^"]+)"/;
like($first, qr/^@{[ $next + 1 ]}\.0\.m4s/, 'hint at the next segment');
push @waiting, ask("/hls/$id/$first");
$store->tell('part', $id, 1000);
is(answer($_)->{status}, 200, 'first part of the next') for @waiting[1 .. 3];

# a hint that was wrong, a client that leaves, a camera that leaves

($hint) = $t->http_get($live)->{body} =~ /HINT:TYPE=PART,URI="([^"]+)"/;
$waiting = ask("/hls/$id/$hint");
$store->tell('done', $id);
is(answer($waiting)->{status}, 404, 'hinted part never came');

my @gone = map { ask(reload_path(msn => $next + 2)) } 1 .. 50;
close $_ for @gone;
is($t->http_get($live)->{status}, 200, 'fifty clients left');

my $start = time;
$watch = Camera::Stopwatch->start;
$r = reload(msn => $next + 3);
is($r->{status}, 200, 'a camera that hangs: the old playlist');
cmp_ok(time - $start, '>', 5.5, 'after three target durations');
cmp_ok($watch->seconds, '<', 6.5, 'and no later');

# a reload of nginx: the old worker answers, then ends

$waiting = ask(reload_path(msn => $next + 2));
ok(!IO::Select->new($waiting)->can_read(0.1), 'waits');
ok($t->reload, 'reload of nginx');
is($t->old_worker_pids, 1, 'old worker stays for it');
$store->tell('part', $id, 1000);
$store->tell('done', $id);
is(answer($waiting)->{status}, 200, 'answered');
ok($t->wait_for(sub { $t->old_worker_pids == 0 }, 3, 'its end'),
    'and the worker ended');

# a right that is lost while one waits

$waiting = ask(reload_path(msn => $next + 3));
ok(!IO::Select->new($waiting)->can_read(0.1), 'waits again');
$camera->{epoch}++;
$store->put($camera);
$watch = Camera::Stopwatch->start;
is(answer($waiting)->{status}, 403, 'revoked while waiting');
cmp_ok($watch->seconds, '<', 0.5, 'at once');

my $pid = ($t->worker_pids)[0];
ok($t->wait_for(sub { $t->fds($pid) < 40 }, 5, 'few descriptors'),
    'no connection is left');

$t->done_testing;

###############################################################################

sub reload_path {
    my (%arg) = @_;

    return join '&', $live, map { "_HLS_$_=$arg{$_}" } sort keys %arg;
}

sub reload { return $t->http_get(reload_path(@_)) }

sub ask {
    my ($path) = @_;

    my $s = Camera::HTTP::connect_to($t->port('http'));
    print $s "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    return $s;
}

sub answer { return Camera::HTTP::read_response($_[0], time + 10) }
