#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for API tokens in the database: which are good and for whom, whose they
# may be, what the API may read and write of them, who is told of a change, and
# how usage adds up.  Time passes by UPDATE.

use strict;
use warnings;

use Camera::Test;
use Digest::SHA qw(sha256_hex);
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));

$t->start_postgres;
$t->migrate;

my $owner = $t->pg_session('camera_owner');
my $api = $t->pg_session('camera_api');

my $default = '00000000-0000-4000-8000-000000000001';
my $hash = '$2b$12$' . 'a' x 53;
my $b = $owner->ask("INSERT INTO tenants (slug, name) VALUES ('b', 'B')
    RETURNING id");
my $anna = user('anna', $default, 'operator');
my $robot = user('robot', $default, 'api_only');
my $bert = user('bert', $b, 'admin');

###############################################################################

# the columns that were asked for

is($owner->ask("SELECT string_agg(column_name || ' ' || data_type || ' '
        || is_nullable || coalesce(' ' || column_default, ''), ', '
        ORDER BY ordinal_position)
    FROM information_schema.columns WHERE table_name = 'api_tokens'
    AND column_name IN ('id', 'user_id', 'token_hash', 'name', 'remark',
        'permissions', 'rate_limit', 'expires_at', 'last_used_at', 'is_active',
        'created_at')"), join(', ', 'id uuid NO gen_random_uuid()',
    'user_id uuid NO', 'token_hash character varying NO',
    'name character varying NO', 'remark text YES', 'permissions jsonb NO',
    'rate_limit integer NO 1000', 'expires_at timestamp with time zone YES',
    'last_used_at timestamp with time zone YES', 'is_active boolean NO true',
    'created_at timestamp with time zone NO CURRENT_TIMESTAMP'), 'columns');

# a good one

my $token = token($anna, 'one', permissions => '["streams:view", "*"]',
    allowed_cidrs => '{10.0.0.0/8,2001:db8::/32}', max_concurrent => 3);
is(check('one'), join("\t", $token, $anna, $default, 'anna', 'operator',
    'streams:view *', 1000, 3600, 3, '10.0.0.0/8 2001:db8::/32', '', '', 'f'),
    'is known by its hash');
is(check('two'), '', 'no other');

