#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for one publication per camera over two workers: who may take over
# from whom, when, and how often.

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
$t->start_nginx;

my %camera = map { ($_ => $t->add_camera(name => $_)) }
    qw(same other silent dead fight);
$t->wait_for(sub { keys %{ registry($t)->{cameras} } == keys %camera }, 5,
    'registry');

my $start = 'NetStream.Publish.Start';

sub publish {
    my ($name, %opt) = @_;

    my ($r, $status) = Camera::RTMP->publisher($t, $camera{$name}, %opt);
    $r->config if $status->{code} eq $start;
    return ($r, $status);
}

sub state_of { registry($t)->{cameras}{ $camera{ $_[0] }{id} } }

# the same credential, from whichever worker, takes over at once

my ($old, $status) = publish('same');
is($status->{code}, $start, 'first publisher');
my $generation = state_of('same')->{generation};

my ($new);
($new, $status) = publish('same');
is($status->{code}, $start, 'same credential takes over at once');
cmp_ok(state_of('same')->{generation}, '>', $generation, 'generation grew');
ok($old->closed(1), 'old publisher is ended');
ok(!$new->closed(0.3), 'new one stays');
ok($new->video(40, key => 1), 'and sends');
is(state_of('same')->{publishing}, 1, 'camera is live');
$new->close;
ok($t->wait_for(sub { !state_of('same')->{publishing} }, 1), 'ended');

# another credential is refused while media flows, and may come when it stops

my $token = $t->token(camera => $camera{other});
my $first;
($first, $status) = publish('other');
is($status->{code}, $start, 'first publisher');

my ($late, $refused) = publish('other', token => $token);
is($refused->{code}, 'NetStream.Publish.BadName', 'other credential: busy');
is($refused->{level}, 'error', 'an error');
like($refused->{description}, qr/another device/, 'that says why');
is(state_of('other')->{refused}, 'busy', 'noted');
ok($late->closed(2), 'refused one is closed');
ok(!$first->closed(0), 'publisher stays');

($first, $status) = publish('silent');
my $watch = Camera::Stopwatch->start;

my $taken = $t->wait_for(sub {
    my ($r, $s) = publish('silent', token => $t->token(
        camera => $camera{silent}));
    ($late, $refused) = ($r, $s);
    return $s->{code} eq $start;
}, 6, 'takeover');

ok($taken, 'silent publisher is taken over');
cmp_ok($watch->passed, '>', 2.5, 'not before it was silent for 3 s');
cmp_ok($watch->seconds, '<', 5, 'and soon after');
ok($first->closed(1), 'silent publisher is ended');
ok(!$late->closed(0), 'its successor stays');

# a crashed worker holds nothing

($first, $status) = publish('dead');
my %workers = map { $_ => 1 } $t->worker_pids;
$t->kill_worker($_) for 1, 0;
$t->wait_for(sub { 2 == grep { !$workers{$_} } $t->worker_pids }, 5, 'workers');
$t->wait_for(sub { eval { Camera::RTMP->open($t->port('rtmp'))->handshake } },
    5, 'new workers');
is(state_of('dead')->{publishing}, 1, 'crash left the registry as it was');
($first, $status) = publish('dead', token => $t->token(
    camera => $camera{dead}));
is($status->{code}, $start, 'another credential after a crash');

# two that fight

my @codes;
my @open;
for (1 .. 5) {
    my ($r, $s) = publish('fight');
    push @codes, $s->{code};
    push @open, $r;
}

is(join(' ', @codes[0 .. 3]), join(' ', ($start) x 4),
    'three takeovers in a row');
is($codes[4], 'NetStream.Publish.BadName', 'the fourth is refused');
is(state_of('fight')->{refused}, 'takeover_limit', 'noted');
ok(!$open[3]->closed(0), 'the last publisher stays');
$open[3]->close;
$t->wait_for(sub { !state_of('fight')->{publishing} }, 1, 'end');
(undef, $status) = publish('fight');
is($status->{code}, $start, 'free camera is nobody\'s fight');

# many at once: exactly one remains

my @race = map { [publish('same')] } 1 .. 3;
$t->wait_for(sub { 1 == grep { !$_->[0]->closed(0) } @race }, 2, 'one left');
is(scalar(grep { !$_->[0]->closed(0) } @race), 1, 'exactly one publisher remains');

$t->done_testing;
