#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for `make run`: what it brings up, what it writes down, that Ctrl-C
# ends all of it, and that a second start keeps what was there.

use strict;
use warnings;

use Camera::Stopwatch;
use Camera::Test;
use Camera::Test::Cli;
use Camera::Test::Run;
use IO::Socket::IP;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations worker cli ffmpeg tls
    camera_rtmps camera_hls));

my $run = Camera::Test::Run->start($t, DEMO => 1);
$run->wait_ready or BAIL_OUT($run->log);

###############################################################################

# run.env

my $env = $run->env;
my ($http, $https) = map { $run->port($_) } qw(HTTP_PORT HTTPS_PORT);
my ($rtmps, $rtmp) = map { $run->port($_) } qw(RTMPS_PORT RTMP_PORT);

is($env->{CAMERA_URL}, "http://127.0.0.1:$http", 'CAMERA_URL');
is($env->{CAMERA_HTTPS_URL}, "https://localhost:$https", 'CAMERA_HTTPS_URL');
is($env->{CAMERA_RTMPS_URL}, "rtmps://localhost:$rtmps/live",
    'CAMERA_RTMPS_URL');
is($env->{CAMERA_RTMP_URL}, "rtmp://127.0.0.1:$rtmp/live", 'CAMERA_RTMP_URL');
like($env->{CAMERA_DATABASE_URL}, qr{^host=/\S+ dbname=camera user=\w+$},
    'CAMERA_DATABASE_URL');
like($env->{CAMERA_REDIS_URL}, qr{^unix:/\S+/redis\.sock$},
    'CAMERA_REDIS_URL');
ok(-s $env->{CAMERA_KEYS}, 'CAMERA_KEYS');
ok(-d "$env->{CAMERA_SHM}/rings", 'CAMERA_SHM');
is($env->{CAMERA_RECORD}, $run->var . '/recordings', 'CAMERA_RECORD');
ok(-d $env->{CAMERA_RECORD}, 'which is there');
like($t->read_file("/proc/$env->{NGINX_PID}/cmdline"), qr/nginx: master/,
    'NGINX_PID');
is((stat $run->var . '/run.env')[2] & 07777, 0600, 'run.env is private');
is((stat $run->var . '/worker.conninfo')[2] & 07777, 0600,
    'and so is what camera-worker logs in with');

# the first administrator

my ($user, $password) = @$env{qw(CAMERA_ADMIN_USER CAMERA_ADMIN_PASSWORD)};

is($user, 'admin', 'CAMERA_ADMIN_USER');
cmp_ok(length $password, '>=', 16, 'CAMERA_ADMIN_PASSWORD');
is_deeply([ map { "@$_{qw(username role)}" } @{ $run->cli(qw(user list))
    ->{users} } ], ['admin admin'], 'the only user');
ok(right($password), 'the password is right');
is((stat $run->var . '/admin')[2] & 07777, 0600, 'and kept in private');
is($t->read_file($run->var . '/admin'), "$password\n", 'for the next start');
like($run->log, qr/ as +admin\n.* password +$password\n/,
    'the summary tells both');

# who runs, and what is served

my @pids = $run->processes;
cmp_ok(scalar @pids, '>', 8, 'processes');

SKIP: {
    skip 'not root', 1 if $> != 0;
    is(scalar(grep { -e "/proc/$_" && (stat "/proc/$_")[4] == 0 } @pids), 0,
        'none runs as root');
}

is($run->get('/healthz')->{status}, 200, 'healthz');
my $ready = $run->get('/readyz');
is($ready->{status}, 200, 'readyz');
is(decode_json($ready->{body})->{parts}{redis}{status}, 'ok', 'with Redis');
is($t->run('redis-cli', '-s', $env->{CAMERA_REDIS_URL} =~ s/^unix://r,
    qw(CONFIG GET port)), "port\n0\n", 'which listens on its socket alone');

my $page = Camera::HTTP::get($https, '/watch.html', tls => 1);
is($page->{status}, 200, 'page over HTTPS');
like($page->{headers}{'content-security-policy'}, qr/default-src 'none'/,
    'page is protected');
is(Camera::HTTP::get($https, '/conf/nginx.conf', tls => 1)->{status}, 404,
    'nothing else is served');

# any address but 127.0.0.1 stands for one that others reach

my $elsewhere = $run->get('/watch.html?a=b', peer => '127.0.0.2');
is($elsewhere->{status}, 308, 'plain HTTP from elsewhere');
is($elsewhere->{headers}{location}, "https://localhost:$https/watch.html?a=b",
    'is sent to HTTPS');

