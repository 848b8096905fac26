#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for /audit: what is done through the API stands there with who did it, by
# which session, in which request and from where; it is found by each filter, by
# those who may read it, page by page.

use strict;
use warnings;

use Camera::Test;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api(http => 'camera_api_limit 100000r/m;');

my $admin = $t->add_user(username => 'anna');
my $operator = $t->add_user(role => 'operator', username => 'olga');
my $viewer = $t->add_user(role => 'viewer', username => 'vera');
my $foreign = $t->add_user(tenant => $t->add_tenant);
my $start = $t->sql('SELECT json_time(clock_timestamp())');
my %camera = map { $_ => "its $_" } qw(name company model serialNumber location
    place);
my @fields = qw(id at userId actor credentialType credentialId requestId address
    action objectType objectId objectName cameraId result code old new details
    lastAt count);

###############################################################################

# one change, one entry

my $camera = $t->api(POST => '/cameras', token => $operator->{token},
    json => { %camera, name => 'gate', location => 'yard' },
    headers => [ 'X-Request-Id: of-the-test' ])->{json};
my ($entry, @more) = @{ list("?objectId=$camera->{id}")->{json} };
is(scalar @more, 0, 'one entry');
is_deeply([ sort keys %$entry ], [ sort @fields ], 'its fields');
is_deeply([ @$entry{qw(userId actor credentialType credentialId requestId address
    action objectType objectId objectName cameraId result code old count)} ],
    [ $operator->{id}, 'olga', 'session', $operator->{sid}, 'of-the-test',
      '127.0.0.1', 'camera.create', 'camera', $camera->{id}, 'gate',
      $camera->{id}, 'ok', undef, undef, 1 ], 'who, from where, what');
is_deeply([ @{ $entry->{new} }{qw(name location rtmp_key)} ],
    [ 'gate', 'yard', '(hidden)' ], 'and its columns, but no key');

$t->api(PUT => "/cameras/$camera->{id}", token => $operator->{token},
    json => { location => 'hall' });
($entry) = @{ list('?limit=1')->{json} };
is_deeply([ @$entry{qw(action old new)} ], [ 'camera.update',
    { location => 'yard' }, { location => 'hall' } ], 'what was changed');
is_deeply($t->api_get("/audit/$entry->{id}", token => $admin->{token})->{json},
    $entry, 'one entry');

# what failed or was refused as input leaves none

my $n = count();
$t->api(PUT => "/cameras/$camera->{id}", token => $operator->{token},
    json => { location => 'x' x 201 });
$t->api(POST => '/cameras', token => $operator->{token},
    json => { %camera, name => 'x' });
is(count(), $n, 'no change, no entry');

# filters

$t->api(DELETE => "/cameras/$camera->{id}", token => $admin->{token});
is_deeply(actions("?objectId=$camera->{id}"),
    [ qw(camera.delete camera.update camera.create) ], 'newest first');
is_deeply(actions("?userId=$operator->{id}&objectType=camera"),
    [ qw(camera.update camera.create) ], 'of a user');
is_deeply(actions('?action=camera.delete'), [ 'camera.delete' ], 'an action');
is_deeply(actions('?objectType=camera&result=denied'), [], 'a result');
is_deeply(actions("?objectId=$camera->{id}&from=$entry->{at}&to=$entry->{at}"), [],
    'an empty range');
is_deeply(actions("?objectId=$camera->{id}&to=$entry->{at}"),
    [ 'camera.create' ], 'what was before');
for my $bad ('userId=anna', 'from=x', 'result=good', 'limit=0', 'cursor=x',
    'action=', 'page=2')
{
    is(list("?$bad")->{code}, 'VALIDATION_FAILED', $bad);
}

my @all = map { $_->{id} } @{ list("?limit=200&from=$start")->{json} };
is_deeply([ pages("/audit?limit=2&from=$start") ], \@all, 'page by page');

# logging in and out, and wrong passwords

my $login = $t->add_user(username => 'lara', role => 'viewer', password => 1);
login($login, 'wrong horse 1') for 1 .. 3;
$t->api(POST => '/auth/login', json => { username => 'nobody',
    password => 'wrong horse 1' });
