#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for how the API reads, changes and removes cameras in the database:
# versions, conditions, pages, and both names of a camera.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));

$t->start_postgres;
$t->migrate;

my $owner = $t->pg_session('camera_owner');
my $app = $t->pg_session('camera_app');
my $api = $t->pg_session('camera_api');

my $b = $owner->ask("INSERT INTO tenants (slug, name) VALUES ('b', 'B')
    RETURNING id");
$api->ask("SET app.tenant = '$b'");

###############################################################################

# every column by its own argument

my $id = $owner->ask("INSERT INTO cameras (tenant_id, name)
    VALUES ('$b', 'gate') RETURNING id");
my %before = camera($id);
is($before{version}, 1, 'a new camera');
is($before{key_generation}, 1, 'and its key');
is($before{allowed_cidrs}, '', 'no networks');

my %change = (
    name => "'door'", company => "'Acme'", model => "'X'",
    serial_number => "'S1'", location => "'Hall'", place => "'Berlin'",
    external_id => "'CAM1'", is_active => 'false', is_recording => 'true',
    allowed_cidrs => "'{10.0.0.0/8,2001:db8::1}'", cut_at_expiry => 'true',
);
my %after = (%before, name => 'door', company => 'Acme', model => 'X',
    serial_number => 'S1', location => 'Hall', place => 'Berlin',
    external_id => 'CAM1', is_active => 'f', is_recording => 't',
    allowed_cidrs => '10.0.0.0/8,2001:db8::1/128', cut_at_expiry => 't');

my $version = 1;
for my $column (sort keys %change) {
    my %got = update($id, 'NULL', "p_$column => $change{$column}");
    is($got{outcome}, 'updated', "$column is changed");
    is($got{$column}, $after{$column}, "to $after{$column}");
    is($got{version}, ++$version, 'which is a new version');
}

my %got = camera($id);
is_deeply({ %got, updated_at => 0 },
    { %after, version => $version, updated_at => 0 }, 'nothing else was');
isnt($got{updated_at}, $before{updated_at}, 'and it was stamped');

%got = update($id, 'NULL', "p_external_id => ''");
is($got{external_id}, '', 'an external id is taken away');
%got = update($id, 'NULL', "p_allowed_cidrs => '{}', p_place => ''");
is("$got{allowed_cidrs}$got{place}", '', 'so are networks and texts');

# what is no change is no version

%before = camera($id);
%got = update($id, 'NULL', "p_name => 'door', p_external_id => ''");
is($got{outcome}, 'updated', 'the same again');
delete $got{outcome};
is_deeply(\%got, \%before, 'leaves the camera as it was');
$app->ask("UPDATE cameras SET stream_status = 'online', assigned_node = 'n1'
    WHERE id = '$id'");
%got = camera($id);
is("$got{stream_status} $got{assigned_node}", 'online n1', 'live');
is($got{version}, $before{version}, 'which is no new version');
is($got{updated_at}, $before{updated_at}, 'nor a change');
$owner->ask("UPDATE cameras SET play_epoch = 2 WHERE id = '$id'");
is({ camera($id) }->{version}, $before{version}, 'nor are its playback tokens');

# conditions

$version = $before{version};
%got = update($id, $version - 1, "p_name => 'stale'");
is($got{outcome}, 'stale', 'another version');
is($got{name}, 'door', 'changes nothing');
is($got{version}, $version, 'and says the version');
%got = update($id, $version, "p_name => 'fresh'");
is("$got{outcome} $got{name}", 'updated fresh', 'the version that was read');
is($api->ask("SELECT outcome FROM api_camera_delete('$id', $version)"), 'stale',
    'nor is another version removed');

# two at once, who read the same version

$version++;
$owner->ask("BEGIN; SELECT 1 FROM cameras WHERE id = '$id' FOR UPDATE");
my @both = map { $t->pg_session('camera_api') } 1, 2;
for my $n (0, 1) {
    $both[$n]->ask("SET app.tenant = '$b'");
    $both[$n]->send("SELECT outcome FROM api_camera_update('$id', $version,
        'by $n')");
}
ok($t->wait_for(sub { waiting() == 2 }, 10, 'two that wait'), 'two at once');
$owner->ask('COMMIT');
is(join(' ', sort map { $_->answer } @both), 'stale updated', 'one is too late');

# what is refused, by the constraint that the API reads

my $other = $owner->ask("INSERT INTO cameras (tenant_id, name, serial_number,
    external_id) VALUES ('$b', 'other', 'S2', 'CAM2') RETURNING id");
refused('23505', 'cameras_have_unique_serial_numbers', "p_serial_number => 'S2'");
refused('23505', 'cameras_have_unique_external_ids', "p_external_id => 'CAM2'");
refused('23514', 'camera_names_are_not_empty', "p_name => ' '");
refused('23514', 'cameras_have_at_most_10_networks',
    "p_allowed_cidrs => array_fill('::1'::text, ARRAY[11])");
refused('22P02', 'invalid cidr value', "p_allowed_cidrs => '{10.0.0.1/8}'");
refused('22001', 'character varying\(100\)', "p_name => repeat('x', 101)");
is($api->ask("SELECT outcome FROM api_camera_update(gen_random_uuid(),
    NULL, 'x')"), '', 'no such camera');

# keys

%before = camera($id);
is($api->ask("SELECT api_stream_key_rotate('$id', 60)"), 2, 'rotated');
%got = camera($id);
is($got{key_generation}, 2, 'the camera has a new key');
is($got{version}, $before{version} + 1, 'which is one new version');
is($api->ask("SELECT api_stream_key_rotate('$id', 0)"), 3, 'revoked');
$api->ask("SELECT api_stream_key_rotate('$id', -1)");
is($api->state, '22023', 'no negative overlap');
$owner->ask("SELECT rotate_stream_key('$id', 0)");
is({ camera($id) }->{key_generation}, 4, 'the operator rotates, too');

# both names

is($api->ask("SELECT api_camera_id('CAM2')"), $other, 'by external id');
is($api->ask("SELECT api_camera_id(upper('$other'))"), $other, 'by id');
is($api->ask("SELECT api_camera_id('$_')"), '', "none is $_")
    for 'CAM', 'cam2', '', substr $other, 1;
$owner->ask("UPDATE cameras SET external_id = '$other' WHERE id = '$id'");
is($api->ask("SELECT api_camera_id('$other')"), $other, 'the id comes first');
is({ update("api_camera_id('CAM2')", 'NULL', "p_name => 'by name'") }->{name},
    'by name', 'changed by it');

# pages

$owner->ask("INSERT INTO cameras (tenant_id, name, created_at, stream_status)
    SELECT '$b', 'page ' || n, '2020-01-01'::timestamptz
        + (n / 3) * interval '1 us', 'error' FROM generate_series(1, 20) n");
my ($at, $last, @pages) = ('-infinity', '00000000-0000-0000-0000-000000000000');
while (1) {
    my @rows = map { [ split /\t/ ] } split /\n/,
        $api->ask("SELECT created_at, id FROM api_cameras
            WHERE (created_at, id) > ('$at', '$last')
            ORDER BY created_at, id LIMIT 7");
    last unless @rows;
    push @pages, map { $_->[1] } @rows;
    ($at, $last) = @{ $rows[-1] };
}
is(scalar @pages, 22, 'pages have every camera');
is(join(' ', @pages), join(' ', split /\n/, $api->ask(
    'SELECT id FROM api_cameras ORDER BY created_at, id')), 'once, in order');
is($api->ask("SELECT count(*) FROM api_cameras WHERE stream_status = 'error'"),
    20, 'of one status');
like($api->ask("SET enable_seqscan = off; EXPLAIN SELECT * FROM api_cameras
    WHERE (created_at, id) > ('$at', '$last') ORDER BY created_at, id LIMIT 7"),
    qr/Index Scan using cameras_by_tenant.*Index Cond: .*ROW\(created_at, id\) > /s,
    'a page is a walk of the index');

# removing

is($api->ask("SELECT outcome FROM api_camera_delete('$other')"), 'deleted',
    'removed');
is($api->ask("SELECT count(*) FROM api_cameras WHERE id = '$other'"), 0, 'gone');
is($api->ask("SELECT count(*) FROM api_camera_update('$other', NULL, 'x')"), 0,
    'for changes, too');
is($api->ask("SELECT count(*) FROM api_camera_delete('$other')"), 0, 'only once');
is($api->ask("SELECT api_stream_key_rotate('$other', 0)"), '', 'no key');
is($api->ask("SELECT api_camera_id('CAM2')"), '', 'no name');
is($owner->ask("SELECT removed FROM feeder_cameras WHERE camera = '$other'"),
    't', 'the feeders learn of it');
is({ update($id, 'NULL', "p_external_id => 'CAM2', p_serial_number => 'S2'") }
    ->{external_id}, 'CAM2', 'its names are free');

$t->done_testing;

# a row by column

sub row {
    my ($select) = @_;

    my @columns = split /\n/, $owner->ask("SELECT attname FROM pg_attribute
        WHERE attrelid = 'api_cameras'::regclass ORDER BY attnum");
    unshift @columns, 'outcome' if $select =~ /api_camera_update/;
    my %row;
    @row{@columns} = split /\t/, $api->ask($select), -1;

    return %row;
}

sub camera {
    my ($camera) = @_;

    return row("SELECT * FROM api_cameras WHERE id = '$camera'");
}

sub update {
    my ($camera, $if_version, $set) = @_;

    $camera = "'$camera'" unless $camera =~ /\(/;
    return row("SELECT * FROM api_camera_update($camera, $if_version, $set)");
}

sub refused {
    my ($state, $why, $set) = @_;

    like($api->ask("SELECT * FROM api_camera_update('$id', NULL, $set)"),
        qr/^ERROR:  $state: .*\b$why/s, "refused: $why");
}

sub waiting {
    return $t->psql({ user => 'postgres' }, "SELECT count(*)
        FROM pg_stat_activity WHERE wait_event_type = 'Lock'
        AND usename = 'camera_api'");
}
