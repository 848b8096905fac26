#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for followers of events whose PostgreSQL was lost: they are looked at
# anew, told when they may have missed something, and let go when nobody can be
# looked at any more.

use strict;
use warnings;

use Camera::EventStream qw(follow);
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres redis migrations camera_api_streams));
$t->start_redis;
$t->start_api(camera => 'redis ' . $t->redis_address . ';');

my $user = $t->add_user(role => 'viewer');
my $camera = $t->add_camera(name => 'gate')->{id};
my $n = 0;

###############################################################################

# the connection that listens is lost

my $s = follow($t, $user->{token});
$t->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    . " WHERE usename = 'camera_api'");
ok($s->ended(4), 'who listens lost its connection: streams end');
$t->wait_api;

# PostgreSQL was away: what happened as it came back nobody may have heard

$s = follow($t, $user->{token});
my $last = $s->last;
$t->restart_postgres('immediate');
ok($s->ended(8), 'PostgreSQL was started anew: streams end');
$t->wait_api;
ok($t->wait_for(sub {
    my $one = follow($t, $user->{token}, last => $last);
    my $event = $one->next(1) // { type => 'none' };
    $one->close;
    $event->{type} eq 'reset';
}, 8, 'reset'), 'and who comes again is told to load anew');

ok($t->wait_for(sub {
    $s = follow($t, $user->{token});
    rename_it();
    defined read_to($s, $n);
}, 8, 'events'), 'events go on');

# away: nobody can be looked at

$t->allow_log(qr/PostgreSQL/);
$t->stop_postgres('immediate');
ok($s->ended(9), 'PostgreSQL stays away: streams end, for nobody is known');
is($t->api_get('/events', token => $user->{token})->{status}, 503,
    'and come again later');

$t->done_testing;

###############################################################################

sub rename_it {
    $n++;
    $t->sql("UPDATE cameras SET name = 'n$n' WHERE id = '$camera'");
}

# reads up to the event of that number; undef: it does not come

sub read_to {
    my ($s, $n) = @_;

    my ($event) = grep { ($_->{json}{data}{name} // '') eq "n$n" }
        $s->until(sub { ($_[0]{json}{data}{name} // '') eq "n$n" }, 4);

    return $event && "n$n";
}
