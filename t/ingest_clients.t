#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests with FFmpeg as the camera: every way to write the URL, plain and over
# TLS, and what its user reads when the publish is refused.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Camera::Registry qw(registry);
use Camera::Test;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(camera_rtmps postgres migrations ffmpeg));

$t->start_postgres;
$t->migrate;
$t->start_nginx;

my $camera = $t->add_camera(name => 'gate', opaque => 1);
my $other = $t->add_camera(name => 'yard');
$t->wait_for(sub { keys %{ registry($t)->{cameras} } == 2 }, 5, 'registry');

sub state_of { registry($t)->{cameras}{ $_[0]{id} } }

my ($key, $token, $opaque) = @$camera{qw(key token opaque)};

my %path = (
    'name with token'   => "live/$key?token=$token",
    'application with token' => "live?token=$token/$key",
    'opaque name'       => "live/$opaque",
    'name with opaque token' => "live/$key?token=$opaque",
);

for my $scheme (qw(rtmp rtmps)) {
    for my $way (sort keys %path) {
        my $generation = state_of($camera)->{generation};
        my $p = $t->publish($camera, clip => 'small',
            url => "$scheme://127.0.0.1:" . $t->port($scheme)
                . "/$path{$way}");

        ok($t->wait_for(sub {
            state_of($camera)->{generation} > $generation
                && $p->log =~ /frame=\s*[1-9]/
        }, 8), "$scheme, $way: sends") or diag $p->log;

        $p->stop('INT');
        is($p->log =~ /Error|error/ ? $p->log : '', '',
            "$scheme, $way: ends without an error");
        ok($t->wait_for(sub { !state_of($camera)->{publishing} }, 2),
            "$scheme, $way: ended");
    }
}

my $p = $t->publish($other, clip => 'flv1', rtmps => 1);
ok(defined $p->wait(8), 'other codec: FFmpeg ends');
like($p->log, qr/Server error: H\.263: the video is not H\.264/,
    'other codec: and says why');

$p = $t->publish($other, clip => 'small', rtmps => 1,
    url => $other->{rtmps_url} =~ s/.{5}\z//r);
ok(defined $p->wait(8), 'cut token: FFmpeg ends');
like($p->log, qr/Server error: the token is damaged/, 'cut token: says why');

$t->done_testing;
