package Bench::Storm;

# Copyright (C) The nginx camera platform authors

# Five hundred cameras lose their connection and return within two seconds,
# as after a switch was restarted.  The server knows them: nobody asks the
# database.

use strict;
use warnings;

use Bench qw(ours camsim median note add_cameras publish_urls row);

my $cameras = 500;
my $rounds = 3;

sub run {
    my (@msec, @missing, @queries);

    for my $round (1 .. $rounds) {
        note("round $round of $rounds");

        my $t = ours(camera => 'ring_size 512k;');
        my @urls = publish_urls($t, 'rtmps', add_cameras($t, $cameras));

        my $before = queries($t);
        my $report = camsim($t, '--file', $t->clip('small'), '--publish',
            @urls, '--connections', $cameras, '--spread', 4, '--seconds', 12,
            '--reconnect-storm', "$cameras/2\@5");

        push @msec, $report->{storm}{msec};
        push @missing, $cameras - $report->{storm}{accepted};
        push @queries, queries($t) - $before;
        $t->stop;
    }

    return (
        row("$cameras RTMPS reconnects in 2 s, until all are accepted",
            unit => 'ms', bar => '<= 5000 ms', ours => median(@msec)),
        row('reconnects that were not accepted', unit => 'cameras',
            bar => '<= 0 cameras', ours => median(@missing)),
        row('queries of the database for them', unit => 'queries',
            bar => '<= 0 queries', ours => median(@queries)),
    );
}

# without the feeder's own: it reads what changed every five seconds

sub queries {
    my ($t) = @_;

    my @all = grep { /camera_app LOG:  (?:statement|execute)/ }
        split /\n/, $t->{postgres}->log;
    my @others = grep {
        !/feeder_cameras|LISTEN|pg_current_snapshot|stream_status/
    } @all;

    die 'the log has no statement, not even the feeder\'s' if @all == @others;

    return scalar @others;
}

1;
