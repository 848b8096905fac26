#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what a tenant may have: quotas are shown with what is used, set by
# bin/camera alone, and in force in the API and in playback, each with a reason
# that who is refused can read.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Test;
use Camera::Test::Cli;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations worker ffmpeg tls cli
    camera_api_database));
$t->start_api;
$t->start_worker;

my $cli = Camera::Test::Cli->new($t);
my $admin = $t->add_user;
my $foreign = $t->add_user(tenant => $t->add_tenant('other'));

###############################################################################

my $tenant = tenant($admin);
is_deeply({ %$tenant, createdAt => '' }, { id => $admin->{tenant},
    slug => 'default', name => 'Default', createdAt => '',
    quotas => { map { $_ => undef } qw(cameras publishers viewers egressKbps
        storedBytes requestsPerHour) },
    usage => { map { $_ => 0 } qw(cameras publishers viewers egressKbps
        storedBytes) } }, 'no quotas, nothing used');

# whoever runs the server sets them

for my $quota ([ cameras => 2 ], [ publishers => 1 ], [ viewers => 2 ],
    [ egress => 50000 ], [ storage => 1_000_000_000_000 ], [ requests => 5000 ])
{
    is($cli->run('tenant', 'quota', 'default', @$quota)->{status}, 0,
        "$quota->[0]: $quota->[1]");
}

is_deeply(tenant($admin)->{quotas}, { cameras => 2, publishers => 1,
    viewers => 2, egressKbps => 50000, storedBytes => 1_000_000_000_000,
    requestsPerHour => 5000 }, 'all of them');
like($cli->run(qw(tenant quota default egress none))->{out},
    qr/egress +none\n  storage +1000000000000/, 'and one is taken away');
is($cli->run(qw(tenant quota nobody cameras 1))->{status}, 4, 'of no tenant');
is($cli->run(qw(tenant quota default), @$_)->{status}, 2, "@$_ is none")
    for [qw(doors 1)], [qw(cameras 0)], [qw(cameras -1)], [qw(cameras x)],
        [qw(cameras 2147483648)];
is(tenant($foreign)->{quotas}{cameras}, undef, 'another tenant has its own');

# a tenant renames itself, and no more

is(change({ name => 'Harbour' })->{json}{name}, 'Harbour', 'renamed');
is(tenant($admin)->{name}, 'Harbour', 'it is');
is(tenant($foreign)->{name}, 'other', 'nobody else is');
is(change($_)->{code}, 'VALIDATION_FAILED', 'not changed: ' . join ' ', %$_)
    for { quotas => {} }, { maxCameras => 9 }, { slug => 'x' }, { name => '' };
is($t->api_get('/tenant', token => $t->add_user(role => 'operator')->{token})
    ->{code}, 'AUTH_INSUFFICIENT_PERMISSIONS', 'for admins');

# cameras

my ($gate, $yard) = map { add($admin, $_) } qw(gate yard);
is("$gate->{status} $yard->{status}", '201 201', 'two cameras');

my $third = add($admin, 'roof');
is("$third->{status} $third->{code}", '403 QUOTA_EXCEEDED', 'not a third one');
is($t->api(POST => '/cameras/bulk', token => $admin->{token}, json =>
    { cameras => [ camera('roof') ] })->{json}{results}[0]{error}{code},
    'QUOTA_EXCEEDED', 'nor in a list');
is(add($foreign, 'roof')->{status}, 201, 'another tenant is not bound');

$t->api(DELETE => "/cameras/$yard->{json}{id}", token => $admin->{token});
my @race = map { add($admin, "race-$_") } 1 .. 2;
is_deeply([ map { $_->{status} } @race ], [ 201, 403 ], 'room for one more');
is(tenant($admin)->{usage}{cameras}, 2, 'which is counted');

# viewers

my $id = $gate->{json}{id};
$t->publish({ id => $id }, url => $gate->{json}{rtmpUrl}, clip => 'small');

my @paths = map { url($id) } 1 .. 3;
ok($t->wait_for(sub { $t->http_get($paths[0])->{status} == 200 }, 10),
    'one watches');
is($t->http_get($paths[1])->{status}, 200, 'two watch');

my $r = $t->http_get($paths[2]);
is($r->{status}, 429, 'a third one may not');
like($r->{body}, qr/^As many people are watching already/, 'and reads why');
is(tenant($admin)->{usage}{viewers}, 2, 'they are counted');
is(tenant($foreign)->{usage}{viewers}, 0, 'for their tenant');

$cli->run(qw(tenant quota default viewers none));
ok($t->wait_for(sub { $t->http_get($paths[2])->{status} == 200 }, 5),
    'until the quota is gone');

# storage: what is kept is bounded by it

is(retention({ retentionBytes => 2_000_000_000_000 }), 1_000_000_000_000,
    'no more than the quota');
is(retention({ retentionBytes => 5_000_000 }), 5_000_000, 'less than it');
is(retention({ retentionBytes => undef }), 1_000_000_000_000, 'never no bound');
$cli->run(qw(tenant quota default storage none));
is(retention({ retentionBytes => undef }), undef, 'but without a quota');

$t->done_testing;

###############################################################################

sub tenant {
    my ($user) = @_;

    return $t->api_get('/tenant', token => $user->{token})->{json};
}

sub change {
    my ($json) = @_;

    return $t->api(PATCH => '/tenant', token => $admin->{token}, json => $json);
}

sub camera {
    my ($name) = @_;

    return { name => $name, company => 'a', model => 'b',
        serialNumber => "SN-$name", location => 'c', place => 'd' };
}

sub add {
    my ($user, $name) = @_;

    return $t->api(POST => '/cameras', token => $user->{token},
        json => camera($name));
}

# the path of an address to play, with a token of its own

sub url {
    my ($id) = @_;

    return $t->api_get("/cameras/$id/stream/hls", token => $admin->{token})
        ->{json}{url} =~ s{^http://localhost}{}r;
}

sub retention {
    my ($json) = @_;

    return $t->api(PATCH => '/settings/recording', token => $admin->{token},
        json => $json)->{json}{retentionBytes};
}
