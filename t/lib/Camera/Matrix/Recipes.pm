package Camera::Matrix::Recipes;

# Copyright (C) The nginx camera platform authors

# What Camera::Matrix cannot read in openapi.yaml: what an id in a path names
# and how one is made, and what a request takes besides.  Two tables, a line for
# each, and the functions that make things.

use strict;
use warnings;

use Camera::Token qw(base64url random_bytes random_uuid);

=head1 NAME

Camera::Matrix::Recipes - ids and requests of the authorisation matrix

=head1 TABLES

=over

=item %roles

What each role may do, as the requirements have it; not read from the code,
which is what is tested.

=cut

my @permissions = qw(cameras:read cameras:write streams:view recordings:read
    recordings:delete tokens:manage analytics:read alerts:manage users:manage
    audit:read);

our %roles = (
    admin    => [@permissions],
    operator => [qw(cameras:read cameras:write streams:view recordings:read
                    recordings:delete analytics:read alerts:manage)],
    viewer   => [qw(cameras:read streams:view recordings:read)],
);

=item %objects

A line for each kind of id: the path down to it, or its name in any path, query
or body, and the function that makes one.  It is called with the matrix, one of
its tenants and the principal who will ask, and answers the id.

=cut

our %objects = (
    ':cameraId'      => \&camera,
    '/cameras/:id'   => \&camera,
    '/recordings/:id' => \&recording,
    '/bookmarks/:id' => \&bookmark,
    '/exports/:id'   => \&export,
    '/alerts/:id'    => \&alert,
    '/layouts/:id'   => \&layout,
    '/nodes/:id'     => \&node,
    '/audit/:id'     => \&audit,
    '/users/:id'     => \&user,
    '/users/:id/sessions/:sid' => \&session_of_user,
    '/users/:id/identities/:identityId' => \&identity,
    '/auth/sessions/:sid' => \&session,
    ':provider'      => \&provider,
    '/camera-groups/:id' => \&group,
    '/camera-groups/:id/cameras/:cameraId' => \&member,
    '/tokens/:id'    => \&token,
);

=item %personal

Those of them that only their user sees, whoever else may do the same.

=cut

our %personal = map { ($_ => 1) } qw(/layouts/:id
    /auth/sessions/:sid);

=item %requests

