package Bench::ApiSteady;

# Copyright (C) The nginx camera platform authors

# What must not change while the API works: the latency of requests when
# others' passwords are hashed, and memory.

use strict;
use warnings;

use Bench qw(load_core median note pin pin_away row unpin);
use Bench::ApiData qw(password);
use Camera::Process;
use Time::HiRes qw(time);

my $seconds = 2 + ($ENV{BENCH_SECONDS} // 4);
my $rounds = 3;
my $clients = 8;

=head1 FUNCTIONS

=over

=item hashing($t, $file)

The p99 of one camera at a rate that leaves the server idle most of the time,
with eight clients logging in all the time and without, in both orders.  First
the threads that hash are kept on the worker's own core, which is the worst
place for them, and PostgreSQL with the generator on the other one, also while
nothing is hashed: it would use the time that the worker sleeps, and the bar is
about what hashing takes from requests, not about one core fewer.  Then
everybody may be anywhere, and has one core fewer.

=cut

sub hashing {
    my ($t, $file) = @_;

    pin_away($t->{postgres});
    my ($pinned, $logins) = in_both_orders($t, $file);
    unpin($t->{nginx}, $t->{postgres});
    my ($free) = in_both_orders($t, $file, anywhere => 1);
    pin($t->{nginx});

    return (
        row('p99 of GET /cameras/:id, 8 clients logging in, and without',
            unit => 'ms', bar => '<= 1.2 x', ours => $pinned->{1},
            theirs => $pinned->{0}),
        row('the same with no process kept on a core, one of two hashing',
            unit => 'ms',
            ours => $free->{1}, theirs => $free->{0}),
        row('their logins, every one hashed', unit => 'logins/s',
            ours => $logins),
    );
}

sub in_both_orders {
    my ($t, $file, @where) = @_;

    my (%p99, @logins);

    calm($t, $file, 1, @where);

    for my $round (1 .. $rounds) {
        for my $busy ($round % 2 ? (0, 1) : (1, 0)) {
            my $p = $busy ? start_logins($t) : undef;
            my $r = calm($t, $file, $seconds, @where);
            push @logins, stop_logins($p) if $p;
            push @{ $p99{$busy} }, $r->{p99_msec};
            note(sprintf 'passwords %s: p99 %.2f ms at %.0f/s',
                $busy ? 'hashed' : 'not hashed', $r->{p99_msec}, $r->{rate});
        }
    }

    return ({ map { $_ => median(@{ $p99{$_} }) } 0, 1 }, median(@logins));
}

sub calm {
    my ($t, $file, $for, @where) = @_;

    return Bench::requests($t, $t->port('http'), $file, $for,
        connections => 16, pause => 8, @where);
}

sub start_logins {
    my ($t) = @_;

    my $p = Camera::Process->start($t->dir . '/logins.out', 'taskset', '-c',
        load_core(), $t->root . '/bench/logins', $t->port('http'), $clients,
        password());
    $t->wait_for(sub { $p->log =~ /first/ || !$p->running }, 20, 'login')
        or die $p->log;

    return $p;
}

# logins a second

sub stop_logins {
    my ($p) = @_;

    my $took = time - $p->started;
    $p->stop;
    my ($good, $bad) = $p->log =~ /^(\d+) good, (\d+) bad/m
        or die 'logins: ' . $p->log;
    die 'logins failed: ' . $p->log if $bad || !$good;

    return $good / $took;
}

=item memory($t, $file)

How much the worker grows from its 100,000th to its millionth request.

=cut

sub memory {
    my ($t, $file) = @_;

    my ($worker) = $t->worker_pids;
    my $count = 0;
    my %kb;

    for my $goal (100_000, 1_000_000) {
        while ($count < $goal) {
            $count += Bench::requests($t, $t->port('http'), $file, 2,
                connections => 64)->{count};
        }
        $kb{$goal} = $t->rss($worker);
        note("$count requests: $kb{$goal} kB");
    }

    die 'the worker is another one' if ($t->worker_pids)[0] != $worker;

    return row('memory of the worker after 1 M requests, and after 100,000',
        unit => 'kB', bar => '<= 1.02 x', ours => $kb{1_000_000},
        theirs => $kb{100_000});
}

=back

=cut

1;
