#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for input of the API: whatever a client sends, it is told what is wrong
# with it; nothing is a server error, nothing costs much memory, and nobody
# assigns what was not meant to be assigned.

use strict;
use warnings;

use Camera::Stopwatch;
use Camera::Test;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api(http => <<'END');
    client_body_timeout 1s;
    camera_api_limit 1000000r/m;
END

my $admin = $t->add_user;
my $camera = $t->add_camera(name => 'gate');
my $one = "/cameras/$camera->{id}";
my %good = (name => 'a', company => 'b', model => 'c', serialNumber => 'd',
    location => 'e', place => 'f');
my $rss = rss();

###############################################################################

# the limit of a body, to the byte, in one piece and in many

my $text = encode_json({ %good, serialNumber => 'whole' });
my $padded = $text . ' ' x (65536 - length $text);

is(post($padded)->{status}, 201, '64 kB');
is(post("$padded ")->{status}, 413, 'a byte more');
is(in_pieces($padded =~ s/whole/piece/r, 1000)->{status}, 201, 'in pieces');
is(in_chunks($padded =~ s/whole/chunk/r, 777)->{status}, 201, 'in chunks');
is(in_chunks("$padded ", 777)->{status}, 413, 'a byte more in chunks');
is(in_chunks($text =~ s/whole/bytes/r, 1)->{status}, 201, 'byte by byte');

my $watch = Camera::Stopwatch->start;
my $r = in_pieces(substr($text, 0, 20), 20, length $text);
is("$r->{status} $r->{code}", '408 REQUEST_TIMEOUT', 'a body that stops');
cmp_ok($watch->seconds, '<', 4, 'in time');

# what is no JSON, and JSON that is no object

