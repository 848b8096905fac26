#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what playing recordings refuses: tokens and signatures of every
# wrong kind, other cameras, other ranges, bytes outside of a session's range,
# more sessions than a token has places, what was revoked.

use strict;
use warnings;

use Camera::Playback;
use Camera::Store;
use Camera::Test;
use Camera::Token qw(random_bytes random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx camera_recordings));

###############################################################################

$t->nginx_conf(Camera::Playback->conf($t, level => 'info'));
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera;
my $other = $store->camera;
my $start = int(time - 3600);
my $file = $t->make_recording($camera, start => $start);
$t->make_recording($other, start => $start);

my $p = Camera::Playback->new($t, $camera);
my ($from, $to) = @$file{qw(start end)};
my @range = (from => $from, to => $to);
my $now = time;

# tokens

my %wrong = (
    'none'            => "$p->{path}/playlist.m3u8?from=$from",
    'not a token'     => $p->entrance(@range, token => 'eyJ.eyJ.x'),
    'alg none'        => $p->entrance(@range, header => { alg => 'none' }),
    'unknown key'     => $p->entrance(@range, header => { kid => 'nobody' }),
    'other secret'    => $p->entrance(@range, secret => random_bytes(32)),
    'stream token'    => $p->entrance(@range, token => $t->token(
                             camera => $camera)),
    'live token'      => $p->entrance(@range, pur => 1),
    'expired'         => $p->entrance(@range, iat => $now - 900,
                             exp => $now - 1),
    'revoked'         => $p->entrance(@range, ep => 0),
    'session instead' => "$p->{path}/playlist.m3u8?from=$from&s=x",
    'earlier range'   => $p->entrance(@range, fr => $from + 1),
    'later range'     => $p->entrance(@range,
                             token => $p->token(to => $to - 1)),
);

is($t->http_get($wrong{$_})->{status}, 403, "token: $_") for sort keys %wrong;
is($t->http_get($p->entrance(@range, token => $p->token(fr => $from,
    to => $to)))->{status}, 200, 'token of just that range');

my $r = $t->http_get($store->entrance($camera, pur => 2));
is($r->{status}, 403, 'no live pictures with a token for recordings');

# times

my %bad = (
    'no begin'        => [ from => undef ],
    'begin of 0'      => [ from => 0 ],
    'no time'         => [ from => 'yesterday' ],
    'twice'           => [ from => "$from&from=$from" ],
    'empty'           => [ from => $from, to => '' ],
    'backwards'       => [ from => $to, to => $from ],
    'of no length'    => [ from => $from, to => $from ],
    'more than a day' => [ from => $from, to => $from + 86_400_001 ],
    'far from now'    => [ from => '2' . '0' x 14 ],
    'negative'        => [ from => -5 ],
);

is($t->http_get($p->entrance(@{ $bad{$_} }))->{status}, 400, "range: $_")
    for sort keys %bad;

# what belongs to others looks like what is not there

my %answers;
my $theirs = Camera::Playback->new($t, $other);

