#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a rotation of the signing keys while people log in and refresh, look
# at cameras, watch, and cameras connect: a new key, then the end of the old one,
# each with a reload.  Nobody fails who holds something of now, also not in the
# moment when old and new workers take requests side by side; what the old key
# signed is refused once it is gone, each with its code.

use strict;
use warnings;

use Camera::Registry qw(registry);
use Camera::RTMP;
use Camera::Test;
use Camera::Test::Cli;
use Camera::Token qw(base64url random_bytes);
use JSON::PP;
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations ffmpeg worker cli tls camera_hls
    camera_api_database));

$t->write_keys(map { { kid => "$_-1", use => $_, sign => JSON::PP::true,
    k => base64url(random_bytes(32)) } } qw(stream playback access export
    recording));
$t->start_api(http => <<'END');
    camera_api_limit 1000000r/h;
    camera_api_address_limit 1000000r/h;
    camera_api_access_ttl 15m;
END
$t->start_worker;

my $cli = Camera::Test::Cli->new($t);
my $admin = $t->add_user(username => 'ann', password => 1);
my %user = map { $_ => $t->add_user } qw(refresh read watch publish);
my $gate = $t->add_camera(key => 'gate');
my $yard = $t->add_camera(key => 'yard');

# what the first key signs

my $token = fresh($admin);
$t->publish($gate, url => rtmp_url($gate, $token), clip => 'small');
my $play = play_url($gate, $token);
my $push = rtmp_url($yard, $token);
ok($t->wait_for(sub { $t->http_get($play)->{status} == 200 }, 10),
    'a camera that is live');
my $session = session($play);
is($t->http_get($session)->{status}, 200, 'somebody watches');
is(kid($token), 'access-1', 'by the first key');

my ($kept, $until) = ('', 0);
my @load = (
    load('log in', \&log_in), load('refresh', \&refresh_and_ask),
    load('read', \&read_on), load('watch', \&watch),
    load('watch on', sub { $t->http_get($session)->{status} }),
    load('publish', \&publish),
);

###############################################################################

# a new key, beside the old one

ok(go_on(1), 'all of them work');
is($cli->run(qw(keys rotate))->{status}, 0, 'a new key');
is(side_by_side(sub { ask(fresh($admin)) }), '',
    'while old and new workers take requests');
ok($t->wait_for(sub { !grep { !renewed($_) } 1 .. 8 }, 15, 'a new kid'),
    'it signs');
ok(go_on(2), 'all of them go on');
is(failures(), '', 'nobody failed');

is(ask($token), 200, 'an access token of the old key');
is($t->http_get($play)->{status}, 200, 'an address to play');
is($t->http_get($session)->{status}, 200, 'and who watches');

# the end of the old one

my $second = fresh($admin);
$load[4]->();                       # it watches by the old key
is($cli->run(qw(keys rotate --retire))->{status}, 0, 'the old one goes');
ok($t->reload, 'reload');
ok($t->wait_for(sub { !grep { ask($token) != 401 } 1 .. 8 }, 5, 'its end'),
    'its access tokens end, in each worker');
is($t->api_get('/auth/me', token => $token)->{code}, 'AUTH_TOKEN_INVALID',
    'by this code');
is($t->http_get($play)->{status}, 403, 'its addresses to play');
is($t->http_get($session)->{status}, 403, 'its sessions');

ok(go_on(2), 'all others go on');
is(ask($second), 200, 'what the second key signed is good');
$_->() for @load;
is(failures(), '', 'nobody failed');

is((Camera::RTMP->publisher($t, $yard, name => name($push)))[1]{level},
    'error', 'its addresses to push to end, too');
is(registry($t)->{cameras}{ $yard->{id} }{refused}, 'token_invalid', 'and why');

$t->done_testing;

###############################################################################

# does it over and over in a process of its own; what it answers is 200, or
# wrong.  To be called once more, which ends it

sub load {
    my ($name, $code) = @_;

    my $file = $t->dir . '/load-' . $name =~ s/ /-/gr;
    my $parent = $$;
    $t->write_file($file, '');

    my $pid = fork // die "fork(): $!";

    if ($pid == 0) {
        $SIG{TERM} = sub { POSIX::_exit(0) };
        open my $fh, '>>', $file or POSIX::_exit(1);
        $fh->autoflush;

        while (getppid == $parent) {
            my $status = eval { $code->() } // "died: $@";
            print $fh $status eq '200' ? "ok\n" : "failed: $status\n";
            sleep 0.01;
        }

        POSIX::_exit(0);
    }

    return sub {
        return 1 unless $pid;
        kill TERM => $pid;
        waitpid $pid, 0;
        undef $pid;
        return 1;
    };
}

