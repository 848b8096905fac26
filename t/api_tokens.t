#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for API tokens: shown once and known by a hash alone, used in all the
# ways that a location takes, never more than their list, their maker and their
# owner may do, each tenant's own, and no tokens made by tokens.

use strict;
use warnings;

use Camera::Contract;
use Camera::Test;
use Camera::Token qw(random_uuid);
use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(encode_base64);
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $contract = Camera::Contract->new($t->root . '/openapi.yaml');
my $admin = $t->add_user(username => 'anna');
my $robot = $t->add_user(role => 'api_only', username => 'robot');
my $viewer = $t->add_user(role => 'viewer', username => 'vera');
my $foreign = $t->add_user(tenant => $t->add_tenant);
my $camera = $t->add_camera(name => 'gate');
my $path = "/cameras/$camera->{id}";

###############################################################################

# making

my $r = create({ name => 'Reception', permissions => [ 'streams:view',
    'cameras:read', 'cameras:read' ], remark => 'at the door',
    expiresAt => '2100-01-01T00:00:00Z', allowedCidrs => [ '127.0.0.0/8' ] });
my $token = $r->{json}{token};
my $id = $r->{json}{id};

is($r->{status}, 201, 'made');
is_deeply([ $contract->complaints('createToken', 201, $r->{json}) ], [],
    'as the contract has it');
is($r->{headers}{location}, "/api/v1/tokens/$id", 'and where');
like($token, qr/^cam_[0-9A-Za-z]{49}$/, 'its prefix and its length');
is_deeply($r->{json}, { id => $id, userId => $admin->{id},
    username => 'anna', name => 'Reception', remark => 'at the door',
    prefix => substr($token, 0, 8),
    permissions => [ 'cameras:read', 'streams:view' ], rateLimit => 1000,
    rateWindow => 3600, concurrentLimit => undef,
    allowedCidrs => [ '127.0.0.0/8' ], expiresAt => '2100-01-01T00:00:00.000Z',
    lastUsedAt => undef, isActive => JSON::PP::true, revokedAt => undef,
    createdAt => $r->{json}{createdAt}, token => $token }, 'what it is');

is($t->sql("SELECT token_hash FROM api_tokens WHERE id = '$id'"),
    sha256_hex($token), 'its hash is stored');
unlike($t->sql('SELECT * FROM api_tokens'), qr/\Q$token\E/, 'and it is not');

$r = $t->api_get("/tokens/$id", token => $admin->{token});
is_deeply([ $contract->complaints('getToken', 200, $r->{json}) ], [],
    'read again');
ok(!exists $r->{json}{token}, 'without its secret');

