#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for exports: which frames are in the file, to the group of pictures at
# its beginning and to the fragment at its end, over recordings, gaps and other
# encoder configurations; what the manifest says; and how a job ends.

use strict;
use warnings;

use Camera::Jobs;
use Camera::Test::Cli;
use Digest::SHA;
use JSON::PP;
use Test::More;

my $t = Camera::Jobs->new;
$t->skip_without(qw(worker cli ffmpeg postgres migrations));

my $keys = $t->keys_file;
$t->give_to_service($keys);
$t->start_jobs(args => [ '--keys', $keys ]);

my $camera = $t->add_camera(name => 'Gate "north"');
my $t0 = int(time / 3600) * 3600 - 7200;
my ($e, $m, @n);

###############################################################################

# 20 s of 15 frames a second, with a key frame each 2 s and a fragment each
# half second; then its second half once more, from half a minute on

$t->add_recording($camera, start => $t0);
$t->add_recording($camera, start => $t0 + 20, clip => 'small', first => 20);

$e = export($t0 + 3.2, $t0 + 9);
is($e->{state}, 'done', 'done');
@n = $t->frame_numbers(file($e));
is($n[0], 30, 'from the key frame before');
cmp_ok($n[-1], '>=', 134, 'to its end');
cmp_ok($n[-1], '<', 134 + 8, 'and not a fragment more');
is_deeply(\@n, [ $n[0] .. $n[-1] ], 'every frame between');
is(errors($e), '', 'sound as well as pictures decode');
is($e->{progress}, 1, 'progress');
is(-s file($e), $e->{bytes}, 'size');
is(Digest::SHA->new(256)->addfile(file($e))->hexdigest, $e->{sha256}, 'sha256');
is(substr($t->read_file(file($e)), 4, 4), 'ftyp', 'an MP4');
cmp_ok(index($t->read_file(file($e)), 'moov'), '<',
    index($t->read_file(file($e)), 'mdat'), 'whose head stands in front');
is(probe($e), 'h264 aac ' . time_text($t0 + 2), 'tracks, and when it was');
cmp_ok(abs(sound($e) - pictures($e)), '<', 0.1, 'as much sound as pictures');

$m = manifest($e);
is_deeply([ @$m{qw(version export camera cameraName file)} ], [ 1, $e->{id},
    $camera->{id}, 'Gate "north"', "$e->{id}.mp4" ], 'manifest');
is_deeply([ @$m{qw(from start size sha256)} ], [ ms($t0 + 3.2), ms($t0 + 2),
    $e->{bytes}, $e->{sha256} ], 'what it has');
is_deeply([ $m->{gaps}, $m->{damaged} ], [ [], [] ], 'nothing is missing');
like($m->{signature}, qr/^[\w-]{43}$/, 'signed');

# over the seam between two recordings

$e = export($t0 + 16, $t0 + 24);
@n = $t->frame_numbers(file($e));
is("@n[0, -1]", '240 209', 'over two recordings');
is(scalar @n, 120, 'no frame is lost');
is(scalar @{ manifest($e)->{pieces} }, 2, 'two pieces');
is(errors($e), '', 'decodes');
cmp_ok(abs(sound($e) - pictures($e)), '<', 0.1, 'sound stays with pictures');

# over a gap, whose cause the database knows

$t->add_recording($camera, start => $t0 + 60);
$t->sql(sprintf q{SELECT journal_gap('%s', to_timestamp(%d), to_timestamp(%d),
    'network')}, $camera->{id}, $t0 + 31, $t0 + 59);
$e = export($t0 + 28, $t0 + 62);
@n = $t->frame_numbers(file($e));
is("@n[0 .. 2] ... @n[-2, -1]", '270 271 272 ... 28 29', 'over a gap');
cmp_ok(abs(pictures($e) - 4), '<', 0.2, 'which is left out');
is($e->{gaps}, 1, 'and counted');
$m = manifest($e);
is($m->{gaps}[0]{cause}, 'network', 'and named');
like($m->{gaps}[0]{from}, qr/:29\.999Z$|:30\.000Z$/, 'when');
is($m->{pieces}[1]{fileUsec} > 1_900_000, 1, 'where it goes on');

# another configuration, of pictures and of sound

$t->add_recording($camera, start => $t0 + 100, clip => 'small', count => 8);
$t->add_recording($camera, start => $t0 + 104, clip => 'other', count => 8);
$t->add_recording($camera, start => $t0 + 108, clip => 'small', first => 16,
    count => 8);
$e = export($t0 + 100, $t0 + 112);
is($e->{state}, 'done', 'over another configuration');
@n = $t->frame_numbers(file($e));
is("@n", join(' ', 0 .. 59, 0 .. 59, 120 .. 179), 'every frame of all three');
is(errors($e), '', 'decodes');

