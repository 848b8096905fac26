#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the end of playback that nobody heard of: what was recorded ends with
# its camera's grant as live pictures do, and what was taken while nginx did not
# listen, because PostgreSQL, its connections or nginx itself were gone, ends
# within a second of listening again.  Others play on all the while.

use strict;
use warnings;

use Camera::Playback;
use Camera::Stopwatch;
use Camera::Test;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations worker ffmpeg tls
    camera_api_database camera_recordings));
$t->start_api(Camera::Playback->conf($t,
    http => 'camera_api_limit 100000r/m;'));
$t->start_worker;

my $admin = $t->add_user;
my $r = $t->api(POST => '/cameras', token => $admin->{token}, json => {
    map { $_ => 'x' } qw(name company model serialNumber location place) });
my $camera = { id => $r->{json}{id}, tenant => $admin->{tenant}, epoch => 1 };
my $id = $camera->{id};
$t->publish($camera, url => $r->{json}{rtmpUrl}, clip => 'small');
$t->add_recording($camera, start => int(time) - 3600);

# ways to play, each a path of the API

my ($from, $to) = map { strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $_) }
    time - 3600, time - 3595;
my %of = (
    live     => "/cameras/$id/stream/hls",
    recorded => "/cameras/$id/recordings/playback?from=$from&to=$to",
);

###############################################################################

# the grant of a camera, and what was recorded of it

my $guest = granted();
my $play = started($guest, 'recorded');
my $path = entrance($guest, 'recorded');
is(status($play), 200, 'what was recorded of a granted camera plays');
$t->api(PUT => "/users/$guest->{id}/grants", token => $admin->{token},
    json => { cameraIds => [], groupIds => [] });
ok($t->wait_for(sub { status($play) == 403 }, 1, '403'),
    'until the grant is taken');
is(status($path), 403, 'and its address starts nothing');

# PostgreSQL was killed, and back before nginx was

missed('PostgreSQL', sub {
    login('NOLOGIN');
    $t->restart_postgres('kill');
}, sub { login('LOGIN') });

# nginx's connections were cut, and it could not come back

missed('the connections', sub {
    login('NOLOGIN');
    $t->psql({ user => 'postgres' }, q{SELECT pg_terminate_backend(pid)
        FROM pg_stat_activity WHERE usename = 'camera_api'});
}, sub { login('LOGIN') });

# nginx was not there, and its publishers gone with it

missed('nginx', sub { $t->stop_nginx('QUIT') }, sub {
    $t->start_nginx;
    $t->wait_api;
}, 'recorded');

$t->done_testing;

###############################################################################

# what was taken while nobody listened: all of that plays until somebody does

sub missed {
    my ($what, $away, $back, @kinds) = @_;

    @kinds = sort keys %of unless @kinds;
    my %lost = map { $_ => $_ eq 'API token' ? api_token() : granted() }
        'session', 'user', 'disabled', 'grant', 'API token';
    my (%play, %address);

    for my $kind (@kinds) {
        $play{"$_, $kind"} = started($lost{$_}, $kind) for sort keys %lost;
        $address{"$_, $kind"} = entrance($lost{$_}, $kind) for sort keys %lost;
    }

    my @mine = map { started($admin, $_) } @kinds;
    is(join(' ', map { status($_) } values %play, @mine),
        join(' ', ('200') x (keys(%play) + @mine)), "$what: all play");

    $away->();
    $t->sql("UPDATE user_sessions SET revoked_at = now(), revoked_reason = 'logout'
            WHERE id = '$lost{session}{sid}';
        DELETE FROM users WHERE id = '$lost{user}{id}';
        UPDATE users SET is_active = false WHERE id = '$lost{disabled}{id}';
        DELETE FROM camera_grants WHERE user_id = '$lost{grant}{id}';
        UPDATE api_tokens SET is_active = false, revoked_at = now()
            WHERE id = '$lost{'API token'}{id}'");
    is((grep { status($_) != 200 } values %play), 0, 'nobody heard of it')
        if @kinds > 1;

    my $watch = Camera::Stopwatch->start;
    $back->();
    $watch = Camera::Stopwatch->start if @kinds == 1;

    for (sort keys %play) {
        ok($t->wait_for(sub { status($play{$_}) == 403 }, 3, '403'),
            "$what, $_: ends");
        is(status($address{$_}), 403, 'and its address starts nothing');
    }

    cmp_ok($watch->seconds, '<', 1, 'within a second');
    is(status($_), 200, 'others play on') for @mine;
}

# someone whose one camera this is

sub granted {
    my $user = $t->add_user(role => 'viewer');

    $t->sql("UPDATE users SET camera_scope = 'granted'
            WHERE id = '$user->{id}';
        INSERT INTO camera_grants (tenant_id, user_id, camera_id)
            VALUES ('$user->{tenant}', '$user->{id}', '$id')");

    return $user;
}

sub api_token {
    return $t->api(POST => '/tokens', token => $admin->{token}, json => {
        name => 'wall', permissions => [ qw(streams:view recordings:read) ],
    })->{json};
}

# may nginx come back?

sub login { $t->psql({ user => 'postgres' }, "ALTER ROLE camera_api $_[0]") }

# the path that starts a session, and that of its media playlist

sub entrance {
    my ($user, $kind) = @_;

    my $r = $t->api_get($of{$kind}, token => $user->{token});

    return ($r->{json}{url} // return) =~ s{^http://localhost}{}r;
}

# a token of the second in which something was taken counts as one before it

sub started {
    my ($user, $kind) = @_;
    my $play;

    $t->wait_for(sub {
        my $path = entrance($user, $kind) // return;
        my ($name) = $t->http_get($path, timeout => 3)->{body}
            =~ /^((?:live|media)\.m3u8\S*)/m or return;
        $play = $path =~ s{[^/]*$}{$name}r;
    }, 15, $kind) or die "$kind does not play";

    return $play;
}

sub status { $t->http_get($_[0], timeout => 5)->{status} }
