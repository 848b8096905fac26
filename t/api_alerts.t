#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for alerts at the API: the newest first, chosen by what they are, page by
# page, each tenant's own; who acknowledged one stays who did.

use strict;
use warnings;

use Camera::Test;
use Camera::Token qw(random_uuid);
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my $operator = $t->add_user(role => 'operator', username => 'olga');
my $admin = $t->add_user(username => 'anna');
my $viewer = $t->add_user(role => 'viewer');
my $foreign = $t->add_user(tenant => $t->add_tenant);
my ($gate, $yard) = map { $t->sql("INSERT INTO cameras (name) VALUES ('$_')
    RETURNING id") } qw(gate yard);

###############################################################################

is_deeply(list()->{json}, [], 'none');

my %id = (
    gap   => raise("'$gate'", 'recording_gap', 'medium', 'gate has a gap', 0),
    full  => raise('NULL', 'storage_full', 'critical', 'no space', 1),
    probe => raise("'$yard'", 'recording_damaged', 'critical', 'broken', 2),
);
raise("'$yard'", 'recording_damaged', 'critical', 'broken again', 3);
my $theirs = raise('NULL', 'storage_full', 'critical', 'no space', 1,
    $foreign->{tenant});

is_deeply(ids(list()), [ @id{qw(probe full gap)} ], 'the newest first');

my $alert = get($id{probe})->{json};
is_deeply([ sort keys %$alert ], [ sort qw(id type severity title message
    details cameraId timestamp acknowledged acknowledgedBy acknowledgedAt
    lastSeenAt count resolvedAt) ], 'its fields');
is_deeply([ @$alert{qw(type severity title message details cameraId
    timestamp acknowledged acknowledgedBy acknowledgedAt lastSeenAt count
    resolvedAt)} ], [ 'recording_damaged', 'critical', 'broken again',
    'broken again', { n => 3 }, $yard, '2026-01-01T00:00:02.000Z',
    JSON::PP::false, undef, undef, '2026-01-01T00:00:03.000Z', 2, undef ],
    'what it says, the second time counted');
is(get($id{full})->{json}{cameraId}, undef, 'one of no camera');

# filters

for my $case ([ "cameraId=$yard", 'probe' ], [ 'type=storage_full', 'full' ],
    [ 'severity=medium', 'gap' ], [ 'severity=critical', 'probe full' ],
    [ 'resolved=true', '' ], [ 'acknowledged=true', '' ],
    [ "severity=critical&cameraId=$gate", '' ])
{
    is_deeply(ids(list("?$case->[0]")), [ @id{split / /, $case->[1]} ],
        $case->[0]);
}

for my $bad (qw(severity=error cameraId=gate acknowledged=1 state=open limit=0
    cursor=x))
{
    is(list("?$bad")->{code}, 'VALIDATION_FAILED', $bad);
}

# pages

my (@seen, $r);
my $path = '/alerts?limit=2&resolved=false';

while ($path) {
    $r = $t->api_get($path, token => $viewer->{token});
    push @seen, @{ ids($r) };
    ($path) = ($r->{headers}{link} // '') =~ m{^</api/v1(.*)>; rel="next"$};
}

is_deeply(\@seen, [ @id{qw(probe full gap)} ], 'page by page');

# acknowledging

$r = acknowledge($operator, $id{full});
is($r->{status}, 200, 'acknowledged');
is_deeply([ @{ $r->{json} }{qw(id acknowledged acknowledgedBy)} ],
    [ $id{full}, JSON::PP::true, 'olga' ], 'by whom');
like($r->{json}{acknowledgedAt}, qr/^20\d\d-\d\d-\d\dT.*Z$/, 'when');
is_deeply(acknowledge($admin, $id{full})->{json}, $r->{json},
    'the second one changes nothing');
is_deeply(ids(list('?acknowledged=true')), [ $id{full} ], 'to be chosen by');
is(acknowledge($viewer, $id{gap})->{code}, 'AUTH_INSUFFICIENT_PERMISSIONS',
    'not by whoever only watches');

# over, and again

$t->sql("SELECT alert_calm('$admin->{tenant}', '$gate', 'recording_gap')");
like(get($id{gap})->{json}{resolvedAt}, qr/^20/, 'over');
isnt(raise("'$gate'", 'recording_gap', 'medium', 'again', 9), $id{gap},
    'the next time is another one');
is_deeply(ids(list('?resolved=true')), [ $id{gap} ], 'what is over');

# tenants

is_deeply(ids($t->api_get('/alerts', token => $foreign->{token})),
    [ $theirs ], 'their own alone');
for my $id ($id{gap}, random_uuid(), 'x') {
    is(bytes(GET => "/alerts/$id"), bytes(GET => '/alerts/' . random_uuid()),
        'unknown and another tenant\'s');
    is(bytes(POST => "/alerts/$id/acknowledge"),
        bytes(POST => '/alerts/' . random_uuid() . '/acknowledge'),
        'nor acknowledged');
}

is(get($id{gap})->{json}{acknowledged}, JSON::PP::false, 'nothing was done');

$t->done_testing;

###############################################################################

sub raise {
    my ($camera, $type, $severity, $message, $second, $tenant) = @_;

    $tenant //= $admin->{tenant};

    return $t->sql("SELECT alert_raise('$tenant', $camera, '$type',
        '$severity', '$message', '{\"n\":$second}',
        '2026-01-01T00:00:0${second}Z')");
}

sub list {
    my ($query) = @_;

    return $t->api_get('/alerts' . ($query // ''), token => $viewer->{token});
}

sub get {
    my ($id) = @_;

    return $t->api_get("/alerts/$id", token => $viewer->{token});
}

sub acknowledge {
    my ($user, $id) = @_;

    return $t->api(POST => "/alerts/$id/acknowledge",
        token => $user->{token});
}

sub ids {
    my ($r) = @_;

    return [ map { $_->{id} } @{ $r->{json} } ];
}

# an answer to the other tenant with what differs for a good reason taken out

sub bytes {
    my ($method, $path) = @_;

    my $r = $t->api($method, $path, token => $foreign->{token});
    my $text = "$r->{header}\n$r->{body}";

    $text =~ s/^(?:Date|RateLimit|X-Request-Id): .*\n//mg;
    $text =~ s/"(?:timestamp|requestId)":"[^"]*"//g;

    return $text;
}
