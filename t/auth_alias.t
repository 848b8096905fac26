#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for /api/auth: signing up, logging in and asking who one is, for clients
# that spell with underscores and know of no version.

use strict;
use warnings;

use Camera::Contract;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations camera_api_register));
$t->start_api(http => 'camera_api_register on;');

my $contract = Camera::Contract->new($t->root . '/openapi.yaml');
my %ann = (tenant_name => 'My company', email => 'ann@example.org',
    password => 'secret123', name => 'Ann Lee');

###############################################################################

my $r = post('/register', %ann);
my $user = $r->{json}{user};

is($r->{status}, 201, 'signed up');
is_deeply([ sort keys %{ $r->{json} } ],
    [ qw(expires_in refresh_token token user) ], 'what is answered');
like($r->{json}{token}, qr/^[\w-]+\.[\w-]+\.[\w-]+$/, 'a JWT');
is_deeply($user, { id => $user->{id}, email => 'ann@example.org',
    name => 'Ann Lee', role => 'admin', tenant_id => $user->{tenant_id},
    tenant_name => 'My company' }, 'the user');
is_deeply([ $contract->complaints('registerAlias', 201, $r->{json}) ], [],
    'as the contract says');

$r = post('/register', %ann);
is($r->{code}, 'USER_EMAIL_DUPLICATE', 'the address is taken');
is(post('/register', %ann, tenant_name => undef)->{code}, 'VALIDATION_FAILED',
    'without a name of the tenant');

$r = post('/login', email => 'ANN@example.org', password => 'secret123');
is($r->{status}, 200, 'logged in');
is_deeply($r->{json}{user}, $user, 'the same user');
is_deeply([ $contract->complaints('loginAlias', 200, $r->{json}) ], [],
    'as the contract says');

my $token = $r->{json}{token};

is(post('/login', email => 'ann@example.org', password => 'secret124')
    ->{code}, 'AUTH_CREDENTIALS_INVALID', 'a wrong password');
is(post('/login', email => 'bob@example.org', password => 'secret123')
    ->{code}, 'AUTH_CREDENTIALS_INVALID', 'nobody');
is(post('/login', username => 'ann@example.org', password => 'secret123')
    ->{code}, 'VALIDATION_FAILED', 'the spelling of the other one');

$r = $t->api_get('/api/auth/me', base => '', token => $token);
is_deeply($r->{json}, $user, 'me');
is_deeply([ $contract->complaints('meAlias', 200, $r->{json}) ], [],
    'as the contract says');
is($t->api_get('/api/auth/me', base => '')->{code}, 'AUTH_TOKEN_MISSING',
    'me without a token');

# one implementation: either token, either door

is($t->api_get('/auth/me', token => $token)->{json}{name}, 'Ann Lee',
    'its token is good at the other one');
$r = $t->api(POST => '/auth/refresh', json => { refreshToken =>
    post('/login', email => 'ann@example.org', password => 'secret123')
        ->{json}{refresh_token} });
is($r->{status}, 200, 'and so is its refresh token');
is($t->api(POST => '/auth/logout', token => $token)->{status}, 204, 'log out');
is($t->api_get('/api/auth/me', base => '', token => $token)->{code},
    'AUTH_TOKEN_INVALID', 'which ends it here');

# paths are not mixed

is($t->api_get('/api/auth/me', token => $token)->{code}, 'NOT_FOUND',
    'not below the version');
is($t->api_get('/api/cameras', base => '', token => $token)->{code},
    'NOT_FOUND', 'nothing else without one');
is($t->api_get('/api/auth/login', base => '')->{code}, 'METHOD_NOT_ALLOWED',
    'another method');

$t->done_testing;

###############################################################################

sub post {
    my ($path, %body) = @_;

    delete @body{ grep { !defined $body{$_} } keys %body };

    return $t->api(POST => "/api/auth$path", base => '', json => \%body);
}
