#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what the API answers, held against the schemas of openapi.yaml:
# statuses that are described, bodies with the fields and types that are.

use strict;
use warnings;

use Camera::Contract;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $contract = Camera::Contract->new($t->root . '/openapi.yaml');
my $admin = $t->add_user;
my $viewer = $t->add_user(role => 'viewer');
my %new = (name => 'Gate', company => 'Axis', model => 'P3265',
    serialNumber => 'S1', location => 'Yard', place => 'North');

###############################################################################

cmp_ok(scalar(my @bad = $contract->complaints('getCamera', 200,
    { id => 'x', name => 7 })), '>', 10, 'what is wrong is complained of');

my $camera = holds(createCamera => POST => '/cameras', json => \%new)->{json};
my $path = "/cameras/$camera->{id}";

holds(me => GET => '/auth/me');
holds(listCameras => GET => '/cameras');
holds(getCamera => GET => $path);
holds(getCamera => GET => $path, token => $viewer->{token});
holds(updateCamera => PUT => $path, json => { externalId => 'gate' });
holds(rotateStreamKey => POST => "$path/stream-key", json => {});
holds(rotateStreamKey => POST => "$path/stream-key", json => { opaque => \1 });
holds(getHlsUrl => GET => "$path/stream/hls");
holds(getStreamState => GET => "$path/status");

# recordings and what belongs to them

my $recording = $t->add_recording_row($camera->{id});
my $day = 'from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z';
my %what = (cameraId => $camera->{id}, from => '2026-01-01T00:00:00Z',
    to => '2026-01-01T01:00:00Z');

$t->sql("SELECT journal_gap('$camera->{id}', '2026-01-01T02:00:00Z',
        '2026-01-01T03:00:00Z', 'network'),
    alert_raise(tenant_id, id, 'recording_gap', 'medium', 'a gap', '{}',
        '2026-01-01T02:00:00Z')
    FROM cameras WHERE id = '$camera->{id}'");

holds(startRecording => POST => "$path/recording/start", json => {});
holds(startRecording => POST => "$path/recording/start",
    json => { durationSeconds => 5 });
holds(stopRecording => POST => "$path/recording/stop");
holds(getRecordingSchedule => GET => "$path/recording/schedule");
holds(putRecordingSchedule => PUT => "$path/recording/schedule",
    json => { timezone => 'UTC', windows => [ { day => 0, from => '00:00',
        to => '24:00' } ] });
holds(deleteRecordingSchedule => DELETE => "$path/recording/schedule");
holds(listRecordings => GET => '/recordings');
holds(getRecording => GET => "/recordings/$recording");
holds(getRecordingUrl => GET => "/recordings/$recording/signed-url");
holds(getPlaybackUrl => GET => "$path/recordings/playback?$day");
holds(createBookmark => POST => '/bookmarks', json => { label => 'a',
    cameraId => $camera->{id}, at => '2026-01-01T00:00:00Z' });
holds(listBookmarks => GET => '/bookmarks');
holds(getTimeline => GET => "/recordings/timeline/gate?$day");
holds(getCoverage => GET => "/recordings/coverage/gate?$day");
my $export = holds(createExport => POST => '/exports', json => \%what)->{json};
holds(getExport => GET => "/exports/$export->{id}");
holds(listExports => GET => '/exports');
holds(getExportUrl => GET => "/exports/$export->{id}/signed-url");
holds(deleteExport => DELETE => "/exports/$export->{id}");
holds(getRecordingSettings => GET => '/settings/recording');
holds(changeRecordingSettings => PATCH => '/settings/recording',
    json => { retentionDays => 7 });
holds(previewRetention => GET => '/recordings/retention/preview');
holds(getStorageUsage => GET => '/analytics/storage/usage');
holds(holdRecording => POST => "/recordings/$recording/hold",
    json => { reason => 'x' });
holds(deleteRecording => DELETE => "/recordings/$recording");
holds(releaseRecording => DELETE => "/recordings/$recording/hold");
holds(deleteRecording => DELETE => "/recordings/$recording");
holds(getRecording => GET => "/recordings/$recording");
holds(listRecordingAudit => GET => '/recordings/audit');
my $alert = holds(listAlerts => GET => '/alerts')->{json}[0];
holds(getAlert => GET => "/alerts/$alert->{id}");
holds(acknowledgeAlert => POST => "/alerts/$alert->{id}/acknowledge");

# refusals

holds(createCamera => POST => '/cameras', json => \%new);
holds(createCamera => POST => '/cameras', json => {});
holds(createCamera => POST => '/cameras', json => \%new,
    token => $viewer->{token});
holds(createCamera => POST => '/cameras', body => '<a/>',
    headers => [ 'Content-Type: text/xml' ]);
holds(createCamera => POST => '/cameras', body => ' ' x 70000,
    headers => [ 'Content-Type: application/json' ]);
holds(getCamera => GET => '/cameras/nobody');
holds(getCamera => GET => $path, token => 'wrong');
holds(updateCamera => PUT => $path, json => { place => 'x' },
    headers => [ 'If-Match: "0"' ]);
holds(login => POST => '/auth/login', token => undef,
    json => { username => 'nobody', password => 'wrong-1234' });
holds(refresh => POST => '/auth/refresh', token => undef, json => {});
holds(getSnapshot => GET => "$path/snapshot");
holds(connectWebSocket => GET => '/ws');

holds(revokeStreamKey => DELETE => "$path/stream-key");
holds(deleteCamera => DELETE => $path);

$t->stop_postgres;
holds(listCameras => GET => '/cameras');

$t->done_testing;

###############################################################################

sub holds {
    my ($operation, $method, $path, %opt) = @_;

    my $r = $t->api($method, $path, token => $admin->{token}, %opt);
    my @complaints = $contract->complaints($operation, $r->{status},
        $r->{json});

    is_deeply(\@complaints, [], "$operation answers $r->{status} as described");

    return $r;
}
