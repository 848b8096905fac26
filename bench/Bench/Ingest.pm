package Bench::Ingest;

# Copyright (C) The nginx camera platform authors

# A hundred cameras of 1 Mbit/s taken in and packaged, against the rtmp
# module with its own HLS: plain, and over TLS against the stream module in
# front of it.  All servers have their hundred cameras at the same time, on
# the same core, so that whatever disturbs one disturbs the others; compared
# is their time on the processor, camera-worker's included.

use strict;
use warnings;

use Bench qw(ours peer directory start_camsim cpu_sec memory_kb median note
    add_cameras publish_urls row);
use JSON::PP;
use Time::HiRes qw(sleep time);

my $cameras = 100;
my $spread = 3;
my $settle = 34;               # until rings have wrapped: steady state
my $window = 6;                 # three segments of each camera
my $rounds = 3;

sub run { return scheme('rtmp') }

sub run_tls { return scheme('rtmps') }

sub scheme {
    my ($scheme) = @_;

    my $t = ours();
    my $urls = publish_urls($t, $scheme, add_cameras($t, $cameras));
    my %hls = (disk => directory($t, $t->dir . '/hls'),
        tmpfs => directory($t, "$t->{shm_parent}/hls"));

    my %server = (ours => [ $t->{nginx}, $t->{worker} ],
        map { $_ => [ peer($t, 'rtmp', as => $_, hls => $hls{$_}) ] }
        keys %hls);
    my %url = (ours => $urls,
        map { $_ => "$scheme://127.0.0.1:" . $t->port("$_-$scheme")
            . '/live/cam%d' } keys %hls);

    my $before = memory_kb(@{ $server{ours} });
    my @load = map { publishers($t, $_, $url{$_}) } sort keys %url;
    sleep $spread + $settle;

    my $percent = windows($scheme, \%server);
    my $memory = (memory_kb(@{ $server{ours} }) - $before) / $cameras;

    check($_) for @load;
    $_->stop for map { @{ $server{$_} } } keys %hls;
    $t->stop;

    return rows($scheme, $percent, $memory);
}

sub publishers {
    my ($t, $name, $url) = @_;

    return start_camsim($t, "$name.camsim", '--file', $t->clip('default'),
        '--publish', $url, '--connections', $cameras, '--spread', $spread,
        '--seconds', $spread + $settle + $rounds * $window + 2);
}

# percent of a core and camera in each window, by server

sub windows {
    my ($scheme, $server) = @_;

    my %percent;

    for my $round (1 .. $rounds) {
        my %cpu = map { $_ => cpu_sec(@{ $server->{$_} }) } keys %$server;
        my $since = time;
        sleep $window;
        my $seconds = time - $since;

        for (keys %cpu) {
            push @{ $percent{$_} }, (cpu_sec(@{ $server->{$_} }) - $cpu{$_})
                / $seconds * 100 / $cameras;
        }

        note("$scheme: " . join ', ', map {
            sprintf '%s %.3f %%', $_, $percent{$_}[-1] } sort keys %percent);
    }

    return \%percent;
}

sub check {
    my ($p) = @_;

    $p->wait(10);
    my $report = decode_json($p->log);
    die 'not all were live: ' . $p->log
        if $report->{publishers}{live} != $cameras;
}

sub rows {
    my ($scheme, $percent, $memory) = @_;

    my $name = "$cameras cameras x 1 Mbit/s, \U$scheme\E and HLS";
    my $bar = $scheme eq 'rtmp' ? '<= 0.8 x' : '<= 0.75 x';
    my %median = map { $_ => median(@{ $percent->{$_} }) } keys %$percent;

    return (
        row("$name, peer's on disk", unit => '% of a core/camera',
            bar => $bar, ours => $median{ours}, theirs => $median{disk}),
        row("$name, peer's on tmpfs", unit => '% of a core/camera',
            ours => $median{ours}, theirs => $median{tmpfs}),
        row("memory of a camera beside ring and segments, \U$scheme",
            unit => 'kB', bar => '<= 400 kB', ours => $memory),
    );
}

1;
