#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for docs/cameras.md: its FFmpeg command publishes as it stands there,
# and the reasons it explains are those that nginx and bin/camera name.

use strict;
use warnings;

use Camera::Process;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations worker ffmpeg camera_rtmps));

my $page = $t->read_file($t->root . '/docs/cameras.md');
my %known = map { ($_ => 1) }
    $t->read_file($t->root . '/common/reason.c') =~ /\{ "(\w+)",/g;

###############################################################################

my ($table) = $page =~ /^\| It says \|.*?\n((?:\|.*\n)+)/m;
my @told = map { /`(\w+)`/g } map { (split /\|/)[1] } split /\n/, $table;
cmp_ok(scalar @told, '>', 10, 'reasons are explained');
is_deeply([ grep { !$known{$_} } @told ], [], 'each of them is one');

my @missing = grep { my $r = $_; !grep { $_ eq $r } @told }
    grep { !/^(?:none|not_ready|drained)$/ } sort keys %known;
is_deeply(\@missing, [], 'and none is left out');

my ($command) = $page =~ /^ {4}(ffmpeg -re .*?'rtmps:[^']*')$/ms;
ok($command, 'an FFmpeg command');

$t->start_all;
my $camera = $t->add_camera;
my $clip = $t->clip('default');

$command =~ s/\bFILE\b/$clip/;
$command =~ s/'rtmps:[^']*'/'$camera->{rtmps_url}'/;
$command =~ s/^ffmpeg/exec ffmpeg -nostdin/;

my $ffmpeg = Camera::Process->start(
    { log => $t->dir . '/ffmpeg.log', name => 'ffmpeg' }, 'sh', '-c', $command);

ok($t->wait_for(sub {
    $t->http_get($camera->{play_path})->{status} == 200;
}, 20, 'a picture'), 'publishes as it stands') or diag($ffmpeg->log);

$t->done_testing;
