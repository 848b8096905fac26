#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for events without Redis: stopped, hung, started anew, emptied, or not
# configured at all.  Events go on, without ids; nobody waits; what was heard
# meanwhile is kept as soon as it can be, and followers have nothing twice.

use strict;
use warnings;

use Camera::EventStream qw(follow);
use Camera::Stopwatch;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres redis migrations camera_api_streams));
$t->start_redis;
$t->start_api(camera => 'redis ' . $t->redis_address . ';');

my $user = $t->add_user(role => 'viewer');
my $camera = $t->add_camera(name => 'gate')->{id};
my $n = 0;

my @all = map { follow($t, $user->{token}) } 1 .. 4;
$t->wait_for(sub { ready_with_id() }, 5, 'Redis');
settle();

###############################################################################

rename_it();
like(got(2)->{id}, qr/^\d+-\d+$/, 'with Redis: an id');
my $before = $all[0]->last;

# stopped

$t->stop_redis('KILL');
rename_it();
my ($event, $took) = timed();
is(name_of($event), "n$n", 'Redis is stopped: events go on');
is($event->{id}, undef, 'without an id');
cmp_ok($took, '<', 1.5, 'in time');
rename_it();
(undef, $took) = timed();
cmp_ok($took, '<', 0.6, 'the next one at once');

my $watch = Camera::Stopwatch->start;
my $r = $t->api_get('/cameras', token => $user->{token});
is($r->{status}, 200, 'requests go on');
cmp_ok($watch->seconds, '<', 0.5, 'and do not wait');

$watch = Camera::Stopwatch->start;
my $s = follow($t, $user->{token}, last => $before);
is($s->ready->{type}, 'ready', 'a stream begins');
is($s->ready->{id}, undef, 'nowhere');
is($s->next(1)->{type}, 'reset', 'and says that something may be missing');
cmp_ok($watch->seconds, '<', 1, 'without waiting');
$s->close;

# started anew, empty

$t->start_redis;
$t->wait_for(sub { ready_with_id() }, 10, 'Redis');
settle();
rename_it();
like(got(2)->{id}, qr/^\d+-\d+$/, 'Redis is back: an id again');

$s = follow($t, $user->{token}, last => $before);
is($s->next(2)->{type}, 'reset', 'what it forgot is told');
$s->close;

# hung

settle();
$before = $all[0]->last;
$t->pause_redis;
rename_it();
($event, $took) = timed();
is(name_of($event), "n$n", 'Redis hangs: events go on');
cmp_ok($took, '<', 1.6, 'in time');
rename_it();
($event, $took) = timed();
is(name_of($event), "n$n", 'the next one');
cmp_ok($took, '<', 0.8, 'too');

$watch = Camera::Stopwatch->start;
$r = $t->api_get('/cameras', token => $user->{token});
cmp_ok($watch->seconds, '<', 0.5, 'requests do not wait');
$watch = Camera::Stopwatch->start;
$s = follow($t, $user->{token});
is($s->ready->{type}, 'ready', 'a stream begins');
cmp_ok($watch->seconds, '<', 1, 'without waiting');

$t->resume_redis;
$t->wait_for(sub { ready_with_id() }, 10, 'Redis');
rename_it();
is(name_of(got(3)), "n$n", 'it answers again: nothing comes twice');

$s = follow($t, $user->{token}, last => $before);
is_deeply([ map { name_of($s->next(2)) } 1 .. 3 ],
    [ map { "n$_" } $n - 2 .. $n ], 'and what was heard meanwhile is kept');
$s->close;

# emptied

settle();
$before = $all[0]->last;
$t->redis_cli('FLUSHALL');
rename_it();
is(name_of(got(2)), "n$n", 'Redis was emptied: events go on');
$s = follow($t, $user->{token}, last => $before);
is($s->next(2)->{type}, 'reset', 'what it forgot is told');
$s->close;

# not configured

$_->close for @all;
$t->stop_nginx;
$t->nginx_conf(api => '');
$t->start_nginx;
$t->wait_api;

@all = map { follow($t, $user->{token}) } 1 .. 4;
is($all[0]->ready->{id}, undef, 'no Redis: a stream begins nowhere');
rename_it();
($event, $took) = timed();
is(name_of($event), "n$n", 'events come');
is($event->{id}, undef, 'without an id');
cmp_ok($took, '<', 0.5, 'at once');
$s = follow($t, $user->{token}, last => $before);
is($s->next(2)->{type}, 'reset', 'nothing is kept');

$t->done_testing;

###############################################################################

sub rename_it {
    $n++;
    $t->sql("UPDATE cameras SET name = 'n$n' WHERE id = '$camera'");
}

sub name_of { $_[0] && ($_[0]{json}{data}{name} // $_[0]{type}) }

# the next event of each follower, which must be the same

sub got {
    my ($seconds) = @_;

    my @events = map { $_->next($seconds) } @all;
    my %names = map { (name_of($_) // 'nothing') => 1 } @events;

    is(scalar keys %names, 1, 'the same for followers of each worker')
        or diag(join ' ', keys %names);

    return $events[0];
}

sub timed {
    my $watch = Camera::Stopwatch->start;
    my $event = got(3);

    return ($event, $watch->seconds);
}

# each worker begins streams somewhere

sub ready_with_id {
    for (1 .. 6) {
        my $one = follow($t, $user->{token});
        my $id = ($one->ready // {})->{id};
        $one->close;
        return 0 if !defined $id;
    }

    return 1;
}

# what is on its way has come

sub settle {
    for my $one (@all) {
        1 while $one->next(0.5);
    }
}
