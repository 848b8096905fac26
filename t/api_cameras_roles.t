#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for who may do what with cameras and what belongs to them, asked for by
# nobody, by each role, and by the admin of another tenant; and that a change of
# role counts at once.

use strict;
use warnings;

use Camera::Test;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api(http => 'camera_api_limit 100000r/m;');

my %who = (
    nobody   => {},
    viewer   => $t->add_user(role => 'viewer'),
    operator => $t->add_user(role => 'operator'),
    admin    => $t->add_user(role => 'admin'),
    foreign  => $t->add_user(role => 'admin', tenant => $t->add_tenant),
);

# a camera of the admin's with a recording

my @hour = map { "2026-01-01T0$_:00:00Z" } 0, 1;
my $yard = $t->sql("INSERT INTO cameras (name) VALUES ('yard') RETURNING id");
$t->add_recording_row($yard, start => $hour[0]);

# The status of an answer, the camera, or what else a path names, being the
# admin's.  What is another tenant's is not there for "foreign", whose own
# requests are as good as anyone's.

my %expected = (
    #                    nobody viewer operator admin foreign
    listCameras     => [ qw(401    200      200   200     200) ],
    createCamera    => [ qw(401    403      201   201     201) ],
    getCamera       => [ qw(401    200      200   200     404) ],
    updateCamera    => [ qw(401    403      200   200     404) ],
    deleteCamera    => [ qw(401    403      200   200     404) ],
    rotateStreamKey => [ qw(401    403      201   201     404) ],
    revokeStreamKey => [ qw(401    403      204   204     404) ],
    getHlsUrl       => [ qw(401    200      200   200     404) ],
    getStreamState  => [ qw(401    200      200   200     404) ],
    getSnapshot     => [ qw(401    503      503   503     404) ],

    listTokens          => [ qw(401 403 403 200 200) ],
    createToken         => [ qw(401 403 403 201 201) ],
    getToken            => [ qw(401 403 403 200 404) ],
    revokeToken         => [ qw(401 403 403 204 404) ],
    setTokenPermissions => [ qw(401 403 403 200 404) ],
    getTokenUsage       => [ qw(401 403 403 200 404) ],

    startRecording          => [ qw(401 403 200 200 404) ],
    stopRecording           => [ qw(401 403 200 200 404) ],
    getRecordingSchedule    => [ qw(401 200 200 200 404) ],
    putRecordingSchedule    => [ qw(401 403 200 200 404) ],
    deleteRecordingSchedule => [ qw(401 403 204 204 404) ],

    getPlaybackUrl   => [ qw(401 200 200 200 404) ],
    listRecordings   => [ qw(401 200 200 200 200) ],
    getRecording     => [ qw(401 200 200 200 404) ],
    deleteRecording  => [ qw(401 403 202 202 404) ],
    holdRecording    => [ qw(401 403 200 200 404) ],
    releaseRecording => [ qw(401 403 200 200 404) ],
    getRecordingUrl  => [ qw(401 200 200 200 404) ],
    getTimeline      => [ qw(401 200 200 200 404) ],
    getCoverage      => [ qw(401 200 200 200 404) ],

    listRecordingAudit      => [ qw(401 403 403 200 200) ],
    previewRetention        => [ qw(401 403 200 200 200) ],
    getRecordingSettings    => [ qw(401 403 403 200 200) ],
    changeRecordingSettings => [ qw(401 403 403 200 200) ],
    getStorageUsage         => [ qw(401 403 200 200 200) ],

    # those of others are not for a viewer to remove

    listBookmarks  => [ qw(401 200 200 200 200) ],
    createBookmark => [ qw(401 403 201 201 404) ],
    getBookmark    => [ qw(401 200 200 200 404) ],
    updateBookmark => [ qw(401 403 200 200 404) ],
    deleteBookmark => [ qw(401 403 204 204 404) ],
    listExports    => [ qw(401 200 200 200 200) ],
    createExport   => [ qw(401 201 201 201 404) ],
    getExport      => [ qw(401 200 200 200 404) ],
    deleteExport   => [ qw(401 403 204 204 404) ],
    getExportUrl   => [ qw(401 409 409 409 404) ],

    listAlerts       => [ qw(401 200 200 200 200) ],
    getAlert         => [ qw(401 200 200 200 404) ],
    acknowledgeAlert => [ qw(401 403 200 200 404) ],

    # what others see is for an admin to say

    listCameraGroups    => [ qw(401 200 200 200 200) ],
    createCameraGroup   => [ qw(401 403 403 201 201) ],
    getCameraGroup      => [ qw(401 200 200 200 404) ],
    updateCameraGroup   => [ qw(401 403 403 200 404) ],
    deleteCameraGroup   => [ qw(401 403 403 204 404) ],
    putCameraIntoGroup  => [ qw(401 403 403 204 404) ],
    takeCameraFromGroup => [ qw(401 403 403 204 404) ],
    getGrants           => [ qw(401 403 403 200 404) ],
    putGrants           => [ qw(401 403 403 200 404) ],

    # for whoever has a password or a token; more of them in tests of their own
    login           => [ qw(400    400      400   400     400) ],
    refresh         => [ qw(401    401      401   401     401) ],
    me              => [ qw(401    200      200   200     200) ],
);

