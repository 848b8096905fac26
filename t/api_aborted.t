#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for clients that leave: every route of openapi.yaml, at moments of all
# kinds, with the database hanging and not, over reloads and an identity provider
# that hangs.  No worker dies, nothing is counted for ever, no connection stays,
# and an old worker can go.

use strict;
use warnings;

use Camera::Matrix;
use Camera::Oidc;
use Camera::Test;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(time sleep);

my $seed = $ENV{CAMERA_SEED} // 1;
my $rounds = $ENV{CAMERA_SOAK} ? 60 : 2;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_oidc tls));

# fewer at once than requests that leave: what is not given back is soon missed

my $oidc = Camera::Oidc->new($t);
my %conf = Camera::Matrix->conf;
$t->start_api(%conf, http => $conf{http} . $oidc->directive('idp')
        . 'camera_api_concurrent 40; camera_api_streams 8;'
        . 'camera_api_public_url http://127.0.0.1;',
    server => $oidc->location . 'location = /active { stub_status; }');
$t->allow_log(qr/upstream (?:timed out|prematurely)|identity provider "idp"/);
$oidc->start_hostile;
$oidc->says(discovery => 'hang');

my $m = Camera::Matrix->new($t);
my ($admin) = grep { $_->{name} eq 'admin of a' } $m->principals;
my @operations = sort { $a->{id} cmp $b->{id} } $m->{contract}->operations;
my %workers = map { ($_ => 1) } $t->worker_pids;
my $asked = 0;

srand $seed;
diag("CAMERA_SEED=$seed") if $ENV{CAMERA_SEED};

###############################################################################

# all of them while the database hangs, and every step that waits for it waits

for my $round (1 .. $rounds) {
    for my $some (parts(30, @operations)) {
        my @requests = map { [ request($_) ] } @$some;
        $t->pause_postgres;
        my @waiting = map { send_text(@$_) } @requests;
        sleep 0.02 + rand 0.1;
        leave($_) for @waiting;
        $t->resume_postgres;
    }
}

ok(fine(), 'who leaves while the database hangs');

# at any byte, and at any moment behind the last one

for my $round (1 .. 2 * $rounds) {
    for my $op (@operations) {
        my $s = send_part($op, ('head', 'part', 'all', 'all')[ rand 4 ]);
        sleep rand 0.004 if rand() < 0.5;
        sysread $s, my $byte, 1 if rand() < 0.2 && readable($s);
        leave($s);
    }
}

ok(fine(), 'who leaves at any moment');

# half gone: no more comes, but an end is waited for

my $ended = 0;

for my $op (@operations) {
    my $s = send_part($op, 'all');
    shutdown $s, 1;
    $ended += readable($s, 5);
    leave($s);
}

is($ended, @operations, 'who sends no more is answered, or left');
ok(fine(), 'and others are served');

# while an identity provider hangs

my @lost = map { send_part({ method => 'GET', path => '/auth/oidc/idp' }, 'all') }
    1 .. 20;
$t->wait_for(sub { $oidc->seen =~ /openid-configuration/ }, 5, 'the provider');
leave($_) for @lost;

ok(fine(), 'who leaves while an identity provider is asked');

# while passwords are compared, more of them than may wait

@lost = map { send_part($_, 'all') } map { my $id = $_;
    (grep { $_->{id} eq $id } @operations) x 8 } qw(login register createUser
        resetPassword);
sleep 0.3;
leave($_) for @lost;

ok(fine(), 'who leaves while passwords are compared');

# no worker died of any of it

is_deeply({ map { ($_ => 1) } $t->worker_pids }, \%workers, 'the same workers');

# over a reload: old workers wait for nobody who has left

my @requests = map { [ request($_) ] } (grep { !lasts($_) } @operations)[0 .. 29];
$t->pause_postgres;
@lost = map { send_text(@$_) } @requests;
sleep 0.1;
ok($t->reload, 'a reload');
leave($_) for @lost;
$t->resume_postgres;
ok($t->wait_for(sub { !grep { $workers{$_} } $t->worker_pids }, 10,
    'old workers'), 'old workers go');
$t->wait_api;
ok(fine(), 'and new ones serve');

cmp_ok($asked, '>', 600, "$asked requests");

$t->done_testing;

###############################################################################

# a connection with a request, or the beginning of one

sub send_part {
    my ($op, $what) = @_;

    my ($head, $body) = request($op);

    return send_text($what eq 'head' ? substr $head, 0, rand length $head
        : $head, $what eq 'part' ? substr $body, 0, rand length $body
        : $what eq 'all' ? $body : '');
}

sub send_text {
    my ($head, $body) = @_;

    $asked++;
    local $SIG{PIPE} = 'IGNORE';

    my $s = Camera::HTTP::connect_to($t->port('http'));
    print $s $head . $body;

    return $s;
}

sub request {
    my ($op) = @_;

    my $recipe = $op->{id} && $Camera::Matrix::Recipes::requests{ $op->{id} } // {};
    my $who = $m->_asks($admin, $recipe->{renew});
    my ($path, $ids) = $op->{id} ? $m->_path($op, $who, 'own', 0) : $op->{path};
    my $body = $op->{id} ? $m->_body($op, $recipe, $who, $ids) : undef;

    $path = "/api/v1$path" unless $path =~ m{^/api/};

    return (join("\r\n", "$op->{method} $path HTTP/1.1", 'Host: localhost',
        @{ $who->{headers} }, $op->{id} ? Camera::Matrix::upgrade($op) : (),
        defined $body ? ('Content-Type: application/json',
            'Content-Length: ' . length $body) : (), '', ''), $body // '');
}

# with FIN or, what tells the server more, with RST

sub leave {
    my ($s) = @_;

    setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'i i', 1, 0 if rand() < 0.5;
    close $s;
}

sub lasts { $_[0]{endless} || $_[0]{good} == 101 }

sub parts {
    my ($size, @list) = @_;

    my @parts;
    push @parts, [ splice @list, 0, $size ] while @list;

    return @parts;
}

sub readable {
    my ($s, $seconds) = @_;

    vec(my $bits = '', fileno $s, 1) = 1;
    return select $bits, undef, undef, $seconds // 0.002;
}

# everybody is served, by as many at once as ever, and nobody is still there

sub fine {
    my $alone = $t->wait_for(sub {
        $t->http_get('/active')->{body} =~ /Active connections: 1\b/
    }, 25, 'connections that close');

    my @wrong = grep { $_->{status} != 200 } map {
        $t->api_get('/cameras?limit=1', headers => $admin->{headers}) } 1 .. 4;

    return $alone && !@wrong;
}
