#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what the image starts, from nothing to a picture: secrets,
# database, nginx, camera-worker and the tool, by its own entrypoint.  In short
# they run out of `make install`; CAMERA_SOAK=1 builds the image and runs them
# in it as containers, without an engine.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Fcntl qw(:mode);
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

use Camera::Test;
use Camera::Test::Image;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres redis migrations worker cli ffmpeg tls));
plan(skip_all => 'installs what was built without sanitizers')
    if $ENV{CAMERA_MODULE};

my $image = Camera::Test::Image->new($t);
my ($status, $text);

# secrets: made once, ours alone

my @secrets = (map({ $image->file('secrets', $_) } qw(keys.json camera_app
    camera_api camera_worker tls/cert.pem tls/key.pem)),
    map { $image->file('owner', $_) } qw(camera_owner postgres));

($status, $text) = $image->run('secrets');
is($status, 0, 'secrets') or diag($text);
is((grep { ((stat)[2] // 0777) & (S_IRWXG|S_IRWXO) } @secrets), 0,
    'all there, and nobody else may read them');
like($text, qr/self-signed for localhost/, 'the certificate is ours');

my %passwords = map { ($image->secret($_) => 1) } qw(camera_app camera_api
    camera_worker camera_owner postgres);
is(keys %passwords, 5, 'a password for each role');
is((grep { length >= 40 } keys %passwords), 5, 'that nobody guesses');

my $before = join '', map { $t->read_file($_) } @secrets;
($status, $text) = $image->run('secrets');
is($status, 0, 'secrets again');
is(join('', map { $t->read_file($_) } @secrets), $before, 'kept');

# the database, and the first administrator

$image->start_postgres;

($status, $text) = $image->run('migrate');
is($status, 0, 'migrate') or BAIL_OUT($text);
like($text, qr/^applied 001_tenants/m, 'schema');

my ($password) = $text =~ /^ *password:? +(\S+)/m;
ok($password, 'a password for the first administrator');

($status, $text) = $image->run('migrate');
is($status, 0, 'migrate again') or diag($text);
unlike($text, qr/applied|password/, 'nothing to do, nothing to tell');

# nothing starts without its secrets

for my $name (qw(keys.json camera_app camera_api tls/key.pem)) {
    my $file = $image->file('secrets', $name);

    rename $file, "$file.away";
    $t->write_file($file, '') if $name eq 'camera_api';
    ($status, $text) = $image->run('nginx');
    isnt($status, 0, "no $name, no start");
    like($text, qr/the secret \S+\Q$name\E is missing or empty/, 'says why');
    rename "$file.away", $file;
}

# nginx and camera-worker

$t->start_redis;

my $nginx = $image->start('nginx');
my $worker = $image->start('camera-worker');

ok($t->wait_for(sub { ready() }, 15, 'readiness'), 'ready')
    or BAIL_OUT($nginx->log . $worker->log);

# masters, workers, the probe; packagers and the sandbox
my @processes;

ok($t->wait_for(sub {
    @processes = map { $image->processes($_) } $nginx, $worker;
    @processes >= 7;
}, 10, 'all processes'), 'both have their processes')
    or diag(map { "$_ " . title($_) . "\n" } @processes);
is_deeply([ grep { uids($_) =~ /\b0\b/ } @processes ], [],
    'none of them is root') if $> == 0;
is(scalar(grep { $_->{CapEff} !~ /[^0]/ }
    map { $image->status_of($_) } @processes), @processes,
    'none has a capability') if $image->is_image;

my $conf = $image->file('state', 'nginx.conf');
is(((stat $conf)[2] & (S_IRWXG|S_IRWXO)), 0, 'nobody may read its conf');
like($t->read_file($image->file('state', 'conf/camera.conf')),
    qr/password='\Q@{[ $image->secret('camera_app') ]}\E'/,
    'which has the password of its role');

# a camera, pushed over TLS, and watched

my $camera = cli('add', 'Gate');
like($camera->{publishUrl}, qr{^rtmps://localhost:@{[ $t->port('rtmps') ]}/},
    'where to push to');

my $publisher = $t->publish($camera, url => $camera->{publishUrl},
    clip => 'small', forever => 1);
my $play = cli('play-url', $camera->{id})->{playUrl};
my ($path) = $play =~ m{^https?://[^/]+(/.*)};

ok($t->wait_for(sub {
    $t->http_get($path, port => 'https', tls => 1)->{status} == 200;
}, 20, 'a playlist'), 'plays over HTTPS')
    or diag($publisher->log, $nginx->log, $worker->log);

my @numbers = $t->frame_numbers(
    'http://127.0.0.1:' . $t->port('http') . $path, '-t', 2);
cmp_ok(scalar(grep { $_ >= 0 } @numbers), '>=', 10, 'moving pictures');
is(scalar(grep { $_ < 0 } @numbers), 0, 'whole ones');

is(cli('show', 'Gate')->{live}{status}, 'online', 'the tool sees it');
like($play, qr/^https:/, 'links are for those outside');

($status, $text) = $image->run('camera', 'doctor', 'Gate');
is($status, 0, 'the doctor has nothing to do') or diag($text);

# as an engine asks for their health

is(($image->run('sh', '-c', $_))[0], 0, "healthy: $_") for health_checks();

# a copy of the database

($status, $text) = $image->run('pg_dump', '--table=cameras');
is($status, 0, 'pg_dump');
like($text, qr/^COPY public\.cameras .*\bGate\b/ms, 'has the camera');

# the mock camera, with a token of its own

($status, $text) = $image->run('demo');
is($status, 0, 'demo') or diag($text);
like($text, qr{^https://localhost:\d+/watch\.html#/hls/\S+token=}m,
    'a link to it');

SKIP: {
    skip 'takes two minutes, set CAMERA_SOAK=1', 2 unless $image->is_image;

    my $mock = $image->start_mock(CAMERA_KEY => 'demo', SIZE => '640x360',
        RTMPS_URL => 'rtmps://127.0.0.1:' . $t->port('rtmps') . '/live');

    ok($t->wait_for(sub { cli('show', 'demo')->{live}{status} eq 'online' },
        20, 'a picture'), 'mock camera is online') or diag($mock->log);
    unlike($mock->log, qr/token=/, 'its log has no token');
    $mock->stop;
}

# the API: who logs in with the printed password sees the camera and its picture

is(api('/cameras')->{status}, 401, 'the API wants to know who asks');
is(login('admin', 'admin')->{status}, 401, 'there is no default password');

my $login = login('admin', $password);
is($login->{status}, 200, 'log in') or diag($login->{body}, $nginx->log);

my $bearer = 'Authorization: Bearer '
    . (decode_json($login->{body})->{accessToken} // '');
my $list = api('/cameras?limit=10', headers => [$bearer]);
like($list->{body}, qr/"name": *"Gate"/, 'the list has the camera');

my $hls = api("/cameras/$camera->{id}/stream/hls", headers => [$bearer]);
is($hls->{status}, 200, 'an address to play') or diag($hls->{body});

# the page

like($t->http_get('/', port => 'https', tls => 1)->{body}, qr/<script/,
    'the page');
is($t->http_get('/', local => '127.0.0.2')->{status}, 200,
    'plain HTTP on loopback');

# no secret in a log

my $log = $nginx->log . $worker->log . logs();
is((grep { index($log, $_) >= 0 } keys %passwords, $password), 0,
    'no password is logged');
unlike($log, qr/eyJ[\w-]+\.[\w-]+\./, 'no token is logged');
unlike($log, qr/\b(?:alert|crit):|\[(?:alert|crit|emerg)\]/, 'all is well');

# a worker that hangs, which camera-worker cannot see from its container

SKIP: {
    skip 'takes 6 s, set CAMERA_SOAK=1', 1 unless $t->soak;

    my ($hung) = grep { title($_) =~ /worker process/ }
        $image->processes($nginx);

    kill 'STOP', $hung;
    ok($t->wait_for(sub { !Camera::Process::alive($hung) }, 10, 'the kill'),
        'a hung worker is killed from where it can be seen');
    $t->wait_for(sub { ready() }, 10, 'readiness');
}

# stopped as an engine does it, with the camera still there

ok($t->wait_for(sub { cli('show', 'Gate')->{live}{status} eq 'online' }, 20,
    'the camera'), 'the camera is there');

my $start = time;
$image->signal($nginx, 'QUIT');
is($nginx->wait(15), 0, 'nginx ends');
cmp_ok(time - $start, '<', 8, sprintf 'within seconds: %.1f', time - $start);

$start = time;
$image->signal($worker, 'QUIT');
is($worker->wait(15), 0, 'camera-worker ends');
cmp_ok(time - $start, '<', 5, sprintf 'within seconds: %.1f', time - $start);

ok($t->wait_for(sub { !grep { Camera::Process::alive($_) } @processes }, 3,
    'their ends'), 'nobody is left, the probe neither');

$image->remove;
$t->done_testing;

###############################################################################

sub ready {
    my $r = $t->http_get('/readyz');
    return $r->{status} == 200 && $r->{body} =~ /"status": *"ok"/;
}

sub api {
    my ($path, %opt) = @_;

    return $t->http_get("/api/v1$path", port => 'https', tls => 1, %opt);
}

sub login {
    my ($user, $password) = @_;

    return api('/auth/login', method => 'POST',
        headers => ['Content-Type: application/json'],
        body => encode_json({ username => $user, password => $password }));
}

sub cli {
    my ($status, $text) = $image->run('camera', @_, '--json');
    die "camera @_ failed: $text" if $status != 0;
    return decode_json($text);
}

# those of the Dockerfile and of compose.yaml, where they look

sub health_checks {
    my ($nginx) = $t->read_file($t->root . '/Dockerfile')
        =~ /^HEALTHCHECK .*\\\n +CMD (.*)/m;
    my ($worker) = $t->read_file($t->root . '/compose.yaml')
        =~ /^ +- (test .*find.*)/m;
    my $shm = $image->file('shm', 'shm');

    $nginx =~ s/\$\{HTTP_PORT[^}]*\}/$t->port('http')/e;
    $worker =~ s/\$\$/\$/g;
    $worker =~ s{/run/camera/shm}{$shm} unless $image->is_image;

    return ($nginx, $worker);
}

sub uids { $image->status_of($_[0])->{Uid} // '' }

sub title {
    open my $in, '<', "/proc/$_[0]/cmdline" or return '';
    return scalar(<$in>) // '';
}

# the files of a short run; of the image they are its standard output

sub logs {
    return join '', map { $t->read_file($_) }
        glob $image->file('log', '*.log');
}
