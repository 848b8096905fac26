#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what one tenant can do with recordings of another, with everything
# that it was given for its own: files, playlists, pieces, exports, manifests,
# and the API.  Both have a camera that recorded the same minute.

use strict;
use warnings;

use Camera::Live;
use Camera::Playback;
use Test::More;

my $t = Camera::Live->new(workers => 1);
$t->skip_without(qw(worker ffmpeg postgres migrations camera_recordings
    camera_api_database));

###############################################################################

$t->start_api(Camera::Playback->conf($t));

my $start = int(time / 3600) * 3600 - 7200;
my ($ours, $theirs) = map { tenant($_) } qw(ours theirs);
my ($database, $keys) = ($t->dir . '/database', $t->keys_file);

$t->write_file($database, $t->database('camera_worker') . "\n");
chmod 0600, $database;
$t->give_to_service($database, $keys);
$t->start_recorder(volumes => [ $t->volume ], length => 3600,
    args => ['--database', $database, '--keys', $keys]);

given($_) for $ours, $theirs;

# each its own

for my $one ($ours, $theirs) {
    my %status = map { $_ => $t->http_get($one->{url}{$_})->{status} }
        keys %{ $one->{url} };

    is_deeply(\%status, { file => 200, range => 200, whole => 200,
        list => 200, piece => 200, export => 200, manifest => 200 },
        "$one->{name}: all that was given");
}

# ours, with their names in it: camera, export, both

my @tried;

for my $kind (sort keys %{ $ours->{url} }) {
    my $url = $ours->{url}{$kind};

    for my $wrong ($url =~ s/$ours->{camera}{id}/$theirs->{camera}{id}/r,
        $url =~ s/$ours->{export}/$theirs->{export}/r,
        $url =~ s/$ours->{export}/$theirs->{export}/r
            =~ s/$ours->{camera}{id}/$theirs->{camera}{id}/r,
        $url =~ s{$ours->{camera}{id}}{$ours->{camera}{id}/../$theirs->{camera}{id}}r)
    {
        next if $wrong eq $url;
        my $r = $t->http_get($wrong);
        push @tried, $r->{status};
        diag("$kind: $wrong is $r->{status}")
            if $r->{status} !~ /^40[034]$/;
    }
}

cmp_ok(scalar @tried, '>=', 18, scalar @tried . ' changed addresses');
is((grep { !/^40[034]$/ } @tried), 0, 'open nothing');

# the credentials of ours, one by one, at their addresses

my ($session) = $ours->{url}{piece} =~ /[?&](s=[^&]+)/;
my ($token) = $ours->{url}{range} =~ /[?&](token=[^&]+)/;

is($t->http_get($theirs->{url}{piece} =~ s/s=[^&]+/$session/r)->{status}, 403,
    'a session of ours on their piece');
is($t->http_get($theirs->{url}{list} =~ s/s=[^&]+/$session/r)->{status}, 403,
    'on their playlist');
like($t->http_get($theirs->{url}{range} =~ s/token=[^&]+/$token/r)->{status},
    qr/^40[34]$/, 'a token of ours');

# the API

my $r = $theirs->{recording};

for my $request (
    [ GET => "/recordings/$r->{id}" ],
    [ GET => "/recordings/$r->{id}/signed-url" ],
    [ DELETE => "/recordings/$r->{id}" ],
    [ POST => "/recordings/$r->{id}/hold", { reason => 'mine' } ],
    [ GET => "/recordings/timeline/$theirs->{camera}{id}?" . range() ],
    [ GET => "/recordings/coverage/$theirs->{camera}{id}?" . range() ],
    [ GET => "/cameras/$theirs->{camera}{id}/recordings/playback?" . range() ],
    [ POST => "/cameras/$theirs->{camera}{id}/recording/stop" ],
    [ GET => "/exports/$theirs->{export}" ],
    [ GET => "/exports/$theirs->{export}/signed-url" ],
    [ DELETE => "/exports/$theirs->{export}" ],
    [ POST => '/exports', { cameraId => $theirs->{camera}{id}, minute() } ],
    [ POST => '/bookmarks', { cameraId => $theirs->{camera}{id},
        time => stamp(10), label => 'mine' } ])
{
    my ($method, $path, $json) = @$request;
    my $answer = $t->api($method, $path, token => $ours->{user}{token},
        $json ? (json => $json) : ());

    like($answer->{status}, qr/^40[04]$/, "$method "
        . $path =~ s/\?.*//r =~ s/[0-9a-f-]{36}/:id/gr);
}

for my $list ('/recordings', '/exports', '/recordings/audit') {
    my $answer = $t->api_get($list, token => $ours->{user}{token});

    unlike($answer->{body}, qr/$r->{id}|$theirs->{export}|$theirs->{camera}{id}/,
        "$list has none of theirs");
}

ok(-e $r->{file} && !-e $r->{hold}, 'their file is as it was');
is($t->sql("SELECT state FROM recordings WHERE id = '$r->{id}'"), 'complete',
    'so is its row');

$t->done_testing;

###############################################################################

sub tenant {
    my ($name) = @_;

    my $id = $t->add_tenant($name);
    my %camera = (name => $name, tenant => $id, epoch => 1, generation => 1);

    @camera{qw(id key epoch)} = split /\t/, $t->sql("INSERT INTO cameras
        (name, tenant_id) VALUES ('$name', '$id')
        RETURNING id, rtmp_key, play_epoch");
    $t->wait_for(sub { $t->knows(\%camera) }, 5, 'the camera');

    return { name => $name, camera => \%camera,
        user => $t->add_user(tenant => $id),
        recording => $t->add_recording(\%camera, start => $start) };
}

# all addresses that the API gives, and those that playlists do

sub given {
    my ($one) = @_;

    my @as = (token => $one->{user}{token});
    my $id = $one->{camera}{id};
    my $r = $t->api_get("/recordings/$one->{recording}{id}/signed-url", @as);
    my %url = (file => $r->{json}{url}, whole => $r->{json}{playbackUrl});

    $url{range} = $t->api_get("/cameras/$id/recordings/playback?" . range(),
        @as)->{json}{url};

    $r = $t->api(POST => '/exports', @as, json => { cameraId => $id, minute() });
    $one->{export} = $r->{json}{id};
    $t->wait_for(sub { $t->api_get("/exports/$one->{export}", @as)->{json}
        {state} eq 'done' }, 15, 'the export');
    $r = $t->api_get("/exports/$one->{export}/signed-url", @as);
    @url{qw(export manifest)} = @{ $r->{json} }{qw(url manifestUrl)};

    s{^\w+://[^/]+}{} for values %url;

    my ($media) = $t->http_get($url{range})->{body} =~ /^(media\.m3u8\S+)/m;
    $url{list} = "/recordings/$id/$media";
    my ($piece) = $t->http_get($url{list})->{body} =~ /^([^#\s]+\.mp4\S*)/m;
    $url{piece} = "/recordings/$id/$piece";
    $one->{url} = \%url;
}

sub minute { return (from => stamp(0), to => stamp(20)) }

sub range {
    my %minute = minute();

    return "from=$minute{from}&to=$minute{to}";
}

sub stamp {
    my ($s, $m, $h, $d, $mon, $y) = gmtime $start + $_[0];

    return sprintf '%04d-%02d-%02dT%02d:%02d:%02dZ', $y + 1900, $mon + 1, $d,
        $h, $m, $s;
}
