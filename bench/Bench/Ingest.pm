package Bench::Ingest;

# Copyright (C) The nginx camera platform authors

# A hundred cameras of 1 Mbit/s taken in and packaged, against the rtmp
# module with its own HLS: plain, and over TLS against the stream module in
# front of it.  Processor time is that of the whole server, camera-worker
# included, between two moments when all cameras are live.

use strict;
use warnings;

use Bench qw(ours peer camsim cpu_sec memory_kb median note add_cameras
    publish_urls row);
use Camera::Process;
use JSON::PP;
use Time::HiRes qw(sleep time);

my $cameras = 100;
my $spread = 2;
my $window = 6;
my $rounds = 3;

sub run { return scheme('rtmp') }

sub run_tls { return scheme('rtmps') }

sub scheme {
    my ($scheme) = @_;

    my (%percent, @memory);

    for my $round (1 .. $rounds) {
        note("$scheme, round $round of $rounds");

        my $t = ours();
        my $stock = peer($t, 'rtmp');
        my $urls = publish_urls($t, $scheme, add_cameras($t, $cameras));

        my $before = memory_kb($t->{nginx}, $t->{worker});
        push @{ $percent{ours} }, window($t, $urls, sub {
            push @memory,
                (memory_kb($t->{nginx}, $t->{worker}) - $before) / $cameras;
        }, $t->{nginx}, $t->{worker});

        my $port = $t->port($scheme eq 'rtmps' ? 'stock-tls' : 'stock');
        push @{ $percent{theirs} }, window($t,
            "$scheme://127.0.0.1:$port/live/cam%d", sub {}, $stock);

        $stock->stop;
        $t->stop;
    }

    my $plain = $scheme eq 'rtmp';

    return (
        row("$cameras cameras x 1 Mbit/s, "
                . ($plain ? 'RTMP and HLS' : 'RTMPS and HLS'),
            unit => '% of a core/camera', bar => $plain ? '<= 0.8 x'
                                                        : '<= 0.75 x',
            map { $_ => median(@{ $percent{$_} }) } qw(ours theirs)),
        row('memory of a camera beside ring and segments, '
                . ($plain ? 'RTMP' : 'RTMPS'),
            unit => 'kB', bar => '<= 400 kB', ours => median(@memory)),
    );
}

# percent of a core and camera while all are live

sub window {
    my ($t, $urls, $live, @servers) = @_;

    my $seconds = $spread + 1.5 + $window;
    my $p = Camera::Process->start($t->dir . '/camsim.out', 'taskset', '-c',
        $ENV{BENCH_LOAD_CORE} // 1, $t->root . '/bin/camsim', '--json',
        '--file', $t->clip('default'), '--publish', $urls, '--connections',
        $cameras, '--spread', $spread, '--seconds', $seconds + 1);

    sleep $spread + 1.5;
    my ($cpu, $since) = (cpu_sec(@servers), time);
    sleep $window;
    my $percent = (cpu_sec(@servers) - $cpu) / (time - $since) * 100;
    $live->();

    $p->wait(10);
    my $report = decode_json($p->log);
    die 'not all were live: ' . $p->log
        if $report->{publishers}{live} != $cameras;

    return $percent / $cameras;
}

1;
