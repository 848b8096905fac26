#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for ring files that a killed nginx worker leaves behind: the worker
# that takes its place removes them, and none that is written or linked.

use strict;
use warnings;

use Fcntl qw(:flock);
use Test::More;

use lib 't/lib';
use Camera::Test;

my $t = Camera::Test->new(workers => 1);
$t->allow_log(qr{worker process \d+ exited on signal 9});
$t->start_nginx;

my $rings = $t->shm . '/rings';
my $camera = '0190c0de-0000-7000-8000-00000000000';

my $lost = ring("${camera}1.5");
my $linked = ring("${camera}2.5");
my $written = ring("${camera}3.5");
my $foreign = ring('notes');

symlink "${camera}2.5", "$rings/${camera}2" or die $!;
open my $writer, '<', $written or die $!;
flock $writer, LOCK_EX or die $!;

###############################################################################

my ($pid) = $t->worker_pids;
kill 'KILL', $pid;

ok($t->wait_for(sub { !-e $lost }, 5, 'sweep'), 'lost file removed');
ok(-e $linked, 'linked file kept');
ok(-e $written, 'written file kept');
ok(-e $foreign, 'other file kept');

$t->done_testing;

###############################################################################

sub ring {
    my ($name) = @_;

    $t->write_file("$rings/$name", '');
    $t->give_to_service("$rings/$name");

    return "$rings/$name";
}
