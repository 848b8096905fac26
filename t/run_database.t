#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for `make run` on a PostgreSQL that is there already, from a place that
# its user cannot reach by itself: nothing private is made, nginx has the rights
# of its two roles alone, and Ctrl-C leaves the server alone.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Cli;
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
    APP_DATABASE_URL => $t->database('camera_app'),
    API_DATABASE_URL => $t->api_database,
    ADMIN_PASSWORD   => 'secret123');
$run->wait_ready or BAIL_OUT($run->log);

###############################################################################

ok(!-e $run->var . '/pg', 'no private cluster');
is($run->get('/readyz')->{status}, 200, 'ready');
is($run->env->{CAMERA_DATABASE_URL}, $t->database('camera_owner'), 'run.env');

# an administrator with the password that was given, which nobody else gets

my $admin = Camera::Test::Cli->new($t,
    CAMERA_DATABASE_URL => $t->database('camera_owner'))
    ->run(qw(user check admin --json), \'secret123');
is($admin->{json}{right}, JSON::PP::true, 'password of the administrator');
is($admin->{json}{role}, 'admin', 'role');
is($run->env->{CAMERA_ADMIN_PASSWORD}, 'secret123', 'in run.env');
ok(!-e $run->var . '/admin', 'kept nowhere else');
unlike($run->log, qr/secret123/, 'not in the summary');
is(scalar(grep { $t->read_file("/proc/$_/environ") =~ /secret123/ }
    $run->processes), 0, 'not in the environment of children');

my $id = $run->cli('add', 'gate')->{id};
is($t->sql("SELECT name FROM cameras WHERE id = '$id'"), 'gate', 'camera');
is($t->psql({ user => 'postgres' },
    "SELECT string_agg(DISTINCT usename, ' ' ORDER BY usename)"
        . " FROM pg_stat_activity WHERE usename LIKE 'camera%'"),
    'camera_api camera_app', 'roles of nginx');

is($run->stop, 0, 'Ctrl-C');
ok($t->postgres_ready, 'the server goes on');

$t->done_testing;