A line for each operation whose request is not yet good with the examples that
openapi.yaml has for its body and its required arguments:

    body    fields beside those of the example; undef for no body
    query   arguments that are always sent
    renew   1: the request ends or changes who sends it, who is made anew for it
    fresh   1: it changes its object, which is made anew for it (DELETE always)
    status  { own => 503, other => 204, nobody => 101, … }: what it answers, by
            id, by who asks ("API token" are all of those) or by both ("nobody,
            own"), where it is not what the contract says: its first 2xx; 401 and
            403; 404, or 400 for a malformed id that is no path's

In strings, C<:unique> is a new word each time, C<:email> a new address,
C<:username>, C<:password> and C<:refresh> are those of who asks, C<:camera> is a
camera of theirs.

=cut

# a browser is led back to the page, whatever is wrong

sub elsewhere {
    return { map { ($_ => 302) } qw(own other unknown malformed) };
}

# nobody makes, changes or ends who may do more: not with users:manage alone

my %beyond = (status => { 'token for users:manage, own' => 403 });

our %requests = (
    login          => { body => { username => ':username',
                                  password => ':password' } },
    refresh        => { body => { refreshToken => ':refresh' }, renew => 1 },
    logout         => { body => undef, renew => 1, status => {
        map({ ($_ => 204) } 'unknown session', 'revoked session',
            'disabled user', 'turned api_only'), 'API token' => 401 } },
    changePassword => { body => { currentPassword => ':password',
                                  newPassword => ':password2' }, renew => 1 },
    createCamera   => { body => { serialNumber => ':unique' } },
    register       => { body => { email => ':email' } },
    registerAlias  => { body => { email => ':email' } },
    loginAlias     => { body => { email => ':username',
                                  password => ':password' } },
    loginByProvider  => { status => elsewhere() },
    providerCallback => { status => elsewhere() },
    getNode        => { status => { other => 200 } },
    createUser        => { body => { username => ':unique',
                                     email => ':email' }, %beyond },
    updateUser        => { fresh => 1, %beyond },
    deleteUser        => { %beyond },
    resetPassword     => { %beyond },
    unlinkIdentity    => { %beyond },
    createCameraGroup => { body => { name => ':unique' } },
    updateCameraGroup => { body => { name => ':unique' } },
    createLayout   => { body => { name => ':unique' } },
    getCameraGroup => { status => { 'viewer of a, one camera granted' => 404 } },
    getSnapshot    => { status => { own => 503 } },
    connectWebSocket => { status => { nobody => 101 } },
);

=back

=head1 WHAT THINGS ARE MADE BY

Each has the mark of its tenant in a text, which no answer to the other tenant
may have.

=cut

sub camera {
    my ($m, $tenant) = @_;

    return $m->sql("INSERT INTO cameras (tenant_id, name)
        VALUES ('$tenant->{id}', '$tenant->{mark}') RETURNING id");
}

sub recording {
    my ($m, $tenant) = @_;

    my $at = "'2026-01-01T00:00:00Z'::timestamptz + interval '"
        . ++$tenant->{recordings} * 10 . " seconds'";
    my $id = $m->sql("SELECT recording_id($at)");

    $m->sql("SELECT journal_open('$m->{volume}', '$id', '$tenant->{camera}',
        'media/$id.mp4', $at, 'avc1.42c01f', 320, 180)");
    $m->sql("SELECT journal_close('$id', $at + interval '9 seconds', 1000,
        9000000, 1, 'hour')");

    return $id;
}

sub bookmark {
    my ($m, $tenant) = @_;

    return $m->sql("INSERT INTO bookmarks (tenant_id, camera_id, at, label)
        VALUES ('$tenant->{id}', '$tenant->{camera}', '2026-01-01T00:00:00Z',
            '$tenant->{mark}') RETURNING id");
}

sub export {
    my ($m, $tenant, $who) = @_;

    my $by = $who && $who->{user} ? "'$who->{user}{id}'" : 'NULL';

    return $m->sql("INSERT INTO exports (tenant_id, camera_id, from_time,
            to_time, state, bytes, sha256, path, volume_id, created_by)
        VALUES ('$tenant->{id}', '$tenant->{camera}', '2026-01-01T00:00:00Z',
            '2026-01-01T00:01:00Z', 'done', 4711, repeat('0', 64),
            'exports/x.mp4', '$m->{volume}', $by) RETURNING id");
}

sub layout {
    my ($m, $tenant, $who) = @_;

    return $m->sql("INSERT INTO layouts (tenant_id, user_id, name)
        VALUES ('$tenant->{id}', '$who->{user}{id}',
            '$tenant->{mark} " . ++$m->{unique} . "') RETURNING id");
}

sub audit {
    my ($m, $tenant) = @_;

    return $m->sql("SELECT audit_add('$tenant->{id}', 'matrix.test', 'test',
        NULL, '$tenant->{mark}')");
}

# those of the configuration are everybody's

sub provider { 'nobody' }

# it is everybody's

sub node {
    my ($m, $tenant) = @_;

    $m->sql("INSERT INTO nodes (id, capacity, started_at, heartbeat_at)
        VALUES ('of-all', 1, now(), now()) ON CONFLICT (id) DO NOTHING");

    return 'of-all';
}

sub user {
    my ($m, $tenant) = @_;

    return $tenant->{newest_user} = $m->sql("INSERT INTO users (tenant_id,
            username, password_hash)
        VALUES ('$tenant->{id}', '$tenant->{mark}" . ++$m->{unique} . "',
            '\$2b\$12\$" . '.' x 53 . "') RETURNING id");
}

# of the user who was made for the same path, and of who asks

sub session_of_user {
    my ($m, $tenant) = @_;

    return $m->sql("SELECT api_session_open('$tenant->{newest_user}',
        sha256('" . ++$m->{unique} . "'), 3600, '$tenant->{mark}', NULL)");
}

sub identity {
    my ($m, $tenant) = @_;

    return $m->sql("INSERT INTO user_identities (issuer, subject, tenant_id,
            user_id)
        VALUES ('https://$tenant->{mark}', '" . ++$m->{unique} . "',
            '$tenant->{id}', '$tenant->{newest_user}') RETURNING id");
}

sub session {
    my ($m, $tenant, $who) = @_;

    return $m->sql("SELECT api_session_open('$who->{user}{id}',
        sha256('" . ++$m->{unique} . "'), 3600, '$tenant->{mark}', NULL)");
}

sub group {
    my ($m, $tenant) = @_;

    return $m->sql("INSERT INTO camera_groups (tenant_id, name)
        VALUES ('$tenant->{id}', '$tenant->{mark} " . ++$m->{unique} . "')
        RETURNING id");
}

# a camera of all groups, for one of which it is asked

sub member {
    my ($m, $tenant) = @_;

    my $camera = camera($m, $tenant);

    $m->sql("INSERT INTO camera_group_members (tenant_id, group_id, camera_id)
        SELECT tenant_id, id, '$camera' FROM camera_groups
        WHERE tenant_id = '$tenant->{id}'");

    return $camera;
}

sub token {
    my ($m, $tenant, $who) = @_;

    return $m->sql("INSERT INTO api_tokens (tenant_id, user_id, token_hash,
            prefix, name, permissions)
        VALUES ('$tenant->{id}', '$who->{user}{id}',
            encode(sha256('" . ++$m->{unique} . "'), 'hex'), 'cam_',
            '$tenant->{mark}', '[\"cameras:read\"]') RETURNING id");
}

sub alert {
    my ($m, $tenant) = @_;

    return $m->sql("SELECT alert_raise('$tenant->{id}', '$tenant->{camera}',
        'matrix_" . ++$m->{unique} . "', 'low', '$tenant->{mark}')");
}

1;
