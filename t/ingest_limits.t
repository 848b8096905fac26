#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what runs out: the tenant's publishers and the shared memory.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Camera::RTMP;
use Camera::Registry qw(registry);
use Camera::Test;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(camera_rtmps postgres migrations));

my $start = 'NetStream.Publish.Start';

$t->start_postgres;
$t->migrate;

# a small tmpfs of its own, where that may be mounted

my $small = $t->dir . '/small';
mkdir $small;
my $mounted = $> == 0
    && system("mount -t tmpfs -o size=22m tmpfs $small 2>/dev/null") == 0;
$t->{shm} = "$small/shm" if $mounted;

END { system "umount -l $small" if $mounted; }

$t->start_nginx;

my @cameras = map { $t->add_camera(name => "camera $_") } 1 .. 6;
$t->wait_for(sub { keys %{ registry($t)->{cameras} } == 6 }, 5, 'registry');

sub state_of { registry($t)->{cameras}{ $_[0]{id} } }

sub publish {
    my ($camera) = @_;

    my ($r, $status) = Camera::RTMP->publisher($t, $camera);
    $r->config if $status->{code} eq $start;

    return ($r, $status);
}

# quota

$t->sql('UPDATE tenants SET max_publishers = 2');
ok($t->wait_for(sub { 6 == grep { $_->{max_publishers} == 2 }
    values %{ registry($t)->{cameras} } }, 3), 'quota of two');

my @live = map { [publish($cameras[$_])] } 0, 1;
is(join(' ', map { $_->[1]{code} } @live), "$start $start", 'two publish');

my ($r, $status) = publish($cameras[2]);
is($status->{level}, 'error', 'the third is refused');
is(state_of($cameras[2])->{refused}, 'quota', 'because of the quota');

$live[0] = [publish($cameras[0])];
is($live[0][1]{code}, $start, 'one of the two comes back');

$live[1][0]->close;
ok($t->wait_for(sub { !state_of($cameras[1])->{publishing} }, 2), 'one ends');
($r, $status) = publish($cameras[3]);
is($status->{code}, $start, 'another may publish');

# a worker that dies leaves its publications in the registry

my %old = map { $_ => 1 } $t->worker_pids;
$t->kill_worker($_) for 1, 0;
$t->wait_for(sub { 2 == grep { !$old{$_} } $t->worker_pids }, 5, 'workers');
$t->wait_for(sub { eval { Camera::RTMP->open($t->port('rtmp'))->handshake } },
    5, 'new workers');
is(scalar(grep { $_->{publishing} } values %{ registry($t)->{cameras} }), 2,
    'a crash: the registry names two');
($r, $status) = publish($cameras[4]);
is($status->{code}, $start, 'the dead are not counted');
$r->close;

$t->sql('UPDATE tenants SET max_publishers = 0');
$t->wait_for(sub { state_of($cameras[0])->{max_publishers} == 0 }, 3, 'quota');

# shared memory: 22 MB are 4 rings of 4 MB and a reserve of a tenth

SKIP: {
    skip 'a tmpfs cannot be mounted', 12 unless $mounted;

    my @many = map { [publish($_)] } @cameras;
    my @refused = grep { $_->[1]{code} ne $start } @many;

    cmp_ok(scalar(@refused), '>=', 1, 'full: somebody is refused');
    cmp_ok(scalar(@refused), '<', 6, 'not everybody');
    is($refused[0][1]{code}, 'NetStream.Failed', 'with a status');
    like($refused[0][1]{description}, qr/shared memory/, 'that says why');
    is(scalar(grep { $_->{refused} eq 'no_space' }
        values %{ registry($t)->{cameras} }), scalar(@refused), 'noted');

    my @ok = grep { $_->[1]{code} eq $start } @many;
    my $r = $ok[0][0];
    $r->chunk_size(65536);
    $r->video(40 * $_, key => $_ == 0, size => 200_000) for 0 .. 29;
    ok(!$r->closed(0.3), 'no room to grow: the publisher goes on');

    # its own credential would take over, had it a place to go

    my ($camera) = grep { state_of($_)->{publishing} } @cameras;
    my ($live) = map { $many[$_][0] }
        grep { $cameras[$_] == $camera } 0 .. $#cameras;
    my $generation = state_of($camera)->{generation};
    my ($late, $status) = publish($camera);

    is($status->{code}, 'NetStream.Failed', 'no room for a takeover');
    is(state_of($camera)->{generation}, $generation, 'nothing was claimed');
    ok(!$live->closed(0.6), 'nobody is superseded');
    ok($live->video(2000, key => 1), 'the live one sends on');
    is(state_of($camera)->{publishing}, 1, 'and is the camera\'s publication');

    $_->[0]->close for @many;
    ok($t->wait_for(sub { !grep { $_->{publishing} }
        values %{ registry($t)->{cameras} } }, 3), 'all ended');
    ($r, $status) = publish($cameras[0]);
    is($status->{code}, $start, 'room again: accepted');
}

$t->stop;
$t->done_testing;
