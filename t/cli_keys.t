#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for bin/camera keys: making the file of signing keys, rotating it
# under tokens that were issued before, and what it refuses.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Cli;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations cli));

$t->start_postgres;
$t->migrate;

my $file = $t->dir . '/new.json';
my $cli = Camera::Test::Cli->new($t, CAMERA_ENV => '/dev/null',
    CAMERA_DATABASE_URL => $t->database_url('camera_owner'),
    CAMERA_RTMPS_URL => 'rtmps://localhost', CAMERA_KEYS => $file,
    CAMERA_URL => 'http://127.0.0.1');
my $r;

###############################################################################

is($cli->run('keys', 'init', $file)->{status}, 0, 'init');
is((stat $file)[2] & 07777, 0600, 'mode');
is(shape(), 'stream+ playback+ access+ export+ recording+',
    'one key of each use');

my $old = $t->read_file($file);
$r = $cli->run('keys', 'init', $file);
is($r->{status}, 5, 'init again');
like($r->{err}, qr/File exists\n  next: keep it/, 'says why');
is($t->read_file($file), $old, 'and leaves the file');

unlike($cli->run(qw(keys list --json))->{out}, qr/"k"/, 'list has no secret');

# tokens of before a rotation verify until their key is retired

is($cli->run(qw(add Gate --key gate))->{status}, 0, 'camera');
my $first = $cli->run(qw(token gate --jwt))->{out};

is($cli->run(qw(keys rotate))->{status}, 0, 'rotate');
is(shape(), 'stream- playback- access- export- recording+ '
    . 'stream+ playback+ access+ export+',
    'the old ones verify');
is($cli->run('verify', \$first)->{status}, 0, 'an old token');
isnt(kid($cli->run(qw(token gate --jwt))->{out}), kid($first), 'a new kid');

is($cli->run(qw(keys rotate --use stream --retire))->{status}, 0, 'retire');
is(shape(), 'stream+ playback- access- export- recording+ '
    . 'stream- playback+ access+ export+',
    'in its place');
like($cli->run('verify', \$first)->{out}, qr/unknown_key/, 'its tokens end');
is((stat $file)[2] & 07777, 0600, 'mode after a rotation');

chmod 0640, $file;
is($cli->run(qw(keys rotate --retire))->{status}, 0, 'shared with a group');
is((stat $file)[2] & 07777, 0640, 'stays shared');

# a file of before people could log in and export

my $keys = decode_json($t->read_file($file));
$keys->{keys} = [ grep { $_->{use} !~ /^(?:access|export|recording)$/ } @{ $keys->{keys} } ];
$t->write_file($file, encode_json($keys));
chmod 0600, $file;

is($cli->run(qw(token gate --jwt))->{status}, 0, 'without an access key');
is($cli->run(qw(keys rotate --retire))->{status}, 0, 'rotate');
unlike(shape(), qr/access|export|recording/, 'adds no key of a use that was not there');
is($cli->run(qw(keys rotate --use access))->{status}, 0, 'asked to');
like(shape(), qr/^(?:(?:stream|playback)[+-] ){4}access\+$/, 'adds one');
is($cli->run(qw(keys rotate --use export))->{status}, 0, 'for exports');
like(shape(), qr/ access\+ export\+$/, 'adds one of them, too');

# refusals

is($cli->run(qw(keys rotate --use api))->{status}, 2, 'unknown use');
is($cli->run(qw(keys burn))->{status}, 2, 'unknown verb');
is($cli->run('keys', 'init', '/nonexistent/keys')->{status}, 5, 'nowhere');

$cli->run(qw(keys rotate)) for 1 .. 20;
$r = $cli->run(qw(keys rotate));
is($r->{status}, 5, 'full');
like($r->{err}, qr/--retire/, 'and what to do');

$keys = $t->read_file($file);
chmod 0644, $file;
$r = $cli->run(qw(token gate --jwt));
is($r->{status}, 3, 'open to others');
like($r->{err}, qr/mode 0644/, 'says so');

chmod 0600, $file;
$t->write_file($file, $keys =~ s/"k": "[^"]+"/"k": "c2hvcnQ"/r);
$r = $cli->run(qw(token gate --jwt));
is($r->{status}, 3, 'a short secret');
unlike($r->{err}, qr/c2hvcnQ/, 'is not printed');

$t->done_testing;

###############################################################################

sub shape {
    my $keys = decode_json($t->read_file($file))->{keys};
    return join ' ', map { $_->{use} . ($_->{sign} ? '+' : '-') } @$keys;
}

sub kid {
    my ($header) = $_[0] =~ /^([\w-]+)\./;
    return decode_json(Camera::Token::unbase64url($header))->{kid};
}
