package Camera::Live;

# Copyright (C) The nginx camera platform authors

# Tests of camera-worker without nginx: ring_feed plays a clip into a ring,
# the worker packages it, and what lies in the live store is put together and
# decoded, as a player would.

use strict;
use warnings;

use parent 'Camera::Test';

use File::Path qw(make_path);
use JSON::PP qw(decode_json);
use Test::More ();
use Time::HiRes qw(sleep);

=head1 NAME

Camera::Live - Camera::Test for the live store

=head1 SYNOPSIS

    my $t = Camera::Live->new;
    $t->skip_without(qw(worker ffmpeg));

    $t->start_worker;
    $t->feed('default', '--jump-at=5000', '--jump-by=60000')->wait(20);
    my $index = $t->ended;
    my ($run) = $t->runs($index);
    is($run->{errors}, '', 'decodes');

=head1 METHODS

=over

=item new, camera

A private C<shm> with the directories that nginx would have made; the id of
the one camera that C<feed()> publishes unless told otherwise.

=cut

sub new {
    my ($class, %opt) = @_;

    my $self = $class->SUPER::new(%opt);
    $self->{camera} = '0e8a3c7e-52c1-4f57-9f3d-6a1b1c2d3e4f';

    make_path(map { "$self->{shm}/$_" } qw(live rings));
    $self->give_to_service($self->{shm}, map { "$self->{shm}/$_" }
        qw(live rings));

    return $self;
}

sub camera { $_[0]{camera} }

=item feed([\%options,] $clip, @arguments)

=item feed_files(\%options, \@paths, @arguments)

Starts ring_feed; $clip is one name of a clip or several, separated by commas.
C<speed> is 10 times real time, C<camera> another camera's id, C<env> for its
environment.

=cut

sub feed {
    my ($self, @args) = @_;

    my $opt = ref $args[0] ? shift @args : {};
    my $clips = shift @args;

    return $self->feed_files($opt, [map { $self->clip($_) } split /,/, $clips],
        @args);
}

sub feed_files {
    my ($self, $opt, $files, @args) = @_;

    return Camera::Process->start(
        { log => "$self->{dir}/feed." . ++$self->{feeds} . '.out',
          name => 'ring_feed', user => 'www-data', env => $opt->{env} },
        $self->root . '/build/t/tool/ring_feed', '-s', $self->{shm},
        '-c', $opt->{camera} // $self->{camera}, '-x', $opt->{speed} // 10,
        @args, @$files);
}

=item index([$camera])

The live index, undef when there is none that can be read.

=cut

sub index {
    my ($self, $camera) = @_;

    my $text = $self->run({ may_fail => 1 },
        $self->root . '/build/t/tool/live_dump', $self->{shm},
        $camera // $self->{camera});

    return $text =~ /^\{/ ? decode_json($text) : undef;
}

=item wait_index(\&condition, $seconds [, $camera])

Waits until the condition, called with the index, holds; answers the index.

=cut

sub wait_index {
    my ($self, $condition, $seconds, $camera) = @_;

    my $index;

    $self->wait_for(sub {
        $index = $self->index($camera);
        $index && $condition->($index);
    }, $seconds, 'the live index');

    return $index;
}

=item ended([$camera])

The index once the publication has been packaged to its end.

=cut

sub ended {
    my ($self, $camera) = @_;

    return $self->wait_index(sub { $_[0]{state} == 2 }, 10, $camera);
}

=item runs($index [, $camera])

The segments by init version, oldest first, decoded: each run has C<init>,
C<segments>, C<file>, C<errors> (of the decoder), C<video> and C<audio> (the
packets' [dts, pts, duration] in seconds).

=cut

sub runs {
    my ($self, $index, $camera) = @_;

    my $dir = "$self->{shm}/live/" . ($camera // $self->{camera});
    my %init = map { $_->{version} => $_ } @{ $index->{inits} };
    my @runs;

    for my $segment (@{ $index->{segments} }) {
        push @runs, { init => $init{ $segment->{init} }, segments => [] }
            if !@runs || $runs[-1]{init}{version} != $segment->{init};
        push @{ $runs[-1]{segments} }, $segment;
    }

    for my $i (0 .. $#runs) {
        my $run = $runs[$i];
        $run->{file} = "$self->{dir}/run.$i.mp4";
        $self->write_file($run->{file}, join '',
            map { $self->read_file("$dir/$_") }
            "init.$run->{init}{version}.mp4",
            map { "$_->{msn}.m4s" } @{ $run->{segments} });
        $self->_decode($run);
    }

    return @runs;
}

sub _decode {
    my ($self, $run) = @_;

    $run->{errors} = $self->run({ may_fail => 1 }, qw(ffmpeg -nostdin
        -loglevel warning -xerror -i), $run->{file}, qw(-f null -));
    @$run{qw(video audio)} = ([], []);

    my $text = $self->run({ may_fail => 1 }, 'ffprobe', '-loglevel', 'error',
        '-show_entries', 'packet=codec_type,dts_time,pts_time,duration_time',
        '-of', 'csv=p=0', $run->{file});

    for (split /\n/, $text) {
        my ($type, $pts, $dts, $duration) = split /,/;
        $duration = 0 if $duration eq 'N/A';
        push @{ $run->{$type} }, [$dts, $pts, $duration] if $run->{$type};
    }
}

=item check_index($index)

Answers what is wrong with it, one line each: durations above the target, a
gap in the numbers, files whose length differs, parts that are too long.

=cut

sub check_index {
    my ($self, $index, $camera) = @_;

    my $dir = "$self->{shm}/live/" . ($camera // $self->{camera});
    my ($msn, @wrong);

    for my $s (@{ $index->{segments} }) {
        push @wrong, "$s->{msn} does not follow $msn"
            if defined $msn && $s->{msn} != $msn + 1;
        $msn = $s->{msn};

        push @wrong, "$msn lasts $s->{duration} us"
            if int($s->{duration} / 1e6 + 0.5) * 1000 > $index->{target};
        push @wrong, "$msn has a part that is too long"
            if grep { $_->{duration} > $index->{part_target} * 1000 }
                @{ $s->{parts} };
        push @wrong, "$msn has $s->{size} bytes, its file " . -s _
            if !-e "$dir/$msn.m4s" || -s _ < $s->{size}
                || $s->{complete} && -s _ != $s->{size};
    }

    return @wrong;
}

=item gaps(@packets)

How many packets do not start where the one before has ended, within 2 ms,
and how many go back.

=cut

sub gaps {
    my ($self, @packets) = @_;

    my ($gaps, $back) = (0, 0);

    for my $i (1 .. $#packets) {
        my ($start, undef, $duration) = @{ $packets[$i - 1] };
        $gaps++ if $duration
            && abs($packets[$i][0] - $start - $duration) > 0.002;
        $back++ if $packets[$i][0] <= $packets[$i - 1][0];
    }

    return ($gaps, $back);
}

=item worker_log, alerts

What camera-worker has said; its lines of level alert.

=cut

sub worker_log { $_[0]->read_file("$_[0]{dir}/worker.log") }

sub alerts { grep { /\] alert: / } split /\n/, $_[0]->worker_log }

=back

=cut

1;
