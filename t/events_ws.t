#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for events by WebSocket: the opening, tokens by header and by message,
# a newer token, what was missed, and frames that are wrong in every way, which
# cost the one who sends them the connection and nobody else anything.

use strict;
use warnings;

use Camera::Test;
use Camera::WebSocket qw(ws_connect);
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres redis migrations camera_api_streams));
$t->start_redis;
$t->start_api(
    camera => 'redis ' . $t->redis_address . ';',
    http   => 'camera_api_events_comment 1s; camera_api_streams 4;'
        . 'server { listen 127.0.0.1:' . $t->port('narrow') . ' sndbuf=16k;'
        . ' location /api/ { camera_api; } }',
);

my $user = $t->add_user(role => 'viewer');
my $other = $t->add_user(role => 'viewer', tenant => $t->add_tenant);
my $camera = $t->add_camera(name => 'gate')->{id};

###############################################################################

# the opening

my $ws = ws_connect($t, token => $user->{token});
is($ws->status, 101, 'a WebSocket');
like($ws->head, qr/^Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r?$/m,
    'the key is answered');
like($ws->head, qr/^Upgrade: websocket\r?$/mi, 'upgraded');
like($ws->head, qr/^Connection: upgrade\r?$/mi, 'so is the connection');
like($ws->head, qr/^X-Request-Id: \w/m, 'its request id');

my $ready = $ws->next(3);
is($ready->{type}, 'ready', 'it begins');
like($ready->{id}, qr/^\d+-\d+$/, 'somewhere');

for my $case (
    [ 'no Upgrade', 400, headers => { Upgrade => undef } ],
    [ 'another Upgrade', 400, headers => { Upgrade => 'h2c' } ],
    [ 'no Connection', 400, headers => { Connection => 'close' } ],
    [ 'no key', 400, headers => { 'Sec-WebSocket-Key' => undef } ],
    [ 'a short key', 400, headers => { 'Sec-WebSocket-Key' => 'eA==' } ],
    [ 'no base64', 400, headers => { 'Sec-WebSocket-Key' => '!' x 24 } ],
    [ 'another version', 400, headers => { 'Sec-WebSocket-Version' => 8 } ],
    [ 'HTTP/1.0', 400, version => '1.0' ],
    [ 'POST', 405, method => 'POST', headers => { 'Content-Length' => 0 } ],
    [ 'HEAD', 400, method => 'HEAD' ],
    [ 'a page of another site', 403,
        headers => { Origin => 'https://evil.example' } ],
    [ 'a page of nowhere', 403, headers => { Origin => 'null' } ],
    [ 'another port', 403, headers => { Origin => 'http://localhost:1' } ],
    [ 'our page', 101, headers => { Origin => 'https://LOCALHOST' } ],
    [ 'a list', 101, headers => { Connection => 'keep-alive, Upgrade' } ],
    [ 'a bad token', 401, token => 'x' ])
{
    my ($name, $status, %opt) = @$case;
    my $one = ws_connect($t, token => $user->{token}, %opt);
    is($one->status, $status, $name);
    $one->close;
}

like(ws_connect($t, headers => { 'Sec-WebSocket-Version' => 8 })->head,
    qr/^Sec-WebSocket-Version: 13\r?$/m, 'which version it should be');

# events

my $stranger = ws_connect($t, token => $other->{token});
is($stranger->next(3)->{type}, 'ready', 'another tenant');

set_status('online');
my $m = next_of($ws, 'stream.status');
is($m->{type}, 'event', 'an event');
like($m->{id}, qr/^\d+-\d+$/, 'its id');
is_deeply([ sort keys %{ $m->{event} } ], [ qw(at cameraId data type) ],
    'no tenant in it');
is($m->{event}{data}{streamStatus}, 'online', 'what happened');
is($stranger->next(0.4), undef, 'not to another tenant');

$ws->say({ type => 'ping' });
is(next_of($ws, 'pong')->{type}, 'pong', 'ping');
$ws->send_frame(opcode => 9, data => 'hello');
$ws->next(1) until defined $ws->{pong} || defined $ws->closed(0);
is($ws->{pong}, 'hello', 'a ping of the protocol');
ok($t->wait_for(sub { $ws->next(0.1); $ws->pings }, 3), 'and one of the server');

# in pieces, the first one together with the request

my $auth = JSON::PP->new->encode({ type => 'auth',
    accessToken => $user->{token}, lastEventId => $ready->{id},
    types => [ 'stream.status' ] });
my @parts = unpack '(a100)*', $auth;
my $resumed = ws_connect($t, early => Camera::WebSocket::frame(fin => 0,
    data => shift @parts));
is($resumed->status, 101, 'nobody yet');
while (defined(my $part = shift @parts)) {
    $resumed->send_frame(opcode => 0, fin => @parts ? 0 : 1, data => $part);
}
is($resumed->next(3)->{type}, 'ready', 'a token as a message, in pieces');
$m = $resumed->next(3);
is($m->{event}{data}{streamStatus}, 'online', 'what was missed');