for my $bad ({}, { name => 'x' }, { name => '', permissions => ['*'] },
    { name => 'x', permissions => [] },
    { name => 'x', permissions => ['cameras:fly'] },
    { name => 'x', permissions => ['*'], rateLimit => 0 },
    { name => 'x', permissions => ['*'], rateWindow => 3601 },
    { name => 'x', permissions => ['*'], expiresAt => '2020-01-01T00:00:00Z' },
    { name => 'x', permissions => ['*'], allowedCidrs => ['10.0.0.1/8'] },
    { name => 'x', permissions => ['*'], userId => random_uuid() },
    { name => 'x', permissions => ['*'], userId => $foreign->{id} },
    { name => 'x', permissions => ['*'], isActive => \1 },
    { name => 'x', permissions => ['*'], token => $token })
{
    $r = create($bad);
    is($r->{code}, 'VALIDATION_FAILED', 'refused: '
        . join ' ', map { $_->{field} } @{ $r->{json}{error}{details} // [] });
}

is($t->api(POST => '/tokens', token => $viewer->{token},
    json => { name => 'x', permissions => ['cameras:read'] })->{code},
    'AUTH_INSUFFICIENT_PERMISSIONS', 'a viewer makes none');

# using

for my $how (bearer($token), "X-API-Key: $token", basic('anna', $token),
    basic('', $token))
{
    is($t->api_get($path, headers => [$how])->{status}, 200,
        'by ' . $how =~ s/ \S+$//r);
}

is($t->api_get('/auth/me', token => $token)->{json}{username}, 'anna',
    'it is its owner');

for my $case (
    [ 'nothing', 'X-API-Key: ' ],
    [ 'two at once', "X-API-Key: $token", bearer($token) ],
    [ 'a typo', bearer(substr($token, 0, 52) . ($token =~ /a$/ ? 'b' : 'a')) ],
    [ 'half of it', bearer(substr($token, 0, 26)) ],
    [ 'one that nobody made', bearer(made_up()) ],
    [ 'an access token as a key', "X-API-Key: $admin->{token}" ],
    [ 'an access token as a password', basic('anna', $admin->{token}) ],
    [ 'a password', basic('anna', $t->password) ],
    [ 'no base64', 'Authorization: Basic ***' ],
    [ 'no colon', 'Authorization: Basic ' . encode_base64($token, '') ])
{
    my ($name, @headers) = @$case;
    $r = $t->api_get($path, headers => \@headers);
    is("$r->{status} $r->{code}", '401 AUTH_TOKEN_INVALID', $name);
}

# what it may do

is($t->api(PUT => $path, token => $token, json => { name => 'x' })->{code},
    'AUTH_INSUFFICIENT_PERMISSIONS', 'no more than its list says');
is($t->api_get($path, token => $token)->{json}{rtmpUrl}, undef,
    'nor does it see more');

$r = permit($id, ['cameras:read', 'cameras:write']);
is($r->{status}, 200, 'another list');
is_deeply([ $contract->complaints('setTokenPermissions', 200, $r->{json}) ],
    [], 'as the contract has it');
ok($t->wait_for(sub { all($token, sub { $_[0]{json}{rtmpUrl} }) }, 1, 'rights'),
    'counts at once');
is(permit($id, [])->{code}, 'VALIDATION_FAILED', 'an empty list');
is(permit(random_uuid(), ['*'])->{code}, 'NOT_FOUND', 'of no token');

# its owner now: a role that falls takes its tokens along

$t->sql("UPDATE users SET role = 'viewer' WHERE id = '$admin->{id}'");
ok($t->wait_for(sub { all($token, sub { $_[0]{status} == 200
    && !$_[0]{json}{rtmpUrl} }) }, 1, 'the role'), 'a viewer\'s token is one');
$t->sql("UPDATE users SET is_active = false WHERE id = '$admin->{id}'");
ok($t->wait_for(sub { all($token, sub { $_[0]{status} == 401 }) }, 1, 'end'),
    'a disabled user has no token');
$t->sql("UPDATE users SET is_active = true, role = 'admin'
    WHERE id = '$admin->{id}'");
ok($t->wait_for(sub { all($token, sub { $_[0]{status} == 200 }) }, 1, 'back'),
    'and then again');
$admin->{sid} = $t->open_session($admin);
$admin->{token} = $t->access_token(%$admin);

# somebody who never logs in

my $its = create({ name => 'robot', permissions => ['cameras:read'],
    userId => $robot->{id} })->{json};
is($its->{userId}, $robot->{id}, 'for another user');
is($t->api_get($path, token => $its->{token})->{status}, 200,
    'api_only may what its list says');
is($t->api(PUT => $path, token => $its->{token}, json => { name => 'x' })
    ->{code}, 'AUTH_INSUFFICIENT_PERMISSIONS', 'and nothing else');

# no tokens by tokens

my $all = create({ name => 'all', permissions => ['*'] })->{json}{token};

for my $case ([ GET => '/tokens' ], [ GET => "/tokens/$id" ],
    [ POST => '/tokens', { name => 'x', permissions => ['cameras:read'] } ],
    [ DELETE => "/tokens/$id" ], [ GET => "/tokens/$id/usage" ],
    [ PUT => "/tokens/$id/permissions", { permissions => ['*'] } ],
    [ POST => '/auth/password', { currentPassword => 'x',
        newPassword => 'correct horse 2' } ])
{
    my ($method, $at, $json) = @$case;
    $r = $t->api($method, $at, token => $all, $json ? (json => $json) : ());
    is("$r->{status} $r->{code}", '403 AUTH_ROLE_RESTRICTED', "$method "
        . $at =~ s/$id/:id/r);
}

# another tenant's is nobody's, byte for byte

for my $case ([ GET => '' ], [ DELETE => '' ], [ GET => '/usage' ],
    [ PUT => '/permissions', { permissions => ['*'] } ])
{
    my ($method, $rest, $json) = @$case;
    my ($theirs, $none) = map { my $r = $t->api($method, "/tokens/$_$rest",
        token => $foreign->{token}, headers => ['X-Request-Id: same'],
        $json ? (json => $json) : ());
        "$r->{status} $r->{body}" =~ s/"timestamp":"[^"]+"//r }
        $id, random_uuid();
    is($theirs, $none, "$method $rest of another tenant's");
    like($theirs, qr/^404 /, 'is not there');
}

is_deeply($t->api_get('/tokens', token => $foreign->{token})->{json}, [],
    'nor in its list');

# lists

$r = $t->api_get('/tokens?limit=2', token => $admin->{token});
is_deeply([ map { $_->{name} } @{ $r->{json} } ], [ 'all', 'robot' ],
    'the last made first');
my ($next) = ($r->{headers}{link} // '') =~ m{</api/v1(/tokens\?[^>]+)>};
is_deeply([ map { $_->{name} } @{ $t->api_get($next,
    token => $admin->{token})->{json} } ], ['Reception'], 'the next page');
is_deeply([ map { $_->{name} } @{ $t->api_get(
    "/tokens?userId=$robot->{id}&isActive=true", token => $admin->{token})
    ->{json} } ], ['robot'], 'of one user');

# revoked: at once, in every worker, for good

ok(all($its->{token}, sub { $_[0]{status} == 200 }), 'each worker knows it');
is(revoke($its->{id})->{status}, 204, 'revoked');
ok($t->wait_for(sub { all($its->{token}, sub { $_[0]{status} == 401 }) }, 1,
    'the end'), 'and refused by each');
is(revoke($its->{id})->{status}, 204, 'twice is no error');
$r = $t->api_get("/tokens/$its->{id}", token => $admin->{token})->{json};
is_deeply([ $r->{isActive} ? 1 : 0, defined $r->{revokedAt} ], [ 0, 1 ],
    'it stays for its history');

# its end

my $short = create({ name => 'short', permissions => ['cameras:read'] })
    ->{json};
$t->sql("UPDATE api_tokens SET expires_at = now() + interval '1 s'
    WHERE id = '$short->{id}'");
ok($t->wait_for(sub { all($short->{token}, sub { $_[0]{status} == 401 }) }, 3,
    'expiry'), 'expired');

# from where

my $far = create({ name => 'far', permissions => ['cameras:read'],
    allowedCidrs => [ '10.0.0.0/8', '2001:db8::/32' ] })->{json};
$r = $t->api_get($path, token => $far->{token});
is("$r->{status} $r->{code}", '401 AUTH_TOKEN_INVALID', 'from elsewhere');
like($t->error_log, qr/API token $far->{id} was shown by an address/,
    'which is told');
my $near = create({ name => 'near', permissions => ['cameras:read'],
    allowedCidrs => [ '127.0.0.2/32' ] })->{json};
is($t->api_get($path, token => $near->{token}, local => '127.0.0.2')->{status},
    200, 'from where it may');
is($t->api_get($path, token => $near->{token})->{status}, 401,
    'and not from elsewhere, also when it is known');

# few of each user

$t->sql("INSERT INTO api_tokens (user_id, token_hash, prefix, name, permissions)
    SELECT '$robot->{id}', encode(sha256(n::text::bytea), 'hex'), 'cam_0000',
        n, '[\"*\"]' FROM generate_series(1, 50) n");
$r = create({ name => 'one more', permissions => ['*'],
    userId => $robot->{id} });
is("$r->{status} $r->{code}", '409 TOKEN_LIMIT_EXCEEDED', 'too many');
$t->sql("UPDATE api_tokens SET expires_at = now() - interval '1 s'
    WHERE name = '7'");
is(create({ name => 'one more', permissions => ['*'],
    userId => $robot->{id} })->{status}, 201, 'one that expired makes room');

# nothing secret is told

unlike($t->error_log, qr/\Q$_\E/, 'no token in the log')
    for $token, $all, $its->{token};

$t->done_testing;

###############################################################################

sub create {
    my ($json) = @_;

    return $t->api(POST => '/tokens', token => $admin->{token}, json => $json);
}

sub permit {
    my ($id, $list) = @_;

    return $t->api(PUT => "/tokens/$id/permissions", token => $admin->{token},
        json => { permissions => $list });
}

sub revoke {
    my ($id) = @_;

    return $t->api(DELETE => "/tokens/$id", token => $admin->{token});
}

sub bearer { "Authorization: Bearer $_[0]" }

sub basic {
    my ($name, $password) = @_;

    return 'Authorization: Basic ' . encode_base64("$name:$password", '');
}

# its sum is right: only the database knows better

sub made_up { 'cam_' . '0' x 43 . '1tweZ3' }

# 1 when several answers, of all workers therefore, are so

sub all {
    my ($token, $is_so) = @_;

    return !grep { !$is_so->($t->api_get($path, token => $token)) } 1 .. 8;
}
