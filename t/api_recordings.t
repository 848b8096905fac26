#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for recordings at the API: lists with filters, page by page and each
# tenant's own; legal hold, deletion in two steps; signed addresses of files and
# ranges; the audit of it all.

use strict;
use warnings;

use Camera::Test;
use Camera::Token qw(claims random_uuid);
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api(http => 'camera_api_limit 100000r/m;');

my $admin = $t->add_user(username => 'anna');
my $operator = $t->add_user(role => 'operator', username => 'olga');
my $viewer = $t->add_user(role => 'viewer', username => 'vera');
my $foreign = $t->add_user(tenant => $t->add_tenant);
my ($gate, $yard, $theirs) = map { $t->sql("INSERT INTO cameras (name,
    tenant_id) VALUES ('$_->[0]', '$_->[1]') RETURNING id") }
    [ 'Gate 1/2', $admin->{tenant} ], [ 'yard', $admin->{tenant} ],
    [ 'theirs', $foreign->{tenant} ];

###############################################################################

is_deeply(list()->{json}, [], 'none');

# of the gate every hour of two days, of the yard three

my @gate = map { $t->add_recording_row($gate, seconds => 3600,
    start => sprintf '2026-01-%02dT%02d:00:00Z', 1 + $_ / 24, $_ % 24) } 0 .. 29;
my @yard = map { $t->add_recording_row($yard, start => "2026-01-01T0$_:30:00Z",
    bytes => 1000 + $_) } 0 .. 2;
my $other = $t->add_recording_row($theirs);

my $one = get($yard[1])->{json};
is_deeply($one, { id => $yard[1], cameraId => $yard, filename =>
    "$yard[1].mp4", duration => 600, fileSize => 1001,
    startTime => '2026-01-01T01:30:00.000Z',
    endTime => '2026-01-01T01:40:00.000Z', isArchived => JSON::PP::false,
    cloudUrl => undef, segmentNumber => 490897, state => 'complete',
    storageTier => 'hot', isLocked => JSON::PP::false, lockedReason => undef,
    width => 320, height => 180, codecs => 'avc1.42c01f' }, 'a recording');

# filters

is_deeply(ids(list("?cameraId=$yard")), [ reverse @yard ],
    'of one camera, newest first');
is_deeply(ids(list("?cameraId=$yard&sort=startTime")), \@yard,
    'and oldest first');
is_deeply(ids(list("?cameraId=$yard&startTime=2026-01-01T00:39:59Z"
    . '&endTime=2026-01-01T01:30:01Z')), [ @yard[1, 0] ],
    'what reaches into a range');
is_deeply(ids(list("?cameraId=$yard&startTime=2026-01-01T00:40:00Z"
    . '&endTime=2026-01-01T01:30:00Z')), [], 'which ends where it ends');
is_deeply(ids(list('?storageTier=cold')), [], 'of a tier');
is_deeply(ids(list('?isArchived=true')), [], 'archived');
is(scalar @{ list("?state=complete&isArchived=false&storageTier=hot")->{json} },
    33, 'what all of them are');
is_deeply(ids(list("?cameraId=$theirs")), [], 'another tenant\'s camera');

for my $bad ('cameraId=gate', 'startTime=yesterday', 'storageTier=ice',
    'isArchived=yes', 'state=deleting', 'sort=name', 'limit=201', 'cursor=x',
    'page=2')
{
    is(list("?$bad")->{code}, 'VALIDATION_FAILED', $bad);
}

# pages, each way, over days and cameras

my @all = map { $_->{id} } sort { $a->{startTime} cmp $b->{startTime} }
    map { get($_)->{json} } @gate, @yard;
is_deeply([ pages('/recordings?limit=7') ], [ reverse @all ], 'page by page');
is_deeply([ pages('/recordings?limit=10&sort=startTime') ], \@all,
    'from the oldest');
is_deeply([ pages("/recordings?limit=4&cameraId=$gate") ], [ reverse @gate ],
    'of one camera');

# a literal is meant before an id

is(get('timeline')->{code}, 'NOT_FOUND', 'an id that cannot be');
is($t->api_get("/recordings/timeline/$gate", token => $viewer->{token})
    ->{code}, 'VALIDATION_FAILED', 'timeline is no id');
is($t->api_get('/recordings/audit', token => $viewer->{token})->{status}, 403,
    'nor is audit');

# on hold

my $r = hold($operator, $yard[0], 'case 17');
is_deeply([ $r->{status}, @{ $r->{json} }{qw(id isLocked lockedReason)} ],
    [ 200, $yard[0], JSON::PP::true, 'case 17' ], 'on hold');
is(remove($operator, $yard[0])->{code}, 'RECORDING_LOCKED', 'nobody deletes it');
is(hold($operator, $yard[0], 'case 18')->{json}{lockedReason}, 'case 18',
    'for another reason');
is($t->sql("SELECT task FROM recording_tasks WHERE recording_id = '$yard[0]'"),
    'hold', 'its file is to be marked');
is(hold($operator, $yard[0], $_)->{code}, 'VALIDATION_FAILED', 'no reason')
    for '', ' ', undef, 'x' x 501;
is_deeply([ @{ release($operator, $yard[0])->{json} }{qw(isLocked
    lockedReason)} ], [ JSON::PP::false, undef ], 'released');
is(release($operator, $yard[0])->{status}, 200, 'once more is no error');

# deleted

$r = remove($operator, $yard[0]);
is_deeply([ $r->{status}, $r->{json} ], [ 202, { id => $yard[0],
    state => 'deleting' } ], 'deleted');
is(get($yard[0])->{code}, 'NOT_FOUND', 'gone at once');
is_deeply(ids(list("?cameraId=$yard")), [ @yard[2, 1] ], 'from lists, too');
is(remove($operator, $yard[0])->{code}, 'NOT_FOUND', 'there is no second time');
is(hold($operator, $yard[0], 'late')->{code}, 'NOT_FOUND', 'nor a hold');
is($t->sql("SELECT task FROM recording_tasks WHERE recording_id = '$yard[0]'"),
    'remove', 'its file is to be removed');
$t->sql("SELECT recording_forget('$yard[0]')");
is(get($yard[0])->{code}, 'NOT_FOUND', 'and gone for good');

my $open = $t->add_recording_row($yard, start => '2026-01-03T00:00:00Z',
    open => 1);
is(get($open)->{json}{state}, 'recording', 'one that is being recorded');
is(remove($operator, $open)->{code}, 'RECORDING_IN_PROGRESS', 'stays');

# an address to download it

$r = $t->api_get("/recordings/$gate[3]/signed-url", token => $viewer->{token});
is($r->{status}, 200, 'an address');
is_deeply([ sort keys %{ $r->{json} } ], [ sort qw(url expiresAt filename
    fileSize playbackUrl) ], 'its fields');
is($r->{json}{filename}, "Gate 1_2 $gate[3].mp4", 'a name for a file');
like($r->{json}{url}, qr{^http://localhost/recordings/$gate/2026-01-01/
    20260101T030000\.000Z\.mp4\?e=\d+&m=[\w-]+&d=Gate%201_2%20}x,
    'of the file');
is($t->sql("SELECT round(extract(epoch FROM '$r->{json}{expiresAt}'
    - now()) / 60)"), 60, 'good for an hour');
is($t->sql("SELECT signed_url_expires_at >= '$r->{json}{expiresAt}'
    FROM recordings WHERE id = '$gate[3]'"), 't', 'as its row knows');

my $claims = claims($r->{json}{playbackUrl} =~ s/.*token=//r);
is_deeply([ @$claims{qw(sub ten pur fr to)} ], [ $gate, $viewer->{tenant}, 2,
    1767236400000, 1767240000000 ], 'and one to play, for that time alone');

# an address to play a range

$r = playback($gate, '2026-01-01T00:00:00Z', '2026-01-02T00:00:00+00:00');
is_deeply([ sort keys %{ $r->{json} } ], [ sort qw(url expiresAt expiresIn
    protocol) ], 'an address of a range');
like($r->{json}{url}, qr{^http://localhost/recordings/$gate/playlist\.m3u8\?
    from=1767225600000&to=1767312000000&token=ey}x, 'where to play it');
is($r->{json}{expiresIn}, 900, 'good to start for 15 minutes');
is(playback($gate, @$_)->{code}, 'VALIDATION_FAILED', "from $_->[0] to $_->[1]")
    for [ '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z' ],
    [ '2026-01-01T00:00:00Z', '2026-01-02T00:00:00.001Z' ],
    [ '2026-01-01T00:00:00Z', '' ];

# what a removed camera left

$t->api(DELETE => "/cameras/$gate", token => $operator->{token});
$r = $t->api_get("/recordings/$gate[3]/signed-url", token => $viewer->{token});
is_deeply([ $r->{status}, $r->{json}{playbackUrl} ], [ 200, undef ],
    'is there, and not to be played');
is(playback($gate, '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z')->{code},
    'CAMERA_NOT_FOUND', 'there is no range of it');
is(scalar @{ list("?cameraId=$gate")->{json} }, 30, 'recordings are kept');

# or did not leave

hold($operator, $yard[1], 'case 19');
is($t->api(DELETE => "/cameras/$yard?recordings=drop",
    token => $operator->{token})->{code}, 'VALIDATION_FAILED', 'keep or remove');
$r = $t->api(DELETE => "/cameras/$yard?recordings=remove",
    token => $operator->{token});
is($r->{json}{recordings}, 'removed', 'a camera with its recordings');
is_deeply(ids(list("?cameraId=$yard")), [ $open, $yard[1] ],
    'what is on hold or not complete stays');
$t->sql("SELECT journal_close('$open', '2026-01-03T00:10:00Z', 1, 1, 1,
    'stop')");
is_deeply([ map { $_->{why} } grep { $_->{id} eq $open } @{ $t->api_get(
    '/recordings/retention/preview', token => $operator->{token})->{json} } ],
    [ 'camera removed' ], 'the latter goes when it is');

# the audit

my @audit = @{ audit()->{json} };
is_deeply([ sort keys %{ $audit[0] } ], [ sort qw(id at userId username
    sessionId cameraId cameraName recordingId action from to address result
    tokenId lastAt count) ],
    'the fields of an entry');
is_deeply([ map { "$_->{username} $_->{action} $_->{result}" }
    reverse @audit ], [
    'olga hold ok', 'olga delete RECORDING_LOCKED', 'olga hold ok',
    'olga release ok', 'olga release ok', 'olga delete ok',
    'olga delete RECORDING_IN_PROGRESS', 'vera download ok', 'vera watch ok',
    'olga hold ok', 'olga delete ok' ],
    'who did what, and what came of it');
is_deeply([ @{ $audit[3] }{qw(userId sessionId cameraId cameraName recordingId
    from address count)} ], [ @$viewer{qw(id sid)}, $gate, 'Gate 1/2', $gate[3],
    '2026-01-01T03:00:00.000Z', '127.0.0.1', 2 ], 'all of it, twice');
is_deeply([ @{ $audit[2] }{qw(recordingId from to)} ], [ undef,
    '2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z' ], 'of a range');
is_deeply([ @{ $audit[0] }{qw(cameraId recordingId)} ], [ $yard, undef ],
    'of a camera with all it had');

for my $case ([ "userId=$viewer->{id}", 2 ], [ 'action=delete', 4 ],
    [ "cameraId=$gate", 2 ], [ "recordingId=$yard[0]", 6 ],
    [ 'action=export', 0 ], [ 'from=2026-01-01T00:00:00Z&'
        . 'to=2026-01-02T00:00:00Z', 0 ])
{
    is(scalar @{ audit("?$case->[0]")->{json} }, $case->[1], $case->[0]);
}

is_deeply([ pages('/recordings/audit?limit=5', $admin) ],
    [ map { $_->{id} } @audit ], 'page by page');
is(audit('?action=look')->{code}, 'VALIDATION_FAILED', 'action=look');

# tenants

is_deeply(ids($t->api_get('/recordings', token => $foreign->{token})),
    [ $other ], 'their own');
is_deeply($t->api_get('/recordings/audit', token => $foreign->{token})->{json},
    [], 'nor of the audit');

for my $request ([ GET => '' ], [ DELETE => '' ], [ GET => '/signed-url' ],
    [ DELETE => '/hold' ], [ POST => '/hold', { reason => 'x' } ])
{
    my ($method, $path, $json) = @$request;
    my @answers = map { bytes($method, "/recordings/$_$path", $json) }
        $gate[5], random_uuid(), 'x';

    like($answers[0], qr/"NOT_FOUND"/, "$method $path of another: unknown");
    is($_, $answers[0], 'as of nobody') for @answers[1, 2];
}

is(scalar @{ audit()->{json} }, scalar @audit, 'and is in no audit');
is(get($gate[5])->{json}{isLocked}, JSON::PP::false, 'nothing was done');

unlike($t->error_log . $t->read_file($t->dir . '/access.log'), qr/eyJ|[?&]m=/,
    'no address in a log');

$t->done_testing;

###############################################################################

sub list {
    my ($query) = @_;

    return $t->api_get('/recordings' . ($query // ''),
        token => $viewer->{token});
}

sub get {
    my ($id) = @_;

    return $t->api_get("/recordings/$id", token => $viewer->{token});
}

sub hold {
    my ($user, $id, $reason) = @_;

    return $t->api(POST => "/recordings/$id/hold", token => $user->{token},
        json => { reason => $reason });
}

sub release {
    my ($user, $id) = @_;

    return $t->api(DELETE => "/recordings/$id/hold", token => $user->{token});
}

sub remove {
    my ($user, $id) = @_;

    return $t->api(DELETE => "/recordings/$id", token => $user->{token});
}

sub playback {
    my ($camera, $from, $to) = @_;

    $to =~ s/\+/%2b/;

    return $t->api_get("/cameras/$camera/recordings/playback?from=$from&to=$to",
        token => $viewer->{token});
}

sub audit {
    my ($query) = @_;

    return $t->api_get('/recordings/audit' . ($query // ''),
        token => $admin->{token});
}

sub ids {
    my ($r) = @_;

    return [ map { $_->{id} } @{ $r->{json} } ];
}

sub pages {
    my ($path, $user) = @_;

    my @seen;

    while ($path) {
        my $r = $t->api_get($path, token => ($user // $viewer)->{token});
        push @seen, @{ ids($r) };
        ($path) = ($r->{headers}{link} // '')
            =~ m{^</api/v1(.*)>; rel="next"$};
    }

    return @seen;
}

# an answer to the other tenant with what differs for a good reason taken out

sub bytes {
    my ($method, $path, $json) = @_;

    my $r = $t->api($method, $path, token => $foreign->{token},
        $json ? (json => $json) : ());
    my $text = "$r->{header}\n$r->{body}";

    $text =~ s/^(?:Date|RateLimit|X-Request-Id): .*\n//mg;
    $text =~ s/"(?:timestamp|requestId)":"[^"]*"//g;

    return $text;
}
