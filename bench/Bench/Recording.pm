package Bench::Recording;

# Copyright (C) The nginx camera platform authors

# What recording costs: a hundred cameras of 1 Mbit/s with and without it, beside
# the rtmp module with its own HLS and recording, and beside an ffmpeg for each
# camera.  All of them at the same time on the same core; of ffmpeg there are ten,
# and theirs is counted ten times.
#
# Then, one after the other, what people do with recordings: a day's timeline, a
# seek, a download that is encrypted on disk (Bench::RecordingUse).

use strict;
use warnings;

use Bench qw(ours peer directory start_camsim cpu_sec memory_kb median note pin
    pin_away add_cameras publish_urls row);
use Bench::RecordingUse;
use Camera::Process;
use JSON::PP;
use Time::HiRes qw(sleep time);

my $cameras = 100;
my $ffmpegs = 10;
my $spread = 3;
my $settle = 34;                # until rings have wrapped: steady state
my $window = 12;                # three syncs of the disk
my $rounds = 3;
my $seconds = $spread + $settle + $rounds * $window + 6;

my $record = 'record all; record_path %s; record_interval 1h; '
    . 'record_unique on;';

sub run {
    return (load(), Bench::RecordingUse::timeline(),
        Bench::RecordingUse::seek(), Bench::RecordingUse::download());
}

sub load {
    my %t = (without => ours(), with => ours(record => 'volume'));
    my $t = $t{without};
    my %dir = map { $_ => directory($t, $t->dir . "/$_") }
        qw(hls flv segments);
    my $source = peer($t, 'rtmp', as => 'source',
        hls => directory($t, "$t->{shm_parent}/source"));
    pin_away($source);

    my %server = (
        (map { $_ => [ $t{$_}{nginx}, $t{$_}{worker} ] } keys %t),
        stock => [ peer($t, 'rtmp', as => 'stock', hls => $dir{hls},
            more => sprintf $record, $dir{flv}) ],
    );

    my @load = (
        (map { publishers($t, $_, publish_urls($t{$_}, 'rtmp',
            add_cameras($t{$_}, $cameras)), $cameras) } keys %t),
        publishers($t, 'stock', stock_url($t, 'stock'), $cameras),
        publishers($t, 'source', stock_url($t, 'source'), $ffmpegs),
    );

    note("$cameras cameras begin");
    sleep $spread + 2;
    $server{ffmpeg} = [ map { ffmpeg($t, $_, $dir{segments}) }
        0 .. $ffmpegs - 1 ];
    sleep $settle - 2;

    my $percent = windows(\%server);
    my %kb = map { $_ => memory_kb(@{ $server{$_} }) } keys %server;
    check($t{with}, $dir{segments});

    $_->wait(20) for @load;
    $_->stop for @{ $server{ffmpeg} }, @{ $server{stock} }, $source;
    $_->stop for values %t;

    return rows($percent, \%kb);
}

sub stock_url {
    my ($t, $name) = @_;

    return 'rtmp://127.0.0.1:' . $t->port("$name-rtmp") . '/live/cam%d';
}

sub publishers {
    my ($t, $name, $url, $n) = @_;

    return start_camsim($t, "$name.camsim", '--file', $t->clip('default'),
        '--publish', $url, '--connections', $n, '--spread', $spread,
        '--seconds', $seconds);
}

# as it is done everywhere: one process for each camera, files by the clock

sub ffmpeg {
    my ($t, $n, $dir) = @_;

    my $url = stock_url($t, 'source') =~ s/%d/$n/r;
    my $p = Camera::Process->start($t->dir . "/ffmpeg.$n.log", qw(ffmpeg
        -nostdin -loglevel error -i), $url, qw(-c copy -f segment
        -segment_time 3600 -segment_atclocktime 1 -segment_format mp4
        -segment_format_options movflags=+frag_keyframe+empty_moov
        -strftime 1), "$dir/$n-%Y%m%dT%H%M%S.mp4");
    pin($p);

    return $p;
}

# percent of a core for all cameras in each window, by server

sub windows {
    my ($server) = @_;

    my %percent;

    for my $round (1 .. $rounds) {
        my %cpu = map { $_ => cpu_sec(@{ $server->{$_} }) } keys %$server;
        my $since = time;
        sleep $window;
        my $took = time - $since;

        for (keys %cpu) {
            my $n = $_ eq 'ffmpeg' ? $ffmpegs : $cameras;
            push @{ $percent{$_} }, (cpu_sec(@{ $server->{$_} }) - $cpu{$_})
                / $took * 100 * $cameras / $n;
        }

        push @{ $percent{added} },
            $percent{with}[-1] - $percent{without}[-1];
        note('recording: ' . join ', ', map {
            sprintf '%s %.2f %%', $_, $percent{$_}[-1] } sort keys %percent);
    }

    return \%percent;
}

# everybody records everything, or nothing is compared

sub check {
    my ($t, $segments) = @_;

    my $at = int 1000 * (time - 10);
    my $good = () = $t->sql(qq{SELECT 1 FROM recordings
        WHERE state = 'recording' AND end_time >= start_time});
    my @files = grep { -s > 2_000_000 } glob $t->dir . '/volume/media/*/*/*.mp4';
    my @theirs = grep { -s > 2_000_000 } glob "$segments/*.mp4";

    die "only $good rows and @{[ scalar @files ]} files"
        if $good != $cameras || @files != $cameras;
    die 'ffmpeg recorded ' . @theirs if @theirs != $ffmpegs;
}

sub rows {
    my ($percent, $kb) = @_;

    my %cpu = map { $_ => median(@{ $percent->{$_} }) } keys %$percent;
    my $each = ($kb->{with} - $kb->{without}) / $cameras;
    my $theirs = $kb->{ffmpeg} / $ffmpegs;
    my $what = "$cameras cameras x 1 Mbit/s";

    return (
        row("$what, what recording adds", unit => '% of a core, all',
            bar => '<= 5 % of a core', ours => $cpu{added}),
        row('the same against an ffmpeg -c copy -f segment each',
            unit => '% of a core, all', bar => '<= 0.1 x',
            ours => $cpu{added}, theirs => $cpu{ffmpeg}),
        row('memory of a camera that is recorded', unit => 'kB',
            bar => '<= 200 kB', ours => $each),
        row('the same against an ffmpeg each', unit => 'kB',
            bar => '<= 0.02 x', ours => $each, theirs => $theirs),
        row("$what taken in, packaged and recorded, against the rtmp module's "
            . 'HLS and record', unit => '% of a core/camera', bar => '<= 1 x',
            ours => $cpu{with} / $cameras, theirs => $cpu{stock} / $cameras),
    );
}

1;
