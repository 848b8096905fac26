#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for camera_api_oidc: a line that is not complete, or that would let in
# the whole world, keeps nginx from starting and says why; nothing has a default
# that is a secret.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx camera_api_oidc));

$t->allow_log(qr{\[emerg\]});

my $dir = $t->dir;
$t->write_file("$dir/secret", "s3cret\n");
chmod 0600, "$dir/secret";
$t->write_file("$dir/open", "s3cret\n");
chmod 0644, "$dir/open";
$t->write_file("$dir/empty", "\n");
chmod 0600, "$dir/empty";

my $all = "client_id=a client_secret_file=$dir/secret";
my $any = "issuer=https://id.example $all";

###############################################################################

is(refused("google $all"), '', 'a preset needs no more');
is(refused("okta $any"), '', 'okta with its issuer');
is(refused("microsoft $all domains=a.example auto_create=on role=viewer"), '',
    'the whole world, but for a domain');
is(refused("house $any \"label=Our house\" hosts=a,b scopes=openid"
    . ' redirect_uri=https://a.example/cb tenant=b'), '', 'all that there is');
is(refused("a $any; camera_api_oidc b $any"), '', 'two');

for my $case (
    [ "Google $all", 'is no name of an identity provider' ],
    [ "okta $all", 'needs "issuer"' ],
    [ "a issuer=http://id.example $all", 'needs "issuer"' ],
    [ "a issuer=https://id.example/ $all", 'needs "issuer"' ],
    [ "google client_secret_file=$dir/secret", 'needs "client_id"' ],
    [ 'google client_id=a', 'needs "client_id" and "client_secret_file"' ],
    [ "google client_id=a client_secret_file=$dir/none",
        qr/open\(\) ".*none" failed/ ],
    [ "google client_id=a client_secret_file=$dir/open", 'must hold a secret' ],
    [ "google client_id=a client_secret_file=$dir/empty",
        'must hold a secret' ],
    [ "google client_id=a client_secret=s3cret", 'invalid parameter' ],
    [ "google $all role=root", 'has no such role' ],
    [ "google $all role=api_only", 'never logs in' ],
    [ "okta $any auto_create=on", 'needs "role"' ],
    [ "okta $any auto_create=maybe", 'is "on" or "off"' ],
    [ "google $all auto_create=on role=viewer", 'needs "domains"' ],
    [ "microsoft $all auto_create=on role=viewer", 'needs "domains"' ],
    [ "a $any preset=none", 'there is no preset "none"' ],
    [ "a $any; camera_api_oidc a $any", 'is duplicate' ])
{
    my ($line, $why) = @$case;

    like(refused($line), ref $why ? $why : qr/\Q$why\E/, "refused: $why");
}

unlike(refused("google client_id=a client_secret_file=$dir/open"), qr/s3cret/,
    'no secret in the message');

$t->done_testing;

###############################################################################

# what nginx says of such a line, nothing when it takes it

sub refused {
    my ($line) = @_;

    $t->nginx_conf(api => '', http => "camera_api_oidc $line;");
    my $said = $t->run({ may_fail => 1 }, $t->nginx_command, '-t');

    return $? ? $said : '';
}
