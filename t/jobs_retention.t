#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for recordings that go: by age, by bytes of a camera and of its tenant,
# because somebody asked, never one on hold or one that is recorded, and never
# because of a clock.

use strict;
use warnings;

use Camera::Jobs;
use Camera::Stopwatch;
use Camera::Test::Cli;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Jobs->new;
$t->skip_without(qw(worker postgres migrations cli));

$t->start_jobs(clock => 1);
$t->sql('UPDATE tenants SET retention_days = 30');

my $cli = Camera::Test::Cli->new($t);
my ($gate, $door, $old) = map { $t->add_camera->{id} } 1 .. 3;
my $rows = 'SELECT count(*) FROM recordings';
my $day = 86400;

###############################################################################

# by age

my @kept = map { made($gate, time - $_ * $day) } 1, 20, 29;
my @gone = map { made($gate, time - $_ * $day) } 31, 40;
my $open = made($gate, time - 50 * $day, open => 1);

is_deeply([ dry_run() ], [ sort map { $_->{id} } @gone ], 'a dry run');
is($t->sql($rows), 6, 'changes nothing');
like($cli->run(qw(retention --dry-run))->{out},
    qr/2 recordings would go, 200 bytes/, 'and says what would go');

retention();
is($t->wait_sql(4, $rows), 4, 'by age: what the dry run said');
is(scalar(grep { exists_on_disk($_) } @gone), 0, 'and their files');
is(scalar(grep { exists_on_disk($_) } @kept), 3, 'others stay');
ok(exists_on_disk($open), 'and one that is recorded, however old');
is(glob($t->volume . '/media/*/' . day_of($gone[1])), undef,
    'a day without recordings has no directory');

$t->sql("UPDATE cameras SET retention_days = 10 WHERE id = '$gate'");
retention();
is($t->wait_sql(2, $rows), 2, 'of a camera that has its own limit');

# a hold

my $held = made($door, time - 40 * $day);
my $secret = made($door, time - 41 * $day);
my $hold = ($t->files($held))[0] =~ s/mp4$/hold/r;

