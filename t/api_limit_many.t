#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for limits beside more addresses than the table of limits has room for:
# what somebody has used up stays used up.  Once, a limit of an hour was the first
# to be forgotten, for its window had begun before those of addresses.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->wait_for_the_hour;
$t->start_api(http => 'set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;');

my $admin = $t->add_user;
my $token = $t->api(POST => '/tokens', token => $admin->{token}, json => {
    name => 'x', permissions => ['*'], rateLimit => 3, rateWindow => 3600
})->{json}{token};

###############################################################################

is(join(' ', map { status() } 1 .. 4), '200 200 200 429', 'used up');

my $refused = 0;
$refused += strangers("10.1.$_") for 0 .. 79;
is($refused, 20_000, 'twenty thousand addresses');
is(status(), 429, 'used up as before');

$t->done_testing;

###############################################################################

# requests from so many addresses of a network, one behind the other; answers how
# many were refused for want of a token

sub strangers {
    my ($net) = @_;

    my ($in, $end) = ('', time + 10);
    my $s = Camera::HTTP::connect_to($t->port('http'));

    print $s map { "GET /api/v1/cameras HTTP/1.1\r\nHost: localhost\r\n"
        . "X-Forwarded-For: $net.$_\r\n"
        . ($_ < 249 ? '' : "Connection: close\r\n") . "\r\n" } 0 .. 249;
    1 while Camera::HTTP::more($s, \$in, $end);

    return scalar(() = $in =~ m{HTTP/1\.1 401 }g);
}

sub status { $t->api_get('/cameras', token => $token)->{status} }
