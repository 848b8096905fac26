#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for /users: adding, changing and removing people, their passwords and
# their sessions; who may do that to whom, what an administrator cannot do, and
# that each change counts within a second.

use strict;
use warnings;

use Camera::EventStream qw(follow);
use Camera::Test;
use Camera::Token qw(random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api(http => 'camera_api_limit 100000r/m;'
    . ' camera_api_login_limit 100000r/m;');

my $admin = $t->add_user(username => 'anna');
my $second = $t->add_user(username => 'berta');
my $viewer = $t->add_user(role => 'viewer');
my $foreign = $t->add_user(tenant => $t->add_tenant);

###############################################################################

# adding

my $r = post('/users', { username => 'carla', email => 'Carla@example.org',
    role => 'operator', cameraScope => 'granted', password => 'first day 1',
    name => 'Carla Nowak' }, headers => [ 'Idempotency-Key: 1' ]);
is($r->{status}, 201, 'a user is added') or diag($r->{body});
my $carla = $r->{json}{id};
is($r->{headers}{location}, "/api/v1/users/$carla", 'where');
is($r->{headers}{etag}, '"1"', 'its version');
is_deeply([ @{ $r->{json} }{qw(username email name role cameraScope isActive
    mustChangePassword lastLoginAt)} ], [ 'carla', 'Carla@example.org',
    'Carla Nowak', 'operator', 'granted', JSON::PP::true(), JSON::PP::true(), undef ],
    'as it was sent');
unlike($r->{body}, qr/password"|\$2b/, 'without a password');

is(post('/users', { username => 'carla', email => 'Carla@example.org',
    role => 'operator', cameraScope => 'granted', password => 'first day 1',
    name => 'Carla Nowak' },
    headers => [ 'Idempotency-Key: 1' ])->{json}{id}, $carla, 'once for a key');
is($t->sql("SELECT count(*) FROM idempotency_keys
    WHERE response::text LIKE '%\$2b\$%'"), 0, 'which keeps no hash');

is_deeply([ code({ username => 'CARLA' }), code({ username => 'dora',
    email => 'carla@EXAMPLE.org' }) ],
    [ qw(USER_NAME_DUPLICATE USER_EMAIL_DUPLICATE) ], 'names are unique');
is(code(@$_), 'VALIDATION_FAILED', 'no user') for
    [ { username => 'a b' } ], [ { username => '.a' } ],
    [ { username => 'x@example.org' } ], [ { email => 'x' } ],
    [ { role => 'root' } ], [ { cameraScope => 'none' } ],
    [ { password => 'short 1' } ], [ { password => 'only letters' } ],
    [ { password => 'username1', username => 'username1' } ],
    [ { role => 'admin', cameraScope => 'granted' } ],
    [ { isActive => JSON::PP::false() } ];

# the first login, and the only thing it is good for

my $token = login('carla', 'first day 1');
ok($token, 'logged in');
my $me = $t->api_get('/auth/me', token => $token);
is($me->{status}, 200, 'who am I');
is($me->{json}{mustChangePassword}, JSON::PP::true(), 'with a password of '
    . 'somebody else');
is($t->api_get($_, token => $token)->{code}, 'PASSWORD_CHANGE_REQUIRED',
    "not $_") for qw(/cameras /events /ws /auth/sessions /users);
is($t->api(POST => '/auth/password', token => $token, json => {
    currentPassword => 'first day 1', newPassword => 'my own 2' })->{status},
    204, 'it is changed');
ok($t->wait_for(sub { $t->api_get('/cameras', token => $token)->{status}
    == 200 }, 1, 'cameras'), 'and then all is open');

# reading

is(get("/users/$carla")->{json}{mustChangePassword}, JSON::PP::false(), 'one');
like(get("/users/$carla")->{json}{lastLoginAt}, qr/^20/, 'who logged in');
is_deeply([ map { $_->{username} } @{ get('/users?role=operator')->{json} } ],
    [ 'carla' ], 'by role');
is_deeply([ map { $_->{username} } @{ get('/users?q=EXAMPLE')->{json} } ],
    [ 'carla' ], 'by a part');
is_deeply([ map { $_->{username} } @{ get('/users?isActive=false')->{json} } ],
    [], 'nobody is inactive');
my $page = get('/users?limit=2');
is(scalar @{ $page->{json} }, 2, 'a page');
like($page->{headers}{link} // '', qr/cursor=/, 'and the next one');

# changing

$r = patch($carla, { role => 'viewer' }, headers => [ 'If-Match: "1"' ]);
is($r->{code}, 'PRECONDITION_FAILED', 'what was changed since');
my $etag = get("/users/$carla")->{headers}{etag};
$r = patch($carla, { email => undef }, headers => [ "If-Match: $etag" ]);
is($r->{json}{email}, undef, 'an email is taken away');
is($r->{json}{role}, 'operator', 'the rest stays');
$etag = $r->{headers}{etag};
$r = patch($carla, { name => 'Carla Novak' });
is($r->{json}{name}, 'Carla Novak', 'another name');
isnt($r->{headers}{etag}, $etag, 'is another version');
is_deeply([ map { $_->{username} } @{ get('/users?q=nOVAK')->{json} } ],
    ['carla'], 'they are found by it');
is(patch($carla, { name => undef })->{json}{name}, undef, 'none');
is(patch($carla, { name => '' })->{code}, 'VALIDATION_FAILED',
    'an empty one is none to send');

# it counts within a second, and ends what is open

my $stream = follow($t, $token);
is($stream->status, 200, 'a stream');
patch($carla, { role => 'viewer' });
ok($stream->ended(1), 'another role ends it');
ok($t->wait_for(sub { post('/cameras', {}, token => $token)->{code}
    eq 'AUTH_INSUFFICIENT_PERMISSIONS' }, 1, '403'), 'and is one');

$stream = follow($t, $token);
patch($carla, { isActive => JSON::PP::false() });
ok($stream->ended(1), 'made inactive');
ok($t->wait_for(sub { $t->api_get('/cameras', token => $token)->{status}
    == 401 }, 1, '401'), 'and logged out');
is(login('carla', 'my own 2'), undef, 'for good');
patch($carla, { isActive => JSON::PP::true() });
$token = login('carla', 'my own 2');
ok($token, 'until it is taken back');

# another password

$stream = follow($t, $token);
is(post("/users/$carla/password", { password => 'third day 3' })->{status}, 204,
    'a password is reset');
ok($stream->ended(1), 'all sessions end');
is(login('carla', 'my own 2'), undef, 'the old one is dead');
$token = login('carla', 'third day 3');
is($t->api_get('/cameras', token => $token)->{code},
    'PASSWORD_CHANGE_REQUIRED', 'and the new one to be changed');
is(post("/users/$carla/password", { password => 'letters' })->{code},
    'VALIDATION_FAILED', 'no password');
is(post("/users/$admin->{id}/password", { password => 'second day 2' })
    ->{code}, 'AUTH_ROLE_RESTRICTED', 'not one\'s own');

# sessions

my @own = @{ get('/auth/sessions')->{json} };
is(scalar(grep { $_->{current} } @own), 1, 'one session asks');
my ($sid) = map { $_->{id} } @{ get("/users/$carla/sessions")->{json} };
is($t->api(DELETE => "/auth/sessions/$sid", token => $admin->{token})->{code},
    'NOT_FOUND', 'somebody else\'s is none of one\'s own');
is($t->api(DELETE => "/users/$viewer->{id}/sessions/$sid",
    token => $admin->{token})->{code}, 'NOT_FOUND', 'nor of another user\'s');
is($t->api(DELETE => "/users/$carla/sessions/$sid", token => $admin->{token})
    ->{status}, 204, 'an administrator ends it');
ok($t->wait_for(sub { $t->api_get('/auth/me', token => $token)->{status}
    == 401 }, 1, '401'), 'within a second');
is_deeply(get("/users/$carla/sessions")->{json}, [], 'no more');
is(get("/users/@{[ random_uuid() ]}/sessions")->{code}, 'NOT_FOUND', 'nobody');

my $other = $t->open_session($viewer);
is(scalar @{ $t->api_get('/auth/sessions', token => $viewer->{token})
    ->{json} }, 2, 'a viewer has two');
is($t->api(DELETE => "/auth/sessions/$other", token => $viewer->{token})
    ->{status}, 204, 'and ends the other one');

# what nobody does

is(patch($admin->{id}, { role => 'viewer' })->{code}, 'AUTH_ROLE_RESTRICTED',
    'one\'s own role');
is(patch($admin->{id}, { isActive => JSON::PP::false() })->{code},
    'AUTH_ROLE_RESTRICTED', 'nor oneself away');
is(patch($admin->{id}, { username => 'anna2' })->{status}, 200,
    'but one\'s own name');
is(remove($admin->{id})->{code}, 'AUTH_ROLE_RESTRICTED', 'nobody goes alone');
is(get('/users', token => $viewer->{token})->{code},
    'AUTH_INSUFFICIENT_PERMISSIONS', 'a viewer sees no users');

for my $id ($foreign->{id}, random_uuid()) {
    is(get("/users/$id")->{code}, 'NOT_FOUND', 'nobody of ours');
    is(patch($id, { role => 'viewer' })->{code}, 'NOT_FOUND', 'to change');
    is(remove($id)->{code}, 'NOT_FOUND', 'or to remove');
    is(post("/users/$id/password", { password => 'second day 2' })->{code},
        'NOT_FOUND', 'or to log in as');
}

# the last administrator

is(patch($second->{id}, { role => 'operator' })->{status}, 200, 'of two, one');
like(of_tenant()->ask("UPDATE users SET is_active = false
    WHERE id = '$admin->{id}'"), qr/without an active admin/, 'not both');
like(of_tenant()->ask("DELETE FROM users WHERE id = '$admin->{id}'"),
    qr/without an active admin/, 'whoever does it');
patch($second->{id}, { role => 'admin' });

# two at once: each takes the other's role

for my $round (1 .. 5) {
    my ($one, $two) = (of_tenant(), of_tenant());

    $one->ask("BEGIN; UPDATE users SET role = 'viewer'
        WHERE id = '$second->{id}'");
    $two->send("UPDATE users SET role = 'viewer' WHERE id = '$admin->{id}'");
    ok($t->wait_for(sub { $t->sql("SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock'") }, 5, 'a lock'), 'it waits');
    $one->ask('COMMIT');
    like($two->answer, qr/tenants_keep_an_admin|without an active admin/,
        "round $round: the second one is refused");
    $t->sql("UPDATE users SET role = 'admin' WHERE id = '$second->{id}'");
}

# removal

$token = login('carla', 'third day 3');
$t->sql("INSERT INTO cameras (name) VALUES ('c')");
$t->sql("INSERT INTO bookmarks (camera_id, at, label, created_by)
    SELECT id, now(), 'x', '$carla' FROM cameras LIMIT 1");
is(remove($carla)->{status}, 204, 'a user is removed');
ok($t->wait_for(sub { $t->api_get('/auth/me', token => $token)->{status}
    == 401 }, 1, '401'), 'logged out');
is(get("/users/$carla")->{code}, 'NOT_FOUND', 'gone');
is($t->sql("SELECT count(*) FROM bookmarks WHERE created_by IS NULL"), 1,
    'what was made stays');
is(post('/users', { username => 'carla', password => 'first day 1' })
    ->{status}, 201, 'and the name is free');

$t->done_testing;

###############################################################################

sub get {
    my ($path, %opt) = @_;

    return $t->api_get($path, token => $admin->{token}, %opt);
}

sub post {
    my ($path, $json, %opt) = @_;

    return $t->api(POST => $path, token => $admin->{token}, json => $json,
        %opt);
}

sub patch {
    my ($id, $json, %opt) = @_;

    return $t->api(PATCH => "/users/$id", token => $admin->{token},
        json => $json, %opt);
}

sub remove {
    my ($id) = @_;

    return $t->api(DELETE => "/users/$id", token => $admin->{token});
}

# of a new user with these fields

sub code {
    my ($fields) = @_;

    return post('/users', { username => 'new', password => 'first day 1',
        %$fields })->{code};
}

sub login {
    my ($name, $password) = @_;

    return $t->api(POST => '/auth/login', json => { username => $name,
        password => $password })->{json}{accessToken};
}

# a connection on which rules of the API hold

sub of_tenant {
    my $session = $t->pg_session('camera_owner');

    $session->ask("SET app.tenant = '$admin->{tenant}'");

    return $session;
}
