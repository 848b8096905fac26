#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for bin/camera add, list, show, enable, disable and remove: what the
# operator gets, what is in the database then, and what is refused.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Cli;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations cli));

$t->start_postgres;
$t->migrate;

my $cli = Camera::Test::Cli->new($t);
my $uuid = qr/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
my $jwt = qr/[\w-]+\.[\w-]+\.[\w-]+/;
my $r;

###############################################################################

# add

like($cli->run('list')->{out}, qr/no cameras yet/, 'empty list');

$r = $cli->run('add', 'Front door', '--json', '--key', 'front',
    '--cidr', '10.0.0.0/8, 192.168.7.9', '--company', 'Acme', '--model', 'X1',
    '--serial', 'SN-1', '--location', 'Hall', '--place', 'Berlin',
    '--external-id', 'CAM001');
is($r->{status}, 0, 'add');
like($r->{json}{id}, qr/^$uuid$/, 'id');

my ($http, $rtmps) = map { $t->port($_) } qw(http rtmps);
my $id = $r->{json}{id};

like($r->{json}{publishUrl},
    qr{^rtmps://127\.0\.0\.1:$rtmps/live/front\?token=$jwt$}, 'publish URL');
like($r->{json}{playUrl},
    qr{^http://127\.0\.0\.1:$http/hls/$id/playlist\.m3u8\?token=$jwt$},
    'play URL');

is($t->sql("SELECT name || '|' || company || '|' || model || '|'
    || serial_number || '|' || location || '|' || place || '|' || rtmp_url
    || '|' || is_active || '|' || is_recording FROM cameras"),
    "Front door|Acme|X1|SN-1|Hall|Berlin|rtmps://127.0.0.1:$rtmps/live"
    . '|true|false', 'row');

like($cli->run('add', 'Back door')->{out},
    qr/added Back door\n  id +$uuid\n  push to +rtmps:.*\n  play +http:/,
    'add, for people');

# whoever asks by id, external id, key or name means the same camera

for my $name ($id, 'CAM001', 'front', 'Front door') {
    is($cli->run('show', $name, '--json')->{json}{id}, $id, "show $name");
}

$r = $cli->run(qw(show front --json))->{json};
is_deeply($r->{allowedCidrs}, [ '10.0.0.0/8', '192.168.7.9/32' ], 'networks');
is($r->{live}{status}, 'offline', 'status without nginx');
like($cli->run(qw(show front))->{out}, qr/allowed from +10\.0\.0\.0\/8/,
    'show, for people');

$cli->run('add', 'Twin') for 1, 2;
failed(4, qr/more than one camera is called "Twin"/, 'ambiguous name',
    'show', 'Twin');
failed(4, qr/there is no camera "nobody"\n  next: camera list/, 'unknown',
    'show', 'nobody');
failed(4, qr/there is no camera/, 'SQL in a name', 'show', "' OR 1=1 --");

# list

$r = $cli->run(qw(list --json));
is(join(',', map { $_->{name} } @{ $r->{json}{cameras} }),
    'Front door,Back door,Twin,Twin', 'list');
like($cli->run('list')->{out}, qr/^offline +$id +front +Front door$/m,
    'list, for people');

# what the database refuses is said in words

failed(5, qr/cameras have unique rtmp keys/, 'taken key',
    'add', 'Other', '--key', 'front');
failed(5, qr/cameras have unique serial numbers/, 'taken serial number',
    'add', 'Other', '--serial', 'SN-1');
failed(5, qr/invalid cidr value/, 'host bits', 'add', 'Other', '--cidr',
    '10.0.0.1/8');
failed(5, qr/camera rtmp keys fit the publish url/, 'key with a slash',
    'add', 'Other', '--key', 'a/b');
failed(5, qr/camera names are not empty/, 'empty name', 'add', ' ');
failed(5, qr/value too long/, 'long name', 'add', 'x' x 101);
is($t->sql('SELECT count(*) FROM cameras'), 4, 'nothing was added');

# enable, disable, remove

like($cli->run(qw(disable front))->{out}, qr/^disabled Front door$/, 'disable');
is($t->sql("SELECT is_active FROM cameras WHERE id = '$id'"), 'f', 'disabled');
like($cli->run('list')->{out}, qr/^disabled +$id/m, 'disabled in the list');

is($cli->run(qw(enable front --json))->{json}{done}, 'enabled', 'enable');
is($t->sql("SELECT is_active FROM cameras WHERE id = '$id'"), 't', 'enabled');

is($cli->run(qw(remove front))->{status}, 0, 'remove');
is($t->sql("SELECT deleted_at IS NOT NULL FROM cameras WHERE id = '$id'"),
    't', 'removed rows stay for the feeders');
failed(4, qr/there is no camera/, 'show a removed camera', 'show', 'front');
is($cli->run('add', 'Front door', '--key', 'front')->{status}, 0,
    'its key is free again');

# finding the instance, and usage

for (
    [ 3, qr/CAMERA_DATABASE_URL is not known/, 'nowhere',
        CAMERA_ENV => '/dev/null' ],
    [ 3, qr/cannot be read \(No such file/, 'no such file',
        CAMERA_ENV => '/nonexistent' ],
    [ 3, qr/no connection string/, 'not a connection string',
        CAMERA_DATABASE_URL => 'password=geheim geheim' ],
    [ 3, qr/connection to server/, 'no server',
        CAMERA_DATABASE_URL => 'host=/nonexistent password=geheim' ],
) {
    my ($status, $like, $name, @env) = @$_;

    $r = Camera::Test::Cli->new($t, CAMERA_ENV => '/dev/null', @env)
        ->run('list');
    is($r->{status}, $status, "$name: status");
    like($r->{err}, $like, "$name: message");
    unlike($r->{err}, qr/geheim/, "$name: no secret");
}

failed(2, qr/usage: camera show ID/, 'no ID', 'show');
failed(2, qr/there is no command "frobnicate"/, 'no command', 'frobnicate');
failed(2, qr/unrecognized option '--ttl'/, 'foreign option', qw(list --ttl 3));
failed(2, qr/takes a number of seconds/, 'not a number',
    qw(publish-url front --ttl 1h));

# what landed in the wrong place may be a secret

for (
    [ 'show', 'rtmps://h/live/x?token=geheim' ],
    [ 'list', '--token=geheim' ],
    [ 'publish-url', 'front', '--ttl', 'geheim' ],
    [ 'verify', 'geheim' ],
) {
    $r = $cli->run(@$_);
    cmp_ok($r->{status}, '>', 1, "@$_: status");
    unlike($r->{err} . $r->{out}, qr/geheim/, "@$_: is not repeated");
}

failed(2, qr/option '--key' needs a value/, 'no value', qw(add x --key));

$r = $cli->run(qw(show nobody --json));
is($r->{status}, 4, 'errors in JSON: status');
like($r->{json}{error}{message}, qr/there is no camera/, 'errors in JSON');
is($r->{json}{error}{next}, 'camera list', 'next step in JSON');

for my $command ($cli->run('help')->{out} =~ /^  (\S+)/mg) {
    $r = $cli->run($command, '--help');
    is($r->{status}, 0, "$command --help: status");
    like($r->{out}, qr/^usage: camera $command .*\n\n\S/, "$command --help");
}

$t->done_testing;

###############################################################################

sub failed {
    my ($status, $like, $name, @arguments) = @_;

    my $r = $cli->run(@arguments);

    is($r->{status}, $status, "$name: status");
    like($r->{err}, $like, "$name: message");
    is($r->{out}, '', "$name: no answer");
}
