#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for exports that are interrupted, cancelled or have no room, and for
# camera verify: it knows an exported file without anything that runs, and one
# that was touched.

use strict;
use warnings;

use Camera::Jobs;
use Camera::Test::Cli;
use JSON::PP;
use Test::More;

my $t = Camera::Jobs->new;
$t->skip_without(qw(worker cli ffmpeg postgres migrations));

my $keys = $t->keys_file;
$t->give_to_service($keys);
my @args = ('--keys', $keys);
$t->start_jobs(args => \@args);

my $camera = $t->add_camera(name => 'gate');
my $t0 = int(time / 3600) * 3600 - 7200;
my $pieces = 20;
$t->add_recording($camera, start => $t0 + 8 * $_, clip => 'big')
    for 0 .. $pieces - 1;

###############################################################################

# killed in the midst of it

my $id = ask($t0, $t0 + 8 * $pieces);
my $part = $t->volume . "/exports/$id.part";
ok($t->wait_for(sub { -s $part }, 10), 'it is being written');
my ($pid) = $t->worker_children('export');
kill 'KILL', $pid;
is(state($id), 'running', 'killed in the midst of it');
ok($t->wait_for(sub { state($id) eq 'done' }, 20), 'begun again, and done');
ok(!-e $part, 'nothing is left over');
isnt(($t->worker_children('export'))[0], $pid, 'by another process');
like($t->run(qw(ffprobe -v error -select_streams v -of csv=p=0 -show_entries
    stream=nb_frames), file($id)), qr/^@{[ $pieces * 120 ]}$/m,
    'with all its frames');

# cancelled in the midst of it

$id = ask($t0, $t0 + 8 * $pieces);
$part = $t->volume . "/exports/$id.part";
ok($t->wait_for(sub { -s $part }, 10), 'another is being written');
$t->sql("DELETE FROM exports WHERE id = '$id'");
ok($t->wait_for(sub { !-e $part && !-e file($id) }, 10), 'cancelled');

# the database goes away and comes back in the midst of it

$id = ask($t0, $t0 + 8 * $pieces);
$part = $t->volume . "/exports/$id.part";
$t->wait_for(sub { -s $part }, 10);
$t->stop_postgres('immediate');
ok($t->wait_for(sub { -e file($id) }, 20), 'written without the database');
$t->start_postgres;
ok($t->wait_for(sub { state($id) eq 'done' }, 20), 'which hears of it');

# nobody sees those of other tenants

my $other = $t->sql(q{INSERT INTO tenants (slug, name) VALUES ('other', 'o')
    RETURNING id});
for ([ $camera->{tenant}, 2 ], [ $other, 0 ]) {
    my ($tenant, $n) = @$_;
    is($t->psql({ user => 'camera_api' }, "SET app.tenant = '$tenant';
        SELECT count(*) FROM api_exports"), $n, "tenant sees $n");
}
is($t->psql({ user => 'camera_api' }, "SET app.tenant = '$other';
    SELECT count(*) FROM api_export_create('$camera->{id}', now(), now()
    + interval '1 s')"), 0, 'nor exports their cameras');
is($t->psql({ user => 'camera_api' }, "SET app.tenant = '$other';
    SELECT api_export_delete('$id')"), 'f', 'nor deletes');

# what is genuine

my $json = file($id) =~ s/mp4$/json/r;
my $cli = Camera::Test::Cli->new($t, CAMERA_ENV => '/dev/null');
my $dir = $t->dir;

$t->stop_postgres;
is(verify($json), 'ok 0', 'genuine');
like($cli->run('verify', $json, '--keys', $keys)->{out},
    qr/^ok: the file is what was exported.*\n.*\n +camera +gate$/m, 'in words');

system 'cp', file($id), "$dir/copy.mp4";
is(verify($json, '--file', "$dir/copy.mp4"), 'ok 0', 'a copy');
patch("$dir/copy.mp4", 5_000_000, 'x');
is(verify($json, '--file', "$dir/copy.mp4"), 'wrong_checksum 1', 'a byte');
truncate "$dir/copy.mp4", 6_000_000;
is(verify($json, '--file', "$dir/copy.mp4"), 'wrong_size 1', 'a shorter one');
is(verify($json, '--file', "$dir/none.mp4"), 'no_file 1', 'none');

my $m = decode_json($t->read_file($json));
changed(sub { }, 'ok 0', 'written in another way');
changed(sub { $_[0]{to} = '2030-01-01T00:00:00.000Z' }, 'bad_signature 1',
    'another time');
changed(sub { $_[0]{gaps} = [ {} ] }, 'bad_signature 1', 'another gap');
changed(sub { $_[0]{more} = 1 }, 'bad_signature 1', 'something more');
changed(sub { delete $_[0]{damaged} }, 'bad_signature 1', 'something less');
changed(sub { substr($_[0]{signature}, 5, 1) =~ tr/A-Za-z/B-ZAb-za/ },
    'bad_signature 1', 'another signature') if $m->{signature} =~ /^.{5}[A-Za-z]/;
changed(sub { delete $_[0]{signature} }, 'malformed 1', 'none');
changed(sub { $_[0]{kid} = $t->key('playback')->{kid} }, 'unknown_key 1',
    'a key of another use');
changed(sub { $_[0]{kid} = 'e9' }, 'unknown_key 1', 'a key that is not there');
$t->write_file("$dir/not.json", '[1, 2]');
is(verify("$dir/not.json"), 'malformed 1', 'no manifest');
$t->write_file("$dir/not.json", 'x' x 100);
is(verify("$dir/not.json"), 'malformed 1', 'no JSON');
is($cli->run('verify', "$dir/nowhere.json", '--keys', $keys)->{status}, 4,
    'no such file');

my $older = $t->read_file($keys);
is($cli->run(qw(keys rotate), $keys, qw(--use export))->{status}, 0, 'rotate');
is(verify($json), 'ok 0', 'the old key verifies');

$t->done_testing;

###############################################################################

sub ask {
    my ($from, $to) = @_;
    return scalar $t->sql(sprintf q{INSERT INTO exports (camera_id, from_time,
        to_time) VALUES ('%s', to_timestamp(%s), to_timestamp(%s))
        RETURNING id}, $camera->{id}, $from, $to);
}

sub state { scalar $t->sql("SELECT state FROM exports WHERE id = '$_[0]'") }
sub file { $t->volume . "/exports/$_[0].mp4" }

sub verify {
    my $r = $cli->run('verify', @_, '--keys', $keys, '--json');
    return ($r->{json}{verdict} // $r->{out}) . " $r->{status}";
}

sub changed {
    my ($change, $verdict, $name) = @_;

    my %copy = %$m;
    $change->(\%copy);
    $t->write_file("$dir/changed.json",
        JSON::PP->new->canonical->pretty->encode(\%copy));
    is(verify("$dir/changed.json", '--file', file($id)), $verdict, $name);
}

sub patch {
    my ($file, $offset, $bytes) = @_;
    open my $fh, '+<:raw', $file or die "open(\"$file\") failed: $!";
    seek $fh, $offset, 0;
    print $fh $bytes;
    close $fh or die "close(\"$file\") failed: $!";
}
