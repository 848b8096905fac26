#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for server-sent events: what happens to cameras reaches who may see it,
# in order and once, over workers, reconnects and a worker's death; who may not
# see it any more is cut off; one who does not read delays nobody.

use strict;
use warnings;

use Camera::EventStream qw(follow);
use Camera::Stopwatch;
use Camera::Test;
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres redis migrations camera_api_database));
$t->start_redis;
$t->start_api(
    camera => 'redis ' . $t->redis_address . ';',
    http   => 'camera_api_events_comment 300ms; camera_api_streams 4;'
        . 'server { listen 127.0.0.1:' . $t->port('narrow') . ' sndbuf=16k;'
        . ' location /api/ { camera_api; } }',
);

my $user = $t->add_user(role => 'viewer');
my $admin = $t->add_user(role => 'admin');
my $elsewhere = $t->add_user(role => 'admin', tenant => $t->add_tenant);

###############################################################################

# a stream

my $s = follow($t, $user->{token});
is($s->status, 200, 'a stream');
like($s->head, qr{^Content-Type: text/event-stream\r?$}m, 'its type');
like($s->head, qr{^Cache-Control: no-store\r?$}m, 'not to be kept');
like($s->head, qr{^X-Request-Id: \w}m, 'its request id');
is($s->ready->{type}, 'ready', 'it begins');
like($s->ready->{id}, qr/^\d+-\d+$/, 'somewhere');

# what happens to a camera

my $stranger = follow($t, $elsewhere->{token});
my $status = follow($t, $user->{token}, types => 'stream.status,camera.deleted');
my $watch = Camera::Stopwatch->start;

my $r = $t->api(POST => '/cameras', token => $admin->{token},
    json => new_camera('Hof "1"'));
my $id = $r->{json}{id};

my $event = $s->next(3);
is($event->{type}, 'camera.created', 'created');
is_deeply([ sort keys %{ $event->{json} } ], [ qw(at cameraId data type) ],
    'no tenant in it');
is($event->{json}{cameraId}, $id, 'of the camera');
is($event->{json}{data}{name}, 'Hof "1"', 'with its name');
like($event->{json}{at}, qr/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/, 'when');
like($event->{id}, qr/^\d+-\d+$/, 'and an id');

$t->api(PUT => "/cameras/$id", token => $admin->{token},
    json => { name => 'Hof' });
set_status($id, 'online');
set_status($id, 'offline');
$t->api(DELETE => "/cameras/$id", token => $admin->{token});

is_deeply([ map { words($_) } map { $s->next(3) } 1 .. 4 ],
    [ 'camera.updated 2', 'stream.status online', 'stream.status offline',
      "camera.deleted 3" ], 'updated, online, offline, deleted');
is_deeply([ map { words($_) } map { $status->next(3) } 1 .. 3 ],
    [ 'stream.status online', 'stream.status offline', 'camera.deleted 3' ],
    'only types that are wanted');

# nothing of other tenants

my $canary = $t->api(POST => '/cameras', token => $elsewhere->{token},
    json => new_camera('canary'))->{json}{id};

is_deeply([ map { $_->{json}{cameraId} } grep { defined } $stranger->next(3) ],
    [ $canary ], 'another tenant has its own');
is($s->next(0.4), undef, 'and nothing else comes');
cmp_ok($s->comments, '>', 0, 'but comments');

# who comes again

my $camera = $t->add_camera(name => 'door')->{id};
$event = $s->next(3);
is($event->{json}{cameraId}, $camera, 'before');
my $last = $s->last;
$s->close;

set_status($camera, $_) for qw(online offline online);

$s = follow($t, $user->{token}, last => $last);
is_deeply([ map { words($_) } map { $s->next(3) } 1 .. 3 ],
    [ map { "stream.status $_" } qw(online offline online) ],
    'what was missed comes first');
set_status($camera, 'offline');
is(words($s->next(3)), 'stream.status offline', 'then what is new');
$s->close;

# many, while others come again all the time: no gap, none twice

my @got = storm(300);
is(scalar @got, 300, 'a storm is whole');
is_deeply(\@got, [ 1 .. 300 ], 'and in order, over reconnects');

# a worker that dies

$s = follow($t, $user->{token});
set_status($camera, 'online');
$last = $s->next(3) && $s->last;
$t->kill_worker($_) for 0, 0;
$t->wait_for(sub { $t->worker_pids == 2 }, 5, 'workers');
ok($s->ended(3), 'a worker dies');
$t->wait_api;
set_status($camera, 'offline');
$s = follow($t, $user->{token}, last => $last);
$event = $s->next(3);
is(words($event), 'stream.status offline', 'and nothing was missed');

# ids that say nothing any more

for my $old ('1-1', '99999999999999-0', '18446744073709551615-18446744073709551615') {
    my $one = follow($t, $user->{token}, last => $old);
    is($one->next(2)->{type}, 'reset', "load anew after $old");
    $one->close;
}

for my $bad ('x', '1', '1-', '-1', '1-1-1', '1-99999999999999999999', ' ') {
    my $one = follow($t, $user->{token}, last => $bad, raw => 1);
    is($one->status, $bad eq ' ' ? 200 : 400, "Last-Event-ID: $bad");
    $one->close;
}

