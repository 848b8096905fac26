#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for logging in: by user name or e-mail in any case, and that whoever may
# not is told the same in the same time, whatever the reason.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations camera_api_access_ttl tls));
$t->start_api(http => <<"END");
    camera_api_access_ttl 10m;

    server {
        listen 127.0.0.1:@{[ $t->port('https') ]} ssl;
        ssl_certificate %%CERTIFICATE%%;
        ssl_certificate_key %%CERTIFICATE_KEY%%;
        location /api/ { camera_api; }
    }
END

my $user = $t->add_user(role => 'operator', username => 'Ann.Lee',
    email => 'ann@example.org', password => 1);

$t->sql('UPDATE users SET last_login_at = NULL');

###############################################################################

# whoever may

my $r = login('Ann.Lee', $t->password);
my $json = $r->{json};

is($r->{status}, 200, 'logged in');
is_deeply([ sort keys %$json ], [ sort qw(accessToken tokenType expiresIn
    refreshToken refreshExpiresAt user) ], 'what is answered');
is($json->{tokenType}, 'Bearer', 'kind of the token');
is($json->{expiresIn}, 600, 'its life');
like($json->{refreshToken}, qr/^[\w-]{43}$/, 'refresh token');
is($r->{headers}{'set-cookie'}, undef, 'no cookie unless it is asked for');
is($r->{headers}{'cache-control'}, 'no-store', 'kept by nobody');
is_deeply($json->{user}, { id => $user->{id}, tenantId => $user->{tenant},
    username => 'Ann.Lee', name => undef, email => 'ann@example.org',
    role => 'operator',
    permissions => [ qw(cameras:read cameras:write streams:view
        recordings:read recordings:delete analytics:read alerts:manage) ],
    mustChangePassword => JSON::PP::false() },
    'the user');

my %session = session($json);
is($session{user_agent}, 'prove', 'the session knows the program');
is($session{address}, '127.0.0.1', 'and the address');
is($session{ttl_sec}, 86400, 'it lasts a day');
is($t->sql("SELECT username FROM users WHERE last_login_at > now()"
    . " - interval '1 minute'"), 'Ann.Lee', 'last_login_at');

$r = $t->api_get('/auth/me', token => $json->{accessToken});
is_deeply($r->{json}, $json->{user}, 'me');
is($t->api_get('/auth/me')->{code}, 'AUTH_TOKEN_MISSING', 'me without a token');

$r = login('ANN@Example.ORG', $t->password, remember => \1, cookie => \1);
is($r->{status}, 200, 'by e-mail in any case');
is($r->{json}{refreshToken}, undef, 'with the cookie there is no other');
like($r->{headers}{'set-cookie'}, qr{^camera_refresh=[\w-]{43};\ Path=/api/v1
    /auth;\ HttpOnly;\ SameSite=Strict;\ Max-Age=2592000$}x, 'cookie');
is({ session($r->{json}) }->{ttl_sec}, 30 * 86400, 'it lasts 30 days');

$r = login('ann.lee', $t->password, cookie => \1, port => 'https', tls => 1);
is($r->{status}, 200, 'by name in any case');
like($r->{headers}{'set-cookie'}, qr{; SameSite=Strict; Secure$},
    'secure on TLS; gone with the browser');

is(login('ann.lee', $t->password, headers => [ "User-Agent: \xff\xfe" ])
    ->{status}, 200, 'a program whose name is no text');

# whoever may not

$t->add_user(username => $_, password => 1) for qw(disabled apionly tenantless);
$t->sql("UPDATE users SET is_active = false WHERE username = 'disabled'");
$t->sql("UPDATE users SET role = 'api_only' WHERE username = 'apionly'");
my $other = $t->add_tenant;
$t->sql("UPDATE users SET tenant_id = '$other' WHERE username = 'tenantless'");
$t->sql("UPDATE tenants SET is_active = false WHERE id = '$other'");

my $wrong = login('ann.lee', 'correct horse 2');

is($wrong->{status}, 401, 'wrong password');
is($wrong->{code}, 'AUTH_CREDENTIALS_INVALID', 'its code');
is($wrong->{headers}{'www-authenticate'}, 'Bearer', 'WWW-Authenticate');

