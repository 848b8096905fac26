#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for /users/:id/identities: by which accounts of identity providers somebody
# logs in, and that one which was taken away leads to nobody.

use strict;
use warnings;

use Camera::Test;
use Camera::Token qw(random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $admin = $t->add_user(username => 'anna');
my $viewer = $t->add_user(role => 'viewer', username => 'vera');
my $operator = $t->add_user(role => 'operator');
my $foreign = $t->add_user(tenant => $t->add_tenant('other'));
my $issuer = 'https://id.example';
my $none = random_uuid();

$t->sql("UPDATE users SET email = 'vera\@example.org'
    WHERE id = '$viewer->{id}'");

###############################################################################

is_deeply(identities($viewer), [], 'by none');
is(comes('1', 'vera@example.org'), 'linked', 'she comes by one');
is(comes('2', 'vera@example.org'), 'taken', 'who gets her address is not her');
is(comes('2', 'vera@example.org', 'https://other.example'), 'linked',
    'and by another one');

my ($one, $two) = @{ identities($viewer) };
is_deeply([ @$one{qw(issuer subject)} ], [ $issuer, '1' ], 'the first one');
like($one->{lastLoginAt}, qr/^2\d{3}-.*Z$/, 'when it was used');
is($two->{subject}, '2', 'and the second one');
is_deeply(identities($admin), [], 'nobody else has them');

# what cannot be

my $path = "/users/$viewer->{id}/identities";
is(unlink_as($operator, "$path/$one->{id}")->{code},
    'AUTH_INSUFFICIENT_PERMISSIONS', 'an operator takes none');
is(unlink_as($foreign, "$path/$one->{id}")->{code}, 'NOT_FOUND',
    'nor does somebody of another tenant');
is($t->api_get($path, token => $foreign->{token})->{code}, 'NOT_FOUND',
    'who sees none');
is(unlink_as($admin, $_)->{code}, 'NOT_FOUND', "not $_") for "$path/$none",
    "/users/$none/identities/$one->{id}",
    "/users/$admin->{id}/identities/$one->{id}";
is(scalar @{ identities($viewer) }, 2, 'both are there');

# a token for managing users has less than a viewer

my $token = $t->api(POST => '/tokens', token => $admin->{token}, json => {
    name => 'users', permissions => ['users:manage'] })->{json}{token};
is($t->api(DELETE => "$path/$one->{id}", token => $token)->{code},
    'AUTH_ROLE_RESTRICTED', 'nobody takes it from who may do more');

# taken away

my $sessions = sessions();
is(unlink_as($admin, "$path/$one->{id}")->{status}, 204, 'taken away');
is(unlink_as($admin, "$path/$one->{id}")->{code}, 'NOT_FOUND', 'once');
is_deeply([ map { $_->{subject} } @{ identities($viewer) } ], ['2'],
    'the other one stays');
is(comes('1', undef), 'unverified', 'it leads to nobody');
is(comes('1', 'vera@example.org'), 'linked', 'unless the address does');
is(sessions(), $sessions, 'sessions go on');

my ($entry) = @{ $t->api_get('/audit?action=identity.delete',
    token => $admin->{token})->{json} };
is_deeply([ @$entry{qw(actor objectId objectName)},
    @{ $entry->{old} }{qw(id subject)} ],
    [ 'anna', $viewer->{id}, $issuer, $one->{id}, '1' ], 'it stands in the audit');

$t->done_testing;

###############################################################################

sub identities {
    my ($user) = @_;

    return $t->api_get("/users/$user->{id}/identities",
        token => $admin->{token})->{json};
}

sub unlink_as {
    my ($user, $path) = @_;

    return $t->api(DELETE => $path, token => $user->{token});
}

# what becomes of a login by the provider

sub comes {
    my ($subject, $email, $from) = @_;

    $from //= $issuer;
    $email = defined $email ? "'$email'" : 'NULL';

    return $t->sql("SELECT outcome FROM api_identity_login('$from', '$subject',
        $email, NULL, 'default', NULL)");
}

sub sessions {
    return $t->sql("SELECT count(*) FROM user_sessions
        WHERE user_id = '$viewer->{id}' AND revoked_at IS NULL");
}
