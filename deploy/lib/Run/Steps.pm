package Run::Steps;

# Copyright (C) The nginx camera platform authors

# What deploy/run does once before or while it starts its children: commands
# that end, each told in one line with the time it took, and waiting for what
# a child is to bring about.

use strict;
use warnings;

use IO::Socket::INET;
use Time::HiRes qw(time sleep);

use constant LAST_LINES => 12;


sub new {
    my ($class, %arg) = @_;

    return bless { %arg }, $class;     # say, children, user, stopped
}


# Runs a command with its output shown under a name; dies with the last lines
# when it fails.  Options: as_user, env, dir, quiet.

sub command {
    my ($self, $name, $opt, @argv) = @_;

    my @lines;
    my $pid = open(my $out, '-|') // die "fork() failed: $!\n";

    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        open STDIN, '<', '/dev/null';
        $ENV{$_} = $opt->{env}{$_} for keys %{ $opt->{env} // {} };
        exec $self->as_user($opt, @argv) or exit 127;
    }

    while (my $line = <$out>) {
        chomp $line;
        push @lines, $line;
        shift @lines if @lines > LAST_LINES;
        $self->{say}->($name, $line) unless $opt->{quiet};
    }

    return if close $out;

    die "$name failed (\"$argv[0]\" "
        . Run::Children::how($?) . ")\n"
        . ($opt->{quiet} ? join '', map { "  $_\n" } @lines : '');
}


# The same for a command whose answer matters; standard error goes to ours.
# Options: in, a short text for its standard input; any, an answer is one
# whatever the status.

sub answer {
    my ($self, $opt, @argv) = @_;

    pipe my $in, my $feed or die "pipe() failed: $!\n";
    syswrite $feed, $opt->{in} // '';
    close $feed;

    my $pid = open(my $out, '-|') // die "fork() failed: $!\n";

    if ($pid == 0) {
        open STDIN, '<&', $in;
        $ENV{$_} = $opt->{env}{$_} for keys %{ $opt->{env} // {} };
        exec $self->as_user($opt, @argv) or exit 127;
    }

    local $/;
    my $text = <$out> // '';
    close $out or $opt->{any} or return undef;

    return $text;
}


sub as_user {
    my ($self, $opt, @argv) = @_;

    my @as = @{ $opt->{as} // ($opt->{as_user} ? $self->{user}{as} : []) };

    return @as ? ('setpriv', @as, '--', @argv) : @argv;
}


# Tells a step in one line when it is done.

sub step {
    my ($self, $what, $code) = @_;

    my $from = time;
    my $more = $code->();
    my $text = defined $more && length $more ? "$what: $more" : $what;

    $self->{say}->('run', sprintf '%s (%.1f s)', $text, time - $from);
}


# Waits until the child has brought it about.  A child that died meanwhile is
# given its restarts: a server may find the last one's remains.

sub wait_for {
    my ($self, $child, $seconds, $done) = @_;

    my $end = time + $seconds;

    until ($done->()) {
        if (time > $end) {
            my @last = $self->{children}->last_lines($child);
            die join "\n", "$child->{name} did not start in $seconds s;"
                . ' it said last:', map({ "  $_" } @last), '';
        }
        die "stopped\n" if $self->{stopped}->();
        $self->{children}->turn;
        sleep 0.05;
    }
}


# the status of a GET on loopback, 0 when there is no answer

sub http_status {
    my ($port, $path) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $port, Timeout => 2) or return 0;

    print $socket "GET $path HTTP/1.0\r\nHost: localhost\r\n\r\n";
    my $line = <$socket> // '';

    return $line =~ m{^HTTP/1\.\d (\d+)} ? $1 : 0;
}


1;