$t->sql("UPDATE recordings SET locked = true, locked_reason = 'case 7'
    WHERE id = '$held->{id}'");
ok($t->wait_for(sub { -e $hold }, 3), 'a hold is beside the file');
$t->write_file(($t->files($secret))[0] =~ s/mp4$/hold/r, '');
retention();
is($t->wait_sql('a hold lies beside its file',
    "SELECT locked_reason FROM recordings WHERE id = '$secret->{id}'"),
    'a hold lies beside its file', 'one that only lies there counts as well');
ok(exists_on_disk($_), 'it stays') for $held, $secret;

$t->sql("UPDATE recordings SET locked = false, locked_reason = NULL
    WHERE id = '$held->{id}'");
ok($t->wait_for(sub { !-e $hold }, 3), 'the hold is released');
retention();
is($t->wait_sql(0, "$rows WHERE id = '$held->{id}'"), 0, 'and it goes');
$t->sql("UPDATE recordings SET locked = false, locked_reason = NULL");
retention();
is($t->wait_sql(2, $rows), 2, 'both');

# somebody asked

my $asked = made($door, time - $day);
my $watch = Camera::Stopwatch->start;
$t->sql("UPDATE recordings SET state = 'deleting' WHERE id = '$asked->{id}'");
is($t->wait_sql(0, "$rows WHERE id = '$asked->{id}'"), 0, 'deleted');
cmp_ok($watch->seconds, '<', 2, 'at once');
ok(!exists_on_disk($asked), 'with its files');

# a row whose path is none of ours is forgotten, and nothing is touched

my $foreign = $t->recording($door, time - 2 * $day, path => 'media/secret');
$t->write_file($t->volume . '/media/secret', 'x');
$t->journal(open => $foreign, close => { %$foreign, why => 'hour' });
$t->wait_sql(1, "$rows WHERE file_path = 'media/secret' AND state <> 'recording'");
$t->sql("UPDATE recordings SET state = 'deleting'
    WHERE file_path = 'media/secret'");
is($t->wait_sql('media/secret', 'SELECT path FROM recording_garbage'),
    'media/secret', 'a path that is none is garbage');
is($t->wait_sql(0, "$rows WHERE file_path = 'media/secret'"), 0, 'is forgotten');
ok(-e $t->volume . '/media/secret', 'and left alone');

# by bytes of a camera, then of the tenant: the oldest first

my @some = map { made($door, time - $_ * 3600) } reverse 1 .. 5;
$t->sql("UPDATE cameras SET retention_bytes = 350 WHERE id = '$door'");
retention();
is($t->wait_sql(3, "$rows WHERE camera_id = '$door'"), 3, 'bytes of a camera');
is(join(' ', map { exists_on_disk($_) } @some), '0 0 1 1 1', 'the oldest went');

made($old, time - 5 * $day);
$t->sql('UPDATE tenants SET retention_bytes = 450');
retention();
is($t->wait_sql(0, "$rows WHERE camera_id = '$old'"), 0, 'bytes of a tenant');
is($t->sql($rows . " WHERE camera_id = '$door'"), 3, 'the oldest of all went');
$t->sql('UPDATE tenants SET retention_bytes = NULL');

# a clock that is put forward makes nothing old

my $safe = made($old, time - 25 * $day);

$t->set_clock(10 * $day);
retention();
ok($t->wait_for(sub { $t->sql('SELECT ahead_msec FROM retention_clocks')
    > 9 * $day * 1000 }, 5), 'the clock is not believed');
like($t->worker->log, qr/the clock is 86[34]\d{3} s ahead/, 'which is said');
$t->sql('UPDATE cameras SET is_recording = true');
retention();
ok(exists_on_disk($safe), 'nothing goes');

# nor over restarts

$t->stop_jobs;
$t->set_clock(11.5 * $day);
$t->start_jobs(clock => 1);
is($t->wait_sql('medium', q{SELECT severity FROM alerts
    WHERE type = 'retention_held' AND resolved_at IS NULL}), 'medium',
    'an alert');
retention();
ok(exists_on_disk($safe), 'nothing goes after a restart');
like($cli->run(qw(retention))->{out}, qr/ 11 d ahead, not believed/,
    'the tool says so');
is($cli->run(qw(retention --dry-run --json))->{json}{recordings}, 0,
    'and counts by the time that is');

# until the clock is right again, or synchronised, or confirmed

my $calm = q{SELECT count(*) FROM alerts WHERE type = 'retention_held'
    AND resolved_at IS NULL};

$t->set_clock(0);
is($t->wait_sql(0, $calm), 0, 'right again');
$t->set_clock(2 * $day);
is($t->wait_sql(1, $calm), 1, 'a jump');
$t->set_clock(2 * $day, 1);
is($t->wait_sql(0, $calm), 0, 'synchronised');
$t->set_clock(10 * $day);
is($t->wait_sql(1, $calm), 1, 'a jump');
like($cli->run(qw(retention confirm))->{out}, qr/confirmed/, 'confirmed');
is($t->wait_sql(0, $calm), 0, 'and calm');
retention();
is($t->wait_sql(0, "$rows WHERE id = '$safe->{id}'"), 0,
    'then it counts as old');
$t->set_clock(-10 * $day);
retention();
is($t->sql($calm), 0, 'a clock that goes back makes nothing older');

# each step was told by the recorder, and is over after a minute

my $step = q{SELECT count(*) > 0 FROM alerts WHERE type = 'clock_jump'
    AND resolved_at IS NULL};
is($t->wait_sql('t', $step), 't', 'a step of the clock');
$t->sql("UPDATE alerts SET last_seen_at = now() - interval '2 min'");
is($t->wait_sql('f', $step), 'f', 'is over');

$t->stop_jobs;
$t->done_testing;

###############################################################################

# a recording with files of 100 bytes; closed unless told otherwise

sub made {
    my ($camera, $start, %opt) = @_;

    my $r = $t->recording($camera, $start, bytes => 100);
    $t->files($r);
    $t->journal(open => $r, $opt{open} ? () : (close => { %$r, why => 'hour' }));
    $t->wait_sql($opt{open} ? 't' : 'f',
        "SELECT state = 'recording' FROM recordings WHERE id = '$r->{id}'");

    return $r;
}

sub exists_on_disk {
    my ($r) = @_;

    return -e $t->volume . "/$r->{path}" ? 1 : 0;
}

sub day_of { (split m{/}, $_[0]{path})[2] }

sub dry_run {
    return sort map { (split /\t/)[0] } $t->sql('SELECT id
        FROM retention_candidates(100, now())');
}

# now, and not within the minute

sub retention {
    my $before = $t->sql('SELECT clock_timestamp()');
    $t->sql('NOTIFY retention_changed');
    $t->wait_sql(1, "SELECT count(*) FROM retention_clocks
        WHERE run_at > '$before'");
}