my %none = (
    'nothing but blanks' => '   ',
    'half of it'      => '{"name":"a"',
    'two of it'       => "$text$text",
    'a comma too many' => '{"name":"a",}',
    'single quotes'   => "{'name':'a'}",
    'a comment'       => "/* */$text",
    'a mark of order' => "\xef\xbb\xbf$text",
    'UTF-16'          => join('', map { "$_\0" } split //, $text),
    'a name twice'    => '{"name":"a","name":"b"}',
    'twice, escaped'  => '{"name":"a","\u006eame":"b"}',
    'a NUL'           => "{\"name\":\"a\0\"}",
    'an escaped NUL'  => '{"name":"a\u0000"}',
    'half a surrogate' => '{"name":"\ud800"}',
    'the other half'  => '{"name":"\udc00a"}',
    'bytes that are no UTF-8' => "{\"name\":\"\xff\xfe\"}",
    'an overlong form' => "{\"name\":\"\xc0\xaf\"}",
    'a surrogate in UTF-8' => "{\"name\":\"\xed\xa0\x80\"}",
    'a bare control character' => "{\"name\":\"a\nb\"}",
    '1e400'           => '{"name":1e400}',
    '2^63'            => '{"name":9223372036854775808}',
    '-2^70'           => '{"name":-1180591620717411303424}',
    'a number of 60000 digits' => '{"name":' . '9' x 60000 . '}',
    'NaN'             => '{"name":NaN}',
    'a list'          => "[$text]",
    'a text'          => '"name"',
    'a number'        => '1',
    'null'            => 'null',
    '33 levels'       => '[' x 33 . ']' x 33,
    '60000 levels'    => '[' x 60000,
    '60000 braces'    => '{"a":' x 12000,
    '30000 items'     => '[' . join(',', (0) x 30000) . ']',
    '21000 empty objects' => '[' . join(',', ('{}') x 21000) . ']',
    '5000 names'      => '{' . join(',', map { "\"$_\":1" } 1 .. 5000) . '}',
);

for my $what (sort keys %none) {
    $r = post($none{$what});
    is("$r->{status} " . fields($r), '400 body', $what);
}

# values that are wrong, field by field, all of them told

$r = post(encode_json({ name => '', company => 'x' x 101, model => 1,
    serialNumber => undef, location => [], place => {}, isActive => 'yes',
    allowedCidrs => [ '10.0.0.0/33' ], cutAtExpiry => 0, externalId => '' }));
is(fields($r), join(' ', sort qw(name company model serialNumber location place
    isActive allowedCidrs cutAtExpiry externalId)), 'every field is told');

for my $case (
    [ 'as long as may be' => name => "\x{1f3a5}" x 100, 201 ],
    [ 'a character more' => name => "\x{1f3a5}" x 101, 400 ],
    [ 'a blank' => name => ' ', 400 ],
    [ 'a line break' => name => "a\nb", 400 ],
    [ 'an escape' => name => "\e[31m", 400 ],
    [ 'a DEL' => name => "\x7f", 400 ],
    [ 'markup' => name => '<script>alert(1)</script>', 201 ],
    [ 'SQL' => name => q{'); DROP TABLE cameras; --}, 201 ],
    [ 'a formula' => name => '=cmd()', 201 ],
    [ 'a host' => allowedCidrs => [ 'localhost' ], 400 ],
    [ 'no text' => allowedCidrs => [ 1 ], 400 ],
    [ 'a list in a list' => allowedCidrs => [ [ '::1' ] ], 400 ],
    [ 'eleven networks' => allowedCidrs => [ ('::1') x 11 ], 400 ],
    [ 'braces' => allowedCidrs => [ '{}' ], 400 ])
{
    my ($name, $field, $value, $status) = @$case;
    my $n = ++$t->{serial};

    $r = post(JSON::PP->new->utf8->encode({ %good, serialNumber => "s$n",
        $field => $value }));
    is($r->{status}, $status, "$field: $name");
    is($status == 201 ? $r->{json}{$field} : fields($r),
        $status == 201 ? $value : $field, 'as it is');
}

# nobody assigns what was not meant to be assigned

for my $field (qw(id tenantId tenant_id role rtmpKey rtmp_key rtmpUrl
    streamStatus playEpoch rev createdAt updatedAt deletedAt version
    assignedNode __proto__ constructor), 'name ', 'NAME')
{
    my $value = $field =~ /Id|id/ ? $camera->{tenant} : 'admin';

    is(fields(post(encode_json({ %good, $field => $value }))), $field,
        "POST $field");
    is(fields($t->api(PUT => $one, token => $admin->{token},
        json => { $field => $value })), $field, "PUT $field");
}

is($t->sql("SELECT count(*) FROM cameras WHERE tenant_id <> default_tenant()"),
    0, 'and nothing was');

# query strings and headers

for my $query ('limit=0', 'limit=201', 'limit=-1', 'limit=1e2', 'limit=',
    'limit=1&limit=1', 'limit[]=1', 'status=up', 'status=', 'status=Online',
    'isActive=1', 'q=', 'q=' . 'x' x 101, 'q=%', 'q=%f', 'q=%00', 'q=%ff',
    'q=%0a', 'cursor=', 'cursor=x', 'cursor=' . 'A' x 43, 'cursor=' . 'A' x 201,
    'tenant_id=1', 'order=name', '=', '%', '&a')
{
    $r = $t->api_get("/cameras?$query", token => $admin->{token});
    is("$r->{status} $r->{code}", '400 VALIDATION_FAILED', "?$query");
}

for my $header ('If-Match: x', 'If-Match: "', 'If-Match: ' . '"1",' x 500,
    'If-Match: "9999999999999999999999"', "If-Match: \"\xff\"",
    'If-Match: W/"1"')
{
    $r = $t->api(PUT => $one, token => $admin->{token},
        json => { name => 'other' }, headers => [ $header ]);
    like($r->{status}, qr/^4(?:00|12)$/, substr $header, 0, 40);
}

for my $key (' ', 'x' x 256, "\xff", "a\x01") {
    $r = $t->api(POST => '/cameras', token => $admin->{token}, json => \%good,
        headers => [ "Idempotency-Key: $key" ]);
    like($r->{status}, qr/^(?:201|4\d\d)$/, 'Idempotency-Key: '
        . sprintf '%.20s', $key =~ s/[^ -~]/?/gr);
}

# the heaviest bodies again, many times

for my $n (1 .. ($ENV{CAMERA_SOAK} ? 2000 : 60)) {
    post((values %none)[$n % keys %none]);
}

my $grown = rss() - $rss;
cmp_ok($grown, '<', 10 * 1024, "kB of memory that all this left behind")
    or diag("$grown kB") unless $ENV{CAMERA_SANITIZED};

is($t->api_get($one, token => $admin->{token})->{json}{name}, 'gate',
    'the camera is what it was');

$t->done_testing;

###############################################################################

sub post {
    my ($body) = @_;

    return $t->api(POST => '/cameras', token => $admin->{token}, body => $body,
        headers => [ 'Content-Type: application/json' ]);
}

# the names of the fields that are told to be wrong

sub fields {
    my ($r) = @_;

    return join ' ', sort map { $_->{field} }
        @{ $r->{json}{error}{details} // [] };
}

sub in_pieces {
    my ($body, $size, $length) = @_;

    $length //= length $body;
    return slowly("Content-Length: $length",
        map { substr $body, $_ * $size, $size } 0 .. (length($body) - 1) / $size);
}

sub in_chunks {
    my ($body, $size) = @_;

    my @pieces = map { substr $body, $_ * $size, $size }
        0 .. (length($body) - 1) / $size;
    return slowly('Transfer-Encoding: chunked',
        (map { sprintf "%x\r\n%s\r\n", length, $_ } @pieces), "0\r\n\r\n");
}

# each piece a packet of its own, now and then with a pause between them

sub slowly {
    my ($header, @pieces) = @_;

    my $s = Camera::HTTP::connect_to($t->port('http'));
    local $SIG{PIPE} = 'IGNORE';
    print $s join("\r\n", 'POST /api/v1/cameras HTTP/1.1', 'Host: localhost',
        "Authorization: Bearer $admin->{token}", 'Connection: close',
        'Content-Type: application/json', $header, '', '');

    for my $i (0 .. $#pieces) {
        select undef, undef, undef, 0.01 if $i % 20 == 0;
        print $s $pieces[$i] or last;
    }

    my $r = Camera::HTTP::read_response($s, time + 10);
    $r->{json} = decode_json($r->{body} || '{}');
    $r->{code} = $r->{json}{error}{code};

    return $r;
}

# kB of the worker

sub rss {
    my ($pid) = $t->worker_pids;

    return $t->read_file("/proc/$pid/status") =~ /^VmRSS:\s+(\d+) kB/m ? $1 : 0;
}