# pictures alone, and shown in another order than sent

for my $clip (qw(noaudio bframes)) {
    my $other = $t->add_camera(name => $clip);
    $t->add_recording($other, start => $t0, clip => $clip);
    $e = export($t0 + 4, $t0 + 8, $other);
    @n = $t->frame_numbers(file($e));
    is_deeply([ sort { $a <=> $b } @n ], [ $n[0] .. $n[0] + $#n ], $clip);
    is_deeply(\@n, [ sort { $a <=> $b } @n ], "$clip, in order");
    cmp_ok(scalar @n, '>=', 60, "$clip, all");
}

# damage is told

my $r = $t->add_recording($camera, start => $t0 + 200);
patch($r->{file}, 150_000, 'damage');
$e = export($t0 + 200, $t0 + 220);
is($e->{state}, 'done', 'a damaged fragment');
is(manifest($e)->{damaged}[0]{recording}, $r->{id}, 'is named');

# refusals

$e = export($t0 + 1000, $t0 + 1010);
is("$e->{state} $e->{error}", 'failed nothing_recorded', 'nothing there');
is($t->sql(q{SELECT count(*) FROM alerts WHERE type = 'export_failed'}), 1,
    'an alert');
is_deeply([ glob $t->volume . "/exports/$e->{id}*" ], [], 'no file');

# the row is the wish

$e = export($t0, $t0 + 4);
$t->sql("DELETE FROM exports WHERE id = '$e->{id}'");
$t->wait_for(sub { !-e file($e) }, 5, 'the file to go');
is_deeply([ glob $t->volume . "/exports/$e->{id}*" ], [], 'deleted');

$e = export($t0, $t0 + 4);
$t->sql("UPDATE exports SET expires_at = now() WHERE id = '$e->{id}'");
$t->sql("INSERT INTO exports (camera_id, from_time, to_time) VALUES
    ('$camera->{id}', now() + interval '1 h', now() + interval '2 h')");
$t->wait_for(sub { !-e file($e) }, 5, 'the file to go');
is(state($e->{id}), 'expired', 'expired');

$t->done_testing;

###############################################################################

sub export {
    my ($from, $to, $of) = @_;

    my $id = $t->sql(sprintf q{INSERT INTO exports (camera_id, from_time,
        to_time) VALUES ('%s', to_timestamp(%s), to_timestamp(%s))
        RETURNING id}, ($of // $camera)->{id}, $from, $to);
    $t->wait_for(sub { state($id) =~ /done|failed/ }, 15, "export $id")
        or diag $t->worker->log;

    my %row;
    my @columns = qw(id state progress bytes sha256 path gaps error);
    @row{@columns} = split /\t/, $t->sql(sprintf
        q{SELECT %s FROM exports WHERE id = '%s'}, join(',', @columns), $id);

    return \%row;
}

sub state { scalar $t->sql("SELECT state FROM exports WHERE id = '$_[0]'") }
sub file { $t->volume . "/exports/$_[0]{id}.mp4" }

sub manifest {
    return decode_json($t->read_file($t->volume
        . "/exports/$_[0]{id}.json"));
}

sub probe {
    my ($e) = @_;
    my $p = decode_json($t->run(qw(ffprobe -v error -of json -show_streams
        -show_format), file($e)));
    return join ' ', (map { $_->{codec_name} } @{ $p->{streams} }),
        $p->{format}{tags}{creation_time};
}

sub errors {
    return scalar $t->run({ may_fail => 1 }, qw(ffmpeg -nostdin -v error -i),
        file($_[0]), qw(-f null -));
}

sub duration {
    my ($e, $stream) = @_;
    my ($s) = $t->run(qw(ffprobe -v error -of csv=p=0 -select_streams), $stream,
        '-show_entries', 'stream=duration', file($e)) =~ /([\d.]+)/;
    return $s;
}

sub sound { duration($_[0], 'a') }
sub pictures { duration($_[0], 'v') }

sub ms {
    my $ms = int $_[0] * 1000 + 0.5;
    return time_text($ms / 1000) =~ s/\.\d+Z/sprintf '.%03dZ', $ms % 1000/er;
}

sub time_text {
    my @t = gmtime int $_[0];
    return sprintf '%04d-%02d-%02dT%02d:%02d:%02d.000000Z', $t[5] + 1900,
        $t[4] + 1, @t[3, 2, 1, 0];
}

sub patch {
    my ($file, $offset, $bytes) = @_;
    open my $fh, '+<:raw', $file or die "open(\"$file\") failed: $!";
    seek $fh, $offset, 0;
    print $fh $bytes;
    close $fh or die "close(\"$file\") failed: $!";
}
