#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the ring's memory order: a writer and two readers in one address
# space under ThreadSanitizer, and the same with one store of the writer made
# an ordinary one, which it must notice: else it would see nothing at all.

use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;

my $clang = $ENV{CLANG} || 'clang-14';
my $dir = tempdir('camera-tsan-XXXXXX', TMPDIR => 1, CLEANUP => 1);

plan skip_all => "no $clang" if system("$clang --version >/dev/null 2>&1");
plan skip_all => 'ThreadSanitizer does not run here' if !works();

###############################################################################

my @sources = (glob('common/ring_*.c'), 'common/dir.c', 'common/uuid.c');

my $out = tsan(@sources);
like($out, qr/^ok 1 - threads/m, 'threads');
unlike($out, qr/WARNING: ThreadSanitizer/, 'no race');

$out = tsan(map { m{ring_write\.c} ? broken($_) : $_ } @sources);
like($out, qr/WARNING: ThreadSanitizer: data race/, 'a race is seen');

done_testing;

###############################################################################

sub tsan {
    my (@files) = @_;

    my $command = "$clang -D_GNU_SOURCE -Icommon -O1 -g -fsanitize=thread"
        . " -o $dir/threads t/unit/ring_threads.c @files -lcmocka -lpthread";
    my $built = `$command 2>&1`;

    return $? ? $built : `$dir/threads 2>&1`;
}

# the writing half with its words stored as any others

sub broken {
    my ($file) = @_;

    open my $in, '<', $file or die $!;
    open my $out, '>', "$dir/broken.c" or die $!;

    my $changed = 0;

    while (my $line = <$in>) {
        $changed += $line =~ s/cam_ring_store\(g->dst\+\+,/*g->dst++ = (/;
        print $out $line;
    }

    close $out;
    cmp_ok($changed, '>', 0, 'stores to break');

    return "$dir/broken.c";
}

sub works {
    open my $fh, '>', "$dir/main.c" or die $!;
    print $fh "int main(void) { return 0; }\n";
    close $fh;

    return !system("$clang -fsanitize=thread -o $dir/main $dir/main.c"
        . " && $dir/main");
}
