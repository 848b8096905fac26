#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for errors of the API: one envelope for all of them, the right status,
# request ids, what other methods are told, connections that go on after an
# error, a log line for each request, and nothing told that is nobody's
# business.

use strict;
use warnings;

use Camera::Test;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_postgres;

my ($format) = $t->read_file($t->root . '/conf/log.conf')
    =~ /^(log_format  camera_api .*?;)/ms;
$t->start_api(api => <<'END', http => <<"HTTP");
            access_log %%DIR%%/api.log camera_api;
            limit_conn busy 2;
END
    $format
    limit_conn_zone \$http_x_conn zone=busy:1m;
    limit_conn_status 429;
    log_format all '\$request_id';
HTTP

my $admin = $t->add_user;
my $viewer = $t->add_user(role => 'viewer');
my $camera = $t->add_camera(name => 'gate');
my $one = "/cameras/$camera->{id}";
my $body = '{"name":"x"}';
my @json = ('Content-Type: application/json');

###############################################################################

# status, code and envelope of each

my @cases = (
    [ 'nothing there', [ GET => '/nothing' ], 404, 'NOT_FOUND' ],
    [ 'the root', [ GET => '' ], 404, 'NOT_FOUND' ],
    [ 'a slash too many', [ GET => '/cameras/' ], 404, 'NOT_FOUND' ],
    [ 'two slashes', [ GET => '//cameras' ], 404, 'NOT_FOUND' ],
    [ 'a dot', [ GET => '/./cameras' ], 404, 'NOT_FOUND' ],
    [ 'two dots', [ GET => '/x/../cameras' ], 404, 'NOT_FOUND' ],
    [ 'encoded', [ GET => '/%63ameras' ], 404, 'NOT_FOUND' ],
    [ 'in capitals', [ GET => '/Cameras' ], 404, 'NOT_FOUND' ],
    [ 'a long path', [ GET => '/x' x 100 ], 404, 'NOT_FOUND' ],
    [ 'an unknown camera', [ GET => '/cameras/unknown' ], 404,
        'CAMERA_NOT_FOUND' ],
    [ 'a method that is not meant', [ DELETE => '/cameras' ], 405,
        'METHOD_NOT_ALLOWED' ],
    [ 'a method nobody knows', [ BREW => '/cameras' ], 405,
        'METHOD_NOT_ALLOWED' ],
    [ 'a method of WebDAV', [ PROPFIND => $one ], 405, 'METHOD_NOT_ALLOWED' ],
    [ 'a role that may not', [ POST => '/cameras', token => $viewer->{token},
        body => $body, headers => [ @json ] ], 403,
        'AUTH_INSUFFICIENT_PERMISSIONS' ],
    [ 'no token', [ GET => $one, token => undef ], 401,
        'AUTH_TOKEN_MISSING' ],
    [ 'no type', [ POST => '/cameras', body => $body ], 415,
        'UNSUPPORTED_MEDIA_TYPE' ],
    [ 'another type', [ POST => '/cameras', body => $body,
        headers => [ 'Content-Type: text/plain' ] ], 415,
        'UNSUPPORTED_MEDIA_TYPE' ],
    [ 'a type that begins alike', [ POST => '/cameras', body => $body,
        headers => [ 'Content-Type: application/jsonp' ] ], 415,
        'UNSUPPORTED_MEDIA_TYPE' ],
    [ 'no body', [ POST => '/cameras', headers => [ @json ] ], 400,
        'VALIDATION_FAILED' ],
    [ 'too long a body', [ POST => '/cameras', body => ' ' x 65537,
        headers => [ @json ] ], 413, 'PAYLOAD_TOO_LARGE' ],
    [ 'a body of a size nobody sends', [ POST => '/cameras',
        headers => [ @json, 'Content-Length: 99999999999' ] ], 413,
        'PAYLOAD_TOO_LARGE' ],
    [ 'too long a body in chunks', [ POST => '/cameras', chunks(65537),
        headers => [ @json, 'Transfer-Encoding: chunked' ] ], 413,
        'PAYLOAD_TOO_LARGE' ],
    [ 'chunks that are none', [ POST => '/cameras', raw => "zz\r\n",
        headers => [ @json, 'Transfer-Encoding: chunked' ] ], 400,
        'VALIDATION_FAILED' ],
    [ 'an argument nobody knows', [ GET => "$one?x=1" ], 400,
        'VALIDATION_FAILED' ],
    [ 'what nginx refuses by itself', [ GET => $one,
        headers => [ 'X-Conn: a' ], held => 2 ], 429, 'RATE_LIMIT_EXCEEDED' ],
);

