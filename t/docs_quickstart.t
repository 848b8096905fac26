#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for docs/quickstart.md: its commands, run as they stand there against the
# demo cameras of `make run`, end well and say what the page says.

use strict;
use warnings;

use Camera::Docs qw(commands);
use Camera::Test;
use Camera::Test::Run;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations worker cli ffmpeg));
plan(skip_all => 'no curl or jq')
    if grep { system("command -v $_ >/dev/null") } qw(curl jq);

my @blocks = commands($t->read_file($t->root . '/docs/quickstart.md'));
my $run = Camera::Test::Run->start($t, DEMO => 1);
$run->wait_ready or BAIL_OUT($run->log);

###############################################################################

cmp_ok(scalar @blocks, '>', 8, 'commands were found');
ok(grep({ /tokens .*-d/s } @blocks), 'a token is made');

my $env = $run->var . '/run.env';
my $bin = $t->program('camera');
my $script = join "\n", 'set -eu -o pipefail', "export CAMERA_ENV=$env",
    until_there(), @blocks;

ok($script =~ s/^\. var\/run\.env$/. $env/m, 'where they begin');
is($script =~ s/^bin\/camera/$bin/mg, 2, 'the tool of the machine');
ok($script =~ s/^(?=id=)/until_there\n/m, 'when a camera is there');

$t->write_file($t->dir . '/quickstart.sh', $script);

my $out = $t->run({ may_fail => 1 }, 'sh', '-c', "cd @{[ $t->dir ]}"
    . ' && bash quickstart.sh && echo all of it');
like($out, qr/^all of it$/m, 'they end well') or diag($out);

my $uuid = qr/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
like($out, qr/^$uuid \w+ Demo camera $_$/m, "camera $_") for 1, 2;
like($out, qr/^event: ready$/m, 'events');
is(() = $out =~ /^20\S+Z \d+ s, \d+ bytes$/mg, 2, 'two pages of recordings');
like($out, qr/^Demo camera \d 20\S+\.mp4$/m, 'a name for a file');
like($out, qr{^http://\S+/recordings/$uuid/\S+\.mp4\?\S+$}m,
    'where to download it');
like($out, qr/"code":"AUTH_INSUFFICIENT_PERMISSIONS"/, 'what it may not');
like($out, qr/^revoked Reception display of admin$/m, 'its end');
is(substr($t->read_file($t->dir . "/$_.jpg"), 0, 3), "\xff\xd8\xff", "$_.jpg")
    for qw(picture still);

$t->done_testing;

###############################################################################

# the demo cameras have begun a moment ago

sub until_there {
    return <<'END';
get() { curl -s "$api/$1" -H "Authorization: Bearer $token"; }

until_there() {
    for one in $(get cameras | jq -r '.[].id'); do
        until get cameras/$one/status | grep -q '"online"' \
            && get "recordings?cameraId=$one" | grep -q '"id"'
        do
            sleep 0.2
        done
    done
}
END
}