SKIP: {
    skip 'no IPv6', 2 unless $t->read_file('/proc/net/if_inet6') =~ / lo$/m;
    is(Camera::HTTP::get($https, '/healthz', tls => 1, peer => '::1')
        ->{status}, 200, 'HTTPS over IPv6');
    ok(IO::Socket::IP->new(PeerAddr => '::1', PeerPort => $rtmps),
        'RTMPS over IPv6');
}

# the demo cameras and their links

my @links = $run->log =~ m{(https://\S+/watch\.html#\S+)}g;
is(scalar @links, 2, 'a link for each demo camera');

for my $link (@links) {
    my ($path) = $link =~ m{^https://localhost:$https/watch\.html#(/.*)$};
    ok($t->wait_for(sub { $run->get($path)->{status} == 200 }, 20, $path),
        'demo camera plays');
}

# they are recorded without anybody asking for it

ok($t->wait_for(sub { recordings() == 2 }, 30, 'recordings'),
    'demo cameras are recorded') or diag($run->log);
is(decode_json($run->get('/readyz')->{body})->{parts}{recording}{status}, 'ok',
    'which is as it should be');

unlike($run->log =~ s/^.*watch\.html.*$//mgr, qr/eyJ[\w-]+\./,
    'no token in the rest of the output');
my $logs = $t->run('cat', glob $run->var . '/log/*');
unlike($logs, qr/eyJ[\w-]+\./, 'no token in the logs');
unlike($logs, qr/\Q$password\E/, 'no password in the logs');
my @seen = map { glob "/proc/$_/{cmdline,environ}" } $run->processes;
is(scalar(grep { eval { $t->read_file($_) } =~ /\Q$password\E/ } @seen), 0,
    'nor among the processes');

# a second one beside it

my $second = Camera::Test::Run->start($t);
is($second->{process}->wait(20), 1 << 8, 'second instance is refused');
like($second->log, qr/in use by a running instance \(pid ${\ $run->pid}\)/,
    'message');

# Ctrl-C

@pids = $run->processes;
is($run->stop, 0, 'Ctrl-C');
ok($t->wait_for(sub { !grep { Camera::Process::alive($_) } @pids }, 2,
    'the last process'), 'no process is left');
like($run->log, qr/\| stopped\n\z/, 'said so');
ok(!-e $run->var . '/run.env', 'run.env is gone');

# again, with keys of a version in which nobody could log in, export or encrypt

my $certificate = $t->read_file($run->var . '/tls/cert.pem');
my @kept = grep { $_->{use} !~ /^(?:access|export|recording)$/ } signing_keys();
rewrite($run->var . '/keys.json', encode_json({ keys => \@kept }));
my $watch = Camera::Stopwatch->start;
$run = Camera::Test::Run->start($t, DEMO => 1);
ok($run->wait_ready(30), 'second start') or diag($run->log);
cmp_ok($watch->seconds, '<', 15, 'takes seconds');
is($t->read_file($run->var . '/tls/cert.pem'), $certificate,
    'the certificate is kept');
my @now = signing_keys();
is_deeply([ @now[0, 1] ], \@kept, 'the keys are kept');
is("@{[ map { $_->{use} } @now ]}", 'stream playback access export recording',
    'and the missing ones are added');
is(scalar @{ $run->cli('list')->{cameras} }, 2, 'cameras are kept');
like($run->log, qr/^run +\| recordings: .+ \(\d+\.\d s\)$/m,
    'rows and files of recordings are compared');
ok($t->wait_for(sub { recordings() >= 2 }, 20, 'recordings'),
    'recordings are kept') or diag($run->log);
is($run->env->{CAMERA_ADMIN_PASSWORD}, $password, 'the password is kept');
like($run->log, qr/ password +$password\n/, 'and told again');
is($run->stop('TERM'), 0, 'TERM');

$t->done_testing;

###############################################################################

sub right {
    my ($password) = @_;

    return Camera::Test::Cli->new($t, CAMERA_ENV => $run->var . '/run.env')
        ->run(qw(user check admin), \$password)->{status} == 0;
}

# how many cameras have one

sub recordings {
    return $t->run('psql', '-XAtc',
        'SELECT count(DISTINCT camera_id) FROM recordings',
        $run->env->{CAMERA_DATABASE_URL});
}

sub signing_keys {
    return @{ decode_json($t->read_file($run->var . '/keys.json'))->{keys} };
}

# in place: owner and mode stay

sub rewrite {
    my ($file, $text) = @_;

    open my $out, '>', $file or die "open(\"$file\") failed: $!";
    print $out $text;
    close $out or die "write(\"$file\") failed: $!";
}
