#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a volume that hangs: who asks for recordings is told so, nobody else
# notices, and when it is back everything is.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Playback;
use Camera::Stopwatch;
use Camera::Store;
use Camera::Test;
use IO::Select;
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camera_recordings));
plan(skip_all => 'a sanitizer has to be the first library')
    if $ENV{CAMERA_SANITIZED};

my ($all, $limit, $patience) = (80, 64, 5);

###############################################################################

$t->nginx_conf(Camera::Playback->conf($t));
$t->run(qw(make -s -C), $t->root, 'build/t/preload/volume.so');

{
    local $ENV{LD_PRELOAD} = $t->root . '/build/t/preload/volume.so';
    local $ENV{CAMERA_VOLUME} = $t->volume;
    $t->start_nginx;
}

my $store = Camera::Store->new($t);
my $camera = $store->camera(segments => 4);
my $file = $t->make_recording($camera, start => time - 3600);
my $p = Camera::Playback->new($t, $camera);
my $live = $store->session($camera);

my $download = $p->download(start => $file->{start});
my $piece = $p->playlist(from => $file->{start})->{pieces}[0];
is($p->fetch($piece)->{status}, 206, 'before');

$t->write_file($t->volume . '.hangs', '');

# more requests than may wait

my $watch = Camera::Stopwatch->start;
my @waiting;

for (1 .. $all) {
    my $s = Camera::HTTP::connect_to($t->port('http'));
    print $s "GET $download HTTP/1.0\r\n\r\n";
    push @waiting, $s;
}

my $refused = 0;
$t->wait_for(sub { ($refused += take()) >= $all - $limit }, 2, 'refusals');
is($refused, $all - $limit, 'those beyond are refused at once');

# everybody else

my $slowest = 0;

for my $path ('/healthz', $live, $store->entrance($camera)) {
    my $watch = Camera::Stopwatch->start;
    my $r = $t->http_get($path);
    $slowest = max($slowest, $watch->seconds);
    is($r->{status}, 200, $path =~ s/[?].*//r =~ s/.*\///r);
}

cmp_ok($slowest, '<', 0.5, sprintf 'and at once, within %.0f ms',
    1000 * $slowest);

# some leave, the others are told

close $_ for splice @waiting, 0, 10;

my $told = 0;
$t->wait_for(sub { ($told += take()) >= $limit - 10 }, $patience + 2, 'answers');
is($told, $limit - 10, 'who waited is answered 503');
cmp_ok($watch->passed, '>', $patience - 1.5, 'after five seconds');
cmp_ok($watch->seconds, '<', $patience + 1.5, 'and no later');
like($t->error_log, qr/a disk did not answer in 5000ms/, 'and the log, why');

# back again

unlink $t->volume . '.hangs';
ok($t->wait_for(sub { $p->fetch($piece)->{status} == 206 }, 5, 'the volume'),
    'it is back');
is(length $t->http_get($download)->{body}, $file->{bytes}, 'as it was');

$t->done_testing;

###############################################################################

# how many were answered 503 meanwhile; others stay

sub take {
    my $n = 0;

    for my $s (IO::Select->new(@waiting)->can_read(0.05)) {
        my $answer = do { local $/; <$s> // '' };
        $n++ if $answer =~ m{^HTTP/1\.1 503 .*^Retry-After: 2\r$}ms;
        @waiting = grep { $_ != $s } @waiting;
    }

    return $n;
}
