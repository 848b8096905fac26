package Bench::Api;

# Copyright (C) The nginx camera platform authors

# The API beside what else a user could have: one camera and a page of 50,
# with token, limit and log; then what the hashing of passwords does to
# everybody else, and what a million requests leave in memory.
#
# Those compared take turns: each has the server's core for itself while it is
# measured, the generator the other one, PostgreSQL and Redis what both leave.

use strict;
use warnings;

use Bench qw(pin cpu_sec median note row);
use Bench::ApiData qw(load_data request_files);
use Bench::ApiPeers qw(start_node pgbench libpq_page);
use Bench::ApiSteady;
use Camera::Test;

my $seconds = $ENV{BENCH_SECONDS} // 4;      # of each round
my $rounds = 3;

# what is tuned does less: it believes a session for 5 s without asking
my %shapes = (
    'fastify'         => [ 'fastify' ],
    'nestjs'          => [ 'nest' ],
    'fastify-in-sql'  => [ 'fastify', PEER_LIST_IN_SQL => 1 ],
    'fastify-tuned'   => [ 'fastify', PEER_LIST_IN_SQL => 1,
        PEER_PIPELINE => 1, PEER_SESSION_CACHE_MS => 5000 ],
);

sub run {
    my $t = start();
    my ($one, $page) = request_files($t);
    my %peer = map { $_ => start_node($t, $_, @{ $shapes{$_} }) }
        sort keys %shapes;

    my @rows = (single($t, \%peer, $one), pages($t, \%peer, $page));
    $_->stop for values %peer;

    push @rows, Bench::ApiSteady::hashing($t, $one),
        Bench::ApiSteady::memory($t, $one);
    $t->stop;

    return @rows;
}

# this platform as it is configured, but for where its files are

sub start {
    my $t = Camera::Test->new(workers => 1);

    note('loading 10,000 cameras');
    $t->start_postgres(shared_buffers => '256MB');
    $t->start_redis;
    $t->migrate;
    load_data($t);

    my $dir = $t->dir;
    my $http = join '', map { $t->read_file($t->root . "/conf/$_.conf") }
        qw(log limits);
    $http =~ s/\@LOG\@/$dir/g;

    $t->nginx_conf(level => 'warn', cameras => 16384, http => $http,
        camera => 'redis ' . $t->redis_address . ';',
        api => "access_log $dir/api.log camera_api buffer=64k flush=1s;");
    $t->start_nginx;
    $t->wait_api;
    pin($t->{nginx});

    return $t;
}

sub single {
    my ($t, $peer, $file) = @_;

    my $r = in_turn('one camera', ours($t, $file),
        (map { node($t, $peer->{$_}, $_, $file) }
            qw(fastify nestjs fastify-tuned)),
        [ pgbench => 1, sub { pgbench($t, $_[0]) } ]);

    return (
        compare('GET /cameras/:id, against the better of Fastify and NestJS',
            $r, best($r, qw(fastify nestjs)), '6'),
        compare('the same against pgbench -M prepared -c 8, its select alone',
            $r, 'pgbench', '0.7'),
        comparison($r, 'one camera', qw(fastify nestjs fastify-tuned)),
    );
}

sub pages {
    my ($t, $peer, $file) = @_;

    my $r = in_turn('page of 50', ours($t, $file),
        (map { node($t, $peer->{$_}, $_, $file) }
            qw(fastify nestjs fastify-in-sql fastify-tuned)),
        [ libpq => 1, sub { libpq_page($t, $_[0]) } ]);

    return (
        compare('GET /cameras?limit=50, against the best of the three',
            $r, best($r, qw(fastify nestjs fastify-in-sql)), '3'),
        compare('the same against libpq alone, JSON in C', $r, 'libpq', '0.5'),
        comparison($r, 'page of 50',
            qw(fastify nestjs fastify-in-sql fastify-tuned)),
    );
}

# one that takes part: a name, seconds to warm up, and what measures it

sub ours {
    my ($t, $file) = @_;

    return [ ours => 1, sub {
        load($t, $t->{nginx}, $t->port('http'), $file, $_[0]);
    } ];
}

# V8 compiles what is hot while it runs

sub node {
    my ($t, $process, $name, $file) = @_;

    return [ $name => 4, sub {
        load($t, $process, $t->port($name), $file, $_[0]);
    } ];
}

sub load {
    my ($t, $process, $port, $file, $for) = @_;

    my $before = cpu_sec($process);
    my $r = Bench::requests($t, $port, $file, $for, connections => 64);
    $r->{cpu_usec} = (cpu_sec($process) - $before) / $r->{count} * 1e6;

    return $r;
}

# rounds of all of them, each beginning with another; answers the medians

sub in_turn {
    my ($what, @all) = @_;

    my (%values, %medians);

    for my $one (@all) {
        $one->[2]->($one->[1]);
    }

    for my $round (1 .. $rounds) {
        for my $one (@all) {
            my $r = $one->[2]->($seconds);
            push @{ $values{ $one->[0] }{$_} }, $r->{$_} for keys %$r;
            note(sprintf '%s, round %d, %s: %.0f/s', $what, $round,
                $one->[0], $r->{rate});
        }
        push @all, shift @all;
    }

    for my $name (keys %values) {
        my $of = $values{$name};
        $medians{$name} = { map { $_ => median(@{ $of->{$_} }) } keys %$of };
    }

    return \%medians;
}

sub best {
    my ($r, @names) = @_;

    return (sort { $r->{$b}{rate} <=> $r->{$a}{rate} } @names)[0];
}

sub compare {
    my ($text, $r, $name, $bar) = @_;

    return row($text, unit => 'requests/s', bar => ">= $bar x",
        ours => $r->{ours}{rate}, theirs => $r->{$name}{rate});
}

sub comparison {
    my ($r, $what, @names) = @_;

    return map {
        my $name = $_;
        (
            row("$what, $name", unit => 'requests/s',
                ours => $r->{ours}{rate}, theirs => $r->{$name}{rate}),
            row("$what, $name, server's time", unit => 'us/request',
                ours => $r->{ours}{cpu_usec},
                theirs => $r->{$name}{cpu_usec}),
        );
    } @names;
}

1;
