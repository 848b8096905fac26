#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for reading cameras by the API: one by either of its ids, filters,
# pages that hold each camera once, and that a cursor is good for its own list
# alone.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $admin = $t->add_user;
my $viewer = $t->add_user(role => 'viewer');
my $camera = $t->add_camera(name => '"Gate" \\ 1', key => 'gate-1',
    cidr => [ '10.0.0.0/8', 'fd00::/8' ]);

$t->sql("UPDATE cameras SET external_id = 'hall/1 %', model = E'a\\tb\\x01'");

###############################################################################

my $r = get($admin, "/cameras/$camera->{id}");

is($r->{status}, 200, 'one camera');
is($r->{headers}{'content-type'}, 'application/json', 'its type');
is($r->{headers}{'cache-control'}, 'no-store', 'kept by nobody');
like($r->{headers}{etag}, qr/^"\d+"$/, 'ETag');
is_deeply([ sort keys %{ $r->{json} } ], [ sort qw(id externalId name company
    model serialNumber location place rtmpUrl isActive isRecording streamStatus
    assignedNode allowedCidrs cutAtExpiry retentionDays retentionBytes
    recordingEncrypted tags createdAt updatedAt) ], 'its fields');
is($r->{json}{name}, '"Gate" \\ 1', 'quotes and a backslash');
is($r->{json}{model}, "a\tb\x01", 'control characters');
is_deeply($r->{json}{allowedCidrs}, [ '10.0.0.0/8', 'fd00::/8' ], 'a list');
is($r->{json}{assignedNode}, undef, 'null');
is($r->{json}{isActive}, JSON::PP::true, 'true');
is($r->{json}{streamStatus}, 'offline', 'an enum');
is($r->{json}{createdAt}, $t->sql(q{SELECT to_char(created_at AT TIME ZONE
    'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') FROM cameras}), 'a time');

is(get($admin, '/cameras/hall%2F1%20%25')->{json}{id}, $camera->{id},
    'by its external id');
is(get($admin, '/cameras/hall/1%20%25')->{code}, 'NOT_FOUND',
    'a slash of the path is none of the id');
is(get($admin, '/cameras/' . uc $camera->{id})->{json}{id}, $camera->{id},
    'an id in capitals');
is(get($admin, '/cameras/nobody')->{code}, 'CAMERA_NOT_FOUND', 'unknown');
is(get($admin, '/cameras/%01')->{code}, 'CAMERA_NOT_FOUND', 'no text');

is(get($viewer, "/cameras/$camera->{id}")->{json}{rtmpUrl}, undef,
    'where it pushes to is nothing for viewers');
like($r->{json}{rtmpUrl}, qr{^rtmps://localhost:\d+/live/gate-1},
    'but for who may set it up');

# lists; the feeder would see that none of these is online

$t->sql('REVOKE UPDATE (stream_status) ON cameras FROM camera_app');
$t->sql(q{INSERT INTO cameras (name, location, created_at, stream_status,
    is_active)
    SELECT 'cam ' || n, CASE n % 2 WHEN 0 THEN 'yard' ELSE 'hall' END,
        '2020-01-01'::timestamptz + (n / 3) * interval '1 s',
        CASE n % 5 WHEN 0 THEN 'online'::stream_status ELSE 'offline' END,
        n % 7 <> 0
    FROM generate_series(1, 60) n});

my @all = map { $_->{id} } @{ get($admin, '/cameras?limit=200')->{json} };
is(scalar @all, 61, 'all of them');
is(join(' ', @all), join(' ', $t->sql(
    'SELECT id FROM cameras ORDER BY created_at, id')), 'oldest first');

$r = get($admin, '/cameras');
is(scalar @{ $r->{json} }, 50, 'a page has 50');
like($r->{headers}{link}, qr{^</api/v1/cameras\?cursor=[\w-]+>; rel="next"$},
    'and says where the next one is');

is(join(' ', pages($admin, '/cameras?limit=7')), "@all",
    'pages hold each camera once, in order');
is(scalar pages($admin, '/cameras?status=online&limit=5'), 12, 'by status');
is(scalar pages($admin, '/cameras?isActive=false&limit=3'), 8, 'by isActive');
is(scalar pages($admin, '/cameras?location=yard'), 30, 'by location');
is(scalar pages($admin, '/cameras?q=CAM+1&limit=4'), 11, 'by a part of a text');
is(scalar pages($admin, '/cameras?q=%25'), 0, 'where % is a character');
is(scalar pages($admin, '/cameras?status=online&location=yard&q=cam'), 6,
    'by all of them');

my ($cursor) = $r->{headers}{link} =~ /cursor=([\w-]+)/;
my $foreign = $t->add_user(tenant => $t->add_tenant);

is(get($admin, "/cameras?cursor=$cursor")->{status}, 200, 'a cursor');
is(get($foreign, "/cameras?cursor=$cursor")->{code}, 'VALIDATION_FAILED',
    'of another tenant');
is(get($admin, '/cameras?cursor=' . reverse $cursor)->{code},
    'VALIDATION_FAILED', 'of nobody');
is_deeply(get($foreign, '/cameras')->{json}, [], 'another tenant has none');

$t->done_testing;

###############################################################################

sub get {
    my ($user, $path) = @_;

    return $t->api_get($path, token => $user->{token});
}

# the ids of all pages

sub pages {
    my ($user, $path) = @_;

    my @ids;

    while ($path) {
        my $r = get($user, $path);
        die "$path: $r->{status} $r->{body}\n" if $r->{status} != 200;
        push @ids, map { $_->{id} } @{ $r->{json} };
        ($path) = ($r->{headers}{link} // '') =~ m{^</api/v1(.*)>; rel="next"$};
    }

    return @ids;
}
