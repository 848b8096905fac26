#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for layouts at the API: made, changed, removed and listed by their user
# alone, one of them the default, without cameras that are gone.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Test;
use Camera::Token qw(random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api;

my %user = (
    anna => $t->add_user(role => 'viewer', username => 'anna'),
    ben  => $t->add_user(role => 'admin', username => 'ben'),
    far  => $t->add_user(tenant => $t->add_tenant),
);
my ($gate, $yard) = map { $t->sql("INSERT INTO cameras (name) VALUES ('$_')
    RETURNING id") } qw(gate yard);
my $foreign = $t->sql("INSERT INTO cameras (tenant_id, name)
    VALUES ('$user{far}{tenant}', 'far') RETURNING id");

###############################################################################

my $r = create({ name => 'Entrance', layout => [ cell($gate, 0, 0, 2, 1),
    cell($yard, 2, 0, 1, 1) ] });
my $id = $r->{json}{id};

is($r->{status}, 201, 'made');
is($r->{headers}{location}, "/api/v1/layouts/$id", 'and where');
ok($r->{headers}{etag}, 'with a version');
is_deeply({ %{ $r->{json} }, createdAt => '', updatedAt => '' },
    { id => $id, userId => $user{anna}{id}, name => 'Entrance',
      layout => [ cell($gate, 0, 0, 2, 1), cell($yard, 2, 0, 1, 1) ],
      isDefault => JSON::PP::false, createdAt => '', updatedAt => '' },
    'as it was sent');
is_deeply(get($id)->{json}, $r->{json}, 'it is there');

my $night = create({ name => 'Night', layout => [], isDefault => \1 })
    ->{json}{id};
is_deeply(list(), [ $id, $night ], 'the list');

for my $bad ({}, { name => 'x' }, { layout => [] },
    { name => '', layout => [] }, { name => 'x' x 101, layout => [] },
    { name => 'x', layout => [ 1 ] },
    { name => 'x', layout => [ cell($gate, 63, 0, 2, 1) ] },
    { name => 'x', layout => [ (cell($gate, 0, 0, 1, 1)) x 65 ] },
    { name => 'x', layout => [], userId => $user{ben}{id} })
{
    $r = create($bad);
    is($r->{code}, 'VALIDATION_FAILED', 'refused: '
        . join ' ', map { $_->{field} } @{ $r->{json}{error}{details} // [] });
}

is(create({ name => 'NIGHT', layout => [] })->{code}, 'NAME_DUPLICATE',
    'a name that is taken, in any case');
is(create({ name => 'x', layout => [ cell($_, 0, 0, 1, 1) ] })->{code},
    'CAMERA_NOT_FOUND', 'no such camera, or another tenant\'s')
    for random_uuid(), $foreign;

my @key = (headers => [ 'Idempotency-Key: one' ]);
my $first = create({ name => 'Once', layout => [] }, @key);
is(create({ name => 'Once', layout => [] }, @key)->{body}, $first->{body},
    'a request that is sent twice');
is(create({ name => 'Other', layout => [] }, @key)->{code},
    'IDEMPOTENCY_KEY_REUSED', 'a key of another request');

# changing

$r = change($id, { name => 'Front', layout => [ cell($yard, 0, 0, 1, 1) ] });
is_deeply([ $r->{json}{name}, $r->{json}{layout} ],
    [ 'Front', [ cell($yard, 0, 0, 1, 1) ] ], 'changed');
is(change($id, { name => 'Front door' }, 'If-Match: "1"')->{code},
    'PRECONDITION_FAILED', 'of a version that it has not any more');
is(change($id, { name => 'Front door' },
    "If-Match: $r->{headers}{etag}")->{status}, 200, 'of the one it has');
is(change($id, { name => 'night' })->{code}, 'NAME_DUPLICATE',
    'to a name that is taken');
is(change($id, { layout => [ cell($foreign, 0, 0, 1, 1) ] })->{code},
    'CAMERA_NOT_FOUND', 'to a camera of others');

is_deeply(defaults(), [ $night ], 'the default');
change($id, { isDefault => \1 });
is_deeply(defaults(), [ $id ], 'is another one, and only one');
create({ name => 'Third', layout => [], isDefault => \1 });
is(scalar @{ defaults() }, 1, 'nor two of them after one is made');

# a camera that goes

change($id, { layout => [ cell($gate, 0, 0, 1, 1), cell($yard, 1, 0, 1, 1) ] });
is($t->api(DELETE => "/cameras/$gate", token => $user{ben}{token})->{status},
    200, 'a camera is removed');
is_deeply(get($id)->{json}{layout}, [ cell($yard, 1, 0, 1, 1) ],
    'and leaves the layout');

# others

for my $who (qw(ben far)) {
    my $unknown = random_uuid();
    is(bytes($who, $_, $id), bytes($who, $_, $unknown), "$who: $_")
        for qw(GET PATCH DELETE);
    is_deeply(list($who), [], "$who: the list");
}

is($t->api(DELETE => "/layouts/$id", token => $user{anna}{token})->{status},
    204, 'removed');
is(get($id)->{code}, 'NOT_FOUND', 'it is gone');
is(create({ name => 'Front door', layout => [] })->{status}, 201,
    'its name is free');

$t->sql("DELETE FROM users WHERE username = 'anna'");
is($t->sql('SELECT count(*) FROM layouts'), 0, 'a user leaves no layouts');

# two become the default at once

my $owner = $t->pg_session('camera_owner');
$owner->ask("BEGIN; INSERT INTO layouts (tenant_id, user_id, name, cells,
    is_default) VALUES ('$user{ben}{tenant}', '$user{ben}{id}', 'first', '[]',
    true)");
my $body = '{"name":"second","layout":[],"isDefault":true}';
my $s = Camera::HTTP::connect_to($t->port('http'));
printf $s "POST /api/v1/layouts HTTP/1.1\r\nHost: localhost\r\n"
    . "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
    . "Content-Length: %d\r\n\r\n%s", $user{ben}{token}, length $body, $body;
ok($t->wait_for(sub { $t->sql(q{SELECT count(*) FROM pg_locks
    WHERE NOT granted}) }, 5, 'a lock'), 'the second waits for the first');
$owner->ask('COMMIT');
like(scalar <$s>, qr{^HTTP/1.1 503 }, 'and has to come again');
is($t->api(POST => '/layouts', token => $user{ben}{token},
    json => { name => 'second', layout => [], isDefault => \1 })->{status}, 201,
    'which is good');

$t->done_testing;

###############################################################################

sub cell {
    my ($camera, $x, $y, $width, $height) = @_;

    return { cameraId => $camera, position => { x => $x, y => $y },
        size => { width => $width, height => $height } };
}

sub create {
    my ($json, %opt) = @_;

    return $t->api(POST => '/layouts', token => $user{anna}{token},
        json => $json, %opt);
}

sub get {
    my ($id) = @_;

    return $t->api_get("/layouts/$id", token => $user{anna}{token});
}

sub change {
    my ($id, $json, @headers) = @_;

    return $t->api(PATCH => "/layouts/$id", token => $user{anna}{token},
        json => $json, headers => \@headers);
}

sub list {
    my ($who) = @_;

    return [ map { $_->{id} } @{ $t->api_get('/layouts',
        token => $user{ $who // 'anna' }{token})->{json} } ];
}

sub defaults {
    return [ map { $_->{id} } grep { $_->{isDefault} } @{ $t->api_get(
        '/layouts', token => $user{anna}{token})->{json} } ];
}

# an answer with what differs for a good reason taken out

sub bytes {
    my ($who, $method, $id) = @_;

    my $r = $t->api($method, "/layouts/$id", token => $user{$who}{token},
        $method eq 'PATCH' ? (json => { name => 'x' }) : ());
    my $text = "$r->{header}\n$r->{body}";

    $text =~ s/^(?:Date|RateLimit|X-Request-Id): .*\n//mg;
    $text =~ s/"(?:timestamp|requestId)":"[^"]*"//g;

    return $text;
}
