#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the guard against input that nginx-rtmp alone does not survive,
# from clients that have shown no credential.  Each input is sent plain and
# over TLS; afterwards the connection is closed for the reason given, the
# same worker answers at once, and it has not grown.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time);

use Camera::RTMP;
use Camera::Test;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(camera_rtmps tls));
$t->start_nginx;

my $stock = Camera::Test->new(workers => 1);
$stock->nginx_conf(conf => <<'END');
daemon off;
%%USER%%
worker_processes 1;
error_log %%DIR%%/error.log info;
pid %%DIR%%/nginx.pid;
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
events { }
rtmp {
    access_log off;
    server {
        listen 127.0.0.1:%%RTMP_PORT%%;
        application live { live on; }
    }
}
END
$stock->start_nginx;

my $level = "\x0a\x00\x00\x00\x01";        # AMF: an array of one

my @inputs = (
    { name => 'media before publish', log => 'media before publish',
      send => sub { $_[0]->config('video'); $_[0]->video(0, key => 1) } },

    { name => 'parameter set without end', log => 'media before publish',
      stock => 'hangs',
      send => sub { $_[0]->message(Camera::RTMP::VIDEO, pack('H*',
          '17000000000142c00dffe1000f6742c00dd30000000000800000000000'),
          msid => 1) } },

    { name => 'deep array', log => 'too much sent before publish',
      stock => 'dies',
      send => sub { $_[0]->chunk_size(1048576);
          $_[0]->message(Camera::RTMP::COMMAND, Camera::RTMP::amf('connect')
              . Camera::RTMP::amf(1) . $level x 150_000) } },

    { name => 'big command', log => 'too big command',
      send => sub { $_[0]->chunk_size(65536);
          $_[0]->message(Camera::RTMP::COMMAND, Camera::RTMP::amf('connect')
              . Camera::RTMP::amf(1) . $level x 3_300) } },

    { name => 'deepest command allowed', log => 'malformed connect',
      send => sub { $_[0]->chunk_size(65536);
          $_[0]->message(Camera::RTMP::COMMAND, Camera::RTMP::amf('connect')
              . Camera::RTMP::amf(1) . $level x 3_270) } },

    { name => 'aggregate', log => 'aggregate message',
      send => sub { $_[0]->message(Camera::RTMP::AGGREGATE,
          pack('CnCNnC', 8, 0, 2, 0, 0, 0) . "\xaf\x01" . pack 'N', 13) } },

    { name => 'aggregates within each other',
      log => 'too much sent before publish', stock => 'dies',
      send => sub { $_[0]->chunk_size(1048576);
          $_[0]->message(Camera::RTMP::AGGREGATE, nested(60_000)) } },

    { name => 'aggregate that sets a chunk size', log => 'aggregate message',
      send => sub { $_[0]->chunk_size(65536);
          $_[0]->message(Camera::RTMP::AGGREGATE, join '',
              map { "\x01\0\0\x04" . "\0" x 7 . pack('NN', 4096, 15) }
              1 .. 1000) } },

    (map { my $n = $_;
        { name => "chunk size $n", log => 'chunk size out of bounds',
          stock => $n ? undef : 'accepts',
          send => sub { $_[0]->message(Camera::RTMP::CHUNK_SIZE, pack('N', $n),
              csid => 2) } }
    } 0, 1, 127, 1048577, 2147483648, 4294967295),

    { name => 'chunk size again and again', log => 'too many chunk sizes',
      send => sub { my ($r) = @_;
          $r->message(Camera::RTMP::CHUNK_SIZE, pack('N', 128 + $_),
              csid => 2) for 1 .. 20 } },

    { name => 'short chunk size', log => 'chunk size out of bounds',
      send => sub { $_[0]->message(Camera::RTMP::CHUNK_SIZE, "\1\0",
          csid => 2) } },

    { name => 'length changed in mid-message', log => 'message length changed',
      stock => 'accepts',
      send => sub { my ($r) = @_;
          $r->raw(substr($r->chunks(18, "\0" x 2000, csid => 5), 0, 12 + 128)
              . "\xc5" . "\0" x 128 . "\x45\0\0\0\0\0\x10\x12" . "\0" x 128);
          $r->raw("\xc5" . "\0" x 128) for 1 .. 8 } },

    { name => 'message longer than any may be', log => 'too big message',
      send => sub { $_[0]->raw("\x05\0\0\0\xff\xff\xff\x12" . "\0" x 4) } },

    { name => 'chunk stream that is not kept', log => 'chunk stream too big',
      send => sub { $_[0]->raw("\x01\xff\xff\0\0\0\0\0\1\x14" . "\0" x 9) } },

    { name => 'shared object', log => 'shared object message',
      send => sub { $_[0]->message(Camera::RTMP::SHARED, "\0\1a" . "\0" x 20) }
    },

    { name => 'publish before connect', log => 'publish before connect',
      send => sub { $_[0]->command('publish', 0, undef, 'a', 'live') } },

    (map { my $command = $_;
        { name => $command, log => 'command of a viewer', app => 'live',
          stock => $command eq 'play' ? 'accepts' : undef,
          send => sub { $_[0]->command($command, 0, undef, 'a', 0) } }
    } qw(play play2 seek pause pauseraw)),

    { name => 'unknown application', log => 'unknown application',
      send => sub { $_[0]->command('connect', 1, { app => 'other' }) } },

    { name => 'second connect', log => 'second connect', app => 'live',
      send => sub { $_[0]->command('connect', 1, { app => 'live' }) } },

    { name => 'command without a name', log => '',
      send => sub { $_[0]->message(Camera::RTMP::COMMAND, '') } },

    { name => 'command that is cut off', log => 'malformed connect',
      send => sub { $_[0]->message(Camera::RTMP::COMMAND,
          Camera::RTMP::amf('connect') . "\x00\x3f") } },

    { name => 'AMF3 prefix alone', log => '',
      send => sub { $_[0]->message(Camera::RTMP::COMMAND3, "\0") } },

    { name => 'junk', log => '',
      send => sub { $_[0]->raw("\xff" x 5000) } },

    { name => 'commands without end', log => 'too much sent before publish',
      send => sub { my ($r) = @_;
          for (1 .. 2000) {
              $r->command('createStream', $_, undef) or last;
          } } },
);