# refusals

is(follow($t, 'x')->status, 401, 'no good token');
is($t->api_get('/events')->{code}, 'AUTH_TOKEN_MISSING', 'no token');
is($t->api_get('/events?types=x', token => $user->{token})->{code},
    'VALIDATION_FAILED', 'an unknown type');
is($t->api_get('/events?types=', token => $user->{token})->{code},
    'VALIDATION_FAILED', 'no type');
is($t->api(HEAD => '/events', token => $user->{token})->{status}, 200, 'HEAD');

my $greedy = $t->add_user(role => 'viewer');
my @many = map { follow($t, $greedy->{token}) } 1 .. 4;
is(join(' ', map { $_->status } @many), '200 200 200 200', 'four at once');
is($t->api_get('/events', token => $greedy->{token})->{code},
    'CONCURRENT_LIMIT_EXCEEDED', 'a fifth');
(shift @many)->close;
ok($t->wait_for(sub {
    my $one = follow($t, $greedy->{token});
    push @many, $one if $one->status == 200;
    $one->status == 200;
}, 3, 'room'), 'another one when one has gone');

# who may follow no more

my $demoted = $t->add_user(role => 'admin');
$s = follow($t, $demoted->{token});
$t->sql("UPDATE users SET role = 'api_only' WHERE id = '$demoted->{id}'");
ok($s->ended(1), 'a role that changed ends the stream within a second');
is($t->api_get('/events', token => $demoted->{token})->{status}, 401,
    'and another one is refused');

my $out = $t->add_user(role => 'viewer');
my $stays = follow($t, $user->{token});
$s = follow($t, $out->{token});
$t->sql("SELECT api_session_end('$out->{sid}', 'logout')");
ok($s->ended(1), 'so does a session that ended');

my $brief = $t->access_token(%$user, claims => { exp => time() + 2 | 0 });
$s = follow($t, $brief);
$watch = Camera::Stopwatch->start;
ok($s->ended(4), 'and a token');
cmp_ok($watch->seconds, '<', 3.2, 'in time');
set_status($camera, 'online');
is(words($stays->next(3)), 'stream.status online', 'others go on');
$stays->close;

# one who does not read

my $slow = follow($t, $user->{token}, port => $t->port('narrow'));
$s = follow($t, $user->{token});
my $lazy = $t->worker_pids;
my @before = map { $t->rss($_) } $t->worker_pids;
my $pid = flood(2000);
my @seen = $s->until(sub { $_[0]{type} eq "stream.status" && words($_[0]) =~ /online/ }, 30);
is(scalar(grep { $_->{type} eq 'camera.updated' } @seen), 2000,
    'a client who reads has all of them');
waitpid $pid, 0;
ok($t->wait_for(sub { $t->error_log =~ /follows events is too slow/ }, 5,
    'slow one'), 'one who does not is cut off');
my @after = map { $t->rss($_) } $t->worker_pids;
cmp_ok($after[$_] - $before[$_], '<', $t->growth(6000), 'memory is bounded')
    for 0, 1;
$slow->close;

unlike($t->error_log, qr/\Q$user->{token}\E/, 'no token in the log');

$t->done_testing;

###############################################################################

sub words {
    my ($event) = @_;

    return 'none' if !$event;
    my $data = $event->{json}{data};

    return "$event->{type} " . ($data->{streamStatus} // $data->{version}
        // $data->{name});
}

sub new_camera {
    my ($name) = @_;

    return { name => $name, serialNumber => "serial $name", company => 'Axis',
        model => 'P3265-LV', location => 'Main', place => 'Entrance' };
}

sub set_status {
    my ($camera, $status) = @_;

    $t->sql("UPDATE cameras SET stream_status = '$status'"
        . " WHERE id = '$camera'");
}

# so many numbered events by SQL, read by one who comes again after each bit

sub storm {
    my ($n) = @_;

    my $one = follow($t, $user->{token});
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        $t->sql(join '', map { numbered($_) } $_ * 10 + 1 .. $_ * 10 + 10)
            for 0 .. $n / 10 - 1;
        POSIX::_exit(0);
    }

    my @numbers;
    my $end = time + 30;

    while (@numbers < $n && time < $end) {
        for (1 .. 1 + int rand 40) {
            my $event = $one->next(1) or last;
            push @numbers, $event->{json}{data}{name} =~ /(\d+)/;
        }

        my $last = $one->last;
        $one->close;
        $one = follow($t, $user->{token}, last => $last);
    }

    $one->close;
    waitpid $pid, 0;

    return @numbers;
}

sub numbered {
    my ($n) = @_;

    return "UPDATE cameras SET name = 'n$n'"
        . " WHERE id = '$camera'; ";
}

# long events, and a last one, by a process of their own: we have to read

sub flood {
    my ($n) = @_;

    my $pid = fork // die "fork: $!";
    return $pid if $pid;

    $t->sql("DO \$\$ BEGIN FOR i IN 1 .. $n LOOP UPDATE cameras"
        . " SET name = rpad('f' || i, 100, 'x') WHERE id = '$camera'; END LOOP; END \$\$;");
    set_status($camera, $_) for qw(offline online);
    POSIX::_exit(0);
}