$owner->ask("UPDATE tenants SET max_requests_per_hour = 5
    WHERE id = '$default'");
like(check('one'), qr/\t5\tf$/, 'with what its tenant may ask for');
my $sid = $api->ask("SELECT api_session_open('$anna', sha256('s'), 60, NULL,
    NULL)");
is($api->ask("SELECT tenant_requests FROM api_session_check('$sid')"), 5,
    'and so is a session');

# what ends it

for my $case (
    [ 'its owner', 'users', 'is_active = false', 'is_active = true', $anna ],
    [ 'its tenant', 'tenants', 'is_active = false', 'is_active = true',
        $default ],
    [ 'its time', 'api_tokens', "expires_at = now() - interval '1 s'",
        'expires_at = NULL', $token ],
    [ 'a revocation', 'api_tokens', 'is_active = false, revoked_at = now()',
        'is_active = true, revoked_at = NULL', $token ])
{
    my ($name, $table, $end, $begin, $id) = @$case;
    $owner->ask("UPDATE $table SET $end WHERE id = '$id'");
    is(check('one'), '', "ended by $name");
    $owner->ask("UPDATE $table SET $begin WHERE id = '$id'");
    isnt(check('one'), '', 'and by nothing else');
}

like((token($robot, 'robot'), check('robot'))[1], qr/\tapi_only\t/,
    'who never logs in has tokens');

# whose it may be

is((token($bert, 'x'), $owner->state)[1], '23503', 'no other tenant\'s user');

for my $bad ([ permissions => '{}' ], [ permissions => '[]' ],
    [ permissions => '"*"' ], [ rate_limit => 0 ], [ rate_window_sec => 3601 ],
    [ max_concurrent => 0 ], [ name => ' ' ], [ token_hash => 'x' ],
    [ allowed_cidrs => '{' . join(',', map { "10.$_.0.0/16" } 1 .. 11) . '}' ],
    [ is_active => 'false' ])
{
    token($anna, 'bad', @$bad);
    is($owner->state, '23514', "no $bad->[0] $bad->[1]");
}

token($anna, 'one');
is($owner->state, '23505', 'no second one of a hash');

$owner->ask("INSERT INTO api_tokens (user_id, token_hash, prefix, name,
    permissions) SELECT '$anna', encode(sha256(n::text::bytea), 'hex'), 'cam_',
    n, '[\"*\"]' FROM generate_series(1, 49) n");
is((token($anna, 'x'), $owner->state)[1], '23514', 'fifty, and no more');
$owner->ask("UPDATE api_tokens SET is_active = false, revoked_at = now()
    WHERE name = '9'");
isnt(token($anna, 'x'), '', 'but for those that ended');

# what the API may do

$api->ask("SELECT set_config('app.tenant', '$default', false)");
$api->ask('SELECT token_hash FROM api_tokens');
is($api->state, '42501', 'no hash is read');
$api->ask("UPDATE api_tokens SET user_id = '$robot'");
is($api->state, '42501', 'nobody else\'s made of it');
$api->ask("UPDATE api_tokens SET is_active = true, revoked_at = NULL
    WHERE name = '9'");
is($api->state, '55000', 'nor one that was revoked made good again');
$api->ask('DELETE FROM api_tokens');
is($api->state, '42501', 'nor removed');
$api->ask("UPDATE api_token_usage SET requests = 0");
is($api->state, '42501', 'usage is counted, not written');

$api->ask("SELECT set_config('app.tenant', '$b', false)");
is($api->ask('SELECT count(*) FROM api_tokens'), 0, 'none of another tenant');
is($api->ask("UPDATE api_tokens SET permissions = '[\"*\"]' RETURNING id"), '',
    'nor changed');

# who is told

my $ears = $t->pg_session('camera_api');
$ears->ask('LISTEN principal_changed');

for my $case (
    [ 'permissions', "UPDATE api_tokens SET permissions = '[\"*\"]'
        WHERE id = '$token'", "token:$token" ],
    [ 'a revocation', "UPDATE api_tokens SET is_active = false,
        revoked_at = now() WHERE id = '$token'", "token:$token" ],
    [ 'its use', "UPDATE api_tokens SET last_used_at = now()
        WHERE id = '$token'", '' ],
    [ 'a new limit of the tenant', "UPDATE tenants SET max_requests_per_hour
        = 7 WHERE id = '$default'", "tenant:$default" ],
    [ 'its removal', "DELETE FROM api_tokens WHERE id = '$token'",
        "token:$token" ])
{
    my ($name, $sql, $payload) = @$case;
    $owner->ask($sql);
    $ears->ask('SELECT 1');
    is(join(' ', $ears->notified('principal_changed')), $payload, "told of $name");
}

# usage

my ($one, $two) = map { token($robot, $_) } qw(u1 u2);
my $gone = '00000000-0000-4000-8000-00000000dead';
used([ $one, '2026-03-01', 3, 1 ], [ $two, '2026-03-01', 2, 0 ],
    [ $one, '2026-03-02', 1, 0 ], [ $gone, '2026-03-01', 9, 9 ],
    [ $one, '2026-03-01', 4, 0 ]);
used([ $one, '2026-03-01', 10, 2 ]);
is($owner->ask("SELECT string_agg(format('%s %s %s', day, requests, limited),
    ', ' ORDER BY day) FROM api_token_usage WHERE token_id = '$one'"),
    '2026-03-01 17 3, 2026-03-02 1 0', 'adds up by day');
is($owner->ask("SELECT requests FROM api_token_usage
    WHERE token_id = '$two'"), 2, 'of each');
is($owner->ask("SELECT last_used_at FROM api_tokens WHERE id = '$one'"),
    '2026-03-02 12:00:00+00', 'when it was used last');
used([ $one, '2026-03-02', 1, 0, '12:00:59' ]);
is($owner->ask("SELECT last_used_at FROM api_tokens WHERE id = '$one'"),
    '2026-03-02 12:00:00+00', 'right to a minute');
used([ $one, '2026-03-02', 1, 0, '12:01:01' ]);
is($owner->ask("SELECT last_used_at FROM api_tokens WHERE id = '$one'"),
    '2026-03-02 12:01:01+00', 'and no less');

$t->done_testing;

###############################################################################

sub user {
    my ($name, $tenant, $role) = @_;

    return $owner->ask("INSERT INTO users (username, password_hash, tenant_id,
        role) VALUES ('$name', '$hash', '$tenant', '$role') RETURNING id");
}

sub token {
    my ($user, $text, %column) = @_;

    my %value = (user_id => $user, token_hash => sha256_hex($text),
        prefix => 'cam_', name => $text, permissions => '["*"]', %column);
    my @names = sort keys %value;

    return $owner->ask(sprintf
        'INSERT INTO api_tokens (%s) VALUES (%s) RETURNING id',
        join(', ', @names), join(', ', map { "'$_'" } @value{@names}));
}

sub check {
    my ($text) = @_;

    return $api->ask(sprintf q{SELECT * FROM api_token_check('%s')},
        sha256_hex($text));
}

sub used {
    my @rows = @_;

    my @at = map { "$_->[1] " . ($_->[4] // '12:00') . '+00' } @rows;
    my @lists = map { my $n = $_; '{' . join(',', map { $_->[$n] } @rows) . '}' }
        0 .. 3;
    $api->ask(sprintf q{SELECT api_tokens_used('%s', '%s', '%s', '%s', '%s')},
        @lists, '{' . join(',', map { "\"$_\"" } @at) . '}');
    is($api->state, '00000', 'counted');
}