for my $case (@cases) {
    my ($name, $request, $status, $code) = @$case;
    my ($method, $path, %opt) = @$request;

    my @held = map { held() } 1 .. delete $opt{held} // 0;
    my $r = request($method, $path, %opt);

    is("$r->{status} " . ($r->{code} // ''), "$status $code", $name);
    is(envelope($r), 'well-formed', "$name: envelope");
}

# methods

my $r = $t->api(DELETE => '/cameras', token => $admin->{token});
is($r->{headers}{allow}, 'GET, HEAD, POST, OPTIONS', 'what a list takes');
$r = $t->api(OPTIONS => $one, token => $admin->{token});
is("$r->{status} $r->{headers}{allow}",
    '204 GET, HEAD, PUT, DELETE, OPTIONS', 'OPTIONS');
my $get = $t->api(GET => $one, token => $viewer->{token});
$r = $t->api(HEAD => $one, token => $viewer->{token});
is("$r->{status} $r->{headers}{'content-length'} [$r->{body}]",
    '200 ' . length($get->{body}) . ' []', 'HEAD');

# types that are one

for my $type ('application/json; charset=utf-8', 'Application/JSON ;x') {
    $r = $t->api(POST => '/cameras', token => $admin->{token}, body => '{}',
        headers => [ "Content-Type: $type" ]);
    is($r->{status}, 400, $type);
}

# request ids

like($get->{headers}{'x-request-id'}, qr/^[0-9a-f]{16}$/, 'an id of ours');

for my $id ('a', 'A-z.0_9', 'x' x 64) {
    $r = $t->api_get($one, headers => [ "X-Request-Id: $id" ]);
    is($r->{headers}{'x-request-id'}, $id, 'an id of the client');
    is($r->{json}{error}{requestId}, $id, 'in the envelope, too');
}

for my $id ('', 'x' x 65, 'a b', "a\x{7f}", '"', '<b>', "\xc3\xa4") {
    $r = $t->api_get($one, headers => [ "X-Request-Id: $id" ]);
    like($r->{headers}{'x-request-id'}, qr/^[0-9a-f]{16}$/, 'no id');
}

my %ids = map { $t->api_get('/x')->{headers}{'x-request-id'} => 1 } 1 .. 50;
is(keys %ids, 50, 'each its own');

# a connection goes on after an error, whether its body was read or not

for my $try ([ POST => '/cameras', '{"name":1}', @json ],
    [ POST => '/cameras', ' ' x 65537, @json ], [ POST => '/nothing', $body ],
    [ GET => $one, 'x' x 3000 ])
{
    my ($method, $path, $text, @headers) = @$try;

    $r = $t->api($method, $path, token => $admin->{token}, body => $text,
        headers => \@headers, keep => 1);
    my $next = $t->api_get($one, token => $admin->{token},
        socket => $r->{socket});
    is($next->{status}, 200, "after $r->{status} on the same connection");
}

# nothing of ours is in what others read

my @bodies = map { my ($method, $path, %opt) = @{ $_->[1] }; delete $opt{held};
    request($method, $path, %opt)->{body} } @cases;
unlike("@bodies", qr/SELECT|relation|psql|SQLSTATE|\/work|\.c:|ngx_|postgres/i,
    'answers keep it to themselves');

# the log: a line of JSON each, the pattern for the path, no argument, no token

$r = $t->api_get("$one?token=secret1", token => $admin->{token});
my $id = $r->{headers}{'x-request-id'};
my (@lines, $last);

# written when the answer was sent, which is when we have it or a little later

$t->wait_for(sub {
    @lines = map { decode_json($_) } split /\n/,
        $t->read_file($t->dir . '/api.log');
    ($last) = grep { $_->{requestId} eq $id } @lines;
}, 5, 'the log');

cmp_ok(scalar @lines, '>', 100, 'each request is in the log');
is($last->{route}, '/cameras/:id', 'route');
is($last->{principal}, $admin->{username}, 'who');
is($last->{tenant}, $admin->{tenant}, 'whose');
is($last->{status}, 400, 'status');
is($last->{code}, 'VALIDATION_FAILED', 'code');
is($last->{method}, 'GET', 'method');
like($last->{requestId}, qr/^[0-9a-f]{16}$/, 'request id');
ok(exists $last->{seconds} && exists $last->{bytes}, 'how long, how much');

my ($nobody) = grep { $_->{code} eq 'AUTH_TOKEN_MISSING' } @lines;
is("$nobody->{principal}$nobody->{tenant}", '', 'nobody');

my $log = $t->read_file($t->dir . '/api.log');
unlike($log . $t->error_log, qr/secret1|\Q$admin->{token}\E/, 'no secrets');
like($t->error_log, qr/api request "$last->{requestId}" ends in VALIDATION/,
    'the error log knows the same id');

$t->done_testing;

###############################################################################

sub request {
    my ($method, $path, %opt) = @_;

    $opt{token} = $admin->{token} unless exists $opt{token};
    return $t->api($method, $path, %opt) unless defined $opt{raw};

    my $s = Camera::HTTP::connect_to($t->port('http'));
    print $s join("\r\n", "$method /api/v1$path HTTP/1.1", 'Host: localhost',
        "Authorization: Bearer $opt{token}", 'Connection: close',
        @{ $opt{headers} }, '', $opt{raw});

    my $r = Camera::HTTP::read_response($s, time + 10);
    $r->{json} = decode_json($r->{body});
    $r->{code} = $r->{json}{error}{code};

    return $r;
}

sub chunks {
    my ($size) = @_;

    my $text = '';

    for (my $left = $size; $left > 0; $left -= 10000) {
        my $n = $left > 10000 ? 10000 : $left;
        $text .= sprintf "%x\r\n%s\r\n", $n, ' ' x $n;
    }

    return (raw => "${text}0\r\n\r\n");
}

# a connection with an open request, for limit_conn

sub held {
    my $s = Camera::HTTP::connect_to($t->port('http'));
    print $s "POST /api/v1/cameras HTTP/1.1\r\nHost: localhost\r\nX-Conn: a\r\n"
        . "Authorization: Bearer $admin->{token}\r\n"
        . "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n";
    select undef, undef, undef, 0.1;
    return $s;
}

sub envelope {
    my ($r) = @_;

    my $json = $r->{json};
    return 'no JSON: ' . ($r->{body} // '') if ref $json ne 'HASH';

    my $error = $json->{error};
    my @keys = sort keys %$error;
    my @wrong = (
        join(' ', sort keys %$json) ne 'error success' ? 'members' : (),
        $json->{success} ? 'success' : (),
        "@keys" !~ /^code (?:details )?message requestId timestamp$/
            ? "@keys" : (),
        ($error->{timestamp} // '') !~ /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/
            ? 'timestamp' : (),
        ($error->{message} // '') !~ /^[A-Z].{10,}\.$/ ? 'message' : (),
        ($error->{requestId} // '') ne ($r->{headers}{'x-request-id'} // '-')
            ? 'requestId' : (),
        ($r->{headers}{'cache-control'} // '') ne 'no-store' ? 'cache' : (),
        $error->{code} eq 'VALIDATION_FAILED' && $error->{details}
            && grep({ join(' ', sort keys %$_) ne 'field message' }
                @{ $error->{details} }) ? 'details' : (),
    );

    return @wrong ? "@wrong" : 'well-formed';
}