is(told(login('nobody', $t->password)), told($wrong), 'unknown user');
is(told(login('disabled', $t->password)), told($wrong), 'disabled user');
is(told(login('apionly', $t->password)), told($wrong), 'user for tokens only');
is(told(login('tenantless', $t->password)), told($wrong), 'disabled tenant');
is(told(login('disabled', 'wrong')), told($wrong), 'disabled, wrong password');

# nearly all of that time is processor time, which other load does not change

my ($known, $unknown) = (0, 0);

for my $n (1 .. 4) {
    $known += spent('ann.lee', "wrong $n");
    $unknown += spent("nobody $n", "wrong $n");
}

cmp_ok($known, '>', 4 * 0.05, 'hashing takes its time');
cmp_ok(abs($known - $unknown), '<', 0.25 * $known,
    "known and unknown users take the same: $known, $unknown s");

is($t->sql('SELECT count(*) FROM user_sessions WHERE user_id = '
    . "'$user->{id}'"), 5, 'failed logins open no session');

# what is no login

is_deeply(problems({}), [ 'password is required', 'username is required' ],
    'fields that are required');
is_deeply(problems({ username => '', password => 'x' x 73 }),
    [ 'password must have 1 to 72 characters',
      'username must have 1 to 254 characters' ], 'lengths');
is_deeply(problems({ username => 1, password => [], remember => 1,
    role => 'admin' }), [ 'password must be a string',
    'remember must be true or false', 'role is not a field of this request',
    'username must be a string' ], 'types, and fields that there are not');
is($t->api(POST => '/auth/login')->{code}, 'VALIDATION_FAILED', 'no body');
is($t->api(POST => '/auth/login', body => 'username=a&password=b',
    headers => [ 'Content-Type: application/x-www-form-urlencoded' ])->{code},
    'UNSUPPORTED_MEDIA_TYPE', 'a form');
is($t->api_get('/auth/login')->{code}, 'METHOD_NOT_ALLOWED', 'GET');

unlike($t->error_log . $t->read_file($t->dir . '/access.log'),
    qr/correct horse|\Q$json->{accessToken}\E|\Q$json->{refreshToken}\E/,
    'no password and no token in the logs');

$t->stop_postgres;
is(login('somebody', $t->password)->{status}, 503, 'no database');

$t->done_testing;

###############################################################################

sub login {
    my ($name, $password, %opt) = @_;

    my %http = map { exists $opt{$_} ? ($_ => delete $opt{$_}) : () }
        qw(port tls headers);

    return $t->api(POST => '/auth/login', headers => [ 'User-Agent: prove' ],
        %http, json => { username => $name, password => $password, %opt });
}

# seconds that the workers spent on a login

sub spent {
    my ($name, $password) = @_;

    my $before = cpu();
    login($name, $password);

    return cpu() - $before;
}

sub cpu {
    my $sum = 0;

    for my $pid ($t->worker_pids) {
        my @field = split ' ', $t->read_file("/proc/$pid/stat") =~ s/.*\)//r;
        $sum += ($field[11] + $field[12]) / 100;
    }

    return $sum;
}

# the whole answer but for what tells two answers apart

sub told {
    my ($r) = @_;

    my $text = "$r->{header}\n\n$r->{body}";

    $text =~ s/(X-Request-Id: |"requestId":")\w+//g;
    $text =~ s/(Date: |RateLimit: )[^\r]+//g;
    $text =~ s/("timestamp":")[^"]+//g;

    return $text;
}

sub session {
    my ($auth) = @_;

    my (undef, $claims) = split /\./, $auth->{accessToken};
    my $sid = JSON::PP::decode_json(Camera::Token::unbase64url($claims))->{sid};
    my %row;

    @row{qw(ttl_sec user_agent address)} = split /\t/, $t->sql(
        "SELECT ttl_sec, user_agent, address FROM user_sessions"
        . " WHERE id = '$sid'");

    return %row;
}

sub problems {
    my ($body) = @_;

    my $r = $t->api(POST => '/auth/login', json => $body);

    return [ $r->{code} // '' ] if ($r->{code} // '') ne 'VALIDATION_FAILED';
    return [ sort map { "$_->{field} $_->{message}" }
        @{ $r->{json}{error}{details} } ];
}
