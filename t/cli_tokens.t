#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for bin/camera token create, list and revoke: a token is good in the API
# for what it and its owner may, and for nothing once it was revoked; it is on
# standard output once and nowhere else.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Cli;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations cli camera_api_database));
$t->start_api(http => 'camera_api_limit 100000r/m;');

my $cli = Camera::Test::Cli->new($t);
my $uuid = qr/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
my $admin = $t->add_user(username => 'anna');
my $other = $t->add_tenant('other');
my ($token, @tokens);
my $r;

$t->add_user(username => $_->[0], role => $_->[1], tenant => $_->[2])
    for [ 'vera', 'viewer' ], [ 'far', 'admin', $other ];
is($cli->run(qw(user add robot --role api_only))->{status}, 0, 'a program');

###############################################################################

like($cli->run(qw(token list))->{out}, qr/no API tokens yet.*token create/,
    'empty list');

$r = $cli->run(qw(token create vera door --permissions), 'cameras:read,streams:view');
is($r->{status}, 0, 'create');
like($r->{out}, qr/^cam_[0-9A-Za-z]{49}\n$/, 'the token, alone');
like($r->{err}, qr/^  id $uuid, of vera, shown this once
  until it is revoked it may cameras:read streams:view\n$/, 'and what it is');
unlike($r->{err}, qr/cam_/, 'without itself');
push @tokens, $token = $r->{out} =~ s/\n//r;

is(asks('/cameras'), 200, 'it may what it says');
is(asks('/recordings'), 403, 'and no more');

# an owner's role is the most that it may

$r = $cli->run(qw(token create vera all --permissions), '*');
is($r->{status}, 5, 'not everything for a viewer');
is($r->{err}, "camera: vera is a viewer, and lacks *\n", 'and why');
is($cli->run(qw(token create vera x --permissions),
    'cameras:read,users:manage')->{status}, 5, 'nor one thing among others');
is($cli->run(qw(token create anna all --permissions), '*')->{status}, 0,
    'an admin');
push @tokens, $token = $cli->run(qw(token create robot sync --json
    --permissions), 'cameras:write,cameras:read')->{json}{token};
is(asks('/cameras'), 200, 'who never logs in');

# of its owner's tenant, with an end and networks

$r = $cli->run(qw(token create far away --permissions cameras:read --ttl 3600
    --cidr), '127.0.0.0/8, ::1', '--json');
is_deeply([ sort keys %{ $r->{json} } ], [qw(expiresAt id lastUsedAt name
    permissions prefix state tenant token username)], 'as JSON');
is("@{ $r->{json} }{qw(username tenant name state)}", 'far other away good',
    'what it is');
like($r->{json}{expiresAt}, qr/^20\d\d-.*Z$/, 'until when');
is($t->sql("SELECT tenant_id, allowed_cidrs, created_by FROM api_tokens
    WHERE id = '$r->{json}{id}'"), "$other\t{127.0.0.0/8,::1/128}\t",
    'its networks, and nobody of the API made it');
push @tokens, $token = $r->{json}{token};
is(asks('/cameras'), 200, 'it is good');

# what is refused

is($cli->run('token', @{ $_->[1] })->{status}, $_->[0], "@{ $_->[1] }")
    for [ 2, [qw(create vera door)] ],
        [ 2, [qw(create vera door --permissions root)] ],
        [ 2, [ qw(create vera door --permissions), '' ] ],
        [ 2, [ qw(create vera door --permissions), 'cameras:read,' ] ],
        [ 2, [qw(create vera --permissions cameras:read)] ],
        [ 4, [qw(create nobody door --permissions cameras:read)] ],
        [ 4, [qw(list nobody)] ], [ 2, [qw(list vera too)] ],
        [ 5, [qw(create vera door --permissions cameras:read --cidr x)] ],
        [ 5, [ qw(create vera), ' ', qw(--permissions cameras:read) ] ],
        [ 2, [qw(revoke door)] ], [ 2, ['door'] ],
        [ 2, [qw(create vera door --jwt)] ],
        [ 4, [qw(revoke 00000000-0000-4000-8000-000000000000)] ];
$cli->run(qw(user disable vera));
is($cli->run(qw(token create vera door --permissions cameras:read))->{status}, 5,
    'nobody who is disabled');
$cli->run(qw(user enable vera));

# listed, and revoked

my @list = @{ $cli->run(qw(token list --json))->{json}{tokens} };
is_deeply([ map { "$_->{username} $_->{name}" } @list ],
    [ 'vera door', 'anna all', 'robot sync', 'far away' ], 'all of them');
is_deeply([ map { exists $_->{token} ? 1 : 0 } @list ], [ (0) x 4 ],
    'without what is secret');
is_deeply($list[2]{permissions}, [qw(cameras:read cameras:write)],
    'what they may');
is_deeply([ map { $_->{name} } @{ $cli->run(qw(token list ROBOT --json))
    ->{json}{tokens} } ], ['sync'], 'those of one');
like($cli->run(qw(token list))->{out},
    qr/^$list[3]{id} +good +cam_\w{4} +other +\S+ +far +away$/m, 'for people');

$token = $tokens[0];
is(asks('/cameras'), 200, 'good until now');
$r = $cli->run('token', 'revoke', $list[0]{id});
is("$r->{status} $r->{out}", "0 revoked door of vera\n", 'revoked');
ok($t->wait_for(sub { asks('/cameras') == 401 }, 2), 'it is good for nothing');
is($cli->run('token', 'revoke', $list[0]{id})->{status}, 0, 'once more');
is($cli->run(qw(token list --json))->{json}{tokens}[0]{state}, 'revoked',
    'it stays in the list');

# nobody repeats a token that was given for an id

$r = $cli->run('token', 'revoke', $tokens[1]);
is($r->{status}, 2, 'no id');
unlike($r->{out} . $r->{err}, qr/cam_/, 'it is not repeated');

# who did it

is($t->sql("SELECT string_agg(action || ' ' || object_name, ', ' ORDER BY id)
    FROM audit_log WHERE object_type = 'token'"), 'token.create door, '
    . 'token.create all, token.create sync, token.create away, '
    . 'token.revoke door', 'it stands in the audit');
is($t->sql("SELECT count(*) FROM audit_log WHERE new::text || old::text
    LIKE '%token_hash\": \"_%' AND NOT new::text LIKE '%(hidden)%'"), 0,
    'without hashes');

$t->done_testing;

###############################################################################

sub asks {
    my ($path) = @_;

    return $t->api_get($path, token => $token)->{status};
}
