#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for /settings: what a tenant has chosen is shown in one place, each section
# is changed at its own, by who manages the tenant, and counts from then on.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $admin = $t->add_user(username => 'anna');
my $operator = $t->add_user(role => 'operator');
my $foreign = $t->add_user(tenant => $t->add_tenant('other'));
my $camera = $t->sql("INSERT INTO cameras (name) VALUES ('gate') RETURNING id");

###############################################################################

is_deeply(settings($admin), { alerts => { recordingGapSeconds => 30 },
    recording => { retentionDays => 30, retentionBytes => undef } },
    'what nobody chose');
is_deeply(get('/settings/alerts')->{json}, { recordingGapSeconds => 30 },
    'a section');

is(patch({ recordingGapSeconds => 60 })->{json}{recordingGapSeconds}, 60,
    'changed');
is(patch({})->{json}{recordingGapSeconds}, 60, 'nothing is sent, nothing changes');
$t->api(PATCH => '/settings/recording', token => $admin->{token},
    json => { retentionDays => undef, retentionBytes => 5_000_000 });
is_deeply(settings($admin), { alerts => { recordingGapSeconds => 60 },
    recording => { retentionDays => undef, retentionBytes => 5_000_000 } },
    'all of it');
is(settings($foreign)->{alerts}{recordingGapSeconds}, 30, 'of one tenant');

# it counts

is($t->sql("SELECT recording_gap_alert('$camera', now() - interval '40 s', now(),
    'network')"), 'f', 'a gap that is shorter is no alert');
is($t->sql("SELECT recording_gap_alert('$camera', now() - interval '80 s', now(),
    'network')"), 't', 'a longer one is');

# what cannot be

is(patch({ recordingGapSeconds => $_ })->{code}, 'VALIDATION_FAILED',
    'not ' . ($_ // 'null')) for 0, -1, 86401, '60', undef;
is(patch({ retentionDays => 1 })->{code}, 'VALIDATION_FAILED',
    'another section has its own address');
is($t->api(PATCH => '/settings', token => $admin->{token}, json => {})->{code},
    'METHOD_NOT_ALLOWED', 'and all together none');
is($t->api(@$_, token => $operator->{token})->{code},
    'AUTH_INSUFFICIENT_PERMISSIONS', "for admins: @$_[0, 1]")
    for [ GET => '/settings' ], [ GET => '/settings/alerts' ],
        [ PATCH => '/settings/alerts', json => {} ];

# who did it

my ($entry) = @{ get('/audit?objectType=tenant&limit=2')->{json} }[1];
is_deeply([ @$entry{qw(actor action old new)} ], [ 'anna', 'tenant.update',
    { gap_alert_sec => 30 }, { gap_alert_sec => 60 } ], 'stands in the audit');

$t->done_testing;

###############################################################################

sub get {
    my ($path) = @_;

    return $t->api_get($path, token => $admin->{token});
}

sub settings {
    my ($user) = @_;

    return $t->api_get('/settings', token => $user->{token})->{json};
}

sub patch {
    my ($json) = @_;

    return $t->api(PATCH => '/settings/alerts', token => $admin->{token},
        json => $json);
}
