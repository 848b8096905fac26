#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what a request may not set: fields that nobody is to assign, put into
# every body that the contract has, are refused and change nothing; arguments
# likewise.

use strict;
use warnings;

use Camera::Matrix;
use Camera::Test;
use Camera::Token qw(random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api(Camera::Matrix->conf);

my $m = Camera::Matrix->new($t);
my ($admin) = grep { $_->{name} eq 'admin of a' } $m->principals;
my @operations = $m->{contract}->operations;

# in the spelling of the API, and in that of the database

my %field = (
    id => random_uuid(), tenantId => $m->{b}{id}, tenant_id => $m->{b}{id},
    userId => random_uuid(), user_id => random_uuid(), createdBy => 'root',
    role => 'admin', permissions => ['*'], isAdmin => JSON::PP::true,
    createdAt => '2020-01-01T00:00:00Z', updatedAt => '2020-01-01T00:00:00Z',
    deletedAt => undef, passwordHash => '$2b$12$' . 'x' x 53, version => 1,
    '__proto__' => { role => 'admin' }, "name\0" => 'x', ' name' => 'x',
);

###############################################################################

my $before = $m->sums;

for my $op (grep { $_->{body} } @operations) {
    my $known = $op->{body}{properties} // {};
    my @wrong;

    for my $name (sort grep { !$known->{$_} } keys %field) {
        my $r = put($op, { $name => $field{$name} });
        push @wrong, "$name: $r->{status}" if $r->{status} != 400;
    }

    is("@wrong", '', "$op->{id}: fields that nobody assigns");
}

for my $op (@operations) {
    my @wrong;

    for my $name (grep { !$op->{query}{$_} } qw(tenantId role tenant_id)) {
        my $r = $m->request($op->{method}, path($op, "$name=$m->{b}{id}"),
            $admin->{headers}, $op->{body} ? '{}' : undef);
        push @wrong, "$name: $r->{status}" if $r->{status} != 400;
    }

    is("@wrong", '', "$op->{id}: arguments that nobody gives")
        unless $op->{body} || $op->{good} =~ /^(?:101|302)$/ || $op->{endless};
}

is_deeply($m->sums, $before, 'and nothing was changed');

$t->done_testing;

###############################################################################

# the example of the contract and one more field

sub put {
    my ($op, $more) = @_;

    my $case = { op => $op, who => $admin, id => 'own', expect => 400 };
    local $op->{example} = { %{ $op->{example} // {} }, %$more };
    local $Camera::Matrix::Recipes::requests{ $op->{id} }{body} =
        $Camera::Matrix::Recipes::requests{ $op->{id} }{body} // {};

    return $m->ask($case);
}

sub path {
    my ($op, $query) = @_;

    my ($path) = $m->_path($op, $admin, 'own', 0);
    $path = "/api/v1$path" unless $path =~ m{^/api/};

    return $path . ($path =~ /\?/ ? '&' : '?') . $query;
}
