#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for docs/directives.md: it has every directive of the command tables,
# in the contexts they name, and none besides.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my %contexts = (
    NGX_MAIN_CONF      => 'main',
    NGX_CAMERA_CONF    => 'camera',
    NGX_RTMP_MAIN_CONF => 'rtmp',
    NGX_RTMP_SRV_CONF  => 'server',
    NGX_RTMP_APP_CONF  => 'application',
    NGX_HTTP_MAIN_CONF => 'http',
    NGX_HTTP_SRV_CONF  => 'server',
    NGX_HTTP_LOC_CONF  => 'location',
    NGX_HTTP_LIF_CONF  => 'if in location',
);

my $t = Camera::Test->new;
my @in_code = map { directives_of_code($t->read_file($_)) }
    glob $t->root . '/ngx_camera_*/*.c';
my @sections = sections($t->read_file($t->root . '/docs/directives.md'));
my @in_docs = map { "$_->{name} ($_->{context})" } @sections;

###############################################################################

cmp_ok(@in_code, '>', 8, 'directives were found in the sources');
is_deeply([ sort @in_docs ], [ sort @in_code ], 'directives and contexts');

for my $section (@sections) {
    my $name = $section->{name};

    like($section->{syntax}, qr/^`$name\b.*`$/, "$name has its syntax");
    like($section->{default}, qr/^(?:none\b.*|`$name .*`)$/,
        "$name has its default");
    like($section->{text}, qr/^[A-Z][^\n]{20,}/m, "$name is explained");
    like($section->{text}, qr/^ {4}.*\b$name\b/m, "$name has an example");
}

$t->done_testing;

###############################################################################

sub directives_of_code {
    my ($text) = @_;

    my @found;

    while ($text =~ /\{\s*ngx_string\("(\w+)"\),\s*
                     ((?:NGX_[A-Z0-9_]+_CONF|[|\s]|NGX_CONF_\w+)+),/xg)
    {
        my ($name, $flags) = ($1, $2);
        my @where = map { $contexts{$_} // () } split /[|\s]+/, $flags;
        push @found, "$name (" . join(', ', @where) . ')' if @where;
    }

    return @found;
}

sub sections {
    my ($text) = @_;

    my @found;

    for my $part (split /^(?=###? )/m, $text) {
        my ($name) = $part =~ /^### (\w+)\n/ or next;

        my %line;

        $line{ lc $1 } = $2
            while $part =~ /^- (Syntax|Default|Context): (.*)$/mg;
        push @found, { name => $name, text => $part, syntax => '',
            default => '', context => '', %line };
    }

    return @found;
}
