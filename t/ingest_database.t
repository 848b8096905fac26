#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for publishers while PostgreSQL is away: reconnect, start of nginx
# with the registry of before and without it, and a storm of reconnects that
# asks the database nothing.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time);

use Camera::RTMP;
use Camera::Registry qw(registry);
use Camera::Stopwatch;
use Camera::Test;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(camera_rtmps postgres migrations tls));

my $count = $t->soak ? 500 : 100;
my $start = 'NetStream.Publish.Start';

$t->start_postgres(log_statement => 'all');
$t->migrate;
$t->start_nginx;

my $camera = $t->add_camera(name => 'gate', opaque => 1);
$t->sql("INSERT INTO cameras (name, rtmp_key)
    SELECT 'c' || n, 'storm' || n FROM generate_series(1, $count) AS n");
my @storm = map { my ($id, $key) = split /\t/;
    { key => $key, token => $t->token(camera => { id => $id }) } }
    $t->sql("SELECT id, rtmp_key FROM cameras WHERE rtmp_key ~ 'storm'");

ok($t->wait_for(sub { keys %{ registry($t)->{cameras} } == $count + 1 }, 5),
    'all cameras are known');

sub publishes {
    my ($name, %opt) = @_;

    my ($r, $status) = Camera::RTMP->publisher($t, $camera, %opt);
    is($status->{code}, $start, $name);
    $r->close;
    $t->wait_for(sub { !registry($t)->{cameras}{ $camera->{id} }{publishing} },
        2, "end, $name");
}

# all cameras at once: no question for the database, whom the feeder tells five
# times a second what has changed

$t->wait_for(sub { time - registry($t)->{fed_at} < 2 }, 6, 'feeder at rest');
my $before = $t->statements;
my $watch = Camera::Stopwatch->start;
my @live = map { [Camera::RTMP->publisher($t, $_)] } @storm;
my $took = $watch->seconds;

is(scalar(grep { $_->[1]{code} eq $start } @live), $count,
    "$count cameras at once: all accepted");
cmp_ok($took, '<', 5, sprintf 'in %.2f s', $took);
my $asked = $t->statements - $before;
cmp_ok($asked, '<=', 3 + 5 * $watch->passed,
    "statements meanwhile: $asked, the feeder's own");
$_->[0]->close for @live;
@live = ();

# away

my ($kept, $status) = Camera::RTMP->publisher($t, $camera);
$kept->config;
$t->stop_postgres('immediate');
$kept->video(40, key => 1);
ok(!$kept->closed(0.5), 'database stopped: publisher stays');
$kept->close;
$t->wait_for(sub { !registry($t)->{cameras}{ $camera->{id} }{publishing} }, 2);
publishes('database stopped: signed key');
publishes('database stopped: opaque key', name => $camera->{opaque});
($kept, $status) = Camera::RTMP->publisher($t, $camera,
    token => $t->token(camera => $camera, gen => 7));
is($status->{level}, 'error', 'database stopped: revoked stays revoked');
$kept->close;

$t->stop_nginx;
$t->start_nginx;
publishes('cold start without the database');

# nothing is known

$t->stop_nginx;
unlink $t->shm . '/registry' or die "unlink() failed: $!";
$t->start_nginx;

($kept, $status) = Camera::RTMP->publisher($t, $camera);
is($status->{code}, 'NetStream.Failed', 'no registry, no database: refused');
like($status->{description}, qr/does not know its cameras yet/, 'and why');

$t->start_postgres;
ok($t->wait_for(sub {
    ($kept, $status) = Camera::RTMP->publisher($t, $camera);
    $status->{code} eq $start;
}, 10), 'database is back: accepted');

# a registry that was last fed more than a day ago

$t->stop_postgres('immediate');
$t->stop_nginx;
my $file = $t->shm . '/registry';
my $bytes = $t->read_file($file);
substr $bytes, 40, 8, pack 'q', int(time) - 86400 - 60;
open my $fh, '+<:raw', $file or die "open() failed: $!";
print $fh $bytes;
close $fh;
$t->start_nginx;
($kept, $status) = Camera::RTMP->publisher($t, $camera);
is($status->{code}, 'NetStream.Failed', 'registry older than a day: refused');

$t->done_testing;
