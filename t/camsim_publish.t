#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for camsim's publishers against the unmodified rtmp module, which
# records what it was sent: what camsim reports is what happened.

use strict;
use warnings;

use Camera::Process;
use Camera::Test;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camsim ffmpeg));

my $records = $t->dir . '/records';
mkdir $records;
$t->give_to_service($records);

$t->nginx_conf(conf => <<"END");
daemon off;
%%USER%%
worker_processes 1;
error_log %%DIR%%/error.log notice;
pid %%DIR%%/nginx.pid;
%%MODULES%%
events {
}
rtmp {
    access_log off;
    server {
        listen 127.0.0.1:%%RTMP_PORT%%;
        application live {
            live on;
            record all;
            record_path $records;
        }
    }
}
END

$t->start_nginx;

###############################################################################

my $report = camsim('many%d', '--connections', 20, '--spread', 0.5,
    '--seconds', 2.5);
is($report->{status}, 0, 'status');
is($report->{publishers}{accepted}, 20, 'accepted');
is($report->{publishers}{live}, 20, 'live');
is_deeply($report->{failures}, {}, 'no failures');
cmp_ok($report->{publishers}{acceptMsecP50}, '>', 0, 'accept latency');
cmp_ok($report->{publishers}{acceptMsecP50}, '<', 500, 'in milliseconds');
ok($t->wait_for(sub { -s "$records/many19.flv" }, 5), 'recorded');

$report = camsim('one', '--connections', 2, '--seconds', 1);
is($report->{status}, 1, 'status of a refusal');
is($report->{publishers}{accepted}, 1, 'one accepted');
like((keys %{ $report->{failures} })[0],
    qr/^NetStream.Publish.BadName: Already publishing/, 'text of a refusal');

$report = camsim('storm%d', '--connections', 20, '--seconds', 2.5,
    '--reconnect-storm', '15/0.5@0.5');
is($report->{storm}{accepted}, 15, 'storm accepted');
is($report->{publishers}{accepted}, 35, 'all accepted');
cmp_ok($report->{storm}{msec}, '>', 400, 'storm was spread');
cmp_ok($report->{storm}{msec}, '<', 1500, 'and is over');

# what is sent, by five at once

$_->wait(20) for
    start('quiet', '--seconds', 1.5, '--no-audio'),
    start('late', '--seconds', 2.5, '--late-audio', 1),
    start('jump', '--seconds', 2.5, '--jump', '20@1'),
    start('frozen', '--seconds', 2, '--freeze', 0.5),
    start('other', '--seconds', 1, '--codec-id', 4);

is(streams('quiet'), 'video', 'no audio');
is(streams('late'), 'audio,video', 'late audio');
cmp_ok((pts('late', 'a'))[0], '>=', 0.9, 'audio began late');
my @times = pts('jump', 'v');
cmp_ok($times[5], '<', 1, 'times before a jump');
cmp_ok($times[-1], '>=', 21, 'times after it');
cmp_ok((pts('frozen', 'v'))[-1], '<', 0.8, 'frozen');
is(tags('other')->{9}, 4, 'codec id');

$t->stop_nginx;
$report = camsim('gone', '--seconds', 0.5);
is_deeply($report->{failures}, { 'Connection refused' => 1 }, 'no server');

$t->done_testing;

###############################################################################

sub command {
    my ($name, @args) = @_;

    return ($t->root . '/bin/camsim', '--json', '--file', $t->clip('small'),
        '--publish', 'rtmp://127.0.0.1:' . $t->port('rtmp') . "/live/$name",
        @args);
}

sub camsim {
    my $text = $t->run({ may_fail => 1 }, command(@_));
    my $status = $? >> 8;

    return { %{ decode_json($text) }, status => $status };
}

sub start {
    return Camera::Process->start($t->dir . "/$_[0].out", command(@_));
}

sub streams {
    return join ',', sort grep { $_ } split /\s+/, ffprobe($_[0],
        '-show_entries', 'stream=codec_type');
}

sub pts {
    my ($name, $kind) = @_;

    return map { /([\d.]+)/ ? $1 : () } split /\n/, ffprobe($name,
        '-select_streams', $kind, '-show_entries', 'packet=pts_time');
}

sub ffprobe {
    my ($name, @args) = @_;

    $t->wait_for(sub { -s "$records/$name.flv" }, 5, "$name.flv");
    return $t->run(qw(ffprobe -v error -of csv=p=0), @args,
        "$records/$name.flv");
}

# the first byte's low half of the last tag of each type

sub tags {
    my ($name) = @_;

    my ($bytes, $pos, %last) = ($t->read_file("$records/$name.flv"), 13);

    while ($pos + 11 < length $bytes) {
        my ($type, $high, $low) = unpack 'C C n', substr $bytes, $pos, 4;
        $last{$type} = ord(substr $bytes, $pos + 11, 1) & 15;
        $pos += 11 + ($high << 16 | $low) + 4;
    }

    return \%last;
}
