#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for grants at the API: whoever sees granted cameras only gets of any
# other one, at each operation of openapi.yaml, the answer of one that does not
# exist, byte by byte and to the same effect; what is granted or taken away
# counts at once.

use strict;
use warnings;

use Camera::Contract;
use Camera::Test;
use Camera::Token qw(random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api(http => 'camera_api_limit 100000r/m;');

my $admin = $t->add_user;
my %user = map { $_ => $t->add_user(role => $_) } qw(viewer operator);
my %camera = map { $_ => $t->sql("INSERT INTO cameras (name, external_id)
    VALUES ('$_', 'ext-$_') RETURNING id") } qw(given hidden);
my @hour = map { "2026-01-01T0$_:00:00Z" } 0, 1;

$t->sql("UPDATE users SET camera_scope = 'granted' WHERE role <> 'admin'");
grant($_, cameraIds => [ $camera{given} ]) for values %user;
ok($t->wait_for(sub { names('viewer') eq 'given' && names('operator')
    eq 'given' }, 2, 'grants'), 'both see one camera');

###############################################################################

# each operation that names a camera, or something of one

my %thing = (
    cameras => sub { $_[0] },
    recordings => sub { $t->add_recording_row($_[0],
        start => '2026-01-02T00:00:00.' . sprintf '%03dZ', ++$t->{made}) },
    alerts => sub { $t->sql("INSERT INTO alerts (camera_id, type, severity)
        VALUES ('$_[0]', 'a" . ++$t->{made} . "', 'low') RETURNING id") },
    bookmarks => sub { $t->sql("INSERT INTO bookmarks (camera_id, at, label)
        VALUES ('$_[0]', now(), 'x') RETURNING id") },
    exports => sub { $t->sql("INSERT INTO exports (camera_id, from_time,
        to_time) VALUES ('$_[0]', '$hour[0]', '$hour[1]') RETURNING id") },
);

my %body = (
    updateCamera         => { name => 'given' },
    rotateStreamKey      => {},
    putRecordingSchedule => { timezone => 'UTC', windows => [] },
    holdRecording        => { reason => 'x' },
    updateBookmark       => { label => 'y' },
);
my %query = map { $_ => "?from=$hour[0]&to=$hour[1]" }
    qw(getPlaybackUrl getTimeline getCoverage);

my $before = rows();
my $tried = 0;

for my $op (Camera::Contract->new($t->root . '/openapi.yaml')->operations) {
    my ($what) = $op->{path} =~ m{^/([\w-]+)};
    next unless $op->{path} =~ /:(?:id|cameraId)\b/ && $thing{$what};

    my $make = $op->{path} =~ /:cameraId/ ? $thing{cameras} : $thing{$what};
    my ($id, $none) = ($make->($camera{hidden}), random_uuid());
    $before = rows();

    for my $who (sort keys %user) {
        my @answers = map { bytes($who, $op, $_) } $id, $none;

        is($answers[0], $answers[1], "$op->{id}, $who: as of nothing");
        unlike($answers[0], qr{^HTTP/1.1 [25]}, 'no good answer')
            unless $op->{id} eq 'getTimeline';
        $tried++;
    }

    is(rows(), $before, "$op->{id}: nothing was done");
    unlike(bytes('operator', $op, $make->($camera{given})), qr{^HTTP/1.1 40[34] },
        "$op->{id}: what is granted is there")
        unless $op->{id} =~ /^(?:deleteCamera|getSnapshot)$/;
}

cmp_ok($tried, '>', 40, 'operations were found');

for my $path (qw(/status /stream/hls /snapshot /recording/schedule), '') {
    is(status('viewer', GET => "/cameras/ext-hidden$path"), 404,
        "by external id$path");
}

is(status('operator', POST => '/bookmarks', { cameraId => $camera{hidden},
    at => $hour[0], label => 'x' }), 404, 'no bookmark in it');
is(status('operator', POST => '/exports', { cameraId => $camera{hidden},
    from => $hour[0], to => $hour[1] }), 404, 'no export of it');

# lists

for my $list (qw(/recordings /alerts /bookmarks /exports)) {
    my $all = list($admin, $list);
    my @seen = @{ list($user{viewer}, $list) };

    ok(scalar(grep { $_->{cameraId} eq $camera{hidden} } @$all),
        "$list: an admin sees all");
    ok(scalar(@seen), 'a viewer some');
    is(scalar(grep { $_->{cameraId} ne $camera{given} } @seen), 0,
        'of what is granted');
    is_deeply(list($user{viewer}, "$list?cameraId=$camera{hidden}"), [],
        'and none of others') if $list ne '/alerts';
}

is_deeply([ map { $_->{cameraId} } @{ $t->api_get('/analytics/storage/usage',
    token => $user{operator}{token})->{json}{cameras} } ], [ $camera{given} ],
    'sums of what is granted');

# what an operator adds is theirs to see

my $r = $t->api(POST => '/cameras', token => $user{operator}{token}, json => {
    name => 'mine', map { $_ => 'x' } qw(company model serialNumber location
        place) });
is($r->{status}, 201, 'an operator adds a camera');
is(status('operator', GET => "/cameras/$r->{json}{id}"), 200, 'and sees it');
is(status('viewer', GET => "/cameras/$r->{json}{id}"), 404,
    'while nobody granted it to a viewer');

# by a group

my $group = $t->api(POST => '/camera-groups', token => $admin->{token},
    json => { name => 'doors' })->{json}{id};
grant($user{viewer}, cameraIds => [ $camera{given} ], groupIds => [ $group ]);
soon('given', 'a group without cameras');
is($t->api(PUT => "/camera-groups/$group/cameras/$camera{hidden}",
    token => $admin->{token})->{status}, 204, 'a camera comes into it');
soon('given hidden', 'and is seen');
is_deeply([ map { $_->{name} } @{ list($user{viewer}, '/camera-groups') } ],
    [ 'doors' ], 'and so is the group');
is($t->api(DELETE => "/camera-groups/$group/cameras/$camera{hidden}",
    token => $admin->{token})->{status}, 204, 'it is taken out');
soon('given', 'and seen no more');
is($t->api(DELETE => "/camera-groups/$group", token => $admin->{token})
    ->{status}, 204, 'the group goes');
is($t->api_get("/users/$user{viewer}{id}/grants", token => $admin->{token})
    ->{json}{groupIds}[0], undef, 'and with it what was granted');

# all, and none

$t->sql("UPDATE users SET camera_scope = 'all' WHERE id =
    '$user{viewer}{id}'");
soon('given hidden mine', 'who sees all');
$t->sql("UPDATE users SET camera_scope = 'granted' WHERE id =
    '$user{viewer}{id}'");
grant($user{viewer});
soon('', 'who is granted nothing');

# what may not be granted, and who may not

my $foreign = $t->sql("INSERT INTO cameras (name, tenant_id) VALUES ('f',
    '@{[ $t->add_tenant ]}') RETURNING id");

for my $id ($foreign, random_uuid()) {
    my $r = put($user{viewer}, $admin, { cameraIds => [ $id ],
        groupIds => [] });
    is($r->{code}, 'VALIDATION_FAILED', 'a camera that is none of ours');
    is($r->{json}{error}{details}[0]{field}, 'cameraIds', 'is told');
}

is(put($user{viewer}, $admin, { cameraIds => [], groupIds => [ 'x' ] })
    ->{code}, 'VALIDATION_FAILED', 'no UUID');
is(put($user{viewer}, $admin, { cameraIds => [] })->{code},
    'VALIDATION_FAILED', 'both have to be named');
is(put($user{viewer}, $user{operator}, { cameraIds => [], groupIds => [] })
    ->{code}, 'AUTH_INSUFFICIENT_PERMISSIONS', 'an operator grants nothing');
is(put({ id => random_uuid() }, $admin, { cameraIds => [], groupIds => [] })
    ->{code}, 'NOT_FOUND', 'nobody is granted nothing');

$t->done_testing;

###############################################################################

sub grant {
    my ($user, %grants) = @_;

    my $r = put($user, $admin, { cameraIds => [], groupIds => [], %grants });
    is($r->{status}, 200, 'granted') or diag($r->{body});
}

sub put {
    my ($user, $who, $json) = @_;

    return $t->api(PUT => "/users/$user->{id}/grants", token => $who->{token},
        json => $json);
}

sub list {
    my ($who, $path) = @_;

    return $t->api_get($path . ($path =~ /\?/ ? '&' : '?') . 'limit=200',
        token => $who->{token})->{json};
}

sub names {
    my ($who) = @_;

    return join ' ', sort map { $_->{name} }
        @{ list($user{$who}, '/cameras') };
}

# within a second

sub soon {
    my ($names, $what) = @_;

    ok($t->wait_for(sub { names('viewer') eq $names }, 1, $names), $what)
        or diag(names('viewer'));
}

sub status {
    my ($who, $method, $path, $json) = @_;

    return $t->api($method, $path, token => $user{$who}{token},
        $json ? (json => $json) : ())->{status};
}

# an answer with what differs for a good reason taken out

sub bytes {
    my ($who, $op, $id) = @_;

    my $r = $t->api($op->{method}, ($op->{path} =~ s/:\w+/$id/r)
        . ($query{ $op->{id} } // ''), token => $user{$who}{token},
        $body{ $op->{id} } ? (json => $body{ $op->{id} }) : ());
    my $text = "$r->{header}\n$r->{body}";

    $text =~ s/^(?:Date|RateLimit|X-Request-Id): .*\n//mg;
    $text =~ s/"(?:timestamp|requestId)":"[^"]*"//g;

    return $text;
}

# all that might be changed of the hidden camera

sub rows {
    return $t->sql("SELECT md5(string_agg(x, ' ' ORDER BY x)) FROM (
        SELECT c::text FROM cameras c WHERE id = '$camera{hidden}'
        UNION ALL SELECT r::text FROM recordings r
            WHERE camera_id = '$camera{hidden}'
        UNION ALL SELECT b::text FROM bookmarks b
            WHERE camera_id = '$camera{hidden}'
        UNION ALL SELECT e::text FROM exports e
            WHERE camera_id = '$camera{hidden}'
        UNION ALL SELECT a::text FROM alerts a
            WHERE camera_id = '$camera{hidden}'
        UNION ALL SELECT k::text FROM stream_keys k
            WHERE camera_id = '$camera{hidden}') x (x)");
}
