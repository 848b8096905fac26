#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for adding a camera with an Idempotency-Key: a request that is repeated,
# later or at the same time, adds one camera; one that failed may be repeated.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));

$t->start_postgres;
$t->migrate;

my $owner = $t->pg_session('camera_owner');
my $api = $t->pg_session('camera_api');

my ($a, $b) = map {
    $owner->ask("INSERT INTO tenants (slug, name) VALUES ('$_', '$_')
        RETURNING id")
} qw(a b);
my ($anna, $bert) = map { "'00000000-0000-4000-8000-00000000000$_'" } 1, 2;

$api->ask("SET app.tenant = '$a'");

###############################################################################

# without a key

my $id = create(name => "'plain'");
is(camera($id), "plain\t\t\t\t\t\t\tt\tf\t{}\tf\t$a", 'a name is enough');
like($owner->ask("SELECT serial_number FROM cameras WHERE id = '$id'"),
    qr/^\w{8}-/, 'a serial number comes by itself');
isnt(create(name => "'plain'"), $id, 'twice is two cameras');
is(keys_left(), 0, 'and no key');

my $rich = create(name => "'rich'", company => "'C'", model => "'M'",
    serial_number => "'S'", location => "'L'", place => "'P'",
    external_id => "'E'", is_active => 'false', is_recording => 'true',
    allowed_cidrs => "'{10.0.0.0/8,::1}'", cut_at_expiry => 'true',
    rtmp_url => "'rtmps://h:1936/live'");
is(camera($rich), "rich\tC\tM\tL\tP\tE\trtmps://h:1936/live\tf\tt"
    . "\t{10.0.0.0/8,::1/128}\tt\t$a", 'every column by its argument');

# the same again

my $first = ask($anna, 'POST /cameras', 'k1', 'body', name => "'one'",
    allowed_cidrs => "'{10.0.0.0/8}'");
like($first, qr/^created\t/, 'with a key');
$owner->ask("UPDATE cameras SET name = 'renamed', stream_status = 'online'
    WHERE name = 'one'");
is(ask($anna, 'POST /cameras', 'k1', 'body', name => "'one'"),
    $first =~ s/^created/replayed/r, 'again: the camera as it was then');
$owner->ask("UPDATE cameras SET deleted_at = now() WHERE name = 'renamed'");
is(ask($anna, 'POST /cameras', 'k1', 'body', name => "'one'"),
    $first =~ s/^created/replayed/r, 'though it is removed');
like(ask($anna, 'POST /cameras', 'k1', 'other body', name => "'two'"),
    qr/^reused\t*$/, 'another body is told nothing');
is(count(), 3, 'one camera was added');
is($owner->ask("SELECT status, resource IS NOT NULL, key FROM idempotency_keys"),
    "201\tt\tk1", 'one key');

# whose key it is

created('another user', $bert, 'POST /cameras', 'k1', 'body');
created('another route', $anna, 'POST /other', 'k1', 'body');
created('another key', $anna, 'POST /cameras', 'K1', 'body');
$api->ask("SET app.tenant = '$b'");
created('another tenant', $anna, 'POST /cameras', 'k1', 'other body');
$api->ask("SET app.tenant = ''");
like(ask($anna, 'POST /cameras', 'k1', 'body', name => "'x'"),
    qr/42501.*row-level security/, 'of no tenant');
$api->ask("SET app.tenant = '$a'");

# what failed leaves nothing

like(ask($anna, 'r', 'fails', 'body', name => "'x'", serial_number => "'S'"),
    qr/23505.*cameras_have_unique_serial_numbers/s, 'a serial number twice');
like(ask($anna, 'r', 'fails', 'body', name => "'x'", external_id => "'E'"),
    qr/23505.*cameras_have_unique_external_ids/s, 'an external id twice');
like(ask($anna, 'r', 'fails', 'body', name => "' '"), qr/23514/, 'no name');
like(ask($anna, 'r', '', 'body', name => "'x'"),
    qr/idempotency_keys_are_not_empty/, 'an empty key');
like(ask($anna, 'r', 'k' x 256, 'body', name => "'x'"), qr/22001/, 'a long key');
is($owner->ask("SELECT count(*) FROM idempotency_keys WHERE route = 'r'"), 0,
    'none has left a key behind');
created('what was mended', $anna, 'r', 'fails', 'body');

# at the same time

my $before = count();
my @many = map { $t->pg_session('camera_api') } 1 .. 5;
$owner->ask("BEGIN; LOCK TABLE cameras IN SHARE MODE");
$_->ask("SET app.tenant = '$a'") for @many;
$_->send(statement($anna, 'r', 'race', 'body', name => "'race'")) for @many;
ok($t->wait_for(sub { waiting() == 5 }, 10, 'five that wait'), 'five at once');
$owner->ask('COMMIT');
my %outcome;
$outcome{$_}++ for map { $_->answer =~ s/^(\w+)\t([^\t]*).*/$1 $2/sr } @many;
my ($one) = map { /created (.*)/ ? $1 : () } keys %outcome;
is_deeply(\%outcome, { "created $one" => 1, "replayed $one" => 4 },
    'one creates, four are told of it');
is(count(), $before + 1, 'one camera was added');

$many[0]->ask('BEGIN');
$many[0]->ask(statement($anna, 'r', 'undone', 'body', name => "'undone'"));
$many[1]->send(statement($anna, 'r', 'undone', 'body', name => "'undone'"));
ok($t->wait_for(sub { waiting() == 1 }, 10, 'one that waits'), 'two at once');
$many[0]->ask('ROLLBACK');
like($many[1]->answer, qr/^created/, 'the second creates when the first fails');

# a day later

$owner->ask("UPDATE idempotency_keys
    SET created_at = created_at - interval '23 hours 59 min'");
like(ask($anna, 'r', 'race', 'body', name => "'race'"), qr/^replayed/,
    'kept for 24 hours');
$owner->ask("UPDATE idempotency_keys
    SET created_at = created_at - interval '1 min'");
created('a key that is a day old', $anna, 'r', 'race', 'other');

$owner->ask("INSERT INTO idempotency_keys (tenant_id, principal, route, key,
        request_hash, status, created_at)
    SELECT '$a', $anna, 'old', n, '', 201, now() - interval '2 days'
    FROM generate_series(1, 25) n");
ask($anna, 'new', "n$_", 'body', name => "'new'") for 1 .. 4;
is($owner->ask("SELECT count(*) FROM idempotency_keys
    WHERE tenant_id = '$a' AND created_at < now() - interval '1 day'"), 0,
    'old ones go by and by');
is($owner->ask("SELECT count(*) FROM idempotency_keys WHERE tenant_id = '$b'"),
    1, 'of the tenant alone');

$t->done_testing;

sub statement {
    my ($principal, $route, $key, $body, %column) = @_;

    $key = defined $key ? "'$key'" : 'NULL';
    return "SELECT * FROM api_camera_create($principal, '$route', $key, "
        . "sha256('$body'), "
        . join(', ', map { "p_$_ => $column{$_}" } sort keys %column) . ')';
}

sub ask { return $api->ask(statement(@_)) }

# an id

sub create {
    my (%column) = @_;

    my ($id) = ask($anna, 'r', undef, '', %column) =~ /^created\t([^\t]+)/;
    return $id;
}

sub created {
    my ($what, @request) = @_;

    my $before = count();
    like(ask(@request, name => "'$what'"), qr/^created/, $what);
    is(count(), $before + 1, "$what adds a camera");
}

sub camera {
    my ($camera) = @_;

    return $owner->ask("SELECT name, company, model, location, place,
            external_id, rtmp_url, is_active, is_recording, allowed_cidrs,
            cut_at_expiry, tenant_id
        FROM cameras WHERE id = '$camera'");
}

sub count { return $owner->ask('SELECT count(*) FROM api_cameras') }

sub keys_left { return $owner->ask('SELECT count(*) FROM idempotency_keys') }

sub waiting {
    return $t->psql({ user => 'postgres' }, "SELECT count(*)
        FROM pg_stat_activity WHERE wait_event_type = 'Lock'
        AND usename = 'camera_api'");
}
