#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for `make run` on a PostgreSQL that is there already, from a place that
# its user cannot reach by itself: nothing private is made, nginx has the
# application role's rights, and Ctrl-C leaves the server alone.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Run;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations worker cli camera_rtmps
    camera_hls));

$t->start_postgres;

mkdir $t->dir . '/private', 0700 or die "mkdir() failed: $!";

my $run = Camera::Test::Run->start($t,
    VAR              => $t->dir . '/private/var',
    DATABASE_URL     => $t->database('camera_owner'),
    APP_DATABASE_URL => $t->database('camera_app'));
$run->wait_ready or BAIL_OUT($run->log);

###############################################################################

ok(!-e $run->var . '/pg', 'no private cluster');
is($run->get('/readyz')->{status}, 200, 'ready');
is($run->env->{CAMERA_DATABASE_URL}, $t->database('camera_owner'), 'run.env');

my $id = $run->cli('add', 'gate')->{id};
is($t->sql("SELECT name FROM cameras WHERE id = '$id'"), 'gate', 'camera');
is($t->psql({ user => 'postgres' },
    "SELECT string_agg(DISTINCT usename, ' ') FROM pg_stat_activity"
        . " WHERE usename LIKE 'camera%'"), 'camera_app', 'role of nginx');

is($run->stop, 0, 'Ctrl-C');
ok($t->postgres_ready, 'the server goes on');

$t->done_testing;
