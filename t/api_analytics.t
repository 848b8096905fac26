#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for how cameras did: a sample each minute becomes a series of time and
# totals of days, in the API and in Redis; a tenant at a glance; and nobody sees
# what is not theirs.

use strict;
use warnings;

use Camera::Test;
use Camera::Token qw(random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations redis worker ffmpeg tls
    camera_api_database));
$t->start_redis;
$t->start_api(camera => 'ring_size 1m; ring_max 1m; redis '
    . $t->redis_address . ';');
$t->start_worker;

# it is sampled some seconds after nginx began

my $live = $t->add_camera(name => 'live');
my $publisher = $t->publish($live);

my $admin = $t->add_user;
my $operator = $t->add_user(role => 'operator');
my $foreign = $t->add_user(tenant => $t->add_tenant);
my ($gate, $yard) = map { $t->sql("INSERT INTO cameras (name, external_id)
    VALUES ('$_', '$_') RETURNING id") } qw(gate yard);
my %both = ($gate => [ 15, 1000, 4 ], $yard => [ 25, 3000, 0 ]);

# of yesterday, all of which is over

my ($today, $day, $week) = map { $t->sql("SELECT ((now() AT TIME ZONE 'UTC')::date
    - $_)::text") } 0, 1, 7;

sample("${day}T10:00:00Z", t => %both);
sample("${day}T10:01:00Z", t => $gate => [ 14, 2000, 1 ]);
sample("${day}T10:06:00Z", f => $gate => [ 0, 0, 1 ]);

###############################################################################

# a series

my $r = series("from=${day}T10:00:00Z&to=${day}T10:15:00Z");
is_deeply($r, [
    { time => "${day}T10:00:00.000Z", uptime => 120, fps => 14.5,
      bitrate => 1_500_000, viewers => 2.5 },
    { time => "${day}T10:05:00.000Z", uptime => 0, fps => undef,
      bitrate => undef, viewers => 1 },
    { time => "${day}T10:10:00.000Z", uptime => 0, fps => undef,
      bitrate => undef, viewers => 0 } ], 'by five minutes')
    or diag(explain($r));

is_deeply([ map { $_->{uptime} }
    @{ series("from=${day}T09:59:00Z&to=${day}T11:00:00Z&interval=1h") } ],
    [ 0, 120 ], 'by hours, from a whole one on');
is_deeply([ map { $_->{uptime} }
    @{ series("from=${day}T00:00:00Z&to=${today}T00:00:00Z&interval=1d") } ],
    [ 120 ], 'by days');
like(scalar @{ series('') }, qr/^28[89]$/, 'the last day');

is(sample("${day}T10:01:20Z", t => %both), "$yard",
    'a minute is not counted twice');

# days

$t->add_recording_row($gate, start => "${day}T10:00:00Z", bytes => 700_000,
    seconds => 1800);

$r = days('');
is(scalar @$r, 7, 'a week');
is_deeply($r->[5], { date => $day, totalUptime => 120, avgBitrate => 1_500_000,
    peakViewers => 4, recordingSize => 700_000 }, 'yesterday');
is_deeply($r->[6], { date => $today, totalUptime => 0, avgBitrate => undef,
    peakViewers => 0, recordingSize => 0 }, 'today there was nothing');
is_deeply([ map { $_->{date} } @{ days("from=$day&to=$day") } ], [ $day ],
    'one day');
is(days("from=$day&to=$day", 'yard')->[0]{totalUptime}, 120,
    'by its externalId');

# bounds

for my $bad ("from=$today&to=$day", 'from=2026-01-01&to=2027-01-02', 'from=x',
    'from=2026-02-30', 'to=2026-01-01T00:00:00Z', 'day=1')
{
    is(api("/cameras/$gate/analytics?$bad")->{code}, 'VALIDATION_FAILED',
        "days: $bad");
}

is(scalar @{ days('from=2026-01-01&to=2027-01-01') }, 366, 'a year');

for my $bad ("from=${day}T10:00:00Z&to=${day}T10:00:00Z", "from=$day",
    'from=2026-01-01T00:00:00Z&to=2026-01-07T22:40:01Z', 'interval=2h')
{
    is(api("/analytics/cameras/$gate/metrics?$bad")->{code},
        'VALIDATION_FAILED', "series: $bad");
}

is(scalar @{ series('from=2026-01-01T00:00:00Z&to=2026-01-07T22:40:00Z') },
    2000, 'as many points as there may be');

# at a glance

$t->sql("SELECT alert_raise('$admin->{tenant}', '$gate', 'test', 'high', 'x')");
$t->sql("SELECT alert_raise('$admin->{tenant}', '$yard', 'test', 'low', 'x')");
$t->sql("SELECT alert_calm('$admin->{tenant}', '$yard', 'test')");
$t->add_recording_row($gate, open => 1, seconds => 36, bytes => 5,
    start => $t->sql("SELECT to_char(now() AT TIME ZONE 'UTC' - interval '1 min',
        'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"));

# nginx says what it sees of them, at any moment

$t->wait_for(sub {
    $t->sql("UPDATE cameras SET stream_status = 'error' WHERE id = '$yard'");
    $r = glance();
    return $r->{cameras}{online} == 1 && $r->{cameras}{error} == 1;
}, 10, 'one that is live');
is_deeply($r->{cameras}, { total => 3, online => 1, connecting => 0,
    offline => 1, error => 1, recording => 1 }, 'cameras');
is_deeply($r->{alerts}, { open => 1, bySeverity => { low => 0, medium => 0,
    high => 1, critical => 0 } }, 'alerts that are not over');
is($r->{viewers}, 0, 'nobody watches');
is($r->{recordingHours}{last7Days} + 0, 0.51, 'hours of recordings');
is($r->{storedBytes}, 700_005, 'and their bytes');

# whose it is

for my $path ("/cameras/$gate/analytics", "/analytics/cameras/$gate/metrics") {
    is(api($path, $foreign)->{code}, 'CAMERA_NOT_FOUND', "$path: foreign");
    is(api($path =~ s/\Q$gate/random_uuid()/er)->{code}, 'CAMERA_NOT_FOUND',
        'as one that is none');
    is(api($path, $t->add_user(role => 'viewer'))->{code},
        'AUTH_INSUFFICIENT_PERMISSIONS', 'not for who only watches');
}

is(glance($foreign)->{cameras}{total}, 0, 'another tenant has nothing');
is(glance($foreign)->{storedBytes}, 0, 'of ours');

$t->sql("UPDATE users SET camera_scope = 'granted'
    WHERE id = '$operator->{id}'");
$t->sql("INSERT INTO camera_grants (user_id, camera_id)
    VALUES ('$operator->{id}', '$yard')");
ok($t->wait_for(sub { glance($operator)->{cameras}{total} == 1 }, 8),
    'who sees one camera counts one');
is_deeply([ @{ glance($operator) }{qw(viewers storedBytes)} ], [ undef, 0 ],
    'nobody\'s viewers, and nothing recorded');
is(glance($operator)->{alerts}{open}, 0, 'no alert');
is(api("/cameras/$gate/analytics", $operator)->{code}, 'CAMERA_NOT_FOUND',
    'the other one is not there');
is(api("/cameras/$yard/analytics", $operator)->{status}, 200, 'this one is');

# what nginx samples

ok($t->wait_for(sub { days('', $live->{id})->[6]{totalUptime} > 0 }, 70),
    'a camera that publishes is sampled');
$r = (grep { $_->{uptime} } @{ series('', $live->{id}) })[0];
is($r->{fps} + 0, 15, 'its pictures');
cmp_ok(abs($r->{bitrate} - 970_000), '<', 250_000, "$r->{bitrate} bit/s");

my $key = "analytics:camera:$live->{id}:$today";
ok($t->wait_for(sub { $t->redis_cli('EXISTS', $key) }, 2), 'Redis has it');
my %copy = $t->redis_cli('HGETALL', $key);
is_deeply([ sort keys %copy ],
    [ sort qw(totalUptime avgBitrate peakViewers recordingSize) ], 'its fields');
is($copy{totalUptime}, 60, 'of a minute');
cmp_ok($t->redis_cli('TTL', $key), '>', 29 * 86400, 'for a month');

$publisher->stop;
$t->done_testing;

###############################################################################

sub api {
    my ($path, $user) = @_;

    return $t->api_get($path, token => ($user // $admin)->{token});
}

sub series {
    my ($query, $camera) = @_;

    return api('/analytics/cameras/' . ($camera // $gate) . "/metrics?$query")
        ->{json};
}

sub days {
    my ($query, $camera) = @_;

    return api('/cameras/' . ($camera // $gate) . "/analytics?$query")->{json};
}

sub glance {
    my ($user) = @_;

    return api('/analytics/dashboard', $user)->{json};
}

# fps, kbit/s and viewers of each camera, as nginx would tell them; those that
# were counted

sub sample {
    my ($at, $online, %of) = @_;

    my @cameras = sort keys %of;
    my $list = sub { '{' . join(',', map { $_[0]->($_) } @cameras) . '}' };

    return $t->sql(sprintf "SELECT camera_id FROM api_metrics_add('%s', '%s',
        '%s', '%s', '%s', '%s')", $list->(sub { $_[0] }),
        $list->(sub { $online }), (map { my $i = $_;
            $list->(sub { $of{ $_[0] }[$i] }) } 0 .. 2), $at);
}
