#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the metrics of cameras in SQL: each day has a partition, made ahead or
# by its first row, which goes with its time; a look at a day opens that day alone;
# and rows of a database before partitions are there afterwards, seen by the same.

use strict;
use warnings;

use Camera::Test;
use Camera::Token;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));

$t->start_postgres;
$t->migrate;

my $migrate = $t->root . '/deploy/migrate';
my $url = $t->database_url('camera_owner');

# a database as it was before, with rows of three days, one of them too old

while ($t->sql('SELECT max(name) FROM schema_migrations') ge '042') {
    $t->run($migrate, '--revert', $url);
}

is($t->sql("SELECT relkind FROM pg_class WHERE relname = 'camera_metrics'"), 'r',
    'one table');
my $tenant = $t->sql("INSERT INTO tenants (slug, name) VALUES ('a', 'A')
    RETURNING id");
my $camera = $t->sql("INSERT INTO cameras (tenant_id, name)
    VALUES ('$tenant', 'gate') RETURNING id");
$t->sql("INSERT INTO camera_metrics
    SELECT '$camera', date_bin('5 min', now(), 'epoch') - make_interval(days => d),
        '$tenant', 5, 5, 75, 5000, d, d FROM unnest(ARRAY[0, 2, 36]) d");
my $seen = series();
$t->run($migrate, $url);

###############################################################################

my ($owner, $worker, $api) = map { $t->pg_session("camera_$_") }
    qw(owner worker api);
$api->ask("SELECT set_config('app.tenant', '$tenant', false)");

is(series(), $seen, 'the same series afterwards');
is($owner->ask("SELECT count(*) FROM camera_metrics WHERE tableoid::regclass::text
    = 'camera_metrics_' || to_char(bucket AT TIME ZONE 'UTC', 'YYYYMMDD')"), 2,
    'rows are in the partitions of their days, but for one that is too old');

# who may see it: as before, and by the table alone

is($api->ask('SELECT count(*) FROM camera_metrics'), 2, 'the tenant sees them');
$api->ask("SELECT set_config('app.tenant', '"
    . Camera::Token::random_uuid() . "', false)");
is($api->ask('SELECT count(*) FROM camera_metrics'), 0, 'another one does not');
$api->ask("SELECT count(*) FROM camera_metrics_default");
is($api->state, '42501', 'nor by a partition');
is($owner->ask(q{SELECT count(*) FROM pg_class WHERE relispartition
    AND relname ~ '^camera_metrics' AND NOT relrowsecurity AND relkind = 'r'}), 0,
    'which have row-level security all the same');

# ahead, late, and by the first row

is($worker->ask('SELECT make_metric_partitions(5)'), 2, 'two days more, ahead');
is($worker->ask('SELECT make_metric_partitions(5)'), 0, 'once');
is(added('3 days'), partition('3 days'), 'a late sample makes its own');
is(added('40 days'), 'camera_metrics_default', 'one that is too late does not');
add('0 days');
is($owner->ask("SELECT count(*) FROM camera_metrics_default"), 0,
    'and goes with the next one');

$owner->ask("INSERT INTO camera_metrics VALUES ('$camera', now() + interval
    '20 days', '$tenant', 1, 1, 1, 1, 1, 1)");
is($worker->ask('SELECT make_metric_partitions(20)'), 14,
    'rows of the default one stay where they are');
$owner->ask('DELETE FROM camera_metrics WHERE bucket > now()');

# the end of a day

my $old = partition('36 days');
my $last = partition('35 days');
$owner->ask(sprintf q{CREATE TABLE %s PARTITION OF camera_metrics FOR VALUES
    FROM ((current_date - %d)::timestamptz) TO ((current_date - %d)::timestamptz)},
    @$_) for [ $old, 36, 35 ], [ $last, 35, 34 ];

my $reader = $t->pg_session('camera_owner');
$reader->ask("BEGIN; SELECT count(*) FROM camera_metrics");
$worker->ask('SELECT drop_old_metric_partitions()');
is($worker->state, '55P03', 'a reader delays nobody for long');
is(added('4 days'), 'camera_metrics_default',
    'a sample finds a place without a partition of its own');
$reader->ask('COMMIT');
is($worker->ask('SELECT drop_old_metric_partitions()'), 1, 'one goes');
is($owner->ask("SELECT to_regclass('$old') IS NULL, to_regclass('$last')"),
    "t\t$last", 'whose time is over, and no other');
$worker->ask("SELECT make_metric_partition(current_date)");
is($worker->state, '42501', 'the worker makes no other ones');

# a look at a day opens it alone

$owner->ask("SELECT make_metric_partition(current_date - $_)") for 5 .. 34;
$api->ask("SELECT set_config('app.tenant', '$tenant', false)");
my $plan = join "\n", $api->ask("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF)
    SELECT * FROM api_camera_metrics('$camera', now() - interval '1 day', now(),
        '1 h')");
my %open = map { $_ => 1 } $plan =~ /Scan.* on (camera_metrics_\d{8})/g;
cmp_ok(scalar keys %open, '<=', 2, 'partitions of two days, of '
    . $owner->ask(q{SELECT count(*) FROM pg_class
        WHERE relname ~ '^camera_metrics_\d+$'}));

# a camera takes its rows along

$owner->ask("DELETE FROM cameras WHERE id = '$camera'");
is($owner->ask('SELECT count(*) FROM camera_metrics'), 0, 'none without a camera');

$t->done_testing;

###############################################################################

# five minutes around all that is there

sub series {
    return scalar $t->sql("SELECT string_agg(at || ' ' || uptime || ' ' || viewers,
        ',' ORDER BY at) FROM api_camera_metrics('$camera',
            now() - interval '3 days', now() + interval '5 min', '5 min')
        WHERE uptime > 0");
}

sub add {
    my ($ago) = @_;

    $owner->ask("SELECT api_metrics_add('{$camera}', '{t}', '{15}', '{1000}', '{1}',
        now() - interval '$ago')");
}

# a sample of so long ago; where it is

sub added {
    my ($ago) = @_;

    add($ago);

    return $owner->ask("SELECT tableoid::regclass FROM camera_metrics
        WHERE bucket = date_bin('5 min', now() - interval '$ago', 'epoch')");
}

sub partition {
    my ($ago) = @_;

    return 'camera_metrics_' . $t->sql("SELECT to_char((now() - interval '$ago')
        AT TIME ZONE 'UTC', 'YYYYMMDD')");
}
