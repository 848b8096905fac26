#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for bin/camera publish-url, play-url, token, rotate, revoke and verify:
# what is issued, how long it lives, and what a rotation leaves in the
# database for the feeders.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Cli;
use Camera::Token qw(unbase64url);
use Digest::SHA qw(sha256_hex);
use JSON::PP;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations cli));

$t->start_postgres;
$t->migrate;

my $cli = Camera::Test::Cli->new($t);
my $gate = $cli->run(qw(add Gate --key gate --json))->{json};
my ($r, $c);

###############################################################################

# publish tokens

$r = $cli->run(qw(publish-url gate --json))->{json};
$c = claims($r->{publishUrl});
is($c->{typ}, 'sk+jwt', 'kind');
is($c->{sub}, $gate->{id}, 'camera');
is($c->{gen}, 1, 'generation');
is($c->{exp} - $c->{iat}, 30 * 86400, 'life');
is(length unbase64url($c->{jti}), 16, '128 random bits');
is($r->{expiresIn}, 30 * 86400, 'expiresIn');
isnt(claims($cli->run(qw(publish-url gate))->{out})->{jti}, $c->{jti},
    'each token is new');

$c = claims($cli->run(qw(publish-url gate --ttl 60))->{out});
is($c->{exp} - $c->{iat}, 60, '--ttl');

for my $ttl (0, 366 * 86400 + 1) {
    $r = $cli->run(qw(publish-url gate --ttl), $ttl);
    is($r->{status}, 2, "--ttl $ttl is refused");
    is($r->{out}, '', "--ttl $ttl issues nothing");
}

$r = $cli->run(qw(token gate --jwt));
like($r->{out}, qr/^[\w-]+\.[\w-]+\.[\w-]+\n$/, 'a token alone');
like($cli->run('verify', \$r->{out})->{out}, qr/^ok\n  camera +$gate->{id}$/m,
    'verify');
is($cli->run('verify', '--kind', 'playback', \$r->{out})->{status}, 1,
    'verify as the other kind');
is($cli->run(qw(token gate))->{status}, 2, 'neither shape');
is($cli->run(qw(token gate --jwt --opaque))->{status}, 2, 'both shapes');

# play tokens

$c = claims($cli->run(qw(play-url gate))->{out});
is($c->{typ}, 'pb+jwt', 'kind of a play token');
is($c->{exp} - $c->{iat}, 900, '15 minutes');
is_deeply([ @$c{qw(sub pur ep)} ], [ $gate->{id}, 1, 1 ], 'its claims');
is($c->{ten}, $t->sql('SELECT tenant_id FROM cameras'), 'tenant');
is($cli->run('play-url', 'gate', '--ttl', 12 * 3600 + 1)->{status}, 2,
    'no play token of more than 12 hours');

# opaque keys are stored as hashes, and once

$r = $cli->run(qw(publish-url gate --opaque))->{out};
like($r, qr{/live/[\w-]{22}\n$}, 'opaque URL');
my ($opaque) = $r =~ m{/live/(.*)};
is($t->sql("SELECT encode(opaque_hash, 'hex') FROM stream_keys"),
    sha256_hex($opaque), 'hash');

$r = $cli->run(qw(token gate --opaque));
is($r->{status}, 5, 'a second opaque key is refused');
like($r->{err}, qr/shown once/, 'with a reason');

# rotation: the one before lives on for a while, older ones end

$r = $cli->run(qw(rotate gate --overlap 3600 --json))->{json};
is($r->{generation}, 2, 'rotate');
is(claims($r->{publishUrl})->{gen}, 2, 'the new URL has the new key');
is(feeder(), '2 1 t', 'overlap');
cmp_ok(abs(overlap() - 3600), '<', 10, 'of an hour');

$r = $cli->run(qw(rotate gate --opaque --json))->{json};
like($r->{publishUrl}, qr{/live/[\w-]{22}$}, 'rotate --opaque');
is(feeder(), '3 2 f', 'again');
cmp_ok(abs(overlap() - 86400), '<', 10, 'a day when it is not said');

# revocation

like($cli->run(qw(revoke gate))->{out}, qr/every publish credential/, 'revoke');
is(feeder(), '4 0 f', 'nothing before is valid');
is(claims($cli->run(qw(publish-url gate))->{out})->{gen}, 4, 'a new URL');

is($cli->run(qw(revoke gate --viewers --json))->{json}{epoch}, 2,
    'revoke --viewers');
is($t->sql('SELECT play_epoch FROM cameras'), 2, 'play epoch');
is(feeder(), '4 0 f', 'publishing goes on');
is(claims($cli->run(qw(play-url gate))->{out})->{ep}, 2, 'a new play URL');

# secrets are in nothing but the answer

$r = Camera::Test::Cli->new($t, CAMERA_ENV => '/dev/null',
    CAMERA_DATABASE_URL => $t->database_url('camera_owner'),
    CAMERA_RTMPS_URL => 'rtmps://cam.example.org:1936/live/')
    ->run(qw(publish-url gate));
is($r->{status}, 3, 'no keys, no token');
like($r->{err}, qr/CAMERA_KEYS is not known/, 'and why');

$r = Camera::Test::Cli->new($t, CAMERA_ENV => '/dev/null',
    CAMERA_DATABASE_URL => $t->database_url('camera_owner'),
    CAMERA_KEYS => $t->keys_file,
    CAMERA_HTTPS_URL => 'https://cam.example.org',
    CAMERA_URL => 'http://cam.example.org',
    CAMERA_RTMPS_URL => 'rtmps://cam.example.org:1936/')
    ->run(qw(add Yard --json))->{json};
like($r->{publishUrl}, qr{^rtmps://cam\.example\.org:1936/live/\w+\?token=},
    'a base without a path');
like($r->{playUrl}, qr{^https://cam\.example\.org/hls/},
    'HTTPS when nginx is not on this machine');

$t->done_testing;

###############################################################################

sub claims {
    my ($claims) = $_[0] =~ /[\w-]+\.([\w-]+)\.[\w-]+\s*\z/ or return {};
    return decode_json(unbase64url($claims));
}

# current and previous generation, and whether there was an opaque key before

sub feeder {
    return $t->sql("SELECT key_generation || ' ' || prev_generation || ' '
        || CASE WHEN prev_opaque_hash IS NULL THEN 'f' ELSE 't' END
        FROM feeder_cameras");
}

sub overlap {
    return $t->sql('SELECT prev_until - floor(extract(epoch FROM now()))
        FROM feeder_cameras');
}
