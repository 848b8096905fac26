#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for docs/cli.md: every command and option of bin/camera is there, and
# none that is not.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without('cli');

###############################################################################

my $page = $t->read_file($t->root . '/docs/cli.md');
my $camera = $t->program('camera');
my @commands = $t->run($camera, 'help') =~ /^  (\S+)/mg;

cmp_ok(scalar @commands, '>', 10, 'commands');

my %known = map { $_ => 1 } qw(--env --json);

for my $command (@commands) {
    like($page, qr/\*\*`\Q$command\E\b/, $command);

    my ($usage) = split /\n\n/, $t->run($camera, $command, '--help');
    $known{$_} = 1 for $usage =~ /(--[a-z][a-z-]*)/g;
}

my %described = map { $_ => 1 } $page =~ /(--[a-z][a-z-]*)/g;

is_deeply([ sort keys %described ], [ sort keys %known ], 'options');

my %section = map { $_ => 1 } $page =~ /\*\*`([a-z-]+)/g;

is_deeply([ sort keys %section ], [ sort @commands ], 'no command is made up');

$t->done_testing;
