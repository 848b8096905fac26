#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the API's documentation at /docs in a real headless Chromium: it
# shows every operation of openapi.yaml under the policy that the server sends,
# and talks to nobody else.

use strict;
use warnings;

use Camera::Contract;
use Camera::Test;
use Camera::Test::Browser;
use Camera::Test::Run;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations worker cli));
plan(skip_all => 'no Chromium') unless Camera::Test::Browser->available;
plan(skip_all => 'no page') unless -e $t->root . '/html/dist/docs.html';

my @operations = Camera::Contract->new($t->root . '/openapi.yaml')->operations;
my $run = Camera::Test::Run->start($t);
$run->wait_ready or BAIL_OUT($run->log);
my $base = 'http://127.0.0.1:' . $run->port('HTTP_PORT');

###############################################################################

my $r = $run->get('/openapi.yaml');
is($r->{status}, 200, 'the contract');
is($r->{headers}{'content-type'}, 'application/yaml', 'its type');
is($r->{body}, $t->read_file($t->root . '/openapi.yaml'), 'as it is');

my $browser = Camera::Test::Browser->start($t);
$browser->open("$base/docs");

ok($t->wait_for(sub { shown() == @operations }, 20, 'operations'),
    'every operation is shown');
like($browser->script('return document.querySelector(".title").textContent'),
    qr/^Camera platform/, 'under its title');
is_deeply($browser->script(<<'END'), [], 'nothing came from elsewhere');
return performance.getEntriesByType("resource").map((e) => e.name)
    .filter((name) => !name.startsWith(location.origin)
        && !name.startsWith("data:"));
END

$t->done_testing;

###############################################################################

sub shown {
    return $browser->script(
        'return document.querySelectorAll(".opblock").length');
}
