#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what stops `make run` before anything is started: a port that is
# taken, named by its variable, and settings that cannot be.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Run;
use IO::Socket::INET;
use Test::More;

my $t = Camera::Test->new;

###############################################################################

for my $name (Camera::Test::Run::PORTS) {
    my $address = $name eq 'RTMP_PORT' ? '127.0.0.1' : '0.0.0.0';
    my $taken = IO::Socket::INET->new(LocalAddr => $address, Listen => 1);
    my $port = $taken->sockport;

    refused(qr/$name $port is taken by another program/, $name,
        $name => $port);
}

refused(qr/HTTPS_PORT and RTMPS_PORT are both 8443/, 'one port twice',
    HTTPS_PORT => 8443, RTMPS_PORT => 8443);
refused(qr/HTTP_PORT is "80x", it must be a number from 1 to 65535/,
    'not a number', HTTP_PORT => '80x');
refused(qr/HTTPS_PORT is "65536"/, 'too large a port', HTTPS_PORT => 65536);
refused(qr/WORKERS is "0", it must be a number from 1/, 'no workers',
    WORKERS => 0);
refused(qr/RECORD_RESERVE is "5 GB"/, 'reserve', RECORD_RESERVE => '5 GB');
refused(qr/RECORD_LENGTH is "5", it must be a number from 10/, 'length',
    RECORD_LENGTH => 5);
refused(qr/DEMO is "yes", it must be a number from 0 to 1/, 'demo',
    DEMO => 'yes');

$t->done_testing;

###############################################################################

sub refused {
    my ($like, $name, %env) = @_;

    my $run = Camera::Test::Run->start($t, %env);
    my $status = $run->{process}->wait(20);

    is($status, 1 << 8, "$name: status");
    like($run->log, $like, "$name: message");
    ok(!-e $run->var . '/pg', "$name: nothing was begun");
}
