#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for encrypted recordings behind the recorder: the wish comes from the
# camera's row, a missing key is an alert and a gap, a finished one is probed and
# checked without any key, and an export of it is that of a plain twin.

use strict;
use warnings;

use Camera::Jobs;
use Camera::Playback;
use Camera::Test::Cli;
use Digest::SHA qw(sha256_hex);
use JSON::PP;
use Test::More;

my $t = Camera::Jobs->new;
$t->skip_without(qw(worker cli ffmpeg postgres migrations nginx
    camera_recordings));

my $keys = $t->keys_file;
my @all = @{ $t->{keys} };
put_keys(grep { $_->{use} ne 'recording' } @all);
$t->start_jobs(args => [ '--keys', $keys ]);

###############################################################################

# a camera that is to be encrypted, and no key

my $id = $t->camera;
my $feed = $t->feed({ speed => 1 }, 'small', '--loop=1000');
$t->wait_index(sub { $_[0]{segments} > 1 }, 10);
$t->sql("INSERT INTO cameras (id, name, is_recording, recording_encrypted)
    VALUES ('$id', 'Vault', true, true)");

is(sql_says('critical', "SELECT severity FROM alerts WHERE camera_id = '$id'
    AND type = 'recording_key_missing' AND resolved_at IS NULL"), 'critical',
    'an alert');
is(sql_says('key', "SELECT cause FROM recording_gaps
    WHERE camera_id = '$id' AND end_time IS NULL"), 'key',
    'a gap with its cause');
is($t->sql("SELECT count(*) FROM recordings WHERE camera_id = '$id'"), 0,
    'nothing was recorded');
is(() = glob($t->volume . "/media/$id/*/*.mp4"), 0, 'not even begun');

# the key comes

put_keys(@all);
is(sql_says(1, "SELECT count(*) FROM recordings WHERE camera_id = '$id'
    AND state = 'recording'"), 1, 'recorded as soon as there is one');
is(sql_says(0, "SELECT count(*) FROM alerts WHERE camera_id = '$id'
    AND type = 'recording_key_missing' AND resolved_at IS NULL"), 0,
    'which ends the alert');
is(sql_says(0, "SELECT count(*) FROM recording_gaps
    WHERE camera_id = '$id' AND end_time IS NULL"), 0, 'and the gap');
my ($file) = glob $t->volume . "/media/$id/*/*.mp4";
ok($t->wait_for(sub { -s $file > 50_000 }, 10, 'some of it'), 'it grows');
unlike($t->read_file($file), qr/mdat/, 'encrypted');

# the row says plain: another file, at once

$t->sql("UPDATE cameras SET recording_encrypted = false WHERE id = '$id'");
is(sql_says('encryption', "SELECT close_reason FROM recordings
    WHERE camera_id = '$id' AND state <> 'recording'"), 'encryption',
    'switched off, another file begins');
ok($t->wait_for(sub { my @f = sort glob $t->volume . "/media/$id/*/*.mp4";
    @f == 2 && $t->read_file($f[1]) =~ /mdat/ }, 10, 'plain bytes'),
    'which is plain');
$feed->stop;

# probed without a key: what is right, what is not encrypted, what is damaged

my ($plain, $sealed) = map { $t->add_camera(name => $_) } qw(plain sealed);
my $start = int(time / 3600) * 3600 - 86400;
my @twin = map { $t->add_recording($_, start => $start,
    encrypt => $_ == $sealed) } $plain, $sealed;
my $half = $t->add_recording($sealed, start => $start + 600, encrypt => 1);
my $bytes = $t->read_file($half->{file});
substr($bytes, index($bytes, 'edat'), 4) = 'mdat';
$t->write_file($half->{file}, $bytes);
$t->sql("UPDATE recordings SET probed_at = NULL, state = 'complete'
    WHERE id = '$half->{id}'");

is(sql_says(0, "SELECT count(*) FROM recordings WHERE probed_at IS NULL
    AND state <> 'recording'"), 0, 'probed');
is($t->sql("SELECT state FROM recordings WHERE id = '$twin[1]{id}'"), 'complete',
    'an encrypted one is whole');
like($t->sql("SELECT probe_error FROM recordings WHERE id = '$half->{id}'"),
    qr/is no moof and edat/, 'one that is not encrypted is damaged');

# its export is that of the plain twin

my ($one, $two) = map { export($_, $start + 3, $start + 9) } $plain, $sealed;
is("$one->{state} $two->{state}", 'done done', 'both are exported')
    or diag($two->{error});
my $opened = $t->run($t->root . '/build/t/tool/record_plain', $t->keys_file,
    path($two));
my $sample = substr $t->read_file(path($one)), -100_000;
is(index($t->read_file(path($two)), substr $sample, 0, 50), -1,
    'on disk it is encrypted, too');
unlike($t->read_file(path($two)), qr/moov/, 'as a whole');
is(substr($opened, -100_000), $sample, 'the same bytes for who has the key');
is(sha256_hex($opened), $t->sql("SELECT sha256 FROM exports
    WHERE id = '$two->{id}'"), 'SHA-256 is of these');
is((stat path($two))[7], $t->sql("SELECT bytes FROM exports
    WHERE id = '$two->{id}'"), 'and size');
$t->write_file("$t->{dir}/opened.mp4", $opened);
is_deeply([ $t->frame_numbers("$t->{dir}/opened.mp4") ],
    [ $t->frame_numbers(path($one)) ], 'the same frames');
ok(!-e path($one) =~ s/mp4$/key/r, 'a plain one has no key');

# nginx decrypts it for who has a link

$t->nginx_conf(Camera::Playback->conf($t, volumes => [ $t->volume ]));
$t->start_nginx;
my ($p1, $p2) = map { Camera::Playback->new($t, { %$_, epoch => 1 }) }
    $plain, $sealed;
my $link = $p2->download(id => $two->{id});
ok($t->wait_for(sub { $t->http_get($link)->{status} == 200 }, 10, 'the camera'),
    'a download of it');
ok($t->http_get($link)->{body} eq $opened, 'is the plain file');
$bytes = $t->http_get($link, headers => [ 'Range: bytes=1001-50020' ]);
is($bytes->{status}, 206, 'a range');
ok($bytes->{body} eq substr($opened, 1001, 49_020), 'of it');
ok($t->http_get($p1->download(id => $one->{id}))->{body}
    eq $t->read_file(path($one)), 'a plain one is sent as ever');
$t->stop_nginx;

# a fragment that was damaged on disk is named, and its neighbours are whole

my $broken = $t->add_recording($sealed, start => $start + 1200, encrypt => 1);
$bytes = $t->read_file($broken->{file});
substr($bytes, 100_000, 20) = 'x' x 20;
$t->write_file($broken->{file}, $bytes);
my $e = export($sealed, $start + 1200, $start + 1220);
my $m = decode_json($t->read_file($t->volume . "/exports/$e->{id}.json"));
is(@{ $m->{damaged} }, 1, 'damage is found by what is on disk');

# fsck needs no key, and does not make up an index of what it cannot read

my $cli = Camera::Test::Cli->new($t, CAMERA_ENV => '/dev/null',
    CAMERA_DATABASE_URL => $t->database_url('camera_owner'),
    CAMERA_RECORD => $t->volume);
$t->stop_jobs;
unlink map { $_->{file}, $_->{index} } $half, $broken;
$t->sql("DELETE FROM recordings WHERE id IN ('$half->{id}', '$broken->{id}')");
$cli->run('fsck');
my $r = $cli->run(qw(fsck --json --deep));
is("$r->{status} $r->{json}{found}", '0 0', 'clean') or diag $r->{out};

my $index = $t->read_file($twin[1]{index});
$bytes = $t->read_file($twin[1]{file});
unlink $twin[1]{index};
$r = $cli->run(qw(fsck --json));
isnt($r->{json}{found}, 0, 'a lost index is found');
ok($t->read_file($twin[1]{file}) eq $bytes, 'and the media left as they are');
ok(!-e $twin[1]{index}, 'without another one');
$t->write_file($twin[1]{index}, $index);

# an export without the key says so

put_keys(grep { $_->{use} ne 'recording' } @all);
$t->sql("UPDATE recordings SET state = 'complete' WHERE id = '$twin[1]{id}'");
$t->start_jobs(args => [ '--keys', $keys ]);
$e = export($sealed, $start + 3, $start + 9);
is($e->{state}, 'failed', 'without the key there is no export');
is($e->{error}, 'no_key: of use "recording"', 'and why');

$t->stop_jobs;
$t->done_testing;

###############################################################################

sub put_keys {
    $t->write_file("$keys.new", encode_json({ keys => [@_] }));
    chmod 0600, "$keys.new";
    $t->give_to_service("$keys.new");
    rename "$keys.new", $keys or die "rename: $!";
}


sub sql_says { return $t->wait_sql(@_, 15) }


sub export {
    my ($camera, $from, $to) = @_;

    my $id = $t->sql(sprintf q{INSERT INTO exports (camera_id, from_time,
        to_time) VALUES ('%s', to_timestamp(%s), to_timestamp(%s))
        RETURNING id}, $camera->{id}, $from, $to);
    my %row;

    $t->wait_for(sub {
        @row{qw(id state error)} = split /\t/, $t->sql(
            "SELECT id, state, error FROM exports WHERE id = '$id'");
        $row{state} =~ /done|failed/;
    }, 15, "export $id") or diag $t->worker->log;

    return \%row;
}


sub path { return $t->volume . "/exports/$_[0]{id}.mp4" }
