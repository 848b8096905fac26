#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for cameras.stream_status: what lists and alerts are told of a camera.

use strict;
use warnings;

use Camera::Registry qw(registry);
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations ffmpeg camera_rtmps));

$t->start_postgres;
$t->migrate;

my ($good, $bad, $idle) = map { $t->add_camera(name => $_) } qw(good bad idle);
$t->sql("UPDATE cameras SET stream_status = 'online' WHERE name = 'idle'");

$t->start_nginx;
ok(seen(), 'cameras are known');
ok(becomes($idle, 'offline'), 'what was left from before is corrected');

my $rev = rev();
my $publisher = $t->publish($good);
ok(becomes($good, 'online'), 'online');
is($t->sql("SELECT assigned_node FROM cameras WHERE id = '$good->{id}'"),
    'test', 'at this node');

$t->publish($bad, url => $bad->{publish_url} =~ s/token=/token=x/r);
ok(becomes($bad, 'error'), 'turned away');

$publisher->stop;
ok(becomes($good, 'offline'), 'offline');

# a worker that was killed has told nobody

$publisher = $t->publish($good);
ok(becomes($good, 'online'), 'online again');
$t->kill_worker($_) for 0, 0;
$publisher->stop('KILL');
ok(becomes($good, 'offline'), 'offline when its worker was killed');

# PostgreSQL was away meanwhile

$t->stop_postgres;
$publisher = $t->publish($good);
ok($t->wait_for(sub { -l $t->shm . "/rings/$good->{id}" }, 8), 'published');
$t->start_postgres;
ok(becomes($good, 'online'), 'told when PostgreSQL is back');

is(rev(), $rev, 'nothing of this is news for the feeders');

$t->done_testing;

sub becomes {
    my ($camera, $status) = @_;

    return $t->wait_for(sub {
        $t->sql("SELECT stream_status FROM cameras WHERE id = '$camera->{id}'")
            eq $status;
    }, 10, "$camera->{name} to become $status");
}

sub rev {
    return join ' ', $t->sql('SELECT rev FROM cameras ORDER BY id');
}

sub seen { $t->wait_for(sub { (registry($t) // {})->{used} == 3 }, 3) }
