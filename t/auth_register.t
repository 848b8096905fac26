#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for signing up: off unless it is switched on; a tenant with one admin,
# logged in; an address is taken once, and whoever asks for many has to wait.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations camera_api_register));
$t->start_api(http => <<'END');
    camera_api_register on;
    camera_api_register_limit 9r/h;
END

my %ann = (tenantName => 'Ann & Sons', email => 'Ann@example.org',
    password => 'secret123', name => 'Ann Lee');

###############################################################################

# whoever signs up

my $r = register(%ann);
my $json = $r->{json};

is($r->{status}, 201, 'signed up');
is_deeply([ sort keys %$json ], [ sort qw(accessToken tokenType expiresIn
    refreshToken refreshExpiresAt user) ], 'logged in at once');
is_deeply($json->{user}, { id => $json->{user}{id},
    tenantId => $json->{user}{tenantId}, username => 'Ann@example.org',
    name => 'Ann Lee', email => 'Ann@example.org', role => 'admin',
    permissions => $json->{user}{permissions},
    mustChangePassword => JSON::PP::false() }, 'as the admin');
isnt($json->{user}{tenantId}, '00000000-0000-4000-8000-000000000001',
    'of a tenant of their own');
is($t->sql("SELECT slug || ' ' || name FROM tenants WHERE id = "
    . "'$json->{user}{tenantId}'"), 'ann-sons Ann & Sons', 'which has a slug');

$t->sql("INSERT INTO cameras (name) VALUES ('of another tenant')");
is_deeply($t->api_get('/cameras', token => $json->{accessToken})->{json}, [],
    'they see nothing of others');
is(login('ann@EXAMPLE.org', 'secret123')->{status}, 200, 'and log in again');
is_deeply($t->api(POST => '/auth/refresh', json =>
    { refreshToken => $json->{refreshToken} })->{json}{user}, $json->{user},
    'and go on');

my ($hash) = $t->sql("SELECT password_hash FROM users WHERE email = "
    . "'Ann\@example.org'");
like($hash, qr/^\$2b\$12\$/, 'bcrypt of cost 12');

# an address is somebody's, in any case

$r = register(%ann, email => 'ANN@example.org', tenantName => 'Another');
is($r->{status}, 409, 'taken');
is($r->{code}, 'USER_EMAIL_DUPLICATE', 'its code');
is($t->sql("SELECT count(*) FROM tenants WHERE name = 'Another'"), 0,
    'nothing is left of it');

# tenants may have the same name, addresses what no username has

$r = register(%ann, email => 'o\'neil+cam@example.org', cookie => \1);
is($r->{status}, 201, 'the same name of a tenant');
like($r->{json}{user}{username}, qr/^oneilcam-[0-9a-f]{8}$/,
    'a username like the address');
is($r->{json}{refreshToken}, undef, 'no refresh token in the body');
like($r->{headers}{'set-cookie'}, qr/^camera_refresh=/, 'but in the cookie');
like($t->sql("SELECT slug FROM tenants WHERE id = "
    . "'$r->{json}{user}{tenantId}'"), qr/^ann-sons-[0-9a-f]{8}$/,
    'another slug');

$r = register(%ann, tenantName => "\x{5c71}", email => 'c@example.org');
like($t->sql("SELECT slug FROM tenants WHERE id = "
    . "'$r->{json}{user}{tenantId}'"), qr/^tenant$/, 'of no letters that fit');

# what is refused

is_deeply(problems(), [ map { "$_ is required" }
    qw(email name password tenantName) ], 'fields that are required');
is_deeply(problems(%ann, email => 'nobody'),
    [ 'email must be an e-mail address' ], 'an address that is none');
is_deeply(problems(%ann, password => 'lettersonly'),
    [ 'password must contain a letter and a digit' ], 'a weak password');
is_deeply(problems(%ann, email => 'ab1@cd.ef', password => 'ab1@cd.ef'),
    [ 'password must not contain the username' ], 'the address as password');
is_deeply(problems(%ann, role => 'admin', tenantId => $json->{user}{tenantId}),
    [ map { "$_ is not a field of this request" } qw(role tenantId) ],
    'nobody says what they become');

# too often from one address, whatever came of it

is(register(%ann)->{status}, 409, 'asking again') for 5 .. 9;
$r = register(%ann);
is($r->{status}, 429, 'too often');
cmp_ok($r->{headers}{'retry-after'}, '>', 0, 'when to come again');

unlike($t->error_log . $t->read_file($t->dir . '/access.log'),
    qr/secret123|\Q$json->{refreshToken}\E/, 'no secret in the logs');

# off, which it is unless it is switched on

$t->nginx_conf(api => '');
$t->reload;
$t->wait_api;
$r = register(%ann, email => 'late@example.org');
is($r->{status}, 403, 'closed');
is($r->{code}, 'REGISTRATION_CLOSED', 'its code');
is($t->sql("SELECT count(*) FROM users WHERE email = 'late\@example.org'"), 0,
    'nobody came in');

$t->done_testing;

###############################################################################

sub register {
    my (%body) = @_;

    return $t->api(POST => '/auth/register', json => \%body);
}

sub login {
    my ($name, $password) = @_;

    return $t->api(POST => '/auth/login', json => { username => $name,
        password => $password });
}

sub problems {
    my ($r) = register(@_);

    return [ $r->{code} // '' ] if ($r->{code} // '') ne 'VALIDATION_FAILED';
    return [ sort map { "$_->{field} $_->{message}" }
        @{ $r->{json}{error}{details} } ];
}
