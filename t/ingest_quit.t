#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for QUIT, by which container runtimes stop nginx: no camera keeps it,
# and each is ended with a whole group of pictures.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Camera::RTMP;
use Camera::Registry qw(registry);
use Camera::Stopwatch;
use Camera::Test;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(camera_rtmps postgres migrations));

$t->start_postgres;
$t->migrate;
$t->nginx_conf;
$t->start_nginx;

my @cameras = map { $t->add_camera(name => "camera $_") } 1 .. 12;
$t->wait_for(sub { keys %{ registry($t)->{cameras} } == 12 }, 5, 'registry');

my @live = map { publish($_) } @cameras;
my $master = $t->master_pid;
my $watch = Camera::Stopwatch->start;

###############################################################################

$t->{nginx}->signal('QUIT');

ok($t->wait_for(sub {
    $_->video(40) for @live;
    drains() == 12;
}, 2, 'draining'), 'every camera drains at once');

is(scalar(grep { $_->closed(0) } @live), 0, 'not within a group of pictures');

$_->video(80, key => 1) for @live;

my $status = $live[0]->status(2);
is($status->{code}, 'NetStream.Failed', 'with a key frame: a status');
like($status->{description}, qr/come again/, 'that says what to do');
is(scalar(grep { $_->closed(2) } @live), 12, 'and the end');

my $ended = $t->{nginx}->wait(5);

is($ended, 0, 'exit status');
cmp_ok($watch->seconds, '<', 5, 'within seconds');
ok(!Camera::Process::alive($master), 'no master');

# its successor has everything

$t->start_nginx;
my $again = publish($cameras[3]);
ok(!$again->closed(0.3), 'it comes again');

# a reload is no end

my $before = drains();

ok($t->reload, 'reload');
$again->video(40, key => 1);
ok(!$again->closed(0.6), 'its camera stays');
is(drains(), $before, 'nobody drains');

$t->done_testing;

###############################################################################

sub publish {
    my ($camera) = @_;

    my ($r, $status) = Camera::RTMP->publisher($t, $camera);
    is($status->{code}, 'NetStream.Publish.Start', "$camera->{name} publishes");
    $r->config;
    $r->video(0, key => 1);

    return $r;
}

sub drains {
    return scalar(() = $t->error_log =~ /publishing drains/g);
}
