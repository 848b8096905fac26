#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what the schema promises about cameras and their keys.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));

$t->start_postgres;
$t->migrate;

# one column after the other, as the requirements name them

my %types = (
    id => 'uuid', name => 'character varying(100)',
    company => 'character varying(100)', model => 'character varying(100)',
    serial_number => 'character varying(100)',
    location => 'character varying(200)', place => 'character varying(200)',
    rtmp_url => 'character varying(500)', rtmp_key => 'character varying(100)',
    is_active => 'boolean', is_recording => 'boolean',
    stream_status => 'stream_status', assigned_node => 'character varying(100)',
    created_at => 'timestamp with time zone',
    updated_at => 'timestamp with time zone', tenant_id => 'uuid',
    external_id => 'character varying(100)', allowed_cidrs => 'cidr[]',
);

my %got = map { split /\t/ } $t->sql(q{
    SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = 'cameras'::regclass AND attnum > 0});
is($got{$_}, $types{$_}, "cameras.$_") for sort keys %types;

is($t->sql('SELECT count(*) FROM pg_class c WHERE relkind = \'r\' AND '
    . "relnamespace = 'public'::regnamespace AND "
    . 'obj_description(oid) IS NULL'), 0, 'every table has a comment');
is($t->sql('SELECT count(*) FROM pg_class c WHERE relkind = \'r\' AND '
    . "relnamespace = 'public'::regnamespace AND "
    . "relname NOT IN ('tenants', 'schema_migrations', 'volumes', "
    . "'record_journal', 'recording_garbage', 'retention_clocks', 'nodes', 'audit_state', "
    . "'playback_ends') AND NOT EXISTS "
    . "(SELECT FROM pg_attribute WHERE attrelid = c.oid AND "
    . "attname = 'tenant_id' AND attnotnull)"), 0, 'and a tenant');

# what is refused, by a name that reads as a sentence

my $id = add("name => 'a'");

refused("name => ' '", 'camera_names_are_not_empty');
refused("name => 'b', rtmp_key => 'a/b'", 'camera_rtmp_keys_fit');
refused("name => 'b', rtmp_key => '..'", 'camera_rtmp_keys_fit');
refused("name => 'b', rtmp_key => repeat('k', 64)", 'camera_rtmp_keys_fit');
refused("name => 'b', rtmp_url => 'rtmp://h/live?token=x'",
    'camera_rtmp_urls_hold_no_token');
refused("name => 'b', tenant_id => gen_random_uuid()",
    'cameras_belong_to_a_tenant');
refused("name => 'b', allowed_cidrs => array_fill('::/0'::cidr, ARRAY[11])",
    'cameras_have_at_most_10_networks');
refused("name => 'b', allowed_cidrs => '{10.0.0.1/8}'",
    'invalid cidr value');

my $named = add("name => 'b', serial_number => 's', external_id => 'e', "
    . "rtmp_key => 'k'");
refused("name => 'c', serial_number => 's'",
    'cameras_have_unique_serial_numbers');
refused("name => 'c', external_id => 'e'", 'cameras_have_unique_external_ids');
refused("name => 'c', rtmp_key => 'k'", 'cameras_have_unique_rtmp_keys');

$t->sql("UPDATE cameras SET deleted_at = now() WHERE id = '$named'");
ok(add("name => 'c', serial_number => 's', external_id => 'e', "
    . "rtmp_key => 'k'"), 'names of a removed camera are free');

# keys

is(keys_of($id), '1:', 'a camera has a key');
is(rotate($id, 60), 2, 'rotated');
is(keys_of($id), '1:60 2:', 'the first one for a minute more');
is(rotate($id, 3600), 3, 'rotated again');
is(keys_of($id), '1:60 2:3600 3:', 'an end is never put off');
is(rotate($id, 0), 4, 'revoked');
is(keys_of($id), '1:0 2:0 3:0 4:', 'all before are dead');
is(rotate('00000000-0000-4000-8000-00000000dead', 0), '', 'no such camera');
is(rotate($named, 0), '', 'nor a removed one');
like(fails("SELECT rotate_stream_key('$id', -1)"), qr/0 or more seconds/,
    'no negative overlap');

like(fails("UPDATE stream_keys SET opaque_hash = 'short'"),
    qr/stream_key_opaque_hashes_are_sha256/, 'a hash is a hash');

# rev

unchanged("stream_status = 'online'");
unchanged("name = 'other'");
changed($_) for "is_active = false", "allowed_cidrs = '{10.0.0.0/8}'",
    "play_epoch = play_epoch + 1", "rtmp_key = 'k2'",
    "is_active = true, stream_status = 'error'", "deleted_at = now()";

# the role that nginx connects as

like(as_app("UPDATE cameras SET is_active = false"), qr/permission denied/,
    'camera_app changes no camera');
like(as_app("UPDATE stream_keys SET valid_until = NULL"),
    qr/permission denied/, 'and no key');
like(as_app("SELECT rotate_stream_key('$id', 0)"), qr/permission denied/,
    'and rotates none');
is(as_app("UPDATE cameras SET stream_status = 'offline'"), '', 'it reports');

$t->done_testing;

sub add {
    my ($columns) = @_;

    my @pairs = $columns =~ /(\w+) => (.*?)(?=, \w+ => |$)/g;
    my (@names, @values);
    while (my ($name, $value) = splice @pairs, 0, 2) {
        push @names, $name;
        push @values, $value;
    }
    local $" = ', ';
    return $t->sql("INSERT INTO cameras (@names) VALUES (@values) "
        . 'RETURNING id');
}

sub refused {
    my ($columns, $why) = @_;

    eval { add($columns) };
    like($@, qr/$why/, "refused: $why");
}

sub fails {
    my ($statement) = @_;

    eval { $t->sql($statement) };
    return $@;
}

sub as_app {
    my ($statement) = @_;

    my $out = eval { $t->psql({ user => 'camera_app' }, $statement) };
    return $@ || $out // '';
}

sub rotate {
    my ($camera, $overlap) = @_;

    return $t->sql("SELECT rotate_stream_key('$camera', $overlap)") // '';
}

# each key and how long it still lives, in seconds, to ten

sub keys_of {
    my ($camera) = @_;

    return $t->sql("SELECT string_agg(concat(generation, ':',
            CASE WHEN valid_until > now()
                 THEN round(extract(epoch FROM valid_until - now()), -1)
                 WHEN valid_until <= now() THEN 0 END),
            ' ' ORDER BY generation)
        FROM stream_keys WHERE camera_id = '$camera'");
}

sub rev {
    return $t->sql("SELECT rev FROM cameras WHERE id = '$id'");
}

sub changed {
    my ($set) = @_;

    my $before = rev();
    $t->sql("UPDATE cameras SET $set WHERE id = '$id'");
    isnt(rev(), $before, "changed: $set");
}

sub unchanged {
    my ($set) = @_;

    my $before = rev();
    $t->sql("UPDATE cameras SET $set WHERE id = '$id'");
    is(rev(), $before, "no news: $set");
}
