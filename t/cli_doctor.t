#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for bin/camera doctor: each thing that keeps a picture away is caused
# and must be named as the cause, with a next step; and live status as list
# and show print it.

use strict;
use warnings;

use Camera::Process;
use Camera::Test;
use Camera::Test::Cli;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations ffmpeg worker cli tls
    camera_hls));

$t->start_all;

our $cli = Camera::Test::Cli->new($t);
my $gate = $t->add_camera(name => 'gate', key => 'gate');
my ($p, $r, $tls_server);

###############################################################################

# nobody publishes

caused('nobody', qr/^nobody publishes this camera$/, qr/camera publish-url/);
is($r->{status}, 1, 'status without a picture');
is(check('packager')->{result}, 'skipped', 'only causes are marked');
is(check('certificate')->{result}, 'warning', 'self-signed');
like(check('certificate')->{text}, qr/TLSv1\.3.*is self-signed/, 'TLS');

# publishers that are refused

publish(url => rtmps($gate, $t->token(camera => $gate, iat => time - 9000,
    exp => time - 3600)));
caused('expired token', qr/refused or cut: token_expired/,
    qr/make a new publish URL/);

publish(url => rtmps($gate, 'eyJhbGciOiJub25lIn0.e30.'));
caused('damaged token', qr/refused or cut: token_invalid/, qr/opaque key/);

my $yard = $t->add_camera(name => 'yard', key => 'yard',
    cidr => [ '10.0.0.0/8' ]);
ok(known('yard'), 'nginx knows the second camera');
publish(url => $yard->{rtmps_url});
caused('address', qr/refused or cut: address/, qr/list of allowed addresses/,
    'yard');
like(check('address')->{text}, qr{may come from 10\.0\.0\.0/8}, 'its list');
is($cli->run(qw(show yard --json))->{json}{live}{status}, 'error',
    'status of a camera that is refused');

