#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for comparing passwords off the event loop: others do not wait for it,
# it is bounded, and neither clients that leave nor the end of a worker are in
# its way.

use strict;
use warnings;

use Camera::Stopwatch;
use Camera::Test;
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_password_queue));
$t->start_api(http => 'camera_api_password_queue 5;'
    . ' camera_api_limit 1000000r/m;');

my $user = $t->add_user;
$t->add_user(username => "ann$_", password => 1) for 1 .. 8;
my ($worker) = $t->worker_pids;

###############################################################################

# one login takes this much

my ($before, $start) = (cpu(), time);
is(answer(login(1))->{status}, 200, 'logged in');
my $cost = cpu() - $before;
cmp_ok($cost, '>', 0.05, "one hash costs $cost s of processor time");

my @nice = sort { $a <=> $b } map { (split ' ', $_)[16] } map { s/.*\)//r }
    map { $t->read_file($_) } glob "/proc/$worker/task/*/stat";
is($nice[-1] - $nice[0], 10, 'spent by a thread that is nice');

# the queue is full: one is compared, five wait

my @sockets = map { login($_) } 1 .. 8;
$start = time;
my @waited;

while (time - $start < 0.1 || grep { !ready($_) } @sockets) {
    my $one = Camera::Stopwatch->start;
    my $r = $t->api_get('/auth/me', token => $user->{token});
    $r->{status} == 200 or die "$r->{status} $r->{body}";
    push @waited, $one->seconds;
}

my @answers = map { answer($_) } @sockets;
my @busy = grep { $_->{status} == 503 } @answers;

is(scalar(grep { $_->{status} == 200 } @answers), 6, 'six log in');
is(scalar @busy, 2, 'two find no room');
is($busy[0]{code}, 'SERVICE_UNAVAILABLE', 'its code');
cmp_ok($busy[0]{headers}{'retry-after'}, '>=', 2, 'when to come again');

my $took = time - $start;
my $longest = max(@waited);
cmp_ok(scalar @waited, '>', 20, scalar(@waited) . ' requests meanwhile');
cmp_ok($longest, '<', $took / 6,
    "none waited for a hash: $longest s while six took $took s");

# clients that leave

$before = cpu();
my $sessions = sessions();
close login($_) for 1 .. 5;
is(answer(login(6))->{status}, 200, 'another one logs in');
cmp_ok(cpu() - $before, '<', 3.5 * $cost,
    'without waiting for those who left');
is(sessions(), $sessions + 1, 'who opened no session');

# passwords do not stay in memory

SKIP: {
    skip('a sanitizer has terabytes of memory', 2) if $ENV{CAMERA_SANITIZED};
    my $memory = memory() // skip('memory cannot be read', 2);

    cmp_ok(index($memory, $t->dir), '>', 0, 'memory of the worker');
    ok($t->wait_for(sub { memory() !~ /correct horse/ }, 2),
        'holds no password');
}

# a reload

@sockets = map { login($_) } 1 .. 6;
sleep_until_taken();
ok($t->reload, 'reload');
is(join(' ', map { answer($_)->{status} } @sockets), '200 ' x 5 . '200',
    'who is logging in is served to the end');
@sockets = ();
ok($t->wait_for(sub { !$t->old_worker_pids }, 5), 'then the old worker ends');
is(answer(login(1))->{status}, 200, 'the new one serves');

# the end

@sockets = map { login($_) } 1 .. 6;
sleep_until_taken();
my $watch = Camera::Stopwatch->start;
$t->stop_nginx;
cmp_ok($watch->seconds, '<', 6 * $cost + 2, 'nginx ends without hashing it all');

$t->done_testing;

###############################################################################

# sends a login, answers its socket

sub login {
    my ($n) = @_;

    my $s = Camera::HTTP::connect_to($t->port('http'));
    my $body = sprintf '{"username":"ann%d","password":"%s"}', $n,
        $t->password;

    print $s join "\r\n", 'POST /api/v1/auth/login HTTP/1.1',
        'Host: localhost', 'Content-Type: application/json',
        'Content-Length: ' . length $body, 'Connection: close', '', $body;

    return $s;
}

sub ready {
    my ($s) = @_;

    return IO::Select->new($s)->can_read(0);
}

sub answer {
    my ($s) = @_;

    my $r = Camera::HTTP::read_response($s, time + 20);
    $r->{code} = JSON::PP::decode_json($r->{body})->{error}{code}
        if $r->{status} >= 400;

    return $r;
}

# until the worker has read them, which it says by the processor it uses

sub sleep_until_taken {
    my $start = cpu();

    $t->wait_for(sub { cpu() > $start }, 5, 'hashing');
}

# seconds of user and system time of the worker

sub cpu {
    my ($pid) = $t->worker_pids;
    my $stat = $t->read_file("/proc/$pid/stat") =~ s/.*\)//r;
    my @field = split ' ', $stat;

    return ($field[11] + $field[12]) / 100;
}

sub sessions { $t->sql('SELECT count(*) FROM user_sessions') }

# all that the worker may write

sub memory {
    no warnings 'portable';
    my ($text, $part) = ('', '');

    open my $fh, '<:raw', "/proc/$worker/mem" or return;

    for (split /\n/, $t->read_file("/proc/$worker/maps")) {
        my ($from, $to) = /^(\w+)-(\w+) rw/ or next;

        sysseek $fh, hex $from, 0 or next;
        sysread $fh, $part, hex($to) - hex $from or next;
        $text .= $part;
    }

    return $text;
}
