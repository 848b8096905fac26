#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for identities: the first login by a verified address links one to its
# user, all later ones go by issuer and subject; a provider leads to nobody of
# another tenant, and makes users only where it may.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));
$t->start_postgres;
$t->migrate;

my $api = $t->pg_session('camera_api');
my ($here, $there) = ($t->add_tenant('here'), $t->add_tenant('there'));
my $ann = $t->sql("INSERT INTO users (tenant_id, username, email, password_hash)
    VALUES ('$here', 'ann', 'ann\@example.org', '\$2b\$12\$' || repeat('.', 53))
    RETURNING id");
my $issuer = 'https://id.example';

###############################################################################

# by address once, by subject from then on

is(login('1', undef), 'unverified', 'no address: nobody is known');
is(login('1', 'bob@example.org'), 'unknown', 'nobody has this address');
is(login('1', 'Ann@Example.org'), "linked $ann", 'an address in any case');
is(login('1', undef), "known $ann", 'from then on by subject');
is(login('1', 'other@example.org'), "known $ann", 'whatever the address is');
is(login('2', 'ann@example.org'), 'taken ' . $ann,
    'whoever gets the address later is somebody else');
is(login('2', 'ann@example.org', issuer => 'https://third.example'),
    "linked $ann", 'at another provider there may be one, too');
is($t->sql("SELECT count(*) FROM user_identities WHERE user_id = '$ann'"), 2,
    'one at each');
is(login('1', undef, issuer => 'https://other.example'), 'unverified',
    'a subject means nothing elsewhere');

# tenants do not mix

is(login('3', 'ann@example.org', tenant => 'there', role => 'admin',
    issuer => 'https://fourth.example'),
    "foreign $ann", 'the provider of another tenant, by address');
is(login('1', undef, tenant => 'there'), "foreign $ann", 'by subject');
is($t->sql("SELECT count(*) FROM user_identities WHERE subject = '3'"), 0,
    'nothing was linked');
is(login('1', undef, tenant => 'nowhere'), 'no tenant', 'no such tenant');

# users are made where that is said

like(login('4', 'new@example.org', role => 'viewer', name => 'New'),
    qr/^created /, 'made');
is($t->sql("SELECT tenant_id, role, username, name FROM users
    WHERE email = 'new\@example.org'"), "$here\tviewer\tnew\@example.org\tNew",
    'with this role, here');
like(login('4', undef), qr/^known /, 'and known');
is(login('5', undef, role => 'viewer'), 'unverified', 'never without address');

# who may not log in

$t->sql("UPDATE users SET is_active = false WHERE id = '$ann'");
is(login('1', undef), "disabled $ann", 'a disabled user');
$t->sql("UPDATE users SET is_active = true, role = 'api_only'
    WHERE id = '$ann'");
is(login('1', undef), "disabled $ann", 'a user for tokens only');
$t->sql("UPDATE users SET role = 'admin' WHERE id = '$ann';
    UPDATE tenants SET is_active = false WHERE id = '$here'");
is(login('1', undef), "disabled $ann", 'of a disabled tenant');

# an identity goes with its user

$t->sql("DELETE FROM users WHERE id = '$ann'");
is($t->sql("SELECT count(*) FROM user_identities WHERE subject IN ('1', '2')"),
    0, 'removed with the user');

# the API writes none by itself

for my $sql ("INSERT INTO user_identities VALUES ('a', 'b', '$here', '$ann')",
    'DELETE FROM user_identities', 'UPDATE user_identities SET issuer = NULL',
    q{SELECT username_for_email('a@b')}, q{SELECT slug_for_name('a')})
{
    like($api->ask($sql), qr/permission denied/, "not by itself: $sql");
}

$t->done_testing;

###############################################################################

# outcome and user

sub login {
    my ($subject, $email, %opt) = @_;

    my %p = (issuer => $issuer, subject => $subject, email => $email,
        name => undef, tenant => 'here', role => undef, %opt);

    return $api->ask("SELECT concat_ws(' ', outcome, user_id)"
        . ' FROM api_identity_login(' . join(', ',
            map { defined $p{$_} ? "'$p{$_}'" : 'NULL' }
            qw(issuer subject email name tenant role)) . ')');
}