publish(clip => 'flv1', rtmps => 1);
caused('codec', qr/refused or cut: video_codec, H\.263/,
    qr/set the camera's encoder to H\.264/);

# the picture

publish(rtmps => 1);
ok(picture(), 'picture');
$r = $cli->run(qw(doctor gate));
like($r->{out}, qr/^a picture is served$/m, 'picture, for people');
like($r->{out},
    qr/^  \xe2\x9c\x93 codec +avc1\.42c01f,mp4a\.40\.2, 1280x720/m, 'codecs');
is(check('b-frames')->{text}, 'no B-frames', 'no B-frames');
is(check('key frames')->{result}, 'ok', 'key frames');

$r = $cli->run(qw(show gate --json))->{json}{live};
is($r->{status}, 'online', 'online');
is($r->{address}, '127.0.0.1', 'address');
is("$r->{codecs} $r->{width}x$r->{height}",
    'avc1.42c01f,mp4a.40.2 1280x720', 'what it sends');
cmp_ok($r->{bitrate}, '>', 500_000, 'bitrate');
like($cli->run('list')->{out}, qr/^online .* gate  \(1280x720, \d+ kbit/m,
    'online in the list');

# a stream that is poor

$p->stop;
publish(clip => 'bframes', rtmps => 1);
ok(picture(), 'picture with B-frames');
is(check('b-frames')->{result}, 'warning', 'B-frames');
like(check('b-frames')->{next}, qr/set the encoder to no B-frames/, 'advice');

$p->stop;
publish(clip => 'longgop', rtmps => 1);
ok($t->wait_for(sub {
    doctor('gate');
    (check('key frames') // {})->{result} eq 'warning';
}, 10, 'a long GOP'), 'long GOP');
like(check('key frames')->{next}, qr/a key frame every 2 s/, 'advice');

# a camera that falls silent, and one that is cut off

kill 'STOP', $p->pid;
ok($t->wait_for(sub {
    doctor('gate');
    ($r->{json}{cause} // '') =~ /publishes since .* sent nothing for/;
}, 10, 'silence'), 'silent');
like($r->{json}{next}, qr/encoder and the network/, 'advice');
kill 'CONT', $p->pid;
ok(picture(), 'and back');

$cli->run(qw(revoke gate));
caused('revoked', qr/refused or cut: token_revoked/,
    qr/current publish URL/);

$cli->run(qw(disable gate));
caused('disabled', qr/^the camera is disabled$/, qr/camera enable/);
$cli->run(qw(enable gate));
ok(known('gate'), 'enabled');

# the platform's own parts

$t->{worker}->stop;
caused('worker', qr/^camera-worker does not run/, qr/start camera-worker/);

quarantine($gate->{id});
doctor('gate');
is(check('packager')->{text}, 'the camera is quarantined', 'quarantine');
like(check('packager')->{next}, qr/encoder settings and reconnect/, 'advice');
is($cli->run(qw(show gate --json))->{json}{live}{status}, 'error',
    'status in quarantine');
$t->start_worker;

chmod 0644, $t->keys_file;
caused('keys', qr/open to others \(mode 0644\)/, qr/not start or reload/);
chmod 0600, $t->keys_file;

caused_by('shared memory', qr/registry in shared memory cannot be read/,
    qr/CAMERA_SHM must name/, CAMERA_SHM => '/nonexistent');
caused_by('plain port', qr/the TLS handshake failed/, qr/camera_rtmps on/,
    CAMERA_RTMPS_URL => 'rtmps://127.0.0.1:' . $t->port('rtmp'));
caused_by('closed port', qr/port \d+ of 127\.0\.0\.1 is closed: .*refused/,
    qr/firewall/, CAMERA_RTMPS_URL => 'rtmps://127.0.0.1:' . $t->port('none'));
caused_by('no such host', qr/has no address/, qr/firewall/,
    CAMERA_RTMPS_URL => 'rtmps://camera.invalid');
caused_by('expired certificate', qr/the certificate "old" is expired/,
    qr/reload nginx/, CAMERA_RTMPS_URL => 'rtmps://127.0.0.1:'
    . tls_server(subject => { commonName => 'old' },
        not_before => time - 9000, not_after => time - 60));

kill 'KILL', $tls_server;

{
    local $cli = Camera::Test::Cli->new($t, CAMERA_ENV => $t->env_file(
        CAMERA_HTTPS_URL => 'https://127.0.0.1:' . $t->port('none')));
    doctor('gate');
    is(check('https')->{result}, 'warning', 'HTTPS is closed');
    like(check('https')->{text}, qr/does not answer at https:/, 'and where');
}

$t->stop_postgres;
doctor($gate->{id});
is($r->{json}{checks}[0]{result}, 'warning', 'goes on without PostgreSQL');
like($r->{json}{checks}[0]{text}, qr/connection to server/, 'and says so');
is(check('camera')->{result}, 'ok', 'by what nginx knows');
is($cli->run('doctor', 'nobody')->{status}, 3, 'unknown without PostgreSQL');
$t->start_postgres;

$t->{nginx}->stop('QUIT');
caused('nginx', qr/^nginx does not answer at/, qr/start nginx/);

is($cli->run(qw(doctor nobody))->{status}, 4, 'unknown camera');

$t->done_testing;

###############################################################################

sub doctor {
    my ($id) = @_;
    $r = $cli->run('doctor', $id, '--json');
    return $r->{json};
}

sub check {
    my ($name) = @_;

    my $json = $r->{json} // doctor('gate');
    my ($check) = grep { $_->{check} eq $name } @{ $json->{checks} };
    return $check // { check => $name, result => 'absent', text => '' };
}

# the cause appears a moment after it was made

sub caused {
    my ($name, $cause, $next, $id) = @_;

    $t->wait_for(sub {
        (doctor($id // 'gate')->{cause} // '') =~ $cause;
    }, 8, $name);

    like($r->{json}{cause}, $cause, "$name: cause");
    like($r->{json}{next}, $next, "$name: next step");

    $p->stop if $p;
    undef $p;
}

# the same with another environment

sub caused_by {
    my ($name, $cause, $next, %env) = @_;

    local $cli = Camera::Test::Cli->new($t, CAMERA_ENV => $t->env_file(%env));
    caused($name, $cause, $next);
}

sub publish {
    $p->stop if $p;
    $p = $t->publish($t->camera_urls($gate), @_);
}

sub rtmps {
    my ($camera, $token) = @_;
    return 'rtmps://127.0.0.1:' . $t->port('rtmps')
        . "/live/$camera->{key}?token=$token";
}

sub known {
    my ($id) = @_;

    return $t->wait_for(sub {
        doctor($id);
        check('camera')->{text} =~ /^nginx knows the camera as active/;
    }, 8, 'the feeder');
}

sub picture {
    return $t->wait_for(sub { doctor('gate')->{picture} }, 12, 'a picture');
}

# writes the state into both images of the index (docs/live-index.md)

sub quarantine {
    my ($id) = @_;

    open my $f, '+<:raw', $t->shm . "/live/$id/index"
        or die "open() failed: $!";
    read $f, my $header, 64;
    my $size = unpack 'x12 L', $header;

    for my $image (64, 64 + $size) {
        seek $f, $image + 16, 0;
        print $f pack 'L', 3;
    }

    close $f or die "close() failed: $!";
}

# answers handshakes with a certificate of its own

sub tls_server {
    my (%cert) = @_;

    require IO::Socket::SSL::Utils;
    my ($crt, $key) = IO::Socket::SSL::Utils::CERT_create(%cert);
    my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5)
        or die "no port: $!";

    $tls_server = fork // die "fork() failed: $!";

    if ($tls_server == 0) {
        while (my $c = $s->accept) {
            IO::Socket::SSL->start_SSL($c, SSL_server => 1, SSL_cert => $crt,
                SSL_key => $key);
        }
        POSIX::_exit(0);
    }

    return $s->sockport;
}