my %body = (
    createCamera => sub { { name => 'a', company => 'b', model => 'c',
        serialNumber => 'serial ' . ++$t->{serial}, location => 'e',
        place => 'f' } },
    updateCamera    => sub { { name => 'new' } },
    rotateStreamKey => sub { {} },
    putRecordingSchedule => sub { { timezone => 'UTC', windows => [] } },
    holdRecording   => sub { { reason => 'x' } },
    changeRecordingSettings => sub { { retentionDays => 30 } },
    createBookmark  => sub { { cameraId => $yard, at => $hour[0],
        label => 'x' } },
    updateBookmark  => sub { { label => 'y' } },
    createExport    => sub { { cameraId => $yard, from => $hour[0],
        to => $hour[1] } },
    createCameraGroup => sub { { name => 'group ' . ++$t->{made} } },
    updateCameraGroup => sub { { description => 'x' } },
    putGrants         => sub { { cameraIds => [], groupIds => [] } },
    createToken     => sub { { name => 'x', permissions => ['*'] } },
    setTokenPermissions => sub { { permissions => ['cameras:read'] } },
    login           => sub { {} },
    refresh         => sub { { refreshToken => 'x' x 43 } },
);

# what a path begins with, and such a thing of the admin's

my %thing = (
    cameras => sub { $t->sql("INSERT INTO cameras (name)
        VALUES ('$_[0]') RETURNING id") },
    alerts => sub { $t->sql("INSERT INTO alerts (type, severity)
        VALUES ('@{[ lc $_[0] . '_' . $_[1] ]}', 'low') RETURNING id") },
    recordings => sub { $_[0] =~ /Timeline|Coverage/ ? $yard
        : $t->add_recording_row($yard, start => '2026-01-02T00:00:00.'
            . sprintf '%03dZ', ++$t->{made}) },
    bookmarks => sub { $t->sql("INSERT INTO bookmarks (camera_id, at, label)
        VALUES ('$yard', now(), 'x') RETURNING id") },
    tokens => sub { $t->sql("INSERT INTO api_tokens (user_id, token_hash,
        prefix, name, permissions) VALUES ('$who{admin}{id}',
        encode(sha256('@{[ ++$t->{made} ]}'), 'hex'), 'cam_', 'x', '[\"*\"]')
        RETURNING id") },
    exports => sub { $t->sql("INSERT INTO exports (camera_id, from_time,
        to_time) VALUES ('$yard', '$hour[0]', '$hour[1]') RETURNING id") },
);

$thing{'camera-groups'} = sub { $t->sql("WITH g AS (
    INSERT INTO camera_groups (name) VALUES ('$_[0] $_[1]') RETURNING id)
    INSERT INTO camera_group_members (group_id, camera_id)
    SELECT id, '$yard' FROM g RETURNING group_id") };
$thing{users} = sub { $t->add_user(role => 'viewer')->{id} };

my %query = map { $_ => "?from=$hour[0]&to=$hour[1]" }
    qw(getPlaybackUrl getTimeline getCoverage);

###############################################################################

my %operation = operations($t->read_file($t->root . '/openapi.yaml'));
my @columns = qw(nobody viewer operator admin foreign);

is_deeply([ grep { !$operation{$_} } sort keys %expected ], [],
    'operations of the contract; t/matrix_api.t asks every one');

for my $name (sort keys %expected) {
    for my $i (0 .. $#columns) {
        my ($method, $path) = @{ $operation{$name} };
        my ($what) = $path =~ m{^/([\w-]+)};
        my $id = $path =~ /\{\w+\}/
            ? $thing{$what}->($name, $columns[$i]) : '';

        my $r = $t->api($method => ($path =~ s/\{\w+\}/$id/r
            =~ s/\{\w+\}/$yard/r)
            . ($query{$name} // ''),
            ($who{ $columns[$i] }{token}
                ? (token => $who{ $columns[$i] }{token}) : ()),
            $body{$name} ? (json => $body{$name}->()) : ());

        is($r->{status}, $expected{$name}[$i], "$name: $columns[$i]")
            or diag($r->{body});
        is($r->{code}, 'AUTH_INSUFFICIENT_PERMISSIONS', 'why')
            if $r->{status} == 403;
        is($r->{code}, $what eq 'cameras' || !$id || $id eq $yard
            ? 'CAMERA_NOT_FOUND' : 'NOT_FOUND', 'as if there was none')
            if $r->{status} == 404;

        next if !$id || $what ne 'cameras'
            || $columns[$i] !~ /nobody|viewer|foreign/;
        is($t->sql("SELECT name || version || coalesce(deleted_at::text, '')
            FROM cameras WHERE id = '$id'"), "${name}1", 'left as it was');
    }
}

# what the foreign admin made is theirs, and what was refused was not made

is($t->sql("SELECT string_agg(tenant_id::text, ' ' ORDER BY created_at)
    FROM cameras WHERE name = 'a'"), join(' ', map { $who{$_}{tenant} }
    qw(operator admin foreign)), 'each of their own tenant');

# a role that was taken away counts from the next request on

is($t->api_get('/auth/me', token => $who{operator}{token})->{json}{role},
    'operator', 'an operator');
$t->sql("UPDATE users SET role = 'viewer' WHERE id = '$who{operator}{id}'");
ok($t->wait_for(sub {
    my $r = $t->api(POST => '/cameras', json => $body{createCamera}->(),
        token => $who{operator}{token});
    ($r->{code} // '') eq 'AUTH_INSUFFICIENT_PERMISSIONS';
}, 2), 'who becomes a viewer adds no more cameras');

$t->done_testing;

###############################################################################

# operationId => [ method, path ]

sub operations {
    my ($text) = @_;

    my (%operations, $path, $method);

    for (split /\n/, $text) {
        last if /^components:/;
        $path = $1 if /^  (\/\S*):$/;
        $method = uc $1 if /^    (get|post|put|patch|delete):$/;
        $operations{$1} = [ $method, $path ] if /^      operationId: (\w+)$/;
    }

    return %operations;
}
