#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for recordings that are removed while somebody plays or downloads them,
# from the request to the API until their files are gone: who is being sent a
# file gets all of it, everybody else is told that it is not there.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Live;
use Camera::Playback;
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Test::More;

my $t = Camera::Live->new(workers => 1);
$t->skip_without(qw(worker ffmpeg postgres migrations camera_recordings
    camera_api_database));

###############################################################################

$t->start_api(Camera::Playback->conf($t));

my $camera = $t->add_camera;
my $admin = $t->add_user;
my $start = int(time / 3600) * 3600 - 7200;

# three files of 8 s and 8 MB, one behind the other; the second is on hold

my @file = map { $t->add_recording($camera, start => $start + 8 * $_,
    clip => 'big') } 0 .. 2;
my $database = $t->dir . '/database';

$t->write_file($database, $t->database('camera_worker') . "\n");
chmod 0600, $database;
$t->give_to_service($database);
$t->start_recorder(volumes => [ $t->volume ], length => 3600,
    args => ['--database', $database]);
$t->wait_for(sub { -d $t->volume . '/journal' }, 5, 'the recorder');

my $p = Camera::Playback->new($t, $camera);
my $list = $p->playlist(from => $file[0]{start}, to => $file[2]{end});
my $bytes = $t->read_file($file[0]{file});

is(@{ $list->{groups} }, 3, 'three files are played');
is($p->fetch($list->{groups}[$_][0])->{status}, 206, "file $_")
    for 0 .. 2;

# a download that has begun, by somebody who reads slowly

my $url = $t->api_get("/recordings/$file[0]{id}/signed-url",
    token => $admin->{token})->{json}{url};
my ($path) = $url =~ m{^\w+://[^/]+(/\S+)};
my $slow = begin($path);
my $head = read_some($slow, 100_000);

like($head, qr{^HTTP/1\.1 200 }, 'a download');

# removed

is(remove($file[0])->{status}, 202, 'removed by the API');
is($t->api(POST => "/recordings/$file[1]{id}/hold", token => $admin->{token},
    json => { reason => 'case 4' })->{status}, 200, 'another one is held');
is(remove($file[1])->{code}, 'RECORDING_LOCKED', 'and stays');
ok($t->wait_for(sub { -e $file[1]{hold} }, 10, 'the hold'),
    'which is marked on disk');

ok($t->wait_for(sub { !-e $file[0]{file} && !-e $file[0]{index} }, 10,
    'the files to go'), 'its files are gone');
ok($t->wait_for(sub { !$t->sql("SELECT count(*) FROM recordings
    WHERE id = '$file[0]{id}'") }, 10, 'the row to go'), 'its row is');

# who has it

my ($body) = ($head . read_some($slow, 100_000_000)) =~ /\r\n\r\n(.*)\z/s;
is(length $body, length $bytes, 'the download goes on to its end');
ok($body eq $bytes, 'with all bytes');

# who does not

is($t->http_get($path)->{status}, 404, 'it cannot be begun again');
is($p->fetch($list->{groups}[0][0]{map})->{status}, 404,
    'nor played on by a list of before');
is($p->fetch($list->{groups}[$_][1])->{status}, 206, "file $_ is")
    for 1, 2;

my $new = $p->playlist(from => $file[0]{start}, to => $file[2]{end});
is(@{ $new->{groups} }, 2, 'a list of now is without it');
is($new->{pieces}[0]{time}, $file[1]{start}, 'and begins behind it');
is_deeply([ $p->frames($new->{groups}[0]) ], [ 0 .. 119 ],
    'with every frame of the next');
is($t->api_get("/recordings/$file[0]{id}", token => $admin->{token})->{status},
    404, 'the API knows none');

# released and removed before the jobs get to either: the mark of the hold was
# taken for a new one, and the recording stayed

my ($jobs) = $t->worker_children('jobs');
kill 'STOP', $jobs;
is($t->api(DELETE => "/recordings/$file[1]{id}/hold",
    token => $admin->{token})->{status}, 200, 'released');
is(remove($file[1])->{status}, 202, 'and removed');
kill 'CONT', $jobs;
ok($t->wait_for(sub { !-e $file[1]{file} && !-e $file[1]{hold} }, 10,
    'the files to go'), 'with its files');

is($t->sql(q{SELECT string_agg(action || ' ' || result, ', ' ORDER BY id)
    FROM api_recording_audit WHERE action <> 'watch'}), join(', ', 'download ok',
    'delete ok', 'hold ok', 'delete RECORDING_LOCKED', 'release ok',
    'delete ok'), 'all of it is in the audit');

$t->done_testing;

###############################################################################

sub remove {
    return $t->api(DELETE => "/recordings/$_[0]{id}", token => $admin->{token});
}

# a window of a few kilobytes, so that the rest waits in the server

sub begin {
    my ($path) = @_;

    my $s = IO::Socket::INET->new(Proto => 'tcp') or die "socket(): $!";
    setsockopt $s, SOL_SOCKET, SO_RCVBUF, 8192;
    $s->connect($t->port('http'), Socket::inet_aton('127.0.0.1'))
        or die "connect(): $!";
    $s->autoflush(1);
    print $s "GET $path HTTP/1.1\r\nHost: localhost\r\n"
        . "Connection: close\r\n\r\n";

    return $s;
}

sub read_some {
    my ($s, $size) = @_;

    my $in = '';
    while (length $in < $size) {
        sysread($s, $in, $size - length $in, length $in) or last;
    }

    return $in;
}
