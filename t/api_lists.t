#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for pages of lists: what is asked of PostgreSQL for one comes in the
# order of an index, whatever filters there could be, and sorts no tenant's
# rows.  Once, a page of API tokens read and sorted all of them.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_postgres;
$t->migrate;
$t->psql({ user => 'postgres' },
    "ALTER ROLE camera_api SET log_statement = 'all'");
$t->start_api;

my $admin = $t->add_user;
my $tenant = $t->sql('SELECT default_tenant()');

$t->add_camera(name => 'gate');
$t->psql({ user => 'postgres' },
    "SET session_replication_role = replica;
     INSERT INTO users (tenant_id, username, password_hash, created_at)
     SELECT default_tenant(), 'u' || i, '\$2b\$12\$' || repeat('a', 53),
         now() - i * interval '1 s' FROM generate_series(1, 4000) i;
     INSERT INTO api_tokens (tenant_id, user_id, token_hash, prefix, name,
         permissions, created_at)
     SELECT tenant_id, id, encode(sha256(id::text::bytea), 'hex'), 'cam_', 'x',
         '[\"*\"]', created_at FROM users;
     INSERT INTO camera_groups (tenant_id, name, created_at)
     SELECT tenant_id, username, created_at FROM users;
     INSERT INTO alerts (tenant_id, camera_id, type, severity, title, details,
         created_at)
     SELECT c.tenant_id, c.id, username, 'low', 'x', '{}', u.created_at
     FROM cameras c, users u;
     INSERT INTO bookmarks (tenant_id, camera_id, at, label, created_at)
     SELECT c.tenant_id, c.id, now(), 'x', u.created_at FROM cameras c, users u;
     INSERT INTO exports (tenant_id, camera_id, from_time, to_time, created_at)
     SELECT c.tenant_id, c.id, now() - interval '1 h', now(), u.created_at
     FROM cameras c, users u;
     ANALYZE");

my $api = $t->pg_session('camera_api');
$api->ask("SET app.tenant = '$tenant'");
$api->ask('SET plan_cache_mode = force_generic_plan');

###############################################################################

for my $list (qw(users tokens camera-groups alerts bookmarks exports)) {
    my $r = $t->api_get("/$list?limit=50", token => $admin->{token});
    is($r->{status}, 200, $list);

    my ($name, $sql) = statement();
    my @null = ('NULL') x keys %{ { map { $_ => 1 } $sql =~ /\$(\d+)/g } };
    my ($limit) = $sql =~ /LIMIT \$(\d+)/;
    $null[$limit - 1] = 50;

    $api->ask("PREPARE $name AS $sql");
    my $plan = $api->ask("EXPLAIN (COSTS OFF) EXECUTE $name ("
        . join(', ', @null) . ')');

    is($api->state, '00000', "$list: $name") or diag $plan;

    # where more is asked of what is on the page: the page
    $plan = $2 if $plan =~ /^( *)CTE page\n((?:\1 +.*\n)+)/m;

    unlike($plan, qr/^\s*(?:->\s+)?Sort$/m, "$list: in the order of an index")
        or diag $plan;
}

$t->done_testing;

###############################################################################

# the newest one that the API sent for a list

sub statement {
    my $log = $t->{postgres}->log;
    my @all;

    while ($log =~ /camera_api\ LOG:\ \ execute\ (api_\w+):\ ((?:SELECT|WITH)\ .*?)\n
        (?=\S)/xgs)
    {
        my ($name, $sql) = ($1, $2);
        push @all, [ $name, $sql ] if $sql =~ /LIMIT \$/;
    }

    return @{ $all[-1] // [] };
}
