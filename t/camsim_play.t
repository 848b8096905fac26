#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for camsim's players: what they say of a camera that is watched, of one
# that stops, and of one that is not there.

use strict;
use warnings;

use Camera::Test;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(postgres migrations camsim worker ffmpeg camera_hls
    camera_rtmps));

$t->start_all;
my $camera = $t->add_camera;
$t->wait_for(sub { $t->error_log =~ /feeding the registry/ }, 5, 'feeder');

###############################################################################

my $report = camsim($camera, '--publish', $camera->{rtmps_url}, '--players', 3,
    '--seconds', 8);
is($report->{status}, 0, 'status');
is($report->{players}{playing}, 3, 'playing');
cmp_ok($report->{players}{firstMsecP99}, '>', 500, 'first segment took time');
cmp_ok($report->{players}{firstMsecP99}, '<', 5000, 'and came');
cmp_ok($report->{players}{segments}, '>=', 6, 'segments');
is($report->{players}{missing}, 0, 'no gaps');

my $fresh = $t->camera_urls({ %$camera });
my $p = $t->publish($fresh, via => 'camsim', clip => 'small',
    args => ['--seconds', 5]);
ok($t->wait_for(sub { $p->log =~ /accepted/ }, 5, 'publisher'), 'publisher');

$report = camsim($fresh, '--seconds', 6);
is($report->{players}{playing}, 1, 'plays what is left');

$report = camsim({ play_url => $camera->{play_url} =~ s/token=\w/token=x/r },
    '--seconds', 1);
is($report->{status}, 1, 'status of a refusal');
is_deeply($report->{failures},
    { 'HTTP 403 for the multivariant playlist' => 1 }, 'text of a refusal');

$t->done_testing;

###############################################################################

sub camsim {
    my ($camera, @args) = @_;

    my $text = $t->run({ may_fail => 1 }, $t->root . '/bin/camsim', '--json',
        '--file', $t->clip('small'), '--play', $camera->{play_url}, @args);
    my $status = $? >> 8;

    return { %{ decode_json($text) }, status => $status };
}
