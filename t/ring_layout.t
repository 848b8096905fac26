#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for docs/ring.md: its tables of the header and of a configuration name
# every field of the code, with its offset and size.

use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;

my $dir = tempdir('camera-layout-XXXXXX', TMPDIR => 1, CLEANUP => 1);

my $format = slurp('common/ring_format.h');
my $page = slurp('docs/ring.md');

###############################################################################

my ($header) = $page =~ /^## Header\n(.*?)^A configuration/ms;
my ($config) = $page =~ /^A configuration(.*?)^## Records/ms;

is_deeply(rows($header), fields('cam_ring_header_t'), 'header');
is_deeply(rows($config), fields('cam_ring_config_t'), 'configuration');

done_testing;

###############################################################################

# "offset size field" of each row

sub rows {
    my ($text) = @_;

    return [map { /^\| (\d+) \| (\d+) \| `(\w+)` \|/ ? "$1 $2 $3" : () }
        split /\n/, $text];
}

# the same, by the compiler

sub fields {
    my ($type) = @_;

    my ($body) = $format =~ /typedef struct \{((?:(?!typedef).)*?)\} $type;/s
        or die "no $type";
    my @names = grep { !/^reserved/ }
        $body =~ /^    \w+ +(\w+)(?:\[[^\]]*\])?;/mg;
    my $code = qq{#include <stdio.h>\n#include "ring_format.h"\n}
        . "int main(void) {\n";

    for my $name (@names) {
        $code .= qq{printf("%zu %zu $name\\n", offsetof($type, $name),}
            . " sizeof((($type *) 0)->$name));\n";
    }

    open my $fh, '>', "$dir/$type.c" or die $!;
    print $fh "$code }\n";
    close $fh;

    system("cc -Icommon -o $dir/$type $dir/$type.c") == 0 or die 'cc';

    return [split /\n/, `$dir/$type`];
}

sub slurp {
    my ($path) = @_;

    open my $fh, '<', $path or die "$path: $!";
    local $/;

    return scalar <$fh>;
}
