#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the whole way of a frame: published by ffmpeg over RTMPS, through
# nginx and the ring into the live store.  What lies there is what was sent.

use strict;
use warnings;

use Camera::Live;
use Camera::Stopwatch;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Live->new(workers => 2);
$t->skip_without(qw(nginx postgres ffmpeg worker camera_rtmps));

###############################################################################

$t->start_all;

my %publish = (
    plain => { clip => 'small' },
    bframes => { clip => 'bframes' },
    silent => { clip => 'noaudio' },
);
$t->clip($_->{clip}) for values %publish;    # what is not there yet takes its time
my %camera = map { $_ => $t->add_camera(name => $_) } sort keys %publish;
my %publisher = map {
    $_ => $t->publish($camera{$_}, rtmps => 1, loop => 0,
        input => [qw(-t 8)], %{ $publish{$_} })
} sort keys %publish;

my $started = time;
my $watch = Camera::Stopwatch->start;
my $index = $t->wait_index(sub { $_[0]{segments}[0] }, 5, $camera{plain}{id});

cmp_ok($watch->seconds, '<', 3, 'first part within three seconds');
my $slack = time - $started - $watch->seconds;
is($index->{state}, 1, 'live');

$publisher{$_}->wait(20) for sort keys %publish;

for my $name (sort keys %publish) {
    my $id = $camera{$name}{id};
    my ($run, @more) = $t->runs($index = $t->ended($id), $id);

    is(@more, 0, "$name: one init");
    is($run->{errors}, '', "$name: decodes");
    is(join("\n", $t->check_index($index, $id)), '', "$name: index");
    my @frames = $t->frame_numbers($run->{file});
    cmp_ok(scalar(@frames), '>=', 119, "$name: frames");
    is_deeply([@frames[0 .. 117]], [0 .. 117], "$name: each frame once");
    is((grep { $_->{discontinuity} } @{ $index->{segments} }), 0,
        "$name: no discontinuity");
    is($run->{init}{has_audio}, $name eq 'silent' ? 0 : 1, "$name: sound");
    is($run->{init}{b_frames}, $name eq 'bframes' ? 1 : 0, "$name: order");
    cmp_ok(abs($index->{segments}[0]{wall} / 1000 - $started), '<', 3 + $slack,
        "$name: wall clock");
}

# the camera comes again: another generation, the same numbers

my $id = $camera{plain}{id};
my $before = $t->index($id);

$t->publish($camera{plain}, rtmps => 1, clip => 'small');
$index = $t->wait_index(sub { $_[0]{next_msn} > $before->{next_msn} }, 5, $id);

my ($new) = grep { $_->{msn} == $before->{next_msn} } @{ $index->{segments} };

is($new->{discontinuity}, 1, 'reconnect: discontinuity');
is($new->{init}, $before->{segments}[0]{init}, 'reconnect: same init');
cmp_ok($index->{generation}, '>', $before->{generation},
    'reconnect: generation');

is(join("\n", $t->alerts), '', 'no alert');

$t->done_testing;