for (
    $theirs->entrance(@range, token => $p->token),
    Camera::Playback->new($t, { id => random_uuid(), epoch => 1,
        tenant => random_uuid() })->entrance(@range),
    $theirs->entrance(@range, ten => $camera->{tenant}),
    Camera::Playback->new($t, $store->camera)->entrance(@range),
) {
    my $r = $t->http_get($_);
    $answers{ $r->{header} =~ s/^Date:.*\r\n//mr . $r->{body} }++;
}

is(keys %answers, 1, 'other camera, unknown, other tenant, nothing there');
like((keys %answers)[0], qr/ 404 /, 'all 404');

# signatures

my $list = $p->playlist(@range);
my $piece = $list->{pieces}[0];
my $mine = $p->{media} =~ s/.*\///r;
is($p->fetch($piece)->{status}, 206, 'a piece');

for my $uri ($piece->{uri}, $mine) {
    my ($name, $query) = $uri =~ /^([^?]+)\?(.*)/;
    my %status;

    for my $i (0 .. length($query) - 1) {
        for my $bit (0, 1, 5) {
            my $changed = $query;
            substr $changed, $i, 1,
                chr(ord(substr $changed, $i, 1) ^ 1 << $bit);
            next if $changed =~ /[^!-~]|#/;
            $status{ $p->range("$name?$changed", 0, 9)->{status} }++;
        }
    }

    is(join(' ', keys %status), '403', 'changed bits, ' . $name);
}

my ($name, $s, $m) = $piece->{uri} =~ /^([^?]+)\?s=(.*)&m=(.*)/;
my $second = $t->make_recording($camera, start => $start + 30);
my ($sibling) = $second->{path} =~ m{^media/[^/]+/(.*)};
my $foreign = $theirs->playlist(@range)->{pieces}[0]{uri};
my ($session) = $theirs->{media} =~ /s=(.*)/;

my %forged = (
    'other file'        => "$sibling?s=$s&m=$m",
    'no signature'      => "$name?s=$s",
    'no session'        => "$name?m=$m",
    'as a download'     => "$name?e=" . ($now + 60) . "&m=$m",
    'with an expiry'    => "$name?s=$s&m=$m&e=" . ($now + 60),
    'signature twice'   => "$name?s=$s&m=$m&m=$m",
    'others\' session'  => "$name?s=$session&m=$m",
    'others\' URI'      => $foreign,
    'others\' playlist' => "media.m3u8?s=$session",
    'live session'      => "media.m3u8?s=" . 'A' x 64,
);

is($p->range($forged{$_}, 0, 9)->{status}, 403, "signature: $_")
    for sort keys %forged;

# bytes of a file of which a session may see a part

$list = $p->playlist(from => $from + 6000, to => $from + 10_000);
my @seen = @{ $list->{pieces} };
my ($init, $first, $end) = ($seen[0]{map}{size}, $seen[0]{offset},
    $seen[-1]{offset} + $seen[-1]{size});
my $uri = $seen[0]{uri};
my $size = -s $file->{file};
my $bytes = $t->read_file($file->{file});

cmp_ok($first, '>', $init, 'it begins behind the first piece');
is($p->fetch($seen[-1])->{status}, 206, 'what is listed');
is($p->range($uri, 0, $init - 1)->{status}, 206, 'the head');

for ([ $init, $init ], [ $first - 1, $first ], [ $end, $end ],
    [ $end, $size - 1 ])
{
    is($p->range($uri, @$_)->{status}, 403, "bytes @$_");
}

$r = $p->range($uri, $first, '');
is_deeply([ $r->{status}, length $r->{body}, $r->{body} eq substr $bytes,
    $first, $end - $first ], [ 206, $end - $first, 1 ],
    'an open range ends where the session does');
is($r->{headers}{'content-range'}, sprintf('bytes %d-%d/%d', $first, $end - 1,
    $size), 'and says so');
is(length $p->range($uri, 5, $size)->{body}, $init - 5,
    'and the head where it does');
is($p->range($uri, $size, $size + 9)->{status}, 416, 'behind the end');

for my $range ('none', "bytes=-5", "bytes=0-5,$first-$end", 'bytes=5-1',
    'bytes=x-', "bytes=$first-$end,", 'lines=1-2', 'bytes=' . '9' x 30 . '-')
{
    my @headers = $range eq 'none' ? () : (headers => ["Range: $range"]);
    is($t->http_get("$p->{path}/$uri", @headers)->{status}, 403,
        "range: $range");
}

is(length $p->range($uri, $first, $end - 1,
    headers => ['If-Range: "x"'])->{body}, $end - $first,
    'If-Range widens nothing');
is($p->get("$p->{path}/$uri", method => 'HEAD', headers =>
    ["Range: bytes=$first-"])->{status}, 206, 'HEAD');
is($p->get("$p->{path}/$uri", method => 'POST')->{status}, 405, 'POST');

# places

my $token = $p->token;
my @places = map { $t->http_get($p->entrance(@range, token => $token)) } 1 .. 5;
is(join(' ', map { $_->{status} } @places), '200 200 200 200 429',
    'four sessions behind a token');
like($places[4]{body}, qr/4 places.*600 seconds/s, 'the fifth is told why');

# revoked: every request from then on

my $running = $p->playlist(@range)->{pieces}[0];
$camera->{epoch}++;
$store->put($camera);
is($p->fetch($running)->{status}, 403, 'a piece after "revoke --viewers"');
is($p->get($p->{media})->{status}, 403, 'and the playlist');
$store->put($camera, active => 0);
is($t->http_get($p->entrance(@range))->{status}, 403, 'camera not active');
$store->put($camera);
is($t->http_get($p->entrance(@range))->{status}, 200, 'active again');

# nothing of this is in a log

my $log = $t->error_log . $t->read_file("$t->{dir}/access.log");
cmp_ok(length $log, '>', 10_000, 'logs');
unlike($log, qr/[\w-]{22}\.[\w-]{40}|[?&]s=\w{4}|[?&]m=\w{4}|\Q$s\E|\Q$m\E/,
    'no token and no signature in a log');

$t->done_testing;
