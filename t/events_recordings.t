#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for events of recordings, alerts and exports: each reaches who follows
# the tenant's, as the contract describes it; of those of nobody's camera, too.

use strict;
use warnings;

use Camera::Contract;
use Camera::EventStream qw(follow);
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $contract = Camera::Contract->new($t->root . '/openapi.yaml');
my $operator = $t->add_user(role => 'operator');
my $viewer = $t->add_user(role => 'viewer');
my $elsewhere = $t->add_user(tenant => $t->add_tenant);
my $camera = $t->sql("INSERT INTO cameras (name) VALUES ('gate')
    RETURNING id");
my $soon = $t->sql("SELECT to_char(now() AT TIME ZONE 'UTC'
    - interval '20 minutes', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')");

my $s = follow($t, $viewer->{token});
my $some = follow($t, $viewer->{token},
    types => 'alert.created,recording.deleted');
my $stranger = follow($t, $elsewhere->{token});

###############################################################################

# recordings

my $id = $t->add_recording_row($camera, start => $soon);
told('recording.started', recordingId => $id);
told('recording.finished', recordingId => $id, fileSize => 1000);

$t->sql("SELECT journal_gap('$camera', '$soon', now(), 'network')");
told('recording.gap', cause => 'network');

is($t->api(DELETE => "/recordings/$id", token => $operator->{token})->{status},
    202, 'deleted');
$t->sql("SELECT recording_forget('$id')");
told('recording.deleted', recordingId => $id);

# alerts

my $alert = $t->sql("SELECT alert_raise('$viewer->{tenant}', NULL,
    'storage_full', 'critical', 'no space')");
is(told('alert.created', alertId => $alert, severity => 'critical',
    type => 'storage_full', message => 'no space')->{cameraId}, undef,
    'of no camera');
$t->api(POST => "/alerts/$alert/acknowledge", token => $operator->{token});
told('alert.acknowledged', alertId => $alert);
$t->sql("SELECT alert_calm('$viewer->{tenant}', NULL, 'storage_full')");
told('alert.updated', alertId => $alert);

# exports

$t->add_recording_row($camera);
my $export = $t->api(POST => '/exports', token => $viewer->{token},
    json => { cameraId => $camera, from => '2026-01-01T00:00:00Z',
        to => '2026-01-01T00:05:00Z' })->{json}{id};
$t->sql("UPDATE exports SET state = 'running', progress = 0.5
    WHERE id = '$export'");
told('export.progress', exportId => $export, state => 'running',
    progress => 0.5);
$t->sql("UPDATE exports SET state = 'failed', error = 'no_space'
    WHERE id = '$export'");
told('export.finished', exportId => $export, state => 'failed',
    error => 'no_space');

# some of them, and others'

is_deeply([ map { $_->{type} } map { $some->next(3) } 1, 2 ],
    [ qw(recording.deleted alert.created) ], 'types that were asked for');
is($stranger->next(0.3), undef, 'nothing for another tenant');

$t->done_testing;

###############################################################################

# the next event: of that type and camera, with such data, as described

sub told {
    my ($type, %data) = @_;

    my $event = $s->next(3);
    is($event->{type}, $type, $type);
    is_deeply([ $contract->schema_complaints('Event', $event->{json}) ], [],
        'as described');
    is_deeply({ map { $_ => $event->{json}{data}{$_} } keys %data }, \%data,
        'with its data');

    return $event->{json};
}
