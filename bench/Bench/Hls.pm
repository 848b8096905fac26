package Bench::Hls;

# Copyright (C) The nginx camera platform authors

# A signed segment and a signed playlist of a live camera, each against the
# same bytes as a plain file of an nginx without our modules.

use strict;
use warnings;

use Bench qw(ours peer directory wrk cpu_sec median note add_cameras row);

my $seconds = 3;
my $rounds = 3;

sub run {
    my $t = ours();
    my $root = directory($t, "$t->{shm_parent}/static");
    my $static = peer($t, 'static', root => $root);
    my ($camera) = add_cameras($t, 1);

    note('a camera of 2 Mbit/s begins');
    my $p = $t->publish($camera, via => 'camsim', clip => 'bench2m');
    my $live = entrance($t, $camera);
    $t->wait_for(sub { segments($t, $live) >= 4 }, 20, 'segments') or die;

    my %result;

    for my $round (1 .. $rounds) {
        note("round $round of $rounds");
        my ($uri, $body) = newest($t, $live);
        $t->write_file("$root/segment", $body);
        measure(\%result, $t, $static, $round, 'segment', $uri);

        $t->write_file("$root/playlist",
            $t->http_get($live)->{body});
        measure(\%result, $t, $static, $round, 'playlist', $live);
    }

    $p->stop;
    $static->stop;
    my $size = -s "$root/segment";
    my $lines = () = $t->http_get($live)->{body} =~ /[?&]s=/g;
    my $list = -s "$root/playlist";
    $t->stop;

    return (
        rows(\%result, 'segment', sprintf('signed segment of %d kB, tmpfs',
            $size / 1000), '0.97'),
        rows(\%result, 'playlist', "signed playlist, $lines signed URIs, "
            . "$list bytes", '0.9'),
    );
}

# one and the other in turn, and another one first in each round, so that both
# see the same neighbours

sub measure {
    my ($result, $t, $static, $round, $name, $path) = @_;

    my %run = (
        ours   => [ $t->{nginx}, $t->port('http'), $path ],
        theirs => [ $static, $t->port('static-http'), "/$name" ],
    );

    for my $who ($round % 2 ? qw(ours theirs) : qw(theirs ours)) {
        my ($process, @at) = @{ $run{$who} };
        my $before = cpu_sec($process);
        my $rate = wrk($t, @at, $seconds);
        my $cost = (cpu_sec($process) - $before) / ($rate * $seconds) * 1e6;
        push @{ $result->{$name}{$who}{rate} }, $rate;
        push @{ $result->{$name}{$who}{cost} }, $cost;
        note(sprintf '%s, %s: %.0f/s, %.1f us each', $name, $who, $rate,
            $cost);
    }
}

sub rows {
    my ($result, $name, $text, $bar) = @_;

    my $r = $result->{$name};

    return (
        row($text, unit => 'requests/s', bar => ">= $bar x",
            map { $_ => median(@{ $r->{$_}{rate} }) } qw(ours theirs)),
        row("$name: processor time", unit => 'us/request',
            bar => sprintf('<= %.2f x', 1 / $bar),
            map { $_ => median(@{ $r->{$_}{cost} }) } qw(ours theirs)),
    );
}

# the multivariant playlist's variant

sub entrance {
    my ($t, $camera) = @_;

    my $r;
    $t->wait_for(sub {
        $r = $t->http_get($camera->{play_path});
        $r->{status} == 200;
    }, 10, 'multivariant playlist') or die $r->{status};
    my ($variant) = $r->{body} =~ /^([^#\s]+)$/m;

    return "/hls/$camera->{id}/$variant";
}

sub segments {
    my ($t, $live) = @_;

    return scalar(() = $t->http_get($live)->{body} =~ /^#EXTINF/mg);
}

# the path and the bytes of the newest whole segment

sub newest {
    my ($t, $live) = @_;

    my @uris = $t->http_get($live)->{body} =~ /^#EXTINF.*\n(?:#.*\n)*(.+)$/mg;
    my $path = $live =~ s{[^/]*$}{}r . $uris[-1];
    my $r = $t->http_get($path);
    die "segment: $r->{status}" if $r->{status} != 200;

    return ($path, $r->{body});
}

1;
