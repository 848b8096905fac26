#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the examples of openapi.yaml: every answer has one, and an error one
# for each code that it names; they are what their schemas say, and errors are
# what the server answers.

use strict;
use warnings;

use Camera::Contract;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
my $contract = Camera::Contract->new($t->root . '/openapi.yaml');
my %error = errors($t->read_file(
    $t->root . '/ngx_camera_api/ngx_camera_api_error.c'));

# what leads a browser back to the page, and what any request may end in

my %elsewhere = map { ($_ => 1) } qw(METHOD_NOT_ALLOWED REQUEST_TIMEOUT
    INTERNAL_ERROR STREAM_NODE_UNAVAILABLE), grep { /^OIDC_/ } keys %error;

my %shown;

###############################################################################

cmp_ok(scalar keys %error, '>', 30, 'errors were found in the sources');

for my $op ($contract->operations) {
    for my $status (@{ $op->{codes} }) {
        my $response = $contract->resolve($op->{raw}{responses}{$status});
        next unless $response->{content}{'application/json'};

        my @answers = $contract->answers($op, $status);
        my @wrong = map { $contract->complaints($op->{id}, $status, $_->{data}) }
            @answers;

        ok(scalar @answers, "$op->{id}, $status: an example");
        is("@wrong", '', "$op->{id}, $status: as its schema says");
        is_error($op->{id}, $status, $response, @answers) if $status >= 400;
    }
}

is_deeply([ grep { !$shown{$_} && !$elsewhere{$_} } sort keys %error ], [],
    'all errors');

$t->done_testing;

###############################################################################

# each of the codes that its description names, as it is answered

sub is_error {
    my ($id, $status, $response, @answers) = @_;

    my @named = sort grep { $error{$_} }
        $response->{description} =~ /`([A-Z_]+)`/g;
    my @is = map { told($_->{data}{error}) } @answers;

    is_deeply(\@is, [ map { [ $_, $status, $error{$_}{message} ] } @named ],
        "$id, $status: @named");
    is_deeply([ map { $_->{name} } @answers ], \@named, "$id, $status: by name");
    $shown{$_}++ for @named;
}

sub told {
    my ($told) = @_;

    my $code = $told->{code};

    return [ $code, $error{$code}{status}, $told->{message} ];
}

# rows of the table of errors: { CODE => { status, message } }

sub errors {
    my ($code) = @_;

    my %found;

    while ($code =~ /\{ (\d+), "([A-Z_]+)",((?:\s*"[^"]*")+) \}/g) {
        my ($status, $name, $texts) = ($1, $2, $3);
        $found{$name} = { status => $status,
            message => join('', $texts =~ /"([^"]*)"/g) };
    }

    return %found;
}
