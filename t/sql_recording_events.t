#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for alerts, which are one row for each trouble, and for what clients that
# follow events are told of them, of recordings and of gaps.

use strict;
use warnings;

use Camera::Test;
use JSON::PP qw(decode_json);
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));

$t->start_postgres;
$t->migrate;

my $owner = $t->pg_session('camera_owner');
my $worker = $t->pg_session('camera_worker');
my $api = $t->pg_session('camera_api');
my $ear = $t->pg_session('camera_api');

my $volume = '00000000-0000-4000-8000-0000000000aa';
my $tenant = $owner->ask("INSERT INTO tenants (slug, name) VALUES ('b', 'B')
    RETURNING id");
my $camera = $owner->ask("INSERT INTO cameras (tenant_id, name, is_recording)
    VALUES ('$tenant', 'gate', true) RETURNING id");
my $user = $owner->ask("INSERT INTO users (tenant_id, username, password_hash)
    VALUES ('$tenant', 'anna', '\$2b\$12\$" . 'a' x 53 . "') RETURNING id");
my @heard;

$ear->ask('LISTEN api_event');
$api->ask("SET app.tenant = '$tenant'");

###############################################################################

# recordings

my ($id, $start) = split /\t/, $owner->ask("SELECT i.id,
    json_time(recording_start(i.id)) FROM recording_id(now()) i (id)");

$worker->ask("SELECT journal_open('$volume', '$id', '$camera', 'f', '$start')");
events('recording.started', { recordingId => $id, startTime => $start });
is("$heard[0]{tenantId} $heard[0]{cameraId}", "$tenant $camera", 'of the camera');
$worker->ask("SELECT journal_advance('$id', now(), 1, 1, 1)");
events();
my $end = $start =~ s/\d{3}Z$/999Z/r;
$worker->ask("SELECT journal_close('$id', '$end', 7, 1, 1, 'stop')");
events('recording.finished', { recordingId => $id, startTime => $start,
    endTime => $end, fileSize => 7 });
$api->ask("SELECT * FROM api_recording_delete('$id')");
events();
$worker->ask("SELECT recording_forget('$id')");
events('recording.deleted', { recordingId => $id });

$worker->ask("SELECT journal_open('$volume', i.id, '$camera', 'f',
        recording_start(i.id)),
    journal_close(i.id, recording_start(i.id), 7, 1, 1, 'recovered'),
    journal_gap('$camera', recording_start(i.id), recording_start(i.id)
        + interval '1 min', 'restart')
    FROM recording_id(now() - interval '2 hours') i (id)");
events();

# gaps

my $gap = $owner->ask("SELECT json_time(now() - interval '5 s')");
$worker->ask("SELECT journal_gap('$camera', '$gap', NULL, 'network')");
is($worker->ask('SELECT recording_gaps_tell()'), 0, 'a gap that may soon be over');
events();
is($worker->ask('SELECT recording_gaps_tell(4)'), 1, 'one that lasts');
events('recording.gap', { startTime => $gap, endTime => undef,
    cause => 'network' });
is($worker->ask('SELECT recording_gaps_tell(4)'), 0, 'is told of once');
$worker->ask("SELECT journal_gap('$camera', '$gap', '$end', 'network')")
    for 1, 2;
events('recording.gap', { startTime => $gap, endTime => $end,
    cause => 'network' });

# alerts of a camera

my $raise = "SELECT journal_alert('recording_gap', 'medium', '$camera', 'm')";
is($worker->ask($raise), 1, 'raised');
my $alert = $api->ask('SELECT id FROM api_alerts');
events('alert.created', about($alert));
$worker->ask($raise) for 1, 2;
events();
is($api->ask('SELECT count, acknowledged, resolved_at, title FROM api_alerts'),
    "3\tf\t\tm", 'counted, and told of once');
$worker->ask($raise =~ s/medium/critical/r);
events('alert.updated', about($alert, severity => 'critical'));
$owner->ask("UPDATE alerts SET last_seen_at = now() - interval '11 s'");
$worker->ask($raise =~ s/medium/critical/r);
events('alert.updated', about($alert, severity => 'critical'));

is($api->ask("SELECT acknowledged, acknowledged_by
    FROM api_alert_acknowledge('$alert', '$user')"), "t\tanna", 'acknowledged');
events('alert.acknowledged', about($alert, severity => 'critical'));
$api->ask("SELECT * FROM api_alert_acknowledge('$alert', '$user')");
events();

is($worker->ask("SELECT journal_calm('recording_gap', '$camera')"), 1, 'over');
events('alert.updated', about($alert, severity => 'critical'));
is($worker->ask("SELECT journal_calm('recording_gap', '$camera')"), 0, 'once');
$worker->ask($raise);
my $next = $api->ask("SELECT id FROM api_alerts WHERE resolved_at IS NULL");
isnt($next, $alert, 'the next time is another one');
events('alert.created', about($next));

# of a node

$owner->ask("INSERT INTO cameras (name) VALUES ('off')");
$ear->notified('api_event');
is($worker->ask("SELECT journal_alert('storage_full', 'critical', NULL, 'f')"),
    1, 'of a node: for who records');
$owner->ask("UPDATE cameras SET is_recording = true WHERE name = 'off'");
is($worker->ask("SELECT journal_alert('storage_full', 'critical', NULL, 'f')"),
    2, 'each of them');
is($api->ask("SELECT count FROM api_alerts WHERE type = 'storage_full'"), 2,
    'one row of one\'s own');
is($worker->ask("SELECT journal_calm('storage_full', NULL)"), 2, 'over for all');
my @told = map { decode_json($_)->{tenantId} } $ear->notified('api_event');
is((grep { $_ eq $tenant } @told), 2, 'told of when it came and went');

# the longest of them

$worker->ask("SELECT journal_alert('x', 'low', '$camera', repeat(chr(1), 2000))");
my ($payload) = $ear->notified('api_event');
cmp_ok(length $payload, '<', 7000, 'a long message stays short enough');
is(length decode_json($payload)->{data}{message}, 1000, 'and is cut');

$worker->ask("SELECT journal_alert('x', 'bad', '$camera', 'm')");
is($worker->state, '23514', 'no severity of one\'s own');

$t->done_testing;

sub about {
    my ($id, %with) = @_;

    return { alertId => $id, type => 'recording_gap', severity => 'medium',
        message => 'm', %with };
}

# events since the last call, as pairs of type and data

sub events {
    my @expected = @_;

    @heard = map { decode_json($_) } $ear->notified('api_event');
    is_deeply([ map { ($_->{type}, $_->{data}) } @heard ], \@expected,
        join(' ', grep { !ref } @expected) || 'no event');
}
