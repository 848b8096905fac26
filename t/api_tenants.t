#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for tenants at the API: another tenant's camera and one that does not
# exist are the same answer, byte by byte and to the same effect; requests of
# two tenants that come at once over the same connections to the database never
# see each other's rows; a role that could see more serves nobody.

use strict;
use warnings;

use Camera::Test;
use Camera::Token qw(random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api(http => 'camera_api_limit 1000000r/m;');

my %users = map { $_ => $t->add_user(tenant => $t->add_tenant($_),
    username => $_) } qw(anna berta);
my %cameras;

for my $who (sort keys %users) {
    $t->sql("INSERT INTO cameras (tenant_id, name, external_id, serial_number)
        SELECT '$users{$who}{tenant}', '$who ' || n, 'ext-' || n, 'serial-' || n
        FROM generate_series(1, 30) n");
    $cameras{$who} = [ $t->sql("SELECT id FROM cameras
        WHERE name LIKE '$who %' ORDER BY created_at, id") ];
}

###############################################################################

# the same external ids and serial numbers mean each tenant's own

for my $who (sort keys %users) {
    my $list = get($who, '/cameras?limit=200')->{json};
    is(scalar @$list, 30, "$who has hers");
    is(scalar(grep { $_->{name} !~ /^$who / } @$list), 0, 'and no others');
    is(get($who, '/cameras/ext-7')->{json}{name}, "$who 7", 'by external id');
}

# what is another's and what is nobody's: the same answer, whatever is asked

my $foreign = $cameras{berta}[3];
my $before = row($foreign);

for my $request ([ GET => '' ], [ PUT => '', { name => 'mine' } ],
    [ DELETE => '' ], [ GET => '/stream/hls' ], [ GET => '/status' ],
    [ POST => '/stream-key', {} ], [ GET => '/snapshot' ])
{
    my ($method, $path, $json) = @$request;
    my @answers = map { bytes($method, "/cameras/$_$path", $json) }
        $foreign, random_uuid();

    like($answers[0], qr{^HTTP/1.1 404 }, "$method $path of another: 404");
    is($answers[0], $answers[1], 'as of nobody');
}

is(row($foreign), $before, 'and nothing was done');

# a refusal is no statement that another tenant might feel

is(get(berta => "/cameras/$foreign")->{json}{id}, $foreign, 'hers as ever');

# at once, refusals among them: 20 requests over 4 connections to the database

for my $round (1 .. ($ENV{CAMERA_SOAK} ? 200 : 8)) {
    my @sent;

    for my $n (0 .. 19) {
        my $who = (qw(anna berta))[ ($n + $round) % 2 ];
        my $other = $who eq 'anna' ? 'berta' : 'anna';
        my $id = $n % 5 == 4 ? $cameras{$other}[$n]     # none of hers
            : $n % 7 == 3 ? "ext-$n" : $cameras{$who}[$n];

        push @sent, [ $who, $n % 5 == 4, send_get($who, "/cameras/$id") ];
    }

    my @wrong;

    for my $sent (@sent) {
        my ($who, $none, $socket) = @$sent;
        my $r = Camera::HTTP::read_response($socket, time + 10);
        push @wrong, "$who: $r->{status} $r->{body}" if $none
            ? $r->{status} != 404
            : $r->{status} != 200 || $r->{body} !~ /"name":"$who \d+"/;
    }

    is("@wrong", '', "round $round: each sees her own");
}

# the connections are cut in the middle

my @sent = map { my $who = (qw(anna berta))[ $_ % 2 ];
    [ $who, send_get($who, "/cameras/$cameras{$who}[$_]") ] } 0 .. 19;
$t->psql({ user => 'postgres', database => 'postgres' },
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE usename = 'camera_api'");

my @wrong = grep { $_->[0]{status} != 503 && $_->[0]{body} !~ $_->[1] }
    map { [ Camera::HTTP::read_response($_->[1], time + 10),
        qr/"name":"$_->[0] / ] } @sent;
is_deeply(\@wrong, [], 'cut: each sees her own, or 503');

ok($t->wait_for(sub { get(anna => '/cameras/ext-1')->{status} == 200 }, 10,
    'connections'), 'connected again');
is(get($_, '/cameras/ext-1')->{json}{name}, "$_ 1", "$_ after that")
    for sort keys %users;

# a tenant that is made inactive is refused, the other goes on

$t->sql("UPDATE tenants SET is_active = false WHERE slug = 'berta'");
ok($t->wait_for(sub { get(berta => '/cameras')->{status} == 401 }, 1, 'berta'),
    'an inactive tenant, within a second');
is(get(anna => '/cameras')->{status}, 200, 'the other one goes on');

# a role that could see everything serves nobody

$t->psql({ user => 'postgres', database => 'postgres' }, $_) for
    'ALTER ROLE camera_api BYPASSRLS',
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE usename = 'camera_api'";
$t->allow_log(qr/\[crit\].*bypasses row-level security/);

ok($t->wait_for(sub { get(anna => '/cameras')->{status} == 503 }, 5, '503'),
    'a role that bypasses row-level security');
ok($t->wait_for(sub { $t->error_log =~ /\[crit\].*bypasses row-level/ }, 5,
    'the log'), 'and the log says why');

$t->psql({ user => 'postgres', database => 'postgres' },
    'ALTER ROLE camera_api NOBYPASSRLS');
ok($t->wait_for(sub { get(anna => '/cameras')->{status} == 200 }, 15,
    'trust'), 'until it is made right');

$t->done_testing;

###############################################################################

sub get {
    my ($who, $path) = @_;

    return $t->api_get($path, token => $users{$who}{token});
}

# an answer with what differs for a good reason taken out

sub bytes {
    my ($method, $path, $json) = @_;

    my $r = $t->api($method, $path, token => $users{anna}{token},
        $json ? (json => $json) : ());

    my $text = "$r->{header}\n$r->{body}";
    $text =~ s/^(?:Date|RateLimit|X-Request-Id): .*\n//mg;
    $text =~ s/"(?:timestamp|requestId)":"[^"]*"//g;

    return $text;
}

sub send_get {
    my ($who, $path) = @_;

    my $s = Camera::HTTP::connect_to($t->port('http'));
    print $s "GET /api/v1$path HTTP/1.1\r\nHost: localhost\r\n"
        . "Authorization: Bearer $users{$who}{token}\r\n"
        . "Connection: close\r\n\r\n";
    return $s;
}

sub row {
    my ($id) = @_;

    return $t->sql("SELECT cameras::text FROM cameras WHERE id = '$id'");
}
