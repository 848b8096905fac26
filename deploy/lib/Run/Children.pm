package Run::Children;

# Copyright (C) The nginx camera platform authors

# The children of deploy/run: started, listened to, restarted, stopped.
#
# A child writes to its own file, never to a pipe of ours: a terminal that was
# paused must not pause nginx.  We follow the files and print them with the
# child's name in front.
#
#   running   [start]      dead -> [reap]   -> waiting
#   waiting   [reap]       its time has come -> [restart_due] -> running
#   stopped   [stop]       for good
#
# The rule: a child is the leader of its own process group, so that Ctrl-C
# reaches us alone and we end the others in order; it dies with us by
# --pdeathsig, and what it leaves behind is killed before it is started again.

use strict;
use warnings;

use POSIX qw(WNOHANG _exit);
use Time::HiRes qw(time sleep);

use constant {
    BACKOFF_MIN => 0.2,
    BACKOFF_MAX => 10,
    STEADY      => 30,          # seconds up after which all is forgiven
    STOP_WITHIN => 8,
    LOG_MAX     => 16 << 20,
    LAST_LINES  => 8,
};


# say: prints a line for a name; logs: directory of the files

sub new {
    my ($class, %arg) = @_;

    return bless { say => $arg{say}, logs => $arg{logs}, list => [] }, $class;
}


# name, argv, as (setpriv options), stop (signal name), env, on_start (called
# with the child after each start)

sub add {
    my ($self, %child) = @_;

    my $child = {
        stop => 'TERM', as => [], env => {}, %child,
        log     => "$self->{logs}/$child{name}.log",
        backoff => BACKOFF_MIN,
        seen    => 0,
    };

    $child->{seen} = -s $child->{log} || 0;
    push @{ $self->{list} }, $child;
    $self->start($child);

    return $child;
}


sub start {
    my ($self, $child) = @_;

    open my $log, '>>', $child->{log}
        or die "open(\"$child->{log}\") failed: $!\n";

    my $pid = fork // die "fork() failed: $!\n";

    if ($pid == 0) {
        setpgrp;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP QUIT CHLD);
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $log;
        open STDERR, '>&', $log;
        $ENV{$_} = $child->{env}{$_} for keys %{ $child->{env} };
        no warnings 'exec';
        exec 'setpriv', '--pdeathsig', $child->{stop}, @{ $child->{as} },
            '--', @{ $child->{argv} };
        print STDERR "exec(\"$child->{argv}[0]\") failed: $!\n";
        _exit(127);
    }

    @$child{qw(pid since due)} = ($pid, time, undef);
    $child->{on_start}->($child) if $child->{on_start};
}


sub running {
    my ($self, $child) = @_;

    $self->reap;
    return defined $child->{pid};
}


# one turn: reaps, restarts whose time has come, prints what was logged

sub turn {
    my ($self) = @_;

    $self->reap;
    $self->restart_due;
    $self->follow($_) for @{ $self->{list} };
}


sub reap {
    my ($self) = @_;

    while ((my $pid = waitpid -1, WNOHANG) > 0) {
        my $status = $?;
        my ($child) = grep { ($_->{pid} // 0) == $pid } @{ $self->{list} };
        next unless $child;

        $child->{pid} = undef;
        $child->{status} = $status;
        kill 'KILL', -$pid;
        next if $child->{stopped};

        $child->{backoff} = BACKOFF_MIN if time - $child->{since} > STEADY;
        $child->{due} = time + $child->{backoff};
        $child->{backoff} *= 2;
        $child->{backoff} = BACKOFF_MAX if $child->{backoff} > BACKOFF_MAX;

        $self->follow($child);
        $self->{say}->('run', "$child->{name} " . how($status)
            . sprintf(', started again in %.1f s', $child->{due} - time));
    }
}


sub restart_due {
    my ($self) = @_;

    for my $child (@{ $self->{list} }) {
        next if $child->{stopped} || !$child->{due} || $child->{due} > time;
        $self->start($child);
    }
}


sub how {
    my ($status) = @_;

    return 'was killed by signal ' . ($status & 127) if $status & 127;
    return 'ended with status ' . ($status >> 8);
}


# prints the whole lines that have come to the child's file; a long file is
# kept as .1 and begun anew, which O_APPEND makes safe

sub follow {
    my ($self, $child) = @_;

    my $size = -s $child->{log} || 0;
    $child->{seen} = 0 if $size < $child->{seen};
    return if $size == $child->{seen};

    open my $log, '<', $child->{log} or return;
    seek $log, $child->{seen}, 0;
    read $log, my $text, 1 << 20;
    $text =~ s/[^\n]*\z//;
    $child->{seen} += length $text;

    $self->{say}->($child->{name}, $_) for split /\n/, $text;

    if ($child->{seen} > LOG_MAX) {
        system 'cp', '-p', $child->{log}, "$child->{log}.1";
        truncate $child->{log}, 0;
        $child->{seen} = 0;
    }
}


# what a child said last, for a message about its end

sub last_lines {
    my ($self, $child) = @_;

    open my $log, '<', $child->{log} or return;
    my @lines = <$log>;
    chomp @lines;
    my $from = @lines > LAST_LINES ? @lines - LAST_LINES : 0;

    return @lines[$from .. $#lines];
}


# in the reverse order of their start: demo cameras first, the database last

sub stop_all {
    my ($self) = @_;

    for my $child (reverse @{ $self->{list} }) {
        $self->stop($child);
    }
}


sub stop {
    my ($self, $child) = @_;

    $child->{stopped} = 1;
    my $pid = $child->{pid} or return;

    kill $child->{stop}, $pid;
    my $end = time + STOP_WITHIN;

    while ($self->running($child)) {
        if (time > $end) {
            $self->{say}->('run', "$child->{name} does not end: killed");
            kill 'KILL', -$pid;
            $end = time + STOP_WITHIN;
        }
        sleep 0.02;
    }

    $self->follow($child);
}


1;
