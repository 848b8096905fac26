#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for docs/operations.md: the messages it explains are those that are
# printed, and the settings it names are those that are read.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
my $page = $t->read_file($t->root . '/docs/operations.md');

my $sources = join '', map { $t->read_file($_) } grep { -f }
    map { glob $t->root . "/$_" } qw(deploy/* deploy/image/* deploy/lib/Run/*.pm
        ngx_camera_module/*.c ngx_camera_api/*.c camera_cli/*.c camera_worker/*.c
        html/src/watch/*.ts);
$sources =~ s/["']\s*\n\s*(?:\. )?["']//g;            # strings over two lines
$sources =~ s/\\"/"/g;

# what nginx, its loader and FFmpeg say themselves
my $foreign = qr/^(?:undefined symbol|module "|bind\(\) to|Server error)/;

###############################################################################

my ($messages) = $page =~ /^## Messages.*?\n(.*)/ms;
my @texts = map { /`([^`]+)`/g } $messages =~ /^\*\*(.*?)(?:\n|\z)/mg;
push @texts, $messages =~ /^\*\*The page says "(.*?)"/mg;

cmp_ok(@texts, '>', 12, 'messages');

for my $text (grep { !/$foreign/ } @texts) {
    my @parts = grep { length > 3 } split /\.\.\.|"|\bN(?:AME)?\b|\b\d+\b/,
        $text;
    my @lost = grep { index($sources, s/^[\s:;()]+|[\s:;()]+$//gr) < 0 } @parts;

    is("@lost", '', $text);
}

for my $name (qw(HTTP_PORT HTTPS_PORT RTMPS_PORT RTMP_PORT VAR DATABASE_URL
    APP_DATABASE_URL))
{
    like($page, qr/`$name[=`]/, "$name is explained");
    like($sources, qr/\b$name\b/, "$name is read");
}

$t->done_testing;
