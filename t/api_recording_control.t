#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for starting and stopping recordings at the API: all the time, by event,
# by a weekly schedule; what the camera-worker is then told to do; refusals where
# this node's storage cannot take it.

use strict;
use warnings;

use Camera::Test;
use Camera::Token qw(random_uuid);
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $operator = $t->add_user(role => 'operator');
my $foreign = $t->add_user(tenant => $t->add_tenant);
my $id = $t->sql("INSERT INTO cameras (name, external_id)
    VALUES ('gate', 'gate') RETURNING id");

###############################################################################

# all the time

is(wish(), '', 'nothing is wanted');

my $r = post('start');
is($r->{status}, 200, 'started');
is_deeply([ sort keys %{ $r->{json} } ], [ sort qw(cameraId mode eventId
    startTime untilTime) ], 'its fields');
is_deeply([ @{ $r->{json} }{qw(cameraId mode eventId untilTime)} ],
    [ $id, 'continuous', undef, undef ], 'all the time');
is(wish(), 'true,endless', 'is wanted');
is(camera()->{isRecording}, JSON::PP::true, 'as the camera says');
is(post('start')->{status}, 200, 'once more is no error');

$r = post('stop');
is_deeply([ $r->{status}, @{ $r->{json} }{qw(cameraId mode)} ],
    [ 200, $id, 'off' ], 'stopped');
is(wish(), '', 'nothing is wanted again');
is(camera()->{isRecording}, JSON::PP::false, 'as the camera says');
is(post('stop')->{status}, 200, 'once more is no error');

# an event

$r = post('start', { durationSeconds => 60, preRollSeconds => 10,
    reason => 'door' });
is_deeply([ @{ $r->{json} }{qw(cameraId mode)} ], [ $id, 'event' ], 'an event');
is(seconds($r->{json}{untilTime}) - seconds($r->{json}{startTime}), 70,
    'with what was before it');
is($t->sql("SELECT reason || ' ' || (created_by = '$operator->{id}')
    FROM recording_events WHERE id = '$r->{json}{eventId}'"), 'door true',
    'why, and by whom');
is(wish(), 'true,ends', 'is wanted, for a while');
is(camera()->{isRecording}, JSON::PP::false, 'not all the time');

is(post('stop')->{status}, 200, 'stopped');
is(wish(), '', 'and over');

for my $bad ({ durationSeconds => 0 }, { durationSeconds => 86401 },
    { preRollSeconds => 5 }, { reason => 'x' }, { durationSeconds => '5' },
    { durationSeconds => 5, preRollSeconds => 301 }, { forever => JSON::PP::true })
{
    is(post('start', $bad)->{code}, 'VALIDATION_FAILED',
        JSON::PP->new->canonical->encode($bad));
}

# a schedule

is_deeply(schedule('GET')->{json}, { cameraId => $id, timezone => undef,
    windows => undef, updatedAt => undef }, 'no schedule');

my $never = { timezone => 'Europe/Berlin', windows => [] };
my $always = { timezone => 'Asia/Tokyo', windows => [ map { { day => $_,
    from => '00:00', to => '24:00' } } 0 .. 6 ] };

$r = schedule(PUT => $never);
is_deeply([ $r->{status}, @{ $r->{json} }{qw(timezone windows)} ],
    [ 200, 'Europe/Berlin', [] ], 'a schedule that never records');
post('start');
is(wish(), 'false,endless', 'nothing is wanted');
is(schedule(PUT => $always)->{status}, 200, 'one that always does');
is(wish(), 'true,endless', 'it is wanted');
is_deeply([ @{ schedule('GET')->{json} }{qw(timezone windows)} ],
    [ @$always{qw(timezone windows)} ], 'as it was set');
is(schedule('DELETE')->{status}, 204, 'taken away');
is(schedule('DELETE')->{status}, 204, 'once more is no error');
is(schedule('GET')->{json}{windows}, undef, 'it is gone');
is(wish(), 'true,endless', 'and the camera records all the time');

for my $bad ({}, { timezone => 'UTC' }, { %$never, windows => {} },
    { %$never, timezone => 'Mars/Base' }, { %$never, timezone => '../etc' },
    { %$never, windows => [ 1 ] }, window(day => 7), window(day => 'Monday'),
    window(from => '8:00'), window(from => '08:60'), window(to => '24:01'),
    window(to => '08:00'), window(name => 'x'),
    { %$never, windows => [ map { window()->{windows}[0] } 1 .. 65 ] })
{
    $r = schedule(PUT => $bad);
    is($r->{code}, 'VALIDATION_FAILED', 'refused: '
        . substr JSON::PP->new->canonical->encode($bad), 0, 70);
}

is(schedule(PUT => window(from => '23:59', to => '24:00'))->{status}, 200,
    'until midnight');

# what this node says of its storage: an answer of the past second is believed

is(recording(), undef, 'a node that does not record');
record_state(volume => 0, 4, 0);
ok($t->wait_for(sub { (post('start')->{code} // '') eq 'RECORDING_FAILED' }, 3),
    'the only volume fails');
is(post('start')->{status}, 500, 'which is 500');
record_state(volume => 1, 3, 0);
$r = post('start', { durationSeconds => 5 });
is_deeply([ $r->{status}, $r->{code} ], [ 507, 'STORAGE_FULL' ],
    'the other one is full');
record_state(volume => 2, 1, 60_000);
is(post('start')->{code}, 'STORAGE_FULL', 'a third one was good once');
record_state(volume => 2, 2, 0);
is(post('start')->{status}, 200, 'one that makes room');

record_state(camera => $id, 1, 1767225600000, 1767225660500, 12345);
is_deeply(recording(), { state => 'recording', bytes => 12345,
    startTime => '2026-01-01T00:00:00.000Z',
    endTime => '2026-01-01T00:01:00.500Z' }, 'what is being recorded');
record_state(camera => $id, 2, 0, 0, 0);
is_deeply(recording(), { state => 'waiting', startTime => undef,
    endTime => undef, bytes => undef }, 'waiting for the camera');

# others

for my $request ([ POST => 'start' ], [ POST => 'stop' ], [ GET => 'schedule' ],
    [ DELETE => 'schedule' ], [ PUT => 'schedule', $never ])
{
    my ($method, $what, $json) = @$request;
    my @answers = map { bytes($method, "/cameras/$_/recording/$what", $json) }
        $id, random_uuid();

    is($answers[0], $answers[1], "$method $what of another tenant");
    like($answers[0], qr/"CAMERA_NOT_FOUND"/, 'is unknown');
}

$t->sql("UPDATE cameras SET deleted_at = now() WHERE id = '$id'");
is(post('start')->{code}, 'CAMERA_NOT_FOUND', 'a removed camera');

$t->done_testing;

###############################################################################

sub post {
    my ($what, $json) = @_;

    return $t->api(POST => "/cameras/$id/recording/$what",
        token => $operator->{token}, $json ? (json => $json) : ());
}

sub schedule {
    my ($method, $json) = @_;

    return $t->api($method, "/cameras/$id/recording/schedule",
        token => $operator->{token}, $json ? (json => $json) : ());
}

sub window {
    my (%other) = @_;

    return { timezone => 'UTC', windows => [ { day => 1, from => '08:00',
        to => '09:00', %other } ] };
}

sub camera { $t->api_get("/cameras/$id", token => $operator->{token})->{json} }

# "want,end" of what the camera-worker is told; empty: nothing

sub wish {
    return $t->sql("SELECT want || ',' || CASE WHEN until_time IS NULL
        THEN 'endless' ELSE 'ends' END
        FROM recording_wishes() WHERE camera = '$id'") // '';
}

sub recording {
    return $t->api_get("/cameras/$id/status",
        token => $operator->{token})->{json}{recording};
}

sub record_state {
    my ($what, @args) = @_;

    $t->run({ user => 'www-data' },
        $t->root . '/build/t/tool/record_state', $t->shm, $what,
        @args);
}

sub seconds {
    my ($time) = @_;

    return $t->sql("SELECT round(extract(epoch FROM '$time'::timestamptz))");
}

sub bytes {
    my ($method, $path, $json) = @_;

    my $r = $t->api($method, $path, token => $foreign->{token},
        $json ? (json => $json) : ());
    my $text = "$r->{header}\n$r->{body}";

    $text =~ s/^(?:Date|RateLimit|X-Request-Id): .*\n//mg;
    $text =~ s/"(?:timestamp|requestId)":"[^"]*"//g;

    return $text;
}
