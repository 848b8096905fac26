package Bench::Hls;

# Copyright (C) The nginx camera platform authors

# A signed segment and a signed playlist of a live camera, each against the
# same bytes as a plain file of an nginx without our modules.

use strict;
use warnings;

use Bench qw(ours peer directory start_wrk wrk_rate cpu_sec median note
    add_cameras row);

my $seconds = 6;
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

    for my $round (0 .. $rounds) {
        note($round ? "round $round of $rounds" : 'warming up');
        %result = () if $round == 1;
        my ($uri, $body) = newest($t, $live);
        $t->write_file("$root/segment", $body);
        measure(\%result, $t, $static, 'segment', $uri, $round);

        $t->write_file("$root/playlist",
            $t->http_get($live)->{body});
        measure(\%result, $t, $static, 'playlist', $live, $round);
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

# both at the same time on the same cores, so that whatever disturbs one
# disturbs the other; what is compared does not depend on which of server and
# generator is the busier

sub measure {
    my ($result, $t, $static, $name, $path, $round) = @_;

    my $for = $round ? $seconds : 1;
    my %server = (ours => $t->{nginx}, theirs => $static);
    my %at = (ours => [ $t->port('http'), $path ],
        theirs => [ $t->port('static-http'), "/$name" ]);

    my %before = map { $_ => cpu_sec($server{$_}) } keys %server;
    my %wrk = map { $_ => start_wrk($t, "$_.wrk", @{ $at{$_} }, $for) }
        keys %server;
    my %rate = map { $_ => wrk_rate($wrk{$_}) } keys %wrk;

    for my $who (sort keys %server) {
        my $cpu = cpu_sec($server{$who}) - $before{$who};
        my $count = $rate{$who} * $for;
        push @{ $result->{$name}{$who}{rate} }, $rate{$who};
        push @{ $result->{$name}{$who}{per_cpu} }, $count / $cpu;
        note(sprintf '%s, %s: %.0f/s, %.1f us each', $name, $who,
            $rate{$who}, $cpu / $count * 1e6);
    }
}

sub rows {
    my ($result, $name, $text, $bar) = @_;

    my $r = $result->{$name};

    return (
        row($text, unit => 'requests/s of a core', bar => ">= $bar x",
            map { $_ => median(@{ $r->{$_}{per_cpu} }) } qw(ours theirs)),
        row("$name, as it came with both under load", unit => 'requests/s',
            map { $_ => median(@{ $r->{$_}{rate} }) } qw(ours theirs)),
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
