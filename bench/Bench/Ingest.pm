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
my $window = 4;                 # two segments of each camera
my $rounds = 3;

sub run { return scheme('rtmp') }

sub run_tls { return scheme('rtmps') }

sub scheme {
    my ($scheme) = @_;

    my (%percent, @memory);

    for my $round (1 .. $rounds) {
        note("$scheme, round $round of $rounds");
        round($scheme, \%percent, \@memory);
    }

    my $name = "$cameras cameras x 1 Mbit/s, \U$scheme\E and HLS";
    my $bar = $scheme eq 'rtmp' ? '<= 0.8 x' : '<= 0.75 x';
    my %median = map { $_ => median(@{ $percent{$_} }) } keys %percent;

    return (
        row("$name, peer's on disk", unit => '% of a core/camera',
            bar => $bar, ours => $median{ours}, theirs => $median{disk}),
        row("$name, peer's on tmpfs", unit => '% of a core/camera',
            bar => $bar, ours => $median{ours}, theirs => $median{tmpfs}),
        row("memory of a camera beside ring and segments, \U$scheme",
            unit => 'kB', bar => '<= 400 kB', ours => median(@memory)),
    );
}

sub round {
    my ($scheme, $percent, $memory) = @_;

    my $t = ours();
    my $urls = publish_urls($t, $scheme, add_cameras($t, $cameras));
    my @servers = ($t->{nginx}, $t->{worker});
    my $before = memory_kb(@servers);

    push @{ $percent->{ours} }, window($t, $urls, sub {
        push @$memory, (memory_kb(@servers) - $before) / $cameras;
    }, @servers);

    my $port = $t->port($scheme eq 'rtmps' ? 'stock-tls' : 'stock');
    my %hls = (tmpfs => undef, disk => $t->dir . '/hls');

    for my $where (sort keys %hls) {
        my $stock = peer($t, 'rtmp', $hls{$where});
        push @{ $percent->{$where} }, window($t,
            "$scheme://127.0.0.1:$port/live/cam%d", sub {}, $stock);
        $stock->stop;
    }

    note(join ', ', map { sprintf '%s %.3f %%', $_, $percent->{$_}[-1] }
        sort keys %$percent);
    $t->stop;
}

# percent of a core and camera while all are live

sub window {
    my ($t, $urls, $live, @servers) = @_;

    my $seconds = $spread + 1 + $window;
    my $p = Camera::Process->start($t->dir . '/camsim.out', 'taskset', '-c',
        $ENV{BENCH_LOAD_CORE} // 1, $t->root . '/bin/camsim', '--json',
        '--file', $t->clip('default'), '--publish', $urls, '--connections',
        $cameras, '--spread', $spread, '--seconds', $seconds + 1);

    sleep $spread + 1;
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
