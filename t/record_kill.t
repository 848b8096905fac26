#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for deaths: kill -9 of the recorder, of the packager and of the master
# at any moment.  What was recorded stays good, recording goes on in the same
# file, and no frame that the live store still has is lost or there twice.

use strict;
use warnings;

use Camera::Live;
use Test::More;
use Time::HiRes qw(sleep);

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my $id = $t->camera;
my $deaths = $t->soak ? 200 : 8;

###############################################################################

# the recorder alone: nothing at all is lost

$t->start_recorder(length => 10);
$t->wish($id);

my $feed = $t->feed({ speed => 1 }, 'small', '--loop=1000');
$t->wait_for(sub { ($t->record_state($id) // {})->{state} == 1 }, 10,
    'recording');

my ($killed, $files) = (0, 0);

for (1 .. $deaths) {
    my $pid = $t->wait_for(sub { $t->recorder }, 5, 'the recorder');
    sleep rand($t->soak ? 2 : 1);
    $killed += kill 'KILL', $t->recorder // 0;
    $t->wait_for(sub { ($t->recorder // $pid) != $pid }, 5, 'another one');
}

is($killed, $deaths, "killed $killed times");

my $before = $t->record_state($id)->{end};
$t->wait_for(sub { $t->record_state($id)->{end} > $before }, 10, 'goes on');

is(join("\n", $t->check_recordings(decode => 0)), '', 'all is right');
is(whole($t->recordings($id)), '', 'no frame is lost, none is there twice');
is(scalar(grep { $_->{why} && $_->{why} ne 'hour' } $t->journal), 0,
    'no file was ended by a death');
is(scalar(grep { $_->{n} eq 'gap' && $_->{cause} ne 'network' } $t->journal),
    0, 'no gap');

# the packager: package_kill.t counts its frames

for (1 .. $deaths / 4) {
    sleep rand 1;
    my ($pid) = grep { Camera::Test::Recorder::comm($_) eq 'package/0' }
        Camera::Process::children($t->worker->pid);
    kill 'KILL', $pid;
    $before = $t->index->{next_msn};
    $t->wait_index(sub { $_[0]{next_msn} > $before }, 10);
}

# the master: the next one goes on

for (1 .. $deaths / 4) {
    sleep rand 1;
    $t->worker->signal('KILL');
    $t->worker->wait(5);
    $t->start_recorder(length => 10);
    $before = $t->index->{next_msn};
    $t->wait_index(sub { $_[0]{next_msn} > $before }, 10);
}

$before = $t->record_state($id)->{end};
$t->wait_for(sub { $t->record_state($id)->{end} > $before }, 10, 'goes on');
$t->wish($id, want => 0);
$t->wait_for(sub { $t->record_state($id)->{state} == 0 }, 10, 'idle');
is($t->worker->stop, 0, 'stopped');

is(join("\n", $t->check_recordings), '', 'all is right');

is(join("\n", twice($t->recordings($id))), '',
    'no fragment is there twice, and files are named in their order');
is(join("\n", ahead($t->recordings($id))), '', 'nor is any ahead of the clock');
is(scalar(grep { $_->{n} eq 'close' && $_->{why} eq 'clock' } $t->journal), 0,
    'which nobody took for one that was set');

$feed->stop;
$t->done_testing;

###############################################################################

# parts of the store, in order and without one missing, over all files

sub whole {
    my @parts = map { @{ $_->{fragments} } } @_;

    for my $i (1 .. $#parts) {
        my ($last, $next) = @parts[$i - 1, $i];
        return "$last->{msn}.$last->{part} is followed by "
            . "$next->{msn}.$next->{part}"
            if !($next->{msn} == $last->{msn}
                 && $next->{part} == $last->{part} + 1
                 || $next->{msn} == $last->{msn} + 1 && $next->{part} == 0);
    }

    return @parts > 10 ? '' : 'too few';
}

# fragments that are in two places, or before an earlier one.  Deaths of the
# packager once drove recorded times ahead of the clock, until a file was named
# before the one that it followed

sub twice {
    my (%seen, @wrong);
    my $last = -1;

    for my $file (@_) {
        for (@{ $file->{fragments} }) {
            my $at = $_->{msn} * 100 + $_->{part};
            push @wrong, "$file->{name}: $_->{msn}.$_->{part}"
                if $seen{$at}++ || $at <= $last;
            $last = $at;
        }
    }

    return @wrong;
}

# fragments that begin later than their file was written to last

sub ahead {
    return map {
        my $file = $_;
        my $written = (stat $file->{file})[9] * 1000 + 1000;
        map { "$file->{name}: $_->{msn}.$_->{part}" }
            grep { $_->{wall} > $written } @{ $file->{fragments} };
    } @_;
}