sub nested {
    my ($n) = @_;

    return join('', map { "\x16" . substr(pack('N', 15 * ($n - $_)), 1)
        . "\0" x 7 } 1 .. $n) . "\0\0\0\0" x $n;
}

sub answers {
    my ($self, $seconds, %opt) = @_;

    my $start = time;
    my $r = eval { Camera::RTMP->open($self->port($opt{tls} ? 'rtmps'
        : 'rtmp'), timeout => $seconds, %opt) } or return 0;
    return $r->handshake($seconds) && time - $start < $seconds;
}

sub one {
    my ($input, $tls) = @_;

    my $name = $input->{name} . ($tls ? ', TLS' : ', plain');
    my ($worker) = $t->worker_pids;
    my $rss = $t->rss($worker);
    my $seen = length $t->error_log;

    my $r = Camera::RTMP->open($t->port($tls ? 'rtmps' : 'rtmp'),
        tls => $tls);
    $r->handshake;
    $r->connect($input->{app}) if $input->{app};
    $input->{send}->($r);

    ok($r->closed(2), "$name: closed");
    my $log = substr $t->error_log, $seen;
    like($log, qr/\Q$input->{log}\E/, "$name: log line") if $input->{log};
    ok(answers($t, 2, tls => $tls), "$name: worker answers");
    is(join(' ', $t->worker_pids), $worker, "$name: same worker");
    cmp_ok($t->rss($worker) - $rss, '<', $t->growth(8192), "$name: has not grown");
}

# the same bytes against the package alone show that there is a defect

sub stock {
    my ($input) = @_;

    my $worker = ($stock->worker_pids)[0];
    my $r = Camera::RTMP->open($stock->port('rtmp'));
    $r->handshake;
    $r->connect($input->{app}) if $input->{app};
    $input->{send}->($r);

    my %symptom = (
        dies    => sub { $stock->wait_for(
            sub { $stock->error_log =~ /$worker exited on signal 11/ }, 3) },
        hangs   => sub { $stock->wait_for(sub { !answers($stock, 1) }, 3) },
        accepts => sub { !$r->closed(0.3) },
    );

    ok($symptom{ $input->{stock} }->(),
        "$input->{name}, package alone: $input->{stock}");

    kill 'KILL', $worker if $input->{stock} eq 'hangs';
    $stock->wait_for(sub { answers($stock, 1) }, 5);
}

for my $input (@inputs) {
    one($input, $_) for 0, 1;
    stock($input) if $input->{stock} && !$ENV{CAMERA_SANITIZED};
}

$stock->allow_log(qr/exited on signal/);
$stock->stop;
$t->done_testing;
