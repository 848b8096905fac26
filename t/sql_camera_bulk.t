#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for adding many cameras by one statement: what happens to it beside
# another one.  Once, a deadlock of two was taken for the end of a dry run: one
# of them was answered as if all was well, and had added nothing.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));

$t->start_postgres;
$t->migrate;

my $owner = $t->pg_session('camera_owner');
my @api = map { $t->pg_session('camera_api') } 1, 2;
my $tenant = $owner->ask('SELECT default_tenant()');

$_->ask("SET app.tenant = '$tenant'") for @api;

###############################################################################

is($api[0]->ask(bulk('true', 'one', 'two')), "-\t-\n-\t-",
    'a dry run has no ids');
is(cameras(), 0, 'and adds nothing');

# each waits for the other's camera

$_->ask('BEGIN') for @api;
$api[0]->ask(bulk('false', 'one'));
$api[1]->ask(bulk('false', 'two'));
$api[0]->send(bulk('false', 'two'));
$t->wait_for(sub { $owner->ask("SELECT count(*) FROM pg_locks
    WHERE NOT granted") }, 5, 'one waits');
$api[1]->send(bulk('false', 'one'));

my @said = map { $_->answer } @api;
my @state = map { $_->state } @api;

is_deeply([ sort @state ], [ '00000', '40P01' ], 'one of them fails');
$_->ask('COMMIT') for @api;
is(cameras(), 2, 'the other one adds its cameras');

my ($done) = grep { $state[$_] eq '00000' } 0, 1;
like($said[$done], qr/^[0-9a-f-]{36}\t-$/, 'and has an id for each');

# the same by one that exists

is($api[0]->ask(bulk('false', 'one', 'three')) =~ s/[0-9a-f-]{36}/id/r,
    "-\tcameras_have_unique_serial_numbers\nid\t-",
    'one that is there keeps no other from being added');

$t->done_testing;

###############################################################################

sub bulk {
    my ($dry_run, @serials) = @_;

    my $rows = join ',', map { qq({"name": "$_", "serialNumber": "$_"}) }
        @serials;

    return "SELECT coalesce(id::text, '-'), coalesce(violated, '-')
        FROM api_camera_create_bulk('[$rows]', $dry_run) ORDER BY n";
}

sub cameras { $owner->ask('SELECT count(*) FROM cameras') }
