package Camera::Docs;

# Copyright (C) The nginx camera platform authors

# The commands of a page in docs/, for tests that run them.

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(commands);

=head1 NAME

Camera::Docs - pages of docs/ as their tests see them

=head1 SYNOPSIS

    my @blocks = commands($t->read_file($t->root . '/docs/api.md'));

=head1 FUNCTIONS

=over

=item commands($page)

Its blocks that are indented by four, without that, but for those of JSON.

=cut

sub commands {
    my ($page) = @_;

    my @found;

    for my $part (split /\n(?=\S)/, $page) {
        my @lines = map { s/^ {4}//r } grep { /^ {4}|^$/ } split /\n/, $part;
        my $block = join "\n", @lines;
        push @found, $block if $block =~ /\S/ && $block !~ /^\s*\{/;
    }

    return @found;
}

=back

=cut

1;
