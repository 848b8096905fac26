#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what the schema promises about users, and for the question that a
# login asks.

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

my $hash = '$2b$12$' . 'Aa0./' x 10 . 'abc';
my $b = $owner->ask("INSERT INTO tenants (slug, name) VALUES ('b', 'B')
    RETURNING id");

###############################################################################

# one column after the other, as the requirements name them

my %columns = (
    id            => "uuid\tt\tgen_random_uuid()",
    username      => "character varying(50)\tt\t",
    password_hash => "character varying(255)\tt\t",
    role          => "user_role\tt\t'viewer'::user_role",
    is_active     => "boolean\tt\ttrue",
    created_at    => "timestamp with time zone\tt\tCURRENT_TIMESTAMP",
    updated_at    => "timestamp with time zone\tt\tCURRENT_TIMESTAMP",
    tenant_id     => "uuid\tt\tcurrent_tenant()",
    email         => "character varying(254)\tf\t",
);

is(column($_), $columns{$_}, "users.$_") for sort keys %columns;
is($owner->ask("SELECT enum_range(NULL::user_role)"),
    '{admin,operator,viewer,api_only}', 'roles');

# names

ok(my $anna = add('anna', "'Anna\@Example.org'"), 'a user');
ok(add('bob.b@example.org', "'BOB.b\@example.org'"), 'an email as username');
ok(add('a-._9'), 'all kinds of characters');

refused('usernames_are_words', $_)
    for '', ' ', 'a b', '.a', '-a', "a\nb", 'a/b', 'ä', "a\n";
refused('character varying\(50\)', 'a' x 51);
ok(add('a' x 50), 'fifty characters');

refused('usernames_with_an_at_sign_are_the_email', 'carl@example.org');
refused('usernames_with_an_at_sign_are_the_email', 'anna@example.org',
    "'other\@example.org'");
refused('users_have_unique_usernames', 'ANNA');
refused('users_have_unique_emails', 'dora', "'ANNA\@example.org'");
refused('user_emails_have_one_at_sign', 'dora', $_)
    for "'dora'", "'a\@b\@c'", "'a b\@c'", "E'a\@b\\n'", "'\@c'", "'a\@'";

$owner->ask("SET app.tenant = '$b'");
refused('users_have_unique_usernames', 'Anna');
ok(my $bert = add('bert'), 'a user of another tenant');
is($owner->ask("SELECT tenant_id FROM users WHERE id = '$bert'"), $b,
    'by app.tenant');
$owner->ask('RESET app.tenant');

# hashes

for my $wrong ('secret', '', '$2a$12$' . 'a' x 53, '$2b$12$' . 'a' x 52,
    '$2b$12$' . 'a' x 54, '$2b$03$' . 'a' x 53, '$2b$32$' . 'a' x 53,
    '$2b$12$' . '*' x 53, "$hash\n", '$6$salt$' . 'a' x 86)
{
    like($owner->ask("UPDATE users SET password_hash = E'"
        . ($wrong =~ s/\n/\\n/gr) . "' WHERE id = '$anna'"),
        qr/user_password_hashes_are_bcrypt/, 'no bcrypt');
}

# who logs in

my $found = "$anna\t00000000-0000-4000-8000-000000000001\tanna"
    . "\tAnna\@Example.org\tviewer\t$hash\tt";

is(login($_), $found, "login as $_")
    for qw(anna ANNA anna@example.org ANNA@EXAMPLE.ORG);
is(login($_), '', "nobody is $_") for 'ann', 'anna@', 'a_na', '%', '', "' OR";
is(login('bert'), "$bert\t$b\tbert\t\tviewer\t$hash\tt", 'of another tenant');

usable('bert', 'an active user', 1);
usable('bert', 'an inactive user', 0, "UPDATE users SET is_active = false");
usable('bert', 'of an inactive tenant', 0,
    "UPDATE tenants SET is_active = false WHERE id = '$b'");
usable('bert', 'with API tokens only', 0, "UPDATE users SET role = 'api_only'");
usable('bert', 'an admin', 1, "UPDATE users SET role = 'admin'");

# a login is no change of the user

my $stamp = $owner->ask("SELECT updated_at FROM users WHERE id = '$anna'");
$owner->ask("UPDATE users SET last_login_at = now() WHERE id = '$anna'");
is($owner->ask("SELECT updated_at FROM users WHERE id = '$anna'"), $stamp,
    'a login is no change');
$owner->ask("UPDATE users SET role = 'operator' WHERE id = '$anna'");
isnt($owner->ask("SELECT updated_at FROM users WHERE id = '$anna'"), $stamp,
    'a role is one');

# what the API's role may do by itself

$api->ask("SET app.tenant = '$b'");
is($api->ask('SELECT username, role FROM users'), "bert\tviewer", 'it reads');
denied('SELECT password_hash FROM users');
denied('SELECT * FROM users');
denied('SELECT u FROM users u');
denied("SELECT 1 FROM users WHERE password_hash LIKE '\$2b%'");
denied("UPDATE users SET role = 'admin'");
denied("UPDATE users SET password_hash = '$hash' RETURNING id");
denied("INSERT INTO users (username, password_hash) VALUES ('x', '$hash')");
denied('DELETE FROM users');

my $app = $t->pg_session('camera_app');
like($app->ask('SELECT username FROM users'), qr/permission denied/,
    'the media plane knows no users');
like($app->ask("SELECT api_user_for_login('anna')"), qr/permission denied/,
    'and asks for none');

# what refers to users is found by an index when one goes

is($owner->ask("SELECT string_agg(c.conname, ', ') FROM pg_constraint c
    WHERE c.confrelid = 'users'::regclass AND c.confdeltype IN ('c', 'n')
    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid
        AND (i.indkey::int2[])[0] = c.conkey[1]
        AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid)
             LIKE '%IS NOT NULL%'))"), '', 'every reference has an index');

