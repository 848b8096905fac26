#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what the database is told of each request: the tenant always, and
# who asked, by what, in which request and from where with every change.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations));

$t->start_api;

# what a change tells is kept by a trigger, of the test alone

$t->sql("CREATE TABLE told (n serial, words text, actor text);
    GRANT INSERT ON told TO camera_api;
    GRANT USAGE ON SEQUENCE told_n_seq TO camera_api;
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS \$\$
    BEGIN
        INSERT INTO told (words, actor)
        SELECT current_setting('app.tenant'),
               concat_ws(' ', a.user_id, a.credential, a.request_id, a.address)
        FROM session_actor() a;
        RETURN NULL;
    END \$\$;
    CREATE TRIGGER cameras_tell AFTER INSERT OR UPDATE ON cameras
        FOR EACH STATEMENT EXECUTE FUNCTION tell()");

my %user = map { ($_ => $t->add_user(tenant => $t->add_tenant)) } qw(a b);

my $camera = add('a', 'request-1');
is(told(), "$user{a}{tenant} - $user{a}{id} session:$user{a}{sid} request-1"
    . " 127.0.0.1", 'six words');
is(told('actor'), "$user{a}{id} session:$user{a}{sid} request-1 127.0.0.1",
    'read by session_actor()');

add('b', 'request-2');
is(told('actor'), "$user{b}{id} session:$user{b}{sid} request-2 127.0.0.1",
    'another user of another tenant');

is($t->api_get("/cameras/$camera", token => $user{a}{token})->{status}, 200,
    'who reads in between sees the own tenant');
is($t->api_get("/cameras/$camera", token => $user{b}{token})->{status}, 404,
    'and no other');

$t->api(PUT => "/cameras/$camera", token => $user{a}{token},
    json => { name => 'gate' }, headers => [ 'X-Request-Id: ' . 'x' x 64 ]);
like(told('actor'), qr/^\Q$user{a}{id}\E .* x{64} 127\.0\.0\.1$/,
    'the longest request id there is');

$t->api(PUT => "/cameras/$camera", token => $user{a}{token},
    json => { name => 'yard' }, headers => [ 'X-Request-Id: a b' ]);
like(told('actor'), qr/^\Q$user{a}{id}\E \S+ [0-9a-f]{16} 127\.0\.0\.1$/,
    'a request id with a blank is none');

$t->done_testing;

###############################################################################

sub add {
    my ($name, $request) = @_;

    my $r = $t->api(POST => '/cameras', token => $user{$name}{token},
        json => { name => 'gate', company => 'c', model => 'm',
            serialNumber => "serial-$request", location => 'l',
            place => 'p' },
        headers => [ "X-Request-Id: $request" ]);

    return $r->{json}{id};
}

# what the newest change told

sub told {
    my ($column) = @_;

    $column //= 'words';

    return $t->sql("SELECT $column FROM told ORDER BY n DESC LIMIT 1");
}
