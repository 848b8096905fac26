#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for `make run` on a PostgreSQL and a Redis that are there already, from
# a place that its user cannot reach by itself: nothing private is made, nginx
# and camera-worker have the rights of their roles alone, and Ctrl-C leaves the
# servers alone.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Cli;
use Camera::Test::Run;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres redis migrations worker cli camera_rtmps
    camera_hls));

$t->start_empty_postgres;
$t->start_redis(requirepass => 'sesame');

mkdir $t->dir . '/private', 0700 or die "mkdir() failed: $!";

my $run = Camera::Test::Run->start($t,
    VAR              => $t->dir . '/private/var',
    DATABASE_URL     => $t->database('camera_owner'),
    APP_DATABASE_URL => $t->database('camera_app'),
    API_DATABASE_URL => $t->api_database,
    WORKER_DATABASE_URL => $t->database('camera_worker'),
    REDIS_URL        => $t->redis_address =~ s{^unix:}{unix://:sesame@}r,
    ADMIN_PASSWORD   => 'secret123');
$run->wait_ready or BAIL_OUT($run->log);

###############################################################################

ok(!-e $run->var . '/pg', 'no private cluster');
ok(!-e $run->var . '/redis', 'no private Redis');
is($run->get('/readyz')->{status}, 200, 'ready');
ok($t->wait_for(sub {
    decode_json($run->get('/readyz')->{body})->{parts}{redis}{status} eq 'ok'
}, 5), 'with Redis');
is((stat $run->var . '/conf/camera.conf')[2] & 07777, 0600,
    'whose password is private');
unlike($run->log . $t->run('cat', glob $run->var . '/log/*'), qr/sesame/,
    'and not in the logs');
is(scalar(grep { $t->read_file("/proc/$_/environ") =~ /sesame/ }
    $run->processes), 0, 'nor in the environment of children');
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
ok($t->wait_for(sub { roles() eq 'camera_api camera_app camera_worker' }, 10,
    'camera-worker'), 'each with a role of its own') or diag(roles());

is($run->stop, 0, 'Ctrl-C');
ok($t->postgres_ready && $t->redis_ready, 'the servers go on');

$t->done_testing;

###############################################################################

sub roles {
    return $t->psql({ user => 'postgres' },
        "SELECT string_agg(DISTINCT usename, ' ' ORDER BY usename)"
            . " FROM pg_stat_activity WHERE usename LIKE 'camera%'");
}
