#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for docs/security.md: each row of the threat model names a control and
# tests that there are.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
my @rows = grep { /^\|/ && !/^\|(?: who |---)/ }
    split /\n/, $t->read_file($t->root . '/docs/security.md');

###############################################################################

cmp_ok(scalar @rows, '>', 20, 'rows were found');

for my $row (@rows) {
    my (undef, $who, $tries, $control, $tests) = split /\s*\|\s*/, $row;
    my @tests = ($tests // '') =~ /`(\w+\.t)`/g;

    ok(@tests && length $control, "$who: $tries");
    is(join(' ', grep { !-e $t->root . "/t/$_" } @tests), '', 'its tests');
}

$t->done_testing;
