#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for what reads bytes of others: each fuzz target of t/fuzz, run for a
# moment under AddressSanitizer and UndefinedBehaviorSanitizer.  `make fuzz`
# runs them for longer and keeps what it learnt.

use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;

my $clang = $ENV{CLANG} || 'clang-14';
plan skip_all => "no $clang" if system("$clang --version >/dev/null 2>&1");

my $seconds = $ENV{CAMERA_SOAK} ? 120 : 3;
my $dir = tempdir('camera-fuzz-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my @names = map { m{([^/]+)\.c$} } glob('t/fuzz/*.c');

delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
my $out = `make -s fuzz-build 2>&1`;
is($?, 0, 'build') or diag($out);

###############################################################################

# two at a time: that is what a small machine has

while (my @pair = splice(@names, 0, 2)) {
    my %running = map { $_ => fuzz($_) } @pair;

    for my $name (@pair) {
        waitpid($running{$name}, 0);
        is($?, 0, $name) or diag(tail("$dir/$name.log"));
    }
}

done_testing;

###############################################################################

sub fuzz {
    my ($name) = @_;

    mkdir "$dir/$name";

    my $pid = fork;
    die "fork: $!" if !defined $pid;
    return $pid if $pid;

    open STDOUT, '>', "$dir/$name.log" or die $!;
    open STDERR, '>&', \*STDOUT or die $!;

    exec "build/fuzz/$name", "-max_total_time=$seconds", '-timeout=10',
        "-artifact_prefix=build/fuzz/$name.", "$dir/$name";
    exit 127;
}

sub tail {
    my ($file) = @_;

    open my $fh, '<', $file or return "no $file";
    my @lines = <$fh>;

    return join '', @lines[($#lines > 50 ? $#lines - 50 : 0) .. $#lines];
}
