#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a disk that fails: what was not durable is taken from the live store
# once more into another file, the journal tells of nothing that may be lost,
# and an alert is there as long as it lasts.

use strict;
use warnings;

use Camera::Live;
use Camera::Shim;
use Errno qw(EIO);
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my $shim = Camera::Shim->new($t, disk => 'record/');
my $id = $t->camera;

###############################################################################

$t->start_recorder(length => 3600, env => $shim->env);
$t->wish($id);

my $feed = $t->feed({ speed => 1 }, 'small', '--loop=1000');
ok($t->goes_on($id), 'recording');

# a sync of the disk fails, while all files are good: nothing changes

$shim->set(sync_errno => EIO, sync_fails => 1);
$t->wait_for(sub { $shim->get('sync_fails') == 0 }, 10, 'a sync that fails');
ok($t->goes_on($id), 'sync of the disk: goes on');
is(files(), 1, 'sync of the disk: same file');

# that of the file, too; then a write

fails('sync of the file', sync_fails => 2);
fails('write', write_errno => EIO, write_fails => 1);

# nothing can be written for a while

$shim->set(write_fails => 1_000_000);
my $before = $t->index->{next_msn};
$t->wait_for(sub { $t->record_state($id)->{state} == 4 }, 5, 'the state');
is($t->record_state($id)->{state}, 4, 'all writes: said in the table');
$t->wait_index(sub { $_[0]{next_msn} > $before }, 5);
cmp_ok($t->index->{next_msn}, '>', $before, 'all writes: live goes on');
$shim->set(write_fails => 0);
ok($t->goes_on($id), 'all writes: goes on');

# what is there in the end

$t->wish($id, want => 0);
$t->wait_for(sub { grep { ($_->{why} // '') eq 'stop' } $t->journal }, 10,
    'the end');
$feed->stop;

is($t->missing_parts($id), '', 'every part of the store');
cmp_ok($t->repeated_parts($id), '<=', 3 * 4,
    'twice at most what a segment had when it failed');
is(join("\n", $t->check_recordings), '', 'files, indexes and journal agree');
like($t->worker_log, qr/syncfs\(.*\) failed/, 'logged');
is(join("\n", $t->alerts), '', 'nobody died');

$t->done_testing;

###############################################################################

sub fails {
    my ($name, @how) = @_;

    my ($lines, $files) = (scalar(() = $t->journal), files());
    my $old = ($t->recordings($id))[-1];
    my @new;

    $shim->set(@how);
    ok($t->wait_for(sub { files() > $files }, 15), "$name: another file");
    ok($t->goes_on($id), "$name: goes on");
    ok($t->wait_for(sub {
        @new = $t->journal;
        splice @new, 0, $lines;
        grep { $_->{n} eq 'calm' && $_->{type} eq 'recording_failed' } @new;
    }, 10), "$name: calm again");

    my ($close) = grep { $_->{n} eq 'close' } @new;

    is("$close->{id} $close->{why}", "$old->{recording} error",
        "$name: the old one is closed for the error");
    is((grep { $_->{n} eq 'alert' && $_->{type} eq 'recording_failed' } @new),
        1, "$name: alert");
}

sub files { return scalar(() = $t->recordings($id)) }
