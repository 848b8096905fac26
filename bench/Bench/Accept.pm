package Bench::Accept;

# Copyright (C) The nginx camera platform authors

# How long an ordinary camera waits from connect() to NetStream.Publish.Start,
# authorisation included, against the rtmp module, which authorises nobody.

use strict;
use warnings;

use Bench qw(ours peer directory camsim median note add_cameras publish_urls row);

my $cameras = 50;
my $rounds = 3;

sub run {
    my $t = ours();
    my $stock = peer($t, 'rtmp',
        hls => directory($t, "$t->{shm_parent}/stock"));
    my @cameras = add_cameras($t, $cameras);
    my %url = (
        rtmp  => { ours   => publish_urls($t, 'rtmp', @cameras),
                   theirs => 'rtmp://127.0.0.1:' . $t->port('rtmp-rtmp')
                       . '/live/cam%d' },
        rtmps => { ours   => publish_urls($t, 'rtmps', @cameras),
                   theirs => 'rtmps://127.0.0.1:' . $t->port('rtmp-rtmps')
                       . '/live/cam%d' },
    );
    my %msec;

    for my $round (1 .. $rounds) {
        note("round $round of $rounds");

        for my $scheme (sort keys %url) {
            for my $who (qw(ours theirs)) {
                my $p = publish($t, $url{$scheme}{$who});
                push @{ $msec{$scheme}{$who}{50} }, $p->{acceptMsecP50};
                push @{ $msec{$scheme}{$who}{99} }, $p->{acceptMsecP99};
            }
        }
    }

    $stock->stop;
    $t->stop;

    return map {
        my $m = $msec{$_};
        my %bar = (rtmp => 5, rtmps => 15);
        (row(uc . ' publish accepted, p50', unit => 'ms',
            bar => "<= $bar{$_} ms",
            map { $_ => median(@{ $m->{$_}{50} }) } qw(ours theirs)),
        row(uc . ' publish accepted, p99', unit => 'ms',
            bar => '<= 1 x',
            map { $_ => median(@{ $m->{$_}{99} }) } qw(ours theirs)));
    } sort keys %msec;
}

sub publish {
    my ($t, $url) = @_;

    my $report = camsim($t, '--file', $t->clip('small'), '--publish', $url,
        '--connections', $cameras, '--spread', 2, '--seconds', 3);
    my $p = $report->{publishers};

    die 'not all were accepted' if $p->{accepted} != $cameras;

    return $p;
}

1;
