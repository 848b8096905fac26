#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the use of API tokens: every request of a token is counted once, by
# all workers, over a reload and while the database is away, and those that were
# refused as too many beside them; when it was used last is known to a minute.

use strict;
use warnings;

use Camera::Test;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

$t->wait_for_the_hour;

my $admin = $t->add_user;
my $token = $t->api(POST => '/tokens', token => $admin->{token}, json => {
    name => 'x', permissions => ['cameras:read'], rateLimit => 12 })->{json};

###############################################################################

is_deeply(today(), { requests => 0, limited => 0 }, 'none');

get() for 1 .. 6;
ok($t->reload, 'reload');
$t->wait_api;
get() for 1 .. 10;
is_deeply(counted(16), { requests => 16, limited => 4 },
    'each is counted, and what was too many');

my $used = $t->api_get("/tokens/$token->{id}", token => $admin->{token})
    ->{json}{lastUsedAt};
like($used // '', qr/^\d{4}-\d\d-\d\dT/, 'when it was used last');

get() for 1 .. 3;
$t->restart_postgres('immediate');
is_deeply(counted(19), { requests => 19, limited => 7 },
    'those before an outage, too');

$t->done_testing;

###############################################################################

sub get { $t->api_get('/cameras?limit=1', token => $token->{token}) }

# as the page of its use has it; nothing while the database is away

sub today {
    my $r = $t->api_get("/tokens/$token->{id}/usage?days=1",
        token => $admin->{token});
    return {} if $r->{status} != 200;
    my ($day) = @{ $r->{json} };
    return { map { ($_ => $day->{$_}) } qw(requests limited) };
}

sub counted {
    my ($n) = @_;

    $t->wait_for(sub { (today()->{requests} // 0) >= $n }, 25, 'the count');
    return today();
}
