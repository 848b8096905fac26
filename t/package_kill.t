#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for frames over deaths: the packager and its master are killed, and
# stopped, at any moment.  Every frame is packaged and recorded once, counted by
# the numbers in the pictures; once, each death packaged the newest group of
# pictures a second time, and dropped the one that had not become a part.

use strict;
use warnings;

use Camera::Live;
use Test::More;
use Time::HiRes qw(sleep);

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my $id = $t->camera;
my $deaths = $t->soak ? 100 : 5;
my $restarts = $t->soak ? 20 : 1;
my $frames = 300;               # of a clip, which is played again and again

###############################################################################

$t->clip('small');
recorder();
$t->wish($id, from => 1);

my $feed = $t->feed({ speed => 2 }, 'small', '--loop=1000');
$t->wait_index(sub { $_[0]{next_msn} && $_[0]{segments}[1] }, 10);

for (1 .. $deaths) {
    sleep rand 0.6;
    kill 'KILL', packager();
    goes_on();
}

for (1 .. $restarts) {
    sleep rand 0.6;
    $t->worker->signal('KILL');
    $t->worker->wait(5);
    recorder();
    goes_on();
}

for (1 .. $restarts) {
    sleep rand 0.6;
    is($t->worker->stop, 0, 'stopped');
    recorder();
    goes_on();
}

$feed->stop;

my $index = $t->ended;
my $last = $index->{segments}[-1]{msn};
$t->wait_for(sub { (($t->recordings($id))[-1]{fragments}[-1] // {})->{msn}
    == $last }, 10, 'the last segment');

# the recordings have every frame

my @numbers = map { $t->frame_numbers($_->{file}) } $t->recordings($id);

cmp_ok(@numbers, '>', 100, @numbers . ' frames were recorded');
is(join("\n", steps(@numbers)), '', 'each once, in its order');
is(join("\n", $t->check_recordings), '', 'files, indexes and journal agree');
is((grep { $_->{n} eq 'gap' } $t->journal), 0, 'no gap');

# and the live store has what a player sees as one stream

is((grep { $_->{discontinuity} } @{ $index->{segments} }), 0,
    'no discontinuity');
is(join("\n", $t->check_index($index)), '', 'its index is right');

my @runs = $t->runs($index);

is(@runs, 1, 'one configuration');
is($runs[0]{errors}, '', 'it decodes');
is(join("\n", steps($t->frame_numbers($runs[0]{file}))), '',
    'pictures follow each other');
is_deeply([$t->gaps(@{ $runs[0]{audio} })], [0, 0], 'so does sound');

$t->done_testing;

###############################################################################

sub recorder { $t->start_recorder(length => 10) }

sub packager {
    return grep { (Camera::Test::Recorder::comm($_) // '') eq 'package/0' }
        Camera::Process::children($t->worker->pid);
}

sub goes_on {
    my $before = parts($t->index);
    $t->wait_index(sub { parts($_[0]) > $before }, 10);
}

sub parts {
    my ($index) = @_;

    my $segment = $index->{segments}[-1];

    return $segment->{msn} * 100 + @{ $segment->{parts} };
}

# frames that do not follow the one before

sub steps {
    my (@numbers) = @_;

    return map { "frame $numbers[$_ - 1] is followed by $numbers[$_]" }
        grep { $numbers[$_] != ($numbers[$_ - 1] + 1) % $frames }
        1 .. $#numbers;
}
