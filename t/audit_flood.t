#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the audit log under who would hide in it: a user who is refused all the
# time keeps nobody else's refusals and wrong passwords out of it, and is limited
# like everybody.

use strict;
use warnings;

use Camera::Test;
use Test::More;
use Time::HiRes qw(time sleep);

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_limit));
$t->start_api(http => 'camera_api_limit 150r/h;');
$t->wait_for_the_hour;

my $loud = $t->add_user(role => 'viewer', tenant => $t->add_tenant);
my $quiet = $t->add_user(role => 'viewer');
my $target = $t->add_user(role => 'viewer', password => 1);

###############################################################################

# all within one second, of which the audit takes a few

begin_of_a_second();
refused($loud) for 1 .. 40;
refused($quiet);
is($t->api(POST => '/auth/login', json => { username => $target->{username},
    password => 'a wrong 1' })->{status}, 401, 'a wrong password');

ok($t->wait_for(sub { entries($loud) }, 2, 'an entry'), 'who is loud is noted');
ok($t->wait_for(sub { entries($quiet) }, 2, 'an entry'),
    'and so is somebody else');
ok($t->wait_for(sub { $t->sql("SELECT count(*) FROM audit_log WHERE action
    = 'auth.login_failed' AND object_id = '$target->{id}'") }, 2, 'an entry'),
    'and a wrong password');
like($t->error_log, qr/too many refusals in a second/, 'the log says so');

# refusals are requests

my @status = map { refused($loud) } 1 .. 120;
is(scalar(grep { $_ == 403 } @status), 110, 'as many as a user may');
is(scalar(grep { $_ == 429 } @status), 10, 'and then no more');

$t->done_testing;

###############################################################################

sub begin_of_a_second {
    sleep 1 - (time - int time);
}

sub refused {
    my ($user) = @_;

    return $t->api(POST => '/cameras', token => $user->{token},
        json => { name => 'x' })->{status};
}

sub entries {
    my ($user) = @_;

    return $t->sql("SELECT count(*) FROM audit_log WHERE result = 'denied'
        AND user_id = '$user->{id}'");
}