# a newer token

my $newer = $t->access_token(%$user, claims => { exp => time() + 3 | 0 });
my $renewed = authed(token => $newer);
$renewed->say({ type => 'auth', accessToken => $user->{token},
    types => [ 'camera.updated' ] });
is($renewed->next(3)->{type}, 'ready', 'a newer token');

$t->sql("UPDATE cameras SET name = 'door' WHERE id = '$camera'");
$m = $renewed->next(3);
is($m->{event}{type}, 'camera.updated', 'with the newer one it goes on');

$renewed->say({ type => 'auth', accessToken => $other->{token} });
is($renewed->next(3)->{code}, 'AUTH_TOKEN_INVALID', 'one of somebody else');
is($renewed->closed(1), 1008, 'closed');

my $brief = authed(token => $t->access_token(%$user,
    claims => { exp => time() + 2 | 0 }));
is($brief->next(4)->{code}, 'AUTH_TOKEN_INVALID', 'a token ends');
is($brief->closed(1), 1008, 'and the connection');
$brief->close;

# one whose newer token was still looked at when the older one ended: once it then
# followed for a second time, and its worker died of that

my $twice = { %$user };
$twice->{sid} = $t->open_session($twice);
my $ends = int(time()) + 3;
my $late = authed(token => $t->access_token(%$user, claims => { exp => $ends }));
$t->wait_for(sub { time() > $ends - 0.8 }, 4, 'most of it');
$t->pause_postgres;
$late->say({ type => 'auth', accessToken => $t->access_token(%$twice) });
my $refused = $late->next(3);
my $status = $late->closed(1);
$t->resume_postgres;
is($refused->{code}, 'AUTH_TOKEN_INVALID', 'a newer token came too late');
is($status, 1008, 'closed');
$late->next(0.3);
my @others = map { authed() } 1 .. 4;
set_status('error');
ok(is_told($_, 'error'), 'others are told') for @others;
$_->close for $late, @others;

# what a first message may be

for my $case (
    [ 'no JSON', '{' ],
    [ 'a list', '[]' ],
    [ 'no type', '{}' ],
    [ 'an unknown type', '{"type":"x"}' ],
    [ 'no token', '{"type":"auth"}' ],
    [ 'a token of another type', '{"type":"auth","accessToken":1}' ],
    [ 'a field more', '{"type":"ping","x":1}' ],
    [ 'twice a field', '{"type":"ping","type":"ping"}' ],
    [ 'a bad id', '{"type":"auth","accessToken":"x","lastEventId":"x"}' ],
    [ 'a bad type', '{"type":"auth","accessToken":"x","types":["x"]}' ],
    [ 'no types', '{"type":"auth","accessToken":"x","types":[]}' ])
{
    my $one = ws_connect($t);
    $one->send_frame(data => $case->[1]);
    is($one->next(3)->{code}, 'VALIDATION_FAILED', $case->[0]);
    is($one->closed(2), 1008, 'closed');
    $one->close;
}

my $one = ws_connect($t);
$one->say({ type => 'auth', accessToken => 'x' });
is($one->next(3)->{code}, 'AUTH_TOKEN_INVALID', 'a bad token');
is($one->closed(2), 1008, 'closed');
$one->send_frame(opcode => 8, data => pack 'n', 1008);
ok($one->gone(1), 'and gone at once when the client agrees');

# frames

my $limit = 4096;

# 0: a close frame without a status is wslay's answer to frames it cannot read

for my $case (
    [ 'no mask', 1002, { data => '{}', mask => 0 } ],
    [ 'a reserved bit', 1002, { data => '{}', rsv => 4 } ],
    [ 'an unknown opcode', 1002, { opcode => 3 } ],
    [ 'a continuation of nothing', 1002, { opcode => 0, data => 'x' } ],
    [ 'a ping in pieces', 0, { opcode => 9, fin => 0 } ],
    [ 'a long ping', 0, { opcode => 9, data => 'x' x 126 } ],
    [ 'a close of one byte', 0, { opcode => 8, data => 'x' } ],
    [ 'a close of no such status', 1002, { opcode => 8,
        data => pack 'n', 999 } ],
    [ 'another message before the end of one', 1002,
        { fin => 0, data => '{' }, { data => '}' } ],
    [ 'binary', 1003, { opcode => 2, data => '{}' } ],
    [ 'no UTF-8', 1007, { data => "\xc3\x28" } ],
    [ 'too long', 1009, { data => 'x' x ($limit + 1) } ],
    [ 'too long in pieces', 1009, { fin => 0, data => 'x' x $limit },
        { opcode => 0, data => 'x' } ],
    [ 'a length without end', 1009, { data => 'x', length => 2 ** 40 } ],
    [ 'too many pieces', 1009, { fin => 0, data => '' },
        map { { opcode => 0, fin => 0, data => '' } } 1 .. 50 ])
{
    my ($name, $status, @frames) = @$case;
    my $bad = ws_connect($t, token => $t->add_user(role => 'viewer')->{token});
    $bad->next(3);
    $bad->send_frame(%$_) for @frames;
    is($bad->closed(3), $status, $name);
    $bad->close;
}

