#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for storage at the API: what recordings take, by camera, tier and day,
# and how long there is room; how long they are kept, of a tenant and of a
# camera, and what would go by that.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $admin = $t->add_user;
my $foreign = $t->add_user(tenant => $t->add_tenant);
my ($gate, $yard) = map { $t->sql("INSERT INTO cameras (name) VALUES ('$_')
    RETURNING id") } qw(gate yard);
my $theirs = $t->sql("INSERT INTO cameras (name, tenant_id)
    VALUES ('theirs', '$foreign->{tenant}') RETURNING id");

###############################################################################

# usage

is_deeply(usage($admin), { bytes => 0, recordings => 0, recordedSeconds => 0,
    bytesTotal => 0, bytesFree => 0, growthPerDay => 0, daysLeft => undef,
    tiers => {}, cameras => [], days => [] }, 'nothing');

my @day = map { $t->sql("SELECT ((now() AT TIME ZONE 'UTC')::date - $_)::text") }
    0 .. 40;
my @old = map { $t->add_recording_row($gate, start => "$day[40]T0$_:00:00Z",
    bytes => 1000) } 0 .. 2;
my @new = map { $t->add_recording_row($yard, start => "$day[$_]T01:00:00Z",
    bytes => 700_000) } 1, 2;
$t->add_recording_row($theirs, start => "$day[1]T00:00:00Z", bytes => 300_000);
$t->sql("SELECT volume_report('@{[ $t->{row_volume} ]}', 'n', '/v', 'ok',
    10000000, 8500000)");

my $r = usage($admin);
is_deeply([ @$r{qw(bytes recordings recordedSeconds bytesTotal bytesFree)} ],
    [ 1_403_000, 5, 3000, 10_000_000, 8_500_000 ], 'the sums');
is_deeply($r->{tiers}, { hot => 1_403_000 }, 'by tier');
is_deeply($r->{cameras}, [
    { cameraId => $yard, name => 'yard', bytes => 1_400_000, recordings => 2,
      recordedSeconds => 1200, oldestDay => $day[2] },
    { cameraId => $gate, name => 'gate', bytes => 3000, recordings => 3,
      recordedSeconds => 1800, oldestDay => $day[40] } ],
    'by camera, who takes most first');
is_deeply($r->{days}, [ map { { day => $day[$_], bytes => 700_000,
    recordings => 1 } } 2, 1 ], 'by day, of the last month');
is($r->{growthPerDay}, 700_000, 'what comes each day');
is($r->{daysLeft} + 0, 10, 'how long there is room, for all tenants');

is_deeply([ map { $_->{name} } @{ usage($foreign)->{cameras} } ], [ 'theirs' ],
    'each tenant its own');

# how long it is kept

is_deeply(settings('GET')->{json}, { retentionDays => 30,
    retentionBytes => undef }, 'a month, as long as nothing else is said');
is_deeply([ map { "$_->{id} $_->{why}" } @{ preview()->{json} } ],
    [ map { "$_ age" } @old ], 'what would go, the oldest first');
is_deeply([ sort keys %{ preview()->{json}[0] } ],
    [ sort qw(id cameraId startTime endTime fileSize why) ], 'its fields');
is(scalar @{ preview('?max=2')->{json} }, 2, 'some of it');

$r = settings(PATCH => { retentionDays => 41 });
is_deeply([ $r->{status}, $r->{json} ], [ 200, { retentionDays => 41,
    retentionBytes => undef } ], 'longer');
is_deeply(preview()->{json}, [], 'nothing would go');
is_deeply(settings(PATCH => { retentionBytes => 1_402_500 })->{json},
    { retentionDays => 41, retentionBytes => 1_402_500 }, 'and no more than');
is_deeply([ map { "$_->{id} $_->{why}" } @{ preview()->{json} } ],
    [ "$old[0] tenant bytes" ], 'which one would go for');
is_deeply(settings(PATCH => { retentionDays => undef,
    retentionBytes => undef })->{json}, { retentionDays => undef,
    retentionBytes => undef }, 'without limits');

# a camera for itself

$r = camera(PUT => { retentionDays => 10, retentionBytes => 1500 });
is_deeply([ @{ $r->{json} }{qw(retentionDays retentionBytes)} ], [ 10, 1500 ],
    'of a camera');
my $version = $r->{headers}{etag};
is(camera(PUT => { retentionDays => 11 }, headers => [ 'If-Match: "1"' ])
    ->{code}, 'PRECONDITION_FAILED', 'which is a change of the camera');
is(camera(PUT => { retentionDays => 12 },
    headers => [ "If-Match: $version" ])->{json}{retentionDays}, 12, 'indeed');
is_deeply([ map { $_->{why} } @{ preview()->{json} } ], [ ('age') x 3 ],
    'its own would go');
camera(PUT => { retentionDays => undef });
is_deeply([ map { "$_->{id} $_->{why}" } @{ preview()->{json} } ],
    [ map { "$_ camera bytes" } @old[0, 1] ], 'or as many as are too much');
is_deeply([ @{ camera('GET')->{json} }{qw(retentionDays retentionBytes)} ],
    [ undef, 1500 ], 'null takes one away');

$t->sql("SELECT api_recording_hold('$old[0]', 'case')");
is_deeply([ map { $_->{id} } @{ preview()->{json} } ], [ @old[1, 2] ],
    'what is on hold never goes');
is($t->sql("SELECT count(*) FROM recordings WHERE state = 'deleting'"), 0,
    'looking removes nothing');

# what is none

for my $bad ({ retentionDays => 0 }, { retentionDays => 3651 },
    { retentionBytes => 0 }, { retentionBytes => 1.5 }, { days => 1 },
    { retentionDays => '30' }, [])
{
    is(settings(PATCH => $bad)->{code}, 'VALIDATION_FAILED', 'refused');
}

is(preview("?max=$_")->{code}, 'VALIDATION_FAILED', "max=$_") for 0, 1001, 'x';

# tenants

is_deeply($t->api_get('/settings/recording', token => $foreign->{token})
    ->{json}, { retentionDays => 30, retentionBytes => undef },
    'another tenant\'s are as they were');
is_deeply($t->api_get('/recordings/retention/preview',
    token => $foreign->{token})->{json}, [], 'and nothing of theirs goes');

$t->done_testing;

###############################################################################

sub usage {
    my ($user) = @_;

    return $t->api_get('/analytics/storage/usage', token => $user->{token})
        ->{json};
}

sub settings {
    my ($method, $json) = @_;

    return $t->api($method, '/settings/recording', token => $admin->{token},
        $json ? (json => $json) : ());
}

sub preview {
    my ($query) = @_;

    return $t->api_get('/recordings/retention/preview' . ($query // ''),
        token => $admin->{token});
}

sub camera {
    my ($method, $json, %opt) = @_;

    return $t->api($method, "/cameras/$gate", token => $admin->{token},
        $json ? (json => $json) : (), %opt);
}
