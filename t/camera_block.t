#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the camera {} block: what stops a start or a reload, and with
# which words.

use strict;
use warnings;

use Camera::Test;
use Camera::Token qw(base64url);
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx));

###############################################################################

$t->start_nginx;

my @workers = $t->worker_pids;
is(@workers, 2, 'workers');

my $killed = $t->kill_worker(0);
ok($t->wait_for(sub {
    my @now = $t->worker_pids;
    @now == 2 && !grep { $_ == $killed } @now;
}, 5, 'another worker'), 'killed worker is replaced');

ok($t->reload, 'reload');

$t->nginx_conf(camera => 'ring_size 1m; ring_size 2m;');
like($t->nginx_test, qr/"ring_size" directive is duplicate/, 'duplicate');

$t->nginx_conf(main => 'camera { }');
like($t->nginx_test, qr/"camera" directive is duplicate/, 'two blocks');

$t->nginx_conf(camera => 'ring_size 128m;');
like($t->nginx_test, qr/"ring_size" must be between/, 'ring too big');

$t->nginx_conf;
my @keys = @{ $t->{keys} };
$t->write_keys;
like($t->nginx_test, qr/no usable signing keys in/, 'no keys');
$t->write_keys({ %{ $keys[0] }, k => base64url('dev-secret' x 4) },
    @keys[1 .. $#keys]);
like($t->nginx_test, qr/no usable signing keys in .*is no random secret/,
    'a key that everybody knows');
$t->write_keys(@keys);

$t->write_file($t->dir . '/nginx.conf', $t->read_file($t->dir . '/nginx.conf')
    =~ s/cameras 1024/cameras 2048/r);
@workers = $t->worker_pids;
$t->{nginx}->signal('HUP');
ok($t->wait_for(sub { $t->error_log =~ /cannot change on reload/ }, 5,
    'refusal'), 'reload with another size is refused');
is("@{[ $t->worker_pids ]}", "@workers", 'workers stay');

$t->allow_log(qr/cannot change on reload/, qr/no usable signing keys in/,
    qr/"ring_size" /, qr/directive is duplicate/);
$t->done_testing;
