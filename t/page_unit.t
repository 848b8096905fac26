#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the parts of the page that need no browser: html/test/*.test.ts,
# whose results are handed on one by one.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
my $vitest = $t->root . '/html/node_modules/.bin/vitest';

plan(skip_all => 'no Node.js') unless `node --version 2>/dev/null`;
plan(skip_all => 'packages are not installed') unless -x $vitest;
plan(skip_all => 'types are not made')
    unless -e $t->root . '/html/src/contract.gen.ts';

###############################################################################

chdir $t->root . '/html' or die "chdir() failed: $!\n";
open my $out, '-|', $vitest, 'run', '--reporter=tap-flat'
    or die "vitest did not start: $!\n";
my @lines = <$out>;
close $out;
my $status = $?;

for (@lines) {
    if (/^(not )?ok \d+ - (.*?)(?: # time=\S+)?$/) {
        ok(!$1, $2);
    } elsif (/^\s+\S/) {
        diag($_ =~ s/\n//r);
    }
}

is($status, 0, 'nothing else went wrong');
cmp_ok(scalar(grep { /^ok / } @lines), '>', 60, 'all files were read');

$t->done_testing;