sub loads { return glob $t->dir . '/load-*' }

sub count { return () = $t->read_file($_[0]) =~ /\n/g }

# a reload, and what goes wrong meanwhile: the master is stopped after it started
# the new workers and, a tenth of a second later, would end the old ones

sub side_by_side {
    my ($code) = @_;

    my %old = map { $_ => 1 } $t->worker_pids;
    my $pid = $t->master_pid;
    my $end = time + 10;

    kill HUP => $pid;
    sleep 0.001 until time > $end
        || 4 == (() = $t->read_file("/proc/$pid/task/$pid/children") =~ /\d+/g);
    kill STOP => $pid;
    note('the old ones had ended already') if $t->old_worker_pids;

    my @wrong;
    $end = time + 1;
    while (time < $end) {
        my $status = eval { $code->() } // $@;
        push @wrong, $status if $status ne '200';
    }

    kill CONT => $pid;
    $t->wait_for(sub { !grep { $old{$_} } $t->worker_pids }, 10, 'old workers');

    return "@wrong";
}

# until each that runs has done it so many times more

sub go_on {
    my ($n) = @_;

    my %goal = map { $_ => $n + count($_) } loads();
    delete $goal{ $t->dir . '/load-watch-on' };

    return $t->wait_for(sub {
        !grep { count($_) < $goal{$_} } keys %goal }, 20, "$n more of each");
}

sub failures {
    return join ', ', map {
        my $file = $_;
        map { $file =~ s/.*load-//r . ' ' . $_ }
            $t->read_file($file) =~ /^failed: .*/mg;
    } loads();
}

sub log_in {
    my $r = $t->api(POST => '/auth/login', json => { username => 'ann',
        password => $t->password });

    return $r->{status} == 200 ? ask($r->{json}{accessToken}) : $r->{status};
}

sub refresh_and_ask { return ask(fresh($user{refresh})) }

# keeps a token for some time

sub read_on {
    ($kept, $until) = (fresh($user{read}), time + 0.3) if time > $until;

    return $t->api_get('/cameras', token => $kept)->{status};
}

sub watch {
    my $list = session(play_url($gate, fresh($user{watch})))
        // return 'no session';
    my $r = $t->http_get($list);
    return $r->{status} if $r->{status} != 200;

    my ($piece) = reverse $r->{body} =~ /^(\d+\.m4s\S+)$/mg;
    return $t->http_get($list =~ s{[^/]*$}{}r . $piece)->{status};
}

sub publish {
    my ($r, $status) = Camera::RTMP->publisher($t, $yard,
        name => name(rtmp_url($yard, fresh($user{publish}))));
    $r->close;
    $t->wait_for(sub { !registry($t)->{cameras}{ $yard->{id} }{publishing} }, 5,
        'its end');

    return $status->{code} eq 'NetStream.Publish.Start' ? 200
        : "$status->{code} $status->{description}";
}

# an access token; spends the user's refresh token and keeps the next one

sub fresh {
    my ($user) = @_;

    my $r = $t->api(POST => '/auth/refresh',
        json => { refreshToken => $user->{refresh} });
    die "refresh: $r->{status}\n" if $r->{status} != 200;
    $user->{refresh} = $r->{json}{refreshToken};

    return $r->{json}{accessToken};
}

sub renewed { return kid(fresh($admin)) ne 'access-1' }

sub ask { return $t->api_get('/auth/me', token => $_[0])->{status} }

sub rtmp_url {
    my ($camera, $token) = @_;

    return $t->api_get("/cameras/$camera->{id}", token => $token)
        ->{json}{rtmpUrl};
}

sub name { return ($_[0] =~ m{/live/(\S+)})[0] }

sub play_url {
    my ($camera, $token) = @_;

    return $t->api_get("/cameras/$camera->{id}/stream/hls", token => $token)
        ->{json}{url} =~ s{^https?://[^/]+}{}r;
}

# the list of a session that it starts

sub session {
    my ($play) = @_;

    my ($uri) = $t->http_get($play)->{body} =~ /^([^#\s]+)$/m or return;
    return $play =~ s{[^/]*$}{}r . $uri;
}

sub kid {
    my ($header) = $_[0] =~ /^([\w-]+)\./;
    return decode_json(Camera::Token::unbase64url($header))->{kid};
}
