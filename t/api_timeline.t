#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for timelines at the API: recordings, gaps with their causes and markers
# of a day, exactly; those of a month, few enough for a screen; what is going on
# now; how much of each day there is.

use strict;
use warnings;

use Camera::Test;
use Camera::Token qw(random_uuid);
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $viewer = $t->add_user(role => 'viewer', username => 'vera');
my $foreign = $t->add_user(tenant => $t->add_tenant);
my ($gate, $yard) = map { $t->sql("INSERT INTO cameras (name, external_id)
    VALUES ('$_', '$_') RETURNING id") } qw(gate yard);

###############################################################################

my %day = (from => '2026-01-02T00:00:00Z', to => '2026-01-03T00:00:00Z');
my $r = timeline($gate, %day);

is($r->{status}, 200, 'a day without anything');
is_deeply($r->{json}, { cameraId => $gate, from => '2026-01-02T00:00:00.000Z',
    to => '2026-01-03T00:00:00.000Z', resolution => 0, segments => [],
    gaps => [], markers => [], recording => undef }, 'is empty');

# of the gate: from before midnight, two hours that touch, one after a gap

my @id = (record($gate, '2026-01-01T23:30:00Z'),
    map { record($gate, "2026-01-02T$_:00:00Z") } qw(10 11 13));
record($yard, '2026-01-02T10:00:00Z');
gap('2026-01-02T12:00:00Z', '2026-01-02T13:00:00Z', 'network');
gap('2026-01-01T22:00:00Z', '2026-01-02T00:00:00.500Z', 'disk');
gap('2026-01-01T20:00:00Z', '2026-01-01T21:00:00Z', 'camera');
gap('2026-01-02T14:00:00Z', undef, 'restart');

$r = timeline($gate, %day)->{json};
is_deeply([ map { "$_->{id} $_->{start} $_->{end}" } @{ $r->{segments} } ], [
    "$id[0] 2026-01-01T23:30:00.000Z 2026-01-02T00:30:00.000Z",
    "$id[1] 2026-01-02T10:00:00.000Z 2026-01-02T11:00:00.000Z",
    "$id[2] 2026-01-02T11:00:00.000Z 2026-01-02T12:00:00.000Z",
    "$id[3] 2026-01-02T13:00:00.000Z 2026-01-02T14:00:00.000Z",
    ], 'every recording that reaches into it');
is_deeply($r->{segments}[1], { id => $id[1], duration => 3600,
    fileSize => 1000, state => 'complete', count => 1,
    start => '2026-01-02T10:00:00.000Z', end => '2026-01-02T11:00:00.000Z' },
    'the fields of a segment');
is_deeply([ map { "$_->{cause} $_->{start} " . ($_->{end} // 'lasts') }
    @{ $r->{gaps} } ], [ 'disk 2026-01-01T22:00:00.000Z 2026-01-02T00:00:00.500Z',
    'network 2026-01-02T12:00:00.000Z 2026-01-02T13:00:00.000Z',
    'restart 2026-01-02T14:00:00.000Z lasts' ], 'every gap that does');
is_deeply([ sort keys %{ $r->{gaps}[0] } ],
    [ qw(cause count duration end start) ], 'the fields of a gap');

is_deeply(timeline('gate', %day)->{json}{segments}, $r->{segments},
    'by external id');

# ends are sharp

is(scalar @{ timeline($gate, from => '2026-01-02T12:00:00Z',
    to => '2026-01-02T13:00:00Z')->{json}{segments} }, 0, 'nothing in the gap');
is(scalar @{ timeline($gate, from => '2026-01-02T11:59:59.999Z',
    to => '2026-01-02T13:00:00.001Z')->{json}{segments} }, 2,
    'a millisecond on each side of it');

# what is coarser

is_deeply([ map { "$_->{count} $_->{duration}" } @{ timeline($gate, %day,
    resolution => 60)->{json}{segments} } ], [ '1 3600', '2 7200', '1 3600' ],
    'recordings that touch are one');
is_deeply([ map { $_->{count} } @{ timeline($gate, %day, resolution => 3601)
    ->{json}{segments} } ], [ 1, 3 ], 'and over a gap that is shorter');

# markers

$t->sql("INSERT INTO bookmarks (camera_id, at, until, label) VALUES
    ('$gate', '2026-01-02T10:00:00Z', NULL, 'a moment'),
    ('$gate', '2026-01-01T23:00:00Z', '2026-01-02T01:00:00Z', 'a time'),
    ('$gate', '2026-01-04T00:00:00Z', NULL, 'another day'),
    ('$yard', '2026-01-02T10:00:00Z', NULL, 'another camera');
    INSERT INTO recording_events (camera_id, start_time, until_time, reason)
    VALUES ('$gate', '2026-01-02T11:00:00Z', '2026-01-02T11:01:00Z', 'door');
    SELECT alert_raise(tenant_id, id, 'recording_gap', 'medium', 'a gap', '{}',
    '2026-01-02T12:00:10Z') FROM cameras WHERE id = '$gate'");
is_deeply([ map { "$_->{type} $_->{time} " . ($_->{until} // '-')
    . " $_->{label}" } @{ timeline($gate, %day)->{json}{markers} } ], [
    'bookmark 2026-01-01T23:00:00.000Z 2026-01-02T01:00:00.000Z a time',
    'bookmark 2026-01-02T10:00:00.000Z - a moment',
    'event 2026-01-02T11:00:00.000Z 2026-01-02T11:01:00.000Z door',
    'alert 2026-01-02T12:00:10.000Z - a gap' ], 'what to look at, in order');

# a year of short recordings fits on a screen

$t->sql("SELECT journal_open('@{[ random_uuid() ]}', i.id, '$yard',
        'media/' || i.id || '.mp4', recording_start(i.id)),
    journal_close(i.id, recording_start(i.id) + interval '10 minutes', 1,
        600000000, 1, 'hour')
    FROM generate_series(0, 299) n, recording_id('2026-02-01T00:00:00Z'::timestamptz
        + n * interval '144 minutes') i (id)");
$r = timeline($yard, from => '2026-01-01T00:00:00Z',
    to => '2027-01-01T00:00:00Z')->{json};
cmp_ok($r->{resolution}, '>', 600, "a step of $r->{resolution} s");
cmp_ok(scalar @{ $r->{segments} }, '<', 10, scalar @{ $r->{segments} }
    . ' segments');
is(eval { my $n = 0; $n += $_->{count} for @{ $r->{segments} }; $n }, 301,
    'which are all of them');
is(scalar @{ timeline($yard, from => '2026-02-01T00:00:00Z',
    to => '2026-02-03T00:00:00Z')->{json}{segments} }, 20, 'two days, exactly');

# what is going on now

$t->run({ user => 'www-data' }, $t->root . '/build/t/tool/record_state',
    $t->shm, camera => $gate, 1, 1767369600000, 1767369665000, 4711);
ok($t->wait_for(sub { timeline($gate, %day)->{json}{recording} }, 3), 'now');
is_deeply(timeline($gate, %day)->{json}{recording}, { state => 'recording',
    bytes => 4711, startTime => '2026-01-02T16:00:00.000Z',
    endTime => '2026-01-02T16:01:05.000Z' }, 'what is being recorded');

# what is none

for my $bad ({}, { from => $day{from} }, { from => $day{to}, to => $day{from} },
    { from => $day{from}, to => $day{from} }, { %day, resolution => -1 },
    { %day, resolution => 86401 }, { %day, from => 'now' },
    { from => '2026-01-01T00:00:00Z', to => '2027-01-02T00:00:00.001Z' })
{
    is(timeline($gate, %$bad)->{code}, 'VALIDATION_FAILED',
        'refused: ' . query(%$bad));
}

# days

$r = coverage($gate, from => '2026-01-01T00:00:00Z',
    to => '2026-01-03T00:00:00Z');
is_deeply([ map { $_->{date} } @{ $r->{json} } ], [ '2026-01-01',
    '2026-01-02' ], 'days');
is_deeply($r->{json}[0], { date => '2026-01-01', wantedSeconds => 14400,
    recordedSeconds => 3600, percent => 25 }, 'how much of one there is');
is_deeply(coverage($yard, from => '2026-01-01T00:00:00Z',
    to => '2026-01-01T00:00:01Z')->{json}, [ { date => '2026-01-01',
    wantedSeconds => 0, recordedSeconds => 0, percent => undef } ],
    'where nothing was wanted');
is(coverage($gate, from => $day{to}, to => $day{from})->{code},
    'VALIDATION_FAILED', 'no day');

# a removed camera's recordings are to be found; another tenant's are not

$t->sql("UPDATE cameras SET deleted_at = now() WHERE id = '$gate'");
is(scalar @{ timeline($gate, %day)->{json}{segments} }, 4, 'a removed camera');
is(timeline('gate', %day)->{code}, 'CAMERA_NOT_FOUND',
    'has no external id any more');

for my $what (qw(timeline coverage)) {
    my @answers = map { bytes("/recordings/$what/$_?" . query(%day)) }
        $yard, random_uuid(), 'yard';
    like($answers[0], qr/"CAMERA_NOT_FOUND"/, "$what of another tenant");
    is($_, $answers[0], 'is unknown') for @answers[1, 2];
}

$t->done_testing;

###############################################################################

sub record {
    my ($camera, $start) = @_;

    return $t->add_recording_row($camera, start => $start, seconds => 3600);
}

sub gap {
    my ($from, $to, $cause) = @_;

    $to = defined $to ? "'$to'" : 'NULL';
    $t->sql("SELECT journal_gap('$gate', '$from', $to, '$cause')");
}

sub query { my %q = @_; return join '&', map { "$_=$q{$_}" } sort keys %q }

sub timeline {
    my ($camera, @query) = @_;

    return $t->api_get("/recordings/timeline/$camera?" . query(@query),
        token => $viewer->{token});
}

sub coverage {
    my ($camera, @query) = @_;

    return $t->api_get("/recordings/coverage/$camera?" . query(@query),
        token => $viewer->{token});
}

# an answer to the other tenant with what differs for a good reason taken out

sub bytes {
    my ($path) = @_;

    my $r = $t->api_get($path, token => $foreign->{token});
    my $text = "$r->{header}\n$r->{body}";

    $text =~ s/^(?:Date|RateLimit|X-Request-Id): .*\n//mg;
    $text =~ s/"(?:timestamp|requestId)":"[^"]*"//g;

    return $text;
}