my @failed = entries('action=auth.login_failed', 3);
is_deeply([ map { [ @$_{qw(actor credentialType objectId objectName address
    result code count)} ] } @failed ], [ [ 'nobody', 'none', $login->{id}, 'lara',
    '127.0.0.1', 'failed', 'AUTH_CREDENTIALS_INVALID', 3 ] ],
    'wrong passwords of one user, counted');
my $r = login($login, $t->password);
is($r->{status}, 200, 'the right one');
my ($in) = grep { $_->{userId} eq $login->{id} } entries('action=auth.login');
is_deeply([ @$in{qw(actor credentialType address)} ],
    [ 'lara', 'session', '127.0.0.1' ], 'logged in');
$t->api(POST => '/auth/logout', json => {
    refreshToken => $r->{json}{refreshToken} });
is_deeply([ map { $_->{credentialId} } entries('action=auth.logout') ],
    [ $in->{credentialId} ], 'and out');

# watching live, once for as long as it goes on

my $live = $t->api(POST => '/cameras', token => $operator->{token},
    json => { %camera, serialNumber => 'live' })->{json}{id};
for my $user ($viewer, $viewer, $operator, $viewer) {
    is($t->api_get("/cameras/$live/stream/hls", token => $user->{token})
        ->{status}, 200, 'an address');
}
is_deeply([ map { "$_->{actor} $_->{cameraId}" } entries('action=stream.watch') ],
    [ "olga $live", "vera $live" ], 'two watch');

# who may not, as often as they try

for (1 .. 3) {
    is($t->api(DELETE => "/cameras/$live", token => $viewer->{token})->{status},
        403, 'refused');
}
my ($denied, @others) = entries('objectType=route&result=denied', 3);
is(scalar @others, 0, 'is one entry');
is_deeply([ @$denied{qw(actor action objectType objectId objectName code count)} ],
    [ 'vera', 'api.request', 'route', 'DELETE /cameras/:id', $live,
      'AUTH_INSUFFICIENT_PERMISSIONS', 3 ], 'that says what, and how often');

# no secret is in any of it

my $text = join "\n", $t->sql('SELECT to_jsonb(a) FROM audit_log a');
unlike($text, qr/horse|\$2b\$|eyJ|\Q$r->{json}{refreshToken}\E/, 'no secret');

# who may

for my $user ($operator, $viewer) {
    is($t->api_get($_, token => $user->{token})->{status}, 403,
        "$user->{role}: $_") for '/audit', "/audit/$entry->{id}";
}
is_deeply(list("?objectId=$camera->{id}", $foreign)->{json}, [],
    'another tenant\'s sees nothing of it');

my @unknown = map { bytes($t->api_get("/audit/$_", token => $foreign->{token})) }
    $entry->{id}, 987654321, 'x', '-1', '9' x 30;
like($unknown[0], qr/"NOT_FOUND"/, 'an entry of another tenant');
is($_, $unknown[0], 'is as unknown as none') for @unknown[1 .. 4];

$t->done_testing;

###############################################################################

sub list {
    my ($query, $user) = @_;

    return $t->api_get('/audit' . ($query // ''),
        token => ($user // $admin)->{token});
}

# refusals are noted behind the answer, so they are waited for

sub entries {
    my ($query, $times) = @_;

    my @found;

    $t->wait_for(sub {
        @found = @{ list("?$query")->{json} };
        my $n = 0;
        $n += $_->{count} for @found;
        $n >= ($times // 1);
    }, 5, $query);

    return @found;
}

sub login {
    my ($user, $password) = @_;

    return $t->api(POST => '/auth/login', json => {
        username => $user->{username}, password => $password });
}

sub actions {
    return [ map { $_->{action} } @{ list(@_)->{json} } ];
}

sub count {
    return scalar @{ list('?limit=200')->{json} };
}

sub pages {
    my ($path) = @_;

    my @seen;

    while ($path) {
        my $r = $t->api_get($path, token => $admin->{token});
        push @seen, map { $_->{id} } @{ $r->{json} };
        ($path) = ($r->{headers}{link} // '')
            =~ m{^</api/v1(.*)>; rel="next"$};
    }

    return @seen;
}

# an answer without what differs for a good reason

sub bytes {
    my ($r) = @_;

    return "$r->{status} " . $r->{body} =~ s/"(timestamp|requestId)":"[^"]*"//gr;
}
