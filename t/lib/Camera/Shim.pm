package Camera::Shim;

# Copyright (C) The nginx camera platform authors

# Clocks and disks that do what the test says, for programs that are started
# with t/preload/*.c.

use strict;
use warnings;

# the words of the two files, in order

my %words = (
    clock => [qw(clock_msec synchronised hurry)],
    disk  => [qw(write_msec sync_msec write_errno write_fails sync_errno
        sync_fails syncs)],
);

=head1 NAME

Camera::Shim - clocks that are set, disks that are slow or fail

=head1 SYNOPSIS

    my $shim = Camera::Shim->new($t, disk => 'record/');
    $t->start_recorder(env => $shim->env);

    $shim->set(clock_msec => 3_600_000);       # an hour ahead
    $shim->set(sync_errno => 5, sync_fails => 2);
    $t->wait_for(sub { $shim->get('sync_fails') == 0 }, 10);

=head1 METHODS

=over

=item new($t, %options)

C<disk>: the beginning of the name of the processes whose writes and syncs are
meant.

=cut

sub new {
    my ($class, $t, %opt) = @_;

    my $self = bless { disk => $opt{disk} // '',
        lib => $t->root . '/build/t/preload' }, $class;

    for (sort keys %words) {
        $self->{file}{$_} = $t->dir . "/shim.$_";
        $t->write_file($self->{file}{$_}, pack 'q*', (0) x @{ $words{$_} });
        $t->give_to_service($self->{file}{$_});
    }

    return $self;
}

=item env

What the environment of a program has to have.  A sanitizer has to be its first
library, and calls ours as it would have called libc.

=cut

sub env {
    my ($self) = @_;

    return {
        LD_PRELOAD     => join(':', $ENV{CAMERA_SANITIZED} // (),
            map { "$self->{lib}/$_.so" } sort keys %words),
        CAMERA_CLOCK   => $self->{file}{clock},
        CAMERA_DISK    => $self->{file}{disk},
        CAMERA_DISK_OF => $self->{disk},
    };
}

=item set(%fields), get($field)

    clock_msec                  the wall clock is so much ahead
    hurry                       monotonic time passes so many times as fast
    write_msec, sync_msec       each takes so much longer
    write_errno, write_fails    the next so many writes fail, with that error
    sync_errno, sync_fails      the same of fsync(), fdatasync(), syncfs()
    syncs                       how many were asked for

=cut

sub set {
    my ($self, %value) = @_;

    # the number of calls that fail is the last: it is what sets it off

    for my $name (sort { ($a =~ /fails/) <=> ($b =~ /fails/) } keys %value) {
        my $fh = $self->_seek('+<', $name);
        print $fh pack 'q', $value{$name};
        close $fh;
    }
}

sub get {
    my ($self, $name) = @_;

    my $fh = $self->_seek('<', $name);
    read $fh, my $bytes, 8;

    return unpack 'q', $bytes;
}

sub _seek {
    my ($self, $mode, $name) = @_;

    for my $of (sort keys %words) {
        my $list = $words{$of};
        my ($place) = grep { $list->[$_] eq $name } 0 .. $#$list;
        next unless defined $place;

        open my $fh, "$mode:raw", $self->{file}{$of} or die "open(): $!";
        seek $fh, 8 * $place, 0;
        return $fh;
    }

    die "no field \"$name\"";
}

=back

=cut

1;
