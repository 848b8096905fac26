#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for camera fsck: each kind of damage, made on purpose, is found,
# survives a dry run, is repaired by the file, and is not found again.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Cli;
use File::Path qw(make_path);
use JSON::PP qw(encode_json);
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations cli ffmpeg));

$t->start_postgres;
$t->migrate;

my $camera = $t->add_camera(name => 'gate');
my $cli = Camera::Test::Cli->new($t, CAMERA_ENV => '/dev/null',
    CAMERA_DATABASE_URL => $t->database_url('camera_owner'),
    CAMERA_RECORD => $t->volume);
my $day = 86400;
my $hour = 0;
my $files = 0;

my $first = $t->add_recording($camera, start => time - 2 * $day);

###############################################################################

is_deeply([ @{ fsck(0) }{qw(files rows found)} ], [ 1, 1, 0 ], 'clean');

# files

my $r = recording();
append($r->{file}, 'torn' x 1000);
finds('media_torn', 'bytes that no entry names');
is(-s $r->{file}, $r->{bytes}, 'are cut');

$r = recording();
append($r->{index}, 'torn');
finds('index_torn', 'half an entry');

$r = recording();
append($r->{index}, "\0" x 56);
finds('index_torn', 'an entry of zeros');
is(-s $r->{index}, 256 + 56 * $r->{fragments}, 'is cut');

$r = recording();
truncate $r->{file}, $r->{bytes} - 1;
finds('index_torn media_torn size_differs', 'media that never came');
is(column($r, 'fragments'), $r->{fragments} - 1, 'a fragment less');
is(column($r, 'file_size'), -s $r->{file}, 'which the row knows');
is(column($r, 'state'), 'complete', 'complete all the same');
is(scalar $t->frame_numbers($r->{file}), 294, 'and plays');

$r = recording();
patch($r->{index}, 256 + 56 * 5, 'x');
$t->sql("UPDATE recordings SET fragments = 39 WHERE id = '$r->{id}'");
finds('index_lost size_differs', 'an entry in the middle');
is(column($r, 'fragments'), 40, 'is made anew');
is(-s $r->{file}, $r->{bytes}, 'nothing whole is cut off');

$r = recording();
patch($r->{file}, 200_000, 'damage');
is(fsck(0)->{found}, 0, 'damage inside of media is not seen');
finds('damaged', 'but with --deep', '--deep');
is(column($r, 'state'), 'damaged', 'its state');
like(column($r, 'probe_error'), qr/^fragment \d+ is damaged$/, 'and why');
is($t->sql(q{SELECT count(*) FROM alerts WHERE type = 'recording_damaged'
    AND resolved_at IS NULL}), 1, 'an alert');

$r = recording();
my $index = $t->read_file($r->{index});
patch($r->{index}, 40, 'x');
finds('index_lost', 'the head of an index');
is(substr($t->read_file($r->{index}), 256), substr($index, 256),
    'is made anew, entries stay');

$r = recording();
$index = $t->read_file($r->{index});
unlink $r->{index};
finds('index_lost', 'no index');
is(entries($t->read_file($r->{index})), entries($index), 'the same again');

$r = recording();
patch($r->{index}, 40, 'x');
patch($r->{file}, 0, 'nothing is known of this head');
finds('unreadable', 'neither index nor media');
is(column($r, 'state'), 'damaged', 'its state');

# rows

$r = recording();
unlink $r->{file}, $r->{index};
finds('file_missing', 'a row without its file');
is(column($r, 'count(*)'), 0, 'is removed');
is($t->sql(sprintf q{SELECT cause FROM recording_gaps WHERE start_time =
    to_timestamp(%s / 1000.0)}, $r->{start}), 'disk', 'and leaves a gap');

$r = recording();
$t->sql("DELETE FROM recordings WHERE id = '$r->{id}'");
finds('row_missing', 'a file without its row');
is(column($r, 'file_size || state || close_reason || width'),
    "$r->{bytes}completerecovered0", 'has one again');

$r = recording();
$t->sql("UPDATE recordings SET file_size = 17, usec = 1 WHERE id = '$r->{id}'");
finds('size_differs', 'a wrong size');
is(column($r, 'usec'), $r->{usec}, 'put right');

