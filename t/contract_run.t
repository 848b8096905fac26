#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for every answer of the API: requests that are drawn from the schemas
# of openapi.yaml, good and broken ones, are answered as it says, with a status,
# a type and a body that it describes, and never by an error of the server.

use strict;
use warnings;

use Camera::Contract::Draw;
use Camera::Matrix;
use Camera::Test;
use Camera::Token qw(random_uuid);
use Digest::MD5 qw(md5);
use Test::More;

my $seed = $ENV{CAMERA_SEED} // 1;
my $rounds = $ENV{CAMERA_SOAK} ? 300 : 24;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api(Camera::Matrix->conf);

my $m = Camera::Matrix->new($t);
my $contract = $m->{contract};
my ($admin) = grep { $_->{name} eq 'admin of a' } $m->principals;
my ($nobody) = grep { $_->{name} eq 'nobody' } $m->principals;
my $draw = Camera::Contract::Draw->new($contract, \&id_of_field);

# what has no good answer where no camera sends and no worker records

my %without = map { ($_ => 1) } qw(getSnapshot);

# hashing a password takes its time, which is the same for each

my %slow = map { ($_ => 1) } qw(login loginAlias register registerAlias createUser
    resetPassword changePassword updateUser);

# what changes how everything after it is answered

my %last = map { ($_ => 1) } qw(updateTenant changeRecordingSettings);

###############################################################################

my $asked = 0;

for my $op (sort { ($last{ $a->{id} } // 0) <=> ($last{ $b->{id} } // 0) }
    $contract->operations)
{
    my ($wrong, $good) = run($op);

    is($wrong, '', "$op->{id} answers as described")
        or diag("CAMERA_SEED=$seed");
    ok($good, "$op->{id}: some were good") unless lasts($op)
        || $without{ $op->{id} };
}

cmp_ok($asked, '>', 1800, "$asked requests");

$t->done_testing;

###############################################################################

# the first that is wrong, made as small as it stays wrong, and how many were good

sub run {
    my ($op) = @_;

    my $good = 0;
    my $n = $slow{ $op->{id} } ? $rounds / 3 : $rounds;

    # the long form outlasts an access token

    $admin->{headers} = ['Authorization: Bearer '
        . $t->access_token(%{ $admin->{user} })];

    for my $round (1 .. $n) {
        revoke_tokens() if $op->{path} =~ /^.tokens/;
        srand unpack 'L', md5("$seed $op->{id} $round");

        my $request = $round % 3 || lasts($op) ? $draw->broken($op)
            : example($op, $draw->request($op), $round);
        $request->{who} = $round % 8 ? $admin : $nobody;

        my $wrong = wrong($op, $request);
        $good++ if $request->{status} < 400;
        return (shrunk($op, $request, $wrong), $good) if $wrong;
    }

    return ('', $good);
}

# a user may have a few, and those that are made for one request stay

sub revoke_tokens {
    $m->sql("UPDATE api_tokens SET is_active = false, revoked_at = now()
        WHERE is_active AND id <> '$m->{ids}{'/tokens/:id'}{a}'");
}

# routes that last

sub lasts {
    my ($op) = @_;

    return $op->{endless} || $op->{good} == 101;
}

# the first of the good ones is that of the recipes, so that one is

sub example {
    my ($op, $request, $round) = @_;

    return $request if $round != 3;

    my $recipe = $Camera::Matrix::Recipes::requests{ $op->{id} } // {};
    $request->{query} = [ map { [ $_, $op->{examples}{$_} ] }
        sort keys %{ $op->{required} } ];
    delete $request->{data};
    $request->{recipe} = $recipe;

    return $request;
}

# asks, and says what is wrong with the answer

sub wrong {
    my ($op, $request) = @_;

    my $r = ask($op, $request);
    my $status = $request->{status} = $r->{status};

    return $r->{error} // 'no answer' if !$status;
    return "$status is not described" if !grep { $_ eq $status } @{ $op->{codes} };
    return "$status $r->{body}" if $status >= 500 && !$without{ $op->{id} };
    return if lasts($op);
    return "$status, but it is to be refused" if $status < 400
        && $request->{refused};

    my $content = $contract->resolve($op->{raw}{responses}{$status})->{content};
    my $type = ($r->{headers}{'content-type'} // '') =~ s/;.*//r;
    return "$status with a body" if !$content && length $r->{body};
    return "$status of type $type" if $content && !$content->{$type};

    my @complaints = $type ne 'application/json' ? ()
        : $contract->complaints($op->{id}, $status, $r->{json});
    push @complaints, map { "no example has $_" } unshown($op, $status, $r->{json})
        if $content && $status < 400;
    return @complaints ? "$status @complaints: $r->{body}" : undef;
}

# members of an answer, or of its first row, that its example has not

sub unshown {
    my ($op, $status, @data) = @_;

    my ($example) = map { $_->{data} } $contract->answers($op, $status);
    my ($is, $has) = map { ref eq 'ARRAY' ? $_->[0] : $_ } @data, $example;

    return grep { !exists $has->{$_} } sort keys %{ $is // {} };
}

sub ask {
    my ($op, $request) = @_;

    $asked++;

    my $recipe = $Camera::Matrix::Recipes::requests{ $op->{id} } // {};
    my $who = $m->_asks($request->{who}, $recipe->{renew});
    my ($path, $body) = (path($op, $request, $who), body($op, $request, $who));
    my @headers = (@{ $who->{headers} }, @{ $request->{headers} },
        defined $body ? "Content-Type: $request->{type}" : ());
    my $query = Camera::Contract::Draw::query($request);

    $path = "/api/v1$path" unless $path =~ m{^/api/};
    $path .= "?$query" if length $query;
    $request->{text} = join "\n", "$op->{method} $path", @{ $request->{headers} },
        $body // '';

    my $r = $m->request($op->{method}, $path, \@headers, $body, lasts($op));
    $r->{json} = eval { $m->{json}->decode($r->{body}) };

    return $r;
}

sub path {
    my ($op, $request, $who) = @_;

    my $path = $op->{path};

    for my $kind (Camera::Matrix::path_ids($op)) {
        my $id = $request->{id} // $m->_id($kind, 'own', $who,
            $op->{method} eq 'DELETE' || $kind =~ /^.users/);
        $path =~ s/:\w+/$id/;
    }

    return $path;
}

sub body {
    my ($op, $request, $who) = @_;

    return Camera::Contract::Draw::body($request) unless $request->{recipe};
    return $m->_body($op, $request->{recipe}, $who,
        $m->{ids}{':cameraId'}{a});
}

# of a's own things for a field of that name, now and then of nobody's

sub id_of_field {
    my ($name) = @_;

    my $kind = $name =~ /group/i ? '/camera-groups/:id' : $name =~ /camera/i
        ? ':cameraId' : $name =~ /user/i ? '/users/:id' : '';

    return $kind && rand() < 0.8 ? $m->{ids}{$kind}{a} : random_uuid();
}

sub shrunk {
    my ($op, $request, $wrong) = @_;

    for (my $left = 60; $left > 0; $left--) {
        my ($smaller, $still) = (undef, undef);

        for (Camera::Contract::Draw::smaller($request)) {
            ($smaller, $still) = ($_, wrong($op, $_));
            last if $still;
        }

        last unless $still;
        ($request, $wrong) = ($smaller, $still);
    }

    return ($request->{why} // 'good') . " by $request->{who}{name}: $wrong\n"
        . substr $request->{text}, 0, 600;
}
