#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the database roles of `make run`: an older release's cluster gets
# those that came since, and the owner's connection string serves the API by
# taking the role that row-level security holds for.

use strict;
use warnings;

use Camera::Test;
use FindBin;
use Test::More;

use lib "$FindBin::Bin/../deploy/lib";
use Run::Instance;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));

$t->start_empty_postgres;

my @said;
my $instance = Run::Instance->new(say => sub { push @said, "@_" });
$instance->{pg_bin} = $t->postgres_bin;
$instance->{socket} = $t->{pgsocket};
$instance->{steps} = Run::Steps->new(say => $instance->{say},
    user => { as => [] });

###############################################################################

# a cluster of the release before

as_postgres("DROP ROLE $_") for qw(camera_api camera_worker);
eval { $t->migrate };
like($@, qr/role camera_api does not exist.*HINT/s, 'the owner makes no roles');

$instance->make_database;
is(as_postgres("SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles
    WHERE rolname = '$_'"), "t\tf\tf", "make run makes $_")
    for qw(camera_api camera_worker);
$instance->make_database;
is("@said", '', 'once, and quietly');

$t->migrate;
is($t->psql({ user => 'camera_api' }, 'SELECT count(*) FROM cameras'), 0,
    'the API reads');

# a superuser's database: the migrations make and give the role

as_postgres('CREATE DATABASE other');
local $ENV{DATABASE_URL} = $t->database('postgres') =~ s/=camera /=other /r;
$t->run($t->root . '/deploy/migrate');
is(role_at($ENV{DATABASE_URL}), 'camera_api', 'taken by a superuser');

# an owner who may create roles: the same

as_postgres('CREATE ROLE maker LOGIN CREATEROLE');
as_postgres('CREATE DATABASE made OWNER maker');
$ENV{DATABASE_URL} = $t->database('maker') =~ s/=camera /=made /r;
$t->run($t->root . '/deploy/migrate');
is(role_at($ENV{DATABASE_URL}), 'camera_api', 'taken by who may create roles');

# every form of a connection string

as_postgres('GRANT camera_api TO camera_owner');
is(role_at($_), 'camera_api', s/.*camera_owner/.../r)
    for $t->database('camera_owner'), $t->database_url('camera_owner'),
    $t->database_url('camera_owner') . '?application_name=x',
    $t->database('camera_owner') . " application_name='a b'";

{
    local $ENV{DATABASE_URL} = "host=/tmp options='-c geqo=off'";
    eval { Run::Place::settings($t->root) };
    like($@, qr/ API_DATABASE_URL is needed/, 'options of its own are not lost');

    local $ENV{API_DATABASE_URL} = 'host=/tmp';
    eval { Run::Place::settings($t->root) };
    like($@, qr/WORKER_DATABASE_URL is needed/, 'for recordings neither');

    local $ENV{WORKER_DATABASE_URL} = 'host=/tmp';
    ok(eval { Run::Place::settings($t->root) }, 'unless there is another one');
}

$t->done_testing;

sub as_postgres {
    return $t->psql({ user => 'postgres', database => 'postgres' }, $_[0]);
}

sub role_at {
    my ($url) = @_;

    my $as_api = Run::Place::as_role($url, 'camera_api');
    chomp(my $role = $t->run($t->postgres_bin . '/psql', '-XAtq', '-c',
        'SELECT current_user', $as_api));

    return $role;
}
