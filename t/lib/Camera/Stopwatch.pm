package Camera::Stopwatch;

# Copyright (C) The nginx camera platform authors

# Seconds of a machine that others use, too: time in which some process was ready
# and had no processor (PSI, or the hypervisor's steal) is theirs and does not
# count, up to most of it.  On an idle machine a second is a second, on any other
# what is measured is what we take ourselves, and what is waited for has the time
# that it would have had.

use strict;
use warnings;

use Time::HiRes qw(time);

use constant {
    LEAST   => 1 / 8,    # of the time that passed is ours
    LONGEST => 4,        # times a deadline
};

my $processors = grep { /^cpu\d/ } _lines('/proc/stat');

=head1 NAME

Camera::Stopwatch - what something takes, on a machine that is shared

=head1 SYNOPSIS

    my $watch = Camera::Stopwatch->start;
    until ($done->()) {
        last if $watch->over(5);
        sleep 0.02;
    }
    cmp_ok($watch->seconds, '<', 1, 'within a second');
    cmp_ok($watch->passed, '>', 0.5, 'not at once');

=head1 METHODS

=over

=item start, seconds, passed, over($seconds), left($seconds)

Seconds since, as counted here and, for what has to take a time at least, by the
clock; 1 when a wait has taken more than so many; for how long to wait for input
before that is asked again.

=cut

sub start {
    my ($class) = @_;

    return bless { at => time, lost => lost() }, $class;
}

sub seconds {
    my ($self) = @_;

    my $passed = $self->passed;
    my $ours = $passed - (lost() - $self->{lost});

    return $ours > LEAST * $passed ? $ours : LEAST * $passed;
}

sub passed { return time - $_[0]{at} }

sub over {
    my ($self, $seconds) = @_;

    my $passed = $self->passed;

    return 0 if $passed <= $seconds;
    return $passed > LONGEST * $seconds || $self->seconds > $seconds ? 1 : 0;
}

sub left {
    my ($self, $seconds) = @_;

    my $left = $seconds - $self->passed;
    my $least = $seconds > 0 ? 0.05 : 0;

    return $left > $least ? $left : $least;
}

=back

=head1 FUNCTIONS

=over

=item lost

Seconds since the start of the machine in which somebody waited for a processor; 0
where the kernel does not say.

=cut

sub lost {
    my ($waited) = map { /^some .*total=(\d+)/ ? $1 / 1e6 : () }
        _lines('/proc/pressure/cpu');
    my ($stolen) = map { /^cpu +(?:\d+ +){7}(\d+)/ ? $1 / 100 : () }
        _lines('/proc/stat');

    return ($waited // 0) + ($stolen // 0) / ($processors || 1);
}

sub _lines {
    open my $in, '<', $_[0] or return;
    return <$in>;
}

=back

=cut

1;