# once, answers to pings without payload were kept without end, for they have no
# length

for my $data ('x' x 100, '') {
    my $flood = ws_connect($t,
        token => $t->add_user(role => 'viewer')->{token});
    $flood->{silent} = 1;
    my @before = map { $t->rss($_) } $t->worker_pids;
    flood($flood, Camera::WebSocket::frame(opcode => 9, data => $data) x 10_000);
    my @after = map { $t->rss($_) } $t->worker_pids;
    cmp_ok($after[$_] - $before[$_], '<', $t->growth(4000), 'pings without end, '
        . length($data) . ' bytes each, take no memory') for 0, 1;
    $flood->close;
}

# one who is silent, and one who does not read

my ($deaf, $nobody) = (authed(), ws_connect($t));
$deaf->{silent} = 1;
is(($nobody->next(8) // {})->{code}, 'AUTH_TOKEN_MISSING',
    'no token in five seconds');
is($nobody->closed(1), 1008, 'closed');
is($deaf->closed(2), 'eof', 'one who answers no ping is dropped');

# in small steps, between which both show that they are there

local $SIG{PIPE} = 'IGNORE';
my $slow = ws_connect($t, token => $user->{token}, port => $t->port('narrow'));
my $quick = authed();
my $n = 0;
for my $step (1 .. 10) {
    $t->sql("DO \$\$ BEGIN FOR i IN 1 .. 200 LOOP UPDATE cameras"
        . " SET name = rpad('f$step-' || i, 100, 'x') WHERE id = '$camera';"
        . " END LOOP; END \$\$;");

    $slow->send_frame(opcode => 10);

    while ($n < 200 * $step) {
        my $m = $quick->next(3) // last;
        $n++ if $m->{type} eq 'event';
    }
}
is($n, 2000, 'one who reads has everything');
ok($t->wait_for(sub { $t->error_log =~ /follows events is too slow/ }, 5,
    'slow one'), 'one who does not is cut off');
$slow->close;

# who may follow no more

my $out = $t->add_user(role => 'viewer');
$one = ws_connect($t, token => $out->{token});
is($one->next(3)->{type}, 'ready', 'a session');
$t->sql("SELECT api_session_end('$out->{sid}', 'logout')");
is($one->closed(1), 1001, 'that ended');
$one->close;

my $nothing = $t->add_user(role => 'admin');
$one = ws_connect($t, token => $nothing->{token});
$one->next(3);
$t->sql("UPDATE users SET role = 'viewer' WHERE id = '$nothing->{id}'");
is($one->closed(1), 1001, 'a role that changed');
$one->close;

my $greedy = $t->add_user(role => 'viewer');
my @many = map { ws_connect($t, token => $greedy->{token}) } 1 .. 4;
is(ws_connect($t, token => $greedy->{token})->status, 429, 'a fifth');
$one = ws_connect($t);
$one->say({ type => 'auth', accessToken => $greedy->{token} });
is($one->next(3)->{code}, 'CONCURRENT_LIMIT_EXCEEDED', 'by message, too');

unlike($t->error_log, qr/\Q$user->{token}\E/, 'no token in the log');

$t->done_testing;

###############################################################################

sub authed {
    my (%opt) = @_;

    my $one = ws_connect($t, token => $opt{token}
        // $t->add_user(role => 'viewer')->{token});
    $one->next(3);

    return $one;
}

# what happened a moment ago may still be on its way

sub next_of {
    my ($ws, $type) = @_;

    for (1 .. 9) {
        my $m = $ws->next(3) // return undef;
        return $m if $type eq ($m->{event} // $m)->{type};
    }
}

# the media plane may have put right what a test said before

sub is_told {
    my ($ws, $status) = @_;

    while (my $m = next_of($ws, 'stream.status')) {
        return 1 if $m->{event}{data}{streamStatus} eq $status;
    }

    return 0;
}

sub set_status {
    my ($status) = @_;

    $t->sql("UPDATE cameras SET stream_status = '$status'"
        . " WHERE id = '$camera'");
}

# as much of it as the server takes

sub flood {
    my ($ws, $bytes) = @_;

    local $SIG{PIPE} = 'IGNORE';
    my $s = $ws->socket;
    $s->blocking(0);

    for (1 .. 50) {
        last unless IO::Select->new($s)->can_write(0.3);
        syswrite $s, $bytes or last;
    }
}
