#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a `make run` that cannot: what fails is named, with its own last
# words, at once, and nothing is left running.

use strict;
use warnings;

use Camera::Stopwatch;
use Camera::Test;
use Camera::Test::Run;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations worker cli camera_rtmps
    camera_hls));

###############################################################################

mkdir $t->dir . '/var' or die "mkdir() failed: $!";
$t->write_file($t->dir . '/var/keys.json', '{ "keys": [ ] }');

my $run = Camera::Test::Run->start($t);
my $watch = Camera::Stopwatch->start;
is($run->{process}->wait(60), 1 << 8, 'unusable keys: status');
cmp_ok($watch->seconds, '<', 20, 'at once');
like($run->log, qr/^run +\| ERROR: nginx failed/m, 'nginx is named');
like($run->log, qr/^run +\|.*no usable signing keys in/m, 'its last words');
ok($t->wait_for(sub { !grep { /postgres/ } $run->processes }, 2, 'end'),
    'nothing is left');
ok(!-e $run->var . '/run.env', 'no run.env');

unlink $t->dir . '/var/keys.json';

$run = Camera::Test::Run->start($t,
    DATABASE_URL => 'host=127.0.0.1 port=1 dbname=camera password=sesame');
is($run->{process}->wait(60), 1 << 8, 'no database: status');
like($run->log, qr/^run +\| ERROR: migrate failed/m, 'migrate is named');
like($run->log, qr/Connection refused/, 'its last words');
unlike($run->log, qr/sesame/, 'no password');

$run = Camera::Test::Run->start($t, RECORD_DIR => '/dev/null/disk');
is($run->{process}->wait(60), 1 << 8, 'no disk to record to: status');
like($run->log, qr{RECORD_DIR: "/dev/null/disk" is no directory}, 'message');

$t->done_testing;
