#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for docs/api.md: its commands, run as they stand there against a
# platform that `make run` has started, end well and say what the page says.

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

my $page = $t->read_file($t->root . '/docs/api.md');
my $run = Camera::Test::Run->start($t);
$run->wait_ready or BAIL_OUT($run->log);

###############################################################################

my @blocks = commands($page);
cmp_ok(scalar @blocks, '>', 10, 'commands were found');

my ($add) = grep { $blocks[$_] =~ /^echo .* \.rtmpUrl$/m } 0 .. $#blocks;
splice @blocks, $add + 1, 0, publish($t->clip('default'));

my ($record) = grep { $blocks[$_] =~ m{/recording/start} } 0 .. $#blocks;
splice @blocks, $record + 1, 0, recorded();

my $script = join "\n", 'set -eu -o pipefail',
    'curl() { command curl --fail-with-body "$@"; }', @blocks;
my $env = $run->var . '/run.env';

ok($script =~ s/^\. var\/run\.env$/. $env/m, 'where they begin');
$t->write_file($t->dir . '/api.sh', $script);

my $out = $t->run({ may_fail => 1 }, 'sh', '-c', "cd @{[ $t->dir ]}"
    . ' && bash api.sh && echo all of it');
like($out, qr/^all of it$/m, 'they end well') or diag($out);

like($out, qr/"username": "admin"/, 'who am I');
like($out, qr{^rtmps://\S+/live/\S+\?token=\S+$}m, 'where to push to');
like($out, qr/"status": "online"/, 'its status');
like($out, qr{^https?://\S+/hls/\S+/playlist\.m3u8\?token=\S+$}m,
    'where to play');
like($out, qr/^"Back entrance"$/m, 'a change');
like($out, qr/^"continuous"$/m, 'it is recorded');
like($out, qr{^https?://\S+/recordings/\S+/playlist\.m3u8\?\S+&token=\S+$}m,
    'where to play that');
like($out, qr/^Front door 20\d{6}T\d{6}\.\d{3}Z\.mp4$/m, 'a name for a file');
like($out, qr/^queued$/m, 'an export');
like($out, qr/"recordings": "removed"/, 'what became of it');
is(substr($t->read_file($t->dir . '/front-door.jpg'), 0, 3), "\xff\xd8\xff",
    'a picture');

$t->done_testing;

###############################################################################

# until there is something to be shown

sub recorded {
    return <<'END';
until curl -s "$api/recordings?cameraId=$id" -H "Authorization: Bearer $token" \
    | grep -q '"endTime"'; do sleep 0.2; done
END
}

# a camera that pushes what the page says, until the script ends

sub publish {
    my ($clip) = @_;

    return <<'END' =~ s/CLIP/$clip/r;
ffmpeg -nostdin -loglevel error -re -stream_loop -1 -i CLIP -c copy -f flv \
    "$(echo "$camera" | jq -r .rtmpUrl)" &
trap "kill $! 2>/dev/null || :" EXIT
until curl -s $api/cameras/$id/status -H "Authorization: Bearer $token" \
    | grep -q online; do sleep 0.2; done
END
}