$t->done_testing;

sub column {
    my ($name) = @_;

    return $owner->ask("SELECT format_type(atttypid, atttypmod), attnotnull,
            pg_get_expr(adbin, adrelid)
        FROM pg_attribute LEFT JOIN pg_attrdef
            ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = 'users'::regclass AND attname = '$name'");
}

# the id, or what is wrong

sub add {
    my ($name, $email) = @_;

    my $quoted = "E'" . ($name =~ s/\n/\\n/gr) . "'";
    my $said = $owner->ask('INSERT INTO users (username, email, password_hash)'
        . " VALUES ($quoted, " . ($email // 'NULL') . ", '$hash')"
        . ' RETURNING id');

    return $owner->state eq '00000' ? $said : undef;
}

sub refused {
    my ($why, $name, $email) = @_;

    my $quoted = "E'" . ($name =~ s/\n/\\n/gr) . "'";
    like($owner->ask('INSERT INTO users (username, email, password_hash)'
        . " VALUES ($quoted, " . ($email // 'NULL') . ", '$hash')"),
        qr/$why/, "refused: $why");
}

sub login {
    my ($name) = @_;

    return $api->ask('SELECT * FROM api_user_for_login($$' . $name . '$$)');
}

# of a user, after a statement that is taken back

sub usable {
    my ($name, $what, $expected, $statement) = @_;

    $statement .= " WHERE username = '$name'"
        if $statement && $statement !~ /WHERE/;
    is($owner->ask('BEGIN; ' . ($statement // 'SELECT') . ';'
        . " SELECT usable FROM api_user_for_login('$name'); ROLLBACK"),
        $expected ? 't' : 'f', $what);
}

sub denied {
    my ($statement) = @_;

    my $said = $api->ask($statement);
    like($said, qr/permission denied for table users/, "denied: $statement");
}