$r = recording();
$t->sql("UPDATE recordings SET state = 'recording', file_size = 5
    WHERE id = '$r->{id}'");
finds('not_closed', 'one that nobody closed');
is(column($r, 'state || file_size'), "complete$r->{bytes}", 'is closed');

$r = recording();
patch($r->{file}, $r->{bytes} - 100, 'power loss');
$t->sql("UPDATE recordings SET state = 'recording', file_size = 5
    WHERE id = '$r->{id}'");
finds('index_torn media_torn not_closed', 'one whose end was not written');

# what the journal left open is its recorder's, wherever its name comes

$r = $t->add_recording($camera, start => time - 7200);
$t->add_recording($camera, start => time - 3600);
$t->sql("UPDATE recordings SET state = 'recording', file_size = 5
    WHERE id = '$r->{id}'");
make_path($t->volume . '/journal');
journal({ n => 'open', id => $r->{id}, camera => $camera->{id},
    path => $r->{path} });
is(fsck(0)->{found}, 0, 'one that is open may grow and go on');
$t->sql("UPDATE recordings SET file_size = 1000000000 WHERE id = '$r->{id}'");
finds('size_differs', 'but not shrink');
is(column($r, 'state'), 'recording', 'and goes on');
$t->sql("DELETE FROM recordings WHERE id = '$r->{id}'");
is(fsck(0)->{pending}, 1, 'and its recorder will say of it what is to be said');
$t->sql('DELETE FROM record_journal');
is(fsck(0)->{pending}, 1, 'as of what the database has not heard of');
journal({ n => 'close', id => $r->{id} });
finds('row_missing', 'until it has ended');

# holds

$r = recording();
$t->sql("UPDATE recordings SET locked = true, locked_reason = 'court'
    WHERE id = '$r->{id}'");
is(fsck(0)->{found}, 0, 'a hold that is about to be marked');
$t->sql('DELETE FROM recording_tasks');
finds('hold_missing', 'a hold without its mark');
ok(-e $r->{hold}, 'has one');

unlink $r->{file};
finds('file_missing garbage', 'a file on hold that is gone');
is(column($r, 'state || locked'), 'damagedtrue', 'is not forgotten');
is($t->sql(q{SELECT severity FROM alerts WHERE message LIKE '%on hold%'}),
    'critical', 'and critical');

$r = recording();
$t->write_file($r->{hold}, '');
finds('hold_unknown', 'a mark without a hold');
is(column($r, 'locked'), 't', 'is one');

# exports

mkdir $t->volume . '/exports';
my $export = $t->sql("INSERT INTO exports (camera_id, from_time, to_time, state,
    bytes, sha256, path, volume_id) VALUES ('$camera->{id}', now(), now()
    + interval '1 s', 'done', 100, 'x', 'exports/x.mp4', '$r->{volume}')
    RETURNING id");
$t->write_file($t->volume . '/exports/x.mp4', 'x' x 100);
$t->write_file($t->volume . '/exports/x.json', '{}');
is(fsck(0)->{found}, 0, 'an export');
$t->write_file($t->volume . '/exports/x.mp4', 'x' x 99);
finds('export_lost', 'one of another size');
is($t->sql("SELECT state FROM exports WHERE id = '$export'"), 'failed',
    'has failed');

# garbage

my $foreign = { id => 'f0000000-0000-4000-8000-00000000000f' };
$r = $t->make_recording($foreign);
finds('row_missing', 'the file of no camera');
is($t->sql("SELECT count(*) FROM recording_garbage WHERE path = '$r->{path}'"),
    1, 'is garbage');
unlink $r->{file}, $r->{index};
finds('garbage_gone', 'garbage that is gone');

$r = recording();
unlink $r->{index};
$t->sql("DELETE FROM recordings WHERE id = '$r->{id}'");
finds('index_lost row_missing', 'media alone');
like($t->sql("SELECT usec, codecs, width, height FROM recordings
    WHERE file_path = '$r->{path}'"),
    qr/^$r->{usec}\tavc1\.42c00.,mp4a\.40\.2\t320\t180$/, 'is a recording again');

$r = recording();
$t->write_file($_, 'x' x 10_000) for @$r{qw(file index)};
$t->sql("DELETE FROM recordings WHERE id = '$r->{id}'");
finds('garbage', 'files of anything');
ok(-e $r->{file}, 'stay');

$t->write_file($t->volume . "/media/$camera->{id}/notes.txt", 'mine');
finds('garbage', 'a file that is none of ours');

# what the journal still has to say

$r = $t->make_recording($camera, start => time - 40 * $day);
my $name = journal({ n => 'close', id => $r->{id} }, 0);
is(fsck(0)->{pending}, 1, 'the journal knows it');
applied($name);
finds('row_missing', 'it was applied, and the row is not there');

is(fsck(0, '--deep')->{damaged}, 3, 'known damage is no news');

$t->done_testing;

###############################################################################

# each on a day of its own, long ago

sub recording {
    return $t->add_recording($camera, start => time - (10 + $hour++) * $day);
}

sub fsck {
    my ($status, @options) = @_;

    my $r = $cli->run('fsck', '--json', @options);
    is($r->{status}, $status, "status $status") or diag "$r->{out}$r->{err}";

    return $r->{json};
}

# a file of the journal, applied or not yet

sub journal {
    my ($line, $applied) = @_;

    my $name = 1790000000000 + $files++ . '.log';
    $t->write_file($t->volume . "/journal/$name", encode_json($line) . "\n");
    applied($name) if $applied // 1;

    return $name;
}

sub applied {
    my ($name) = @_;

    $t->sql(sprintf q{SELECT journal_position('%s', '%s', %d)}, $r->{volume},
        $name, -s $t->volume . "/journal/$name");
}

# twice, for a dry run repairs nothing; then repaired, then clean

sub finds {
    my ($kinds, $name, @options) = @_;

    my $dry = fsck(1, '--dry-run', @options);
    is(kinds($dry), $kinds, $name);
    is($dry->{repaired}, 0, "$name, dry");

    my $wet = fsck(1, @options);
    is(kinds($wet), $kinds, "$name, repaired");
    is($wet->{repaired}, $wet->{found}, "$name, all of it");

    is(kinds(fsck(0, @options)), '', "$name, clean");
}

# all that media can say: neither segments of the live store nor checksums

sub entries {
    return join ' ', map { join ',', (unpack 'QqqQLLLSS', $_)[0 .. 2, 4 .. 6, 8] }
        unpack '(a56)*', substr $_[0], 256;
}

sub kinds { join ' ', sort map { $_->{kind} } @{ $_[0]{findings} } }

sub column {
    my ($r, $what) = @_;
    return scalar $t->sql("SELECT $what FROM recordings WHERE id = '$r->{id}'");
}

sub append {
    my ($file, $bytes) = @_;
    open my $fh, '>>:raw', $file or die "open(\"$file\") failed: $!";
    print $fh $bytes;
    close $fh or die "close(\"$file\") failed: $!";
}

sub patch {
    my ($file, $offset, $bytes) = @_;
    open my $fh, '+<:raw', $file or die "open(\"$file\") failed: $!";
    seek $fh, $offset, 0;
    print $fh $bytes;
    close $fh or die "close(\"$file\") failed: $!";
}
