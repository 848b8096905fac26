#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for nodes: a server says that it is there and goes on saying so, and
# each tenant counts its own cameras on it.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $operator = $t->add_user(role => 'operator');
my $far = $t->add_user(tenant => $t->add_tenant);

$t->wait_for(sub { @{ nodes($operator) } }, 10, 'a heartbeat');

my ($node) = @{ nodes($operator) };
is($node->{health}, 'healthy', 'it is there');
is($node->{id}, 'test', 'by its name');
is($node->{host}, 'localhost', 'where cameras push to');
cmp_ok($node->{rtmpsPort}, '>', 0, 'by that port');
cmp_ok($node->{capacity}, '>', 0, 'with room');
is($node->{activeStreams}, 0, 'and nobody there');

is_deeply({ %{ node($operator, 'test')->{json} }, lastHeartbeat => '' },
    { %$node, lastHeartbeat => '' }, 'the same by its name');
is(node($operator, 'node-2')->{code}, 'NOT_FOUND', 'another one');
is($t->api_get('/nodes', token => $t->add_user(role => 'viewer')->{token})
    ->{code}, 'AUTH_INSUFFICIENT_PERMISSIONS', 'nothing for who watches');

# cameras

$t->sql("INSERT INTO cameras (tenant_id, name, stream_status, assigned_node)
    SELECT t, 'camera ' || n, s::stream_status, a
    FROM (VALUES ('$operator->{tenant}'::uuid, 1, 'online', 'test'),
                 ('$operator->{tenant}', 2, 'connecting', 'test'),
                 ('$operator->{tenant}', 3, 'offline', 'test'),
                 ('$operator->{tenant}', 4, 'online', 'node-2'),
                 ('$far->{tenant}', 5, 'online', 'test')) v (t, n, s, a)");

is(nodes($operator)->[0]{activeStreams}, 2, 'cameras that publish there');
is(nodes($far)->[0]{activeStreams}, 1, 'each tenant counts its own');

# time

$t->sql("UPDATE nodes SET heartbeat_at = now() - interval '1 hour'");
is(nodes($operator)->[0]{health}, 'silent', 'nothing was heard for long');
$t->wait_for(sub { nodes($operator)->[0]{health} eq 'healthy' }, 15,
    'the next heartbeat');
pass('it says so again');

$t->sql("INSERT INTO nodes (id, capacity, started_at, heartbeat_at)
    VALUES ('node-0', 1, now(), now() - interval '31 days')");
$t->sql("SELECT api_node_heartbeat('test', 'rtmps://localhost:1/live', '',
    '', 1, now())");
is(scalar @{ nodes($operator) }, 1, 'one that is gone is forgotten');

$t->done_testing;

###############################################################################

sub nodes {
    my ($user) = @_;

    return $t->api_get('/nodes', token => $user->{token})->{json};
}

sub node {
    my ($user, $id) = @_;

    return $t->api_get("/nodes/$id", token => $user->{token});
}
