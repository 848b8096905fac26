#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for events and grants: whoever sees granted cameras only is told of
# those, live and of what was missed, over server-sent events and WebSockets; a
# change of what is granted ends the stream, and it comes again with another
# list.

use strict;
use warnings;

use Camera::EventStream qw(follow);
use Camera::Stopwatch;
use Camera::Test;
use Camera::WebSocket qw(ws_connect);
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres redis migrations camera_api_database));
$t->start_redis;
$t->start_api(camera => 'redis ' . $t->redis_address . ';');

my $viewer = $t->add_user(role => 'viewer');
my $admin = $t->add_user;
my %camera = map { $_ => $t->sql("INSERT INTO cameras (name) VALUES ('$_')
    RETURNING id") } qw(given hidden);

$t->sql("UPDATE users SET camera_scope = 'granted'
    WHERE id = '$viewer->{id}'");
grant('given');
ok($t->wait_for(sub { @{ $t->api_get('/cameras', token => $viewer->{token})
    ->{json} } == 1 }, 2, 'a grant'), 'one camera is granted');

###############################################################################

# live

my $s = stream($viewer);
my $all = stream($admin);

$t->sql("INSERT INTO alerts (type, severity) VALUES ('disk_full', 'low')");
change($_) for qw(hidden given hidden);

is_deeply([ map { $all->next(3)->{json}{cameraId} } 1 .. 4 ],
    [ undef, @camera{qw(hidden given hidden)} ], 'an admin is told all');
is($s->next(3)->{json}{cameraId}, $camera{given}, 'a viewer what is granted');
is($s->next(0.5), undef, 'and nothing of others, nor of the tenant');

# what was missed

my $last = $s->last;
$s->close;
change($_) for qw(hidden given hidden);

$s = stream($viewer, last => $last);
is($s->next(3)->{json}{cameraId}, $camera{given}, 'of what was missed, too');
is($s->next(0.5), undef, 'nothing else');

# by a WebSocket

my $ws = ws_connect($t, token => $viewer->{token});
is($ws->next(3)->{type}, 'ready', 'a WebSocket');
change($_) for qw(hidden given);
is($ws->next(3)->{event}{cameraId}, $camera{given}, 'is told the same');
is($s->next(3)->{json}{cameraId}, $camera{given}, 'as the stream');

# another grant: the stream ends, and comes again

my $watch = Camera::Stopwatch->start;
grant('hidden');
ok($s->ended(2), 'a change of grants ends the stream');
cmp_ok($watch->seconds, '<', 1, 'within a second');
ok($ws->closed(2), 'and the WebSocket');

$s = stream($viewer);
change($_) for qw(given hidden);
is($s->next(3)->{json}{cameraId}, $camera{hidden}, 'with another list');
is($s->next(0.5), undef, 'and without the one before');

# a group: who comes into it

my $group = $t->sql("INSERT INTO camera_groups (name) VALUES ('g')
    RETURNING id");
$t->api(PUT => "/users/$viewer->{id}/grants", token => $admin->{token},
    json => { cameraIds => [], groupIds => [ $group ] });
ok($s->ended(2), 'a granted group');

$s = stream($viewer);
$watch = Camera::Stopwatch->start;
$t->api(PUT => "/camera-groups/$group/cameras/$camera{given}",
    token => $admin->{token});
ok($s->ended(2), 'who comes into it');
cmp_ok($watch->seconds, '<', 1, 'within a second');
is($all->next(3) ? 1 : 0, 1, 'others go on');

$t->done_testing;

###############################################################################

sub grant {
    my ($name) = @_;

    $t->api(PUT => "/users/$viewer->{id}/grants", token => $admin->{token},
        json => { cameraIds => [ $camera{$name} ], groupIds => [] });
}

sub stream {
    my ($user, %opt) = @_;

    return follow($t, $user->{token}, types => 'camera.updated,alert.created',
        %opt);
}

# what is online, the feeder knows better than a test

sub change {
    my ($name) = @_;

    $t->sql("UPDATE cameras SET place = clock_timestamp()::text
        WHERE id = '$camera{$name}'");
}
