#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the API while its database is restarted, hangs or is locked, with
# clients that go on asking: 503 with Retry-After in bounded time and nothing
# worse, an end by itself, and clients that leave in mid-query, who cost
# nothing.

use strict;
use warnings;

use Camera::Stopwatch;
use Camera::Test;
use Storable qw(retrieve store);
use Test::More;
use Time::HiRes qw(time sleep);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api(http => <<'END');
    camera_api_limit 1000000r/m;
    camera_api_concurrent 1000;
END

my $soak = $ENV{CAMERA_SOAK};
my $user = $t->add_user;
my $camera = $t->add_camera(name => 'gate');
my @paths = ("/cameras/$camera->{id}", '/cameras?q=g', '/cameras/nobody');

###############################################################################

# restarted under load, gently and not

for my $mode (qw(fast immediate kill)) {
    my $load = load(4, $soak ? 20 : 1.8);
    sleep 0.5;
    $t->restart_postgres($mode);

    my $seen = result($load);
    is(wrong($seen), '', "$mode restart: answers or 503");
    cmp_ok($seen->{longest}, '<', 3.5, "$mode restart: in bounded time");
    cmp_ok($seen->{status}{200} // 0, '>', 20, "$mode restart: goes on");
    ok($t->wait_for(\&served, 15, 'recovery'), 'serves again');
}

# nginx is reloaded under load, and the database is slow to take connections:
# nobody notices

{
    my $load = load(4, $soak ? 20 : 1.5);
    sleep 0.3;
    my %old = map { $_ => 1 } $t->worker_pids;
    $t->pause_postgres;
    kill 'HUP', $t->master_pid;
    $t->wait_for(sub { grep { !$old{$_} } $t->worker_pids }, 2, 'a worker');
    sleep 0.2;
    $t->resume_postgres;
    my $seen = result($load);
    is(wrong($seen, 1), '', 'reload: answers, all of them');
}

# it hangs

my $load = load(8, 4.5);
sleep 0.5;
$t->pause_postgres;
sleep 3.3;
$t->resume_postgres;
my $seen = result($load);

is(wrong($seen), '', 'hung: answers or 503');
cmp_ok($seen->{longest}, '<', 4, 'hung: in bounded time');
cmp_ok($seen->{status}{503} // 0, '>', 0, 'hung: 503');
ok($t->wait_for(sub { asked() == 200 }, 10, 'recovery'), 'serves again');

# more ask than may wait

$t->pause_postgres;
my $watch = Camera::Stopwatch->start;
my @many = map { send_get($paths[0]) } 1 .. 700;
my @answers = map { Camera::HTTP::read_response($_, time + 10) } @many;
is(join(' ', uniq(map { $_->{status} } @answers)), '503', 'a crowd: 503');
is(join(' ', uniq(map { $_->{headers}{'retry-after'} } @answers)), 1,
    'come again');
cmp_ok($watch->seconds, '<', 8, 'in bounded time');
$t->resume_postgres;
ok($t->wait_for(sub { asked() == 200 }, 10, 'recovery'), 'serves again');

# a table is locked: the server itself gives up, one statement at a time

my $session = $t->pg_session('camera_owner');
$session->ask('BEGIN');
$session->ask('LOCK TABLE cameras');
ok($t->wait_for(sub { asked() == 503 }, 2, '503'), 'locked: 503');
is($t->api_get('/auth/me', token => $user->{token})->{status}, 200,
    'what needs no lock goes on');
$session->ask('ROLLBACK');
ok($t->wait_for(sub { asked() == 200 }, 10, 'recovery'), 'serves again');

# clients leave in mid-query; what they asked for is nobody's

my $rounds = $soak ? 20 : 2;
my @before = map { $t->fds($_) } $t->worker_pids;

for my $round (1 .. $rounds) {
    $t->pause_postgres;
    my @leaving = map { send_get($paths[ $_ % @paths ]) } 1 .. 50;
    sleep 0.1;
    close $_ for @leaving;
    $t->resume_postgres;
    $t->wait_for(sub { asked() == 200 }, 10, 'recovery') or last;
}

is(asked(), 200, ($rounds * 50) . ' clients left');
my @after = map { $t->fds($_) } $t->worker_pids;
cmp_ok(abs($after[$_] - $before[$_]), '<', 12, 'descriptors') for 0, 1;

# each of these outages was told once and so was its end

my @away = $t->error_log =~ /PostgreSQL does not serve "api"/g;
my @back = $t->error_log =~ /PostgreSQL serves "api" again/g;
cmp_ok(scalar @away, '<', 20, 'the log is short');
is(scalar @away, scalar @back, 'and tells the end of each');
unlike($t->error_log, qr/INTERNAL_ERROR/, 'nothing was our fault');

$t->done_testing;

###############################################################################

sub asked { $t->api_get($paths[0], token => $user->{token})->{status} }

# every worker, by both of its pools

sub served {
    return !grep { $t->api_get($paths[ $_ % 2 ], token => $user->{token})
        ->{status} != 200 } 1 .. 16;
}

sub uniq { my %h = map { $_ => 1 } @_; return sort keys %h }

sub send_get {
    my ($path) = @_;

    my $s = Camera::HTTP::connect_to($t->port('http'));
    print $s "GET /api/v1$path HTTP/1.1\r\nHost: localhost\r\n"
        . "Authorization: Bearer $user->{token}\r\nConnection: close\r\n\r\n";
    return $s;
}

# clients that ask for some seconds, one request after the other each

sub load {
    my ($clients, $seconds) = @_;

    my $file = $t->dir . '/load.' . ++$t->{loads};
    my @pids;

    for my $n (1 .. $clients) {
        my $pid = fork // die "fork() failed: $!";
        $pids[$n - 1] = $pid;
        next if $pid;

        my %seen = (longest => 0);
        my $end = time + $seconds;

        while (time < $end) {
            my $watch = Camera::Stopwatch->start;
            my $r = $t->api_get($paths[ rand @paths ], token => $user->{token});
            my $took = $watch->seconds;

            $seen{longest} = $took if $took > $seen{longest};
            $seen{status}{ $r->{status} }++;
            $seen{vague}++ if $r->{status} == 503
                && !$r->{headers}{'retry-after'};
        }

        store(\%seen, "$file.$n");
        require POSIX;
        POSIX::_exit(0);
    }

    return { file => $file, pids => \@pids };
}

sub result {
    my ($load) = @_;

    waitpid $_, 0 for @{ $load->{pids} };
    my %sum = (longest => 0);

    for my $n (1 .. @{ $load->{pids} }) {
        my $seen = retrieve("$load->{file}.$n");
        $sum{longest} = $seen->{longest} if $seen->{longest} > $sum{longest};
        $sum{status}{$_} += $seen->{status}{$_} for keys %{ $seen->{status} };
        $sum{vague} += $seen->{vague} // 0;
    }

    return \%sum;
}

# what was neither right nor a 503 that says when to come again

sub wrong {
    my ($seen, $no_503) = @_;

    my %status = %{ $seen->{status} };
    delete @status{ 200, 404 };
    delete $status{503} unless $no_503;
    $status{vague} = $seen->{vague} if $seen->{vague};

    return join ' ', map { "$_:$status{$_}" } sort keys %status;
}
