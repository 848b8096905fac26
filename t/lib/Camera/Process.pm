package Camera::Process;

# Copyright (C) The nginx camera platform authors

# One child process: started in its own session with its output in a file,
# found dead or alive by pid, and gone at the end of the test together with
# whatever it left behind.  Everything the library starts is started here.

use strict;
use warnings;

use Camera::Stopwatch;
use POSIX qw(setsid WNOHANG _exit);
use Time::HiRes qw(time sleep);

my %alive;    # pid of the session's leader => 1

=head1 NAME

Camera::Process - a child process of a test

=head1 SYNOPSIS

    my $p = Camera::Process->start('/tmp/x/ffmpeg.log', qw(ffmpeg -i a.flv));

    $p->running;         # 1 while it lives
    $p->log;             # what it has printed so far
    $p->signal('STOP');
    $p->wait(5);         # exit status as in $?, undef when still running
    $p->stop;            # TERM, after 5 s KILL; answers the status

=head1 METHODS

=over

=item start($log, @command), start({ log, name, user, env, append }, @command)

Starts the command with standard output and error in the file.  C<user> is
taken when the test runs as root.  The child dies with the test.

=cut

sub start {
    my ($class, $opt, @command) = @_;

    $opt = { log => $opt } unless ref $opt;

    my @as = ('--pdeathsig', 'TERM');
    push @as, as_user($opt->{user}) if defined $opt->{user} && $> == 0;

    open my $log, $opt->{append} ? '>>' : '>', $opt->{log}
        or die "open(\"$opt->{log}\") failed: $!";

    my $pid = fork // die "fork() failed: $!";

    if ($pid == 0) {
        setsid();
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $log;
        open STDERR, '>&', $log;
        $ENV{$_} = $opt->{env}{$_} for keys %{ $opt->{env} // {} };
        exec 'setpriv', @as, '--', @command or _exit(127);
    }

    $alive{$pid} = 1;

    return bless {
        pid     => $pid,
        name    => $opt->{name} // $command[0],
        logfile => $opt->{log},
        since   => time,
    }, $class;
}

=item pid, name, logfile, started

C<started> is the time of the start, as by Time::HiRes.

=cut

sub pid     { $_[0]{pid} }
sub name    { $_[0]{name} }
sub logfile { $_[0]{logfile} }
sub started { $_[0]{since} }

=item log

What the process has printed so far.

=cut

sub log {
    my ($self) = @_;

    open my $fh, '<', $self->{logfile} or return '';
    local $/;
    return scalar(<$fh>) // '';
}

=item running

=cut

sub running {
    my ($self) = @_;

    $self->_reap;
    return !exists $self->{status};
}

sub _reap {
    my ($self) = @_;

    return if exists $self->{status};

    local ($?, $!);
    my $rc = waitpid $self->{pid}, WNOHANG;

    if ($rc == $self->{pid} || $rc == -1) {
        $self->{status} = $rc == -1 ? -1 : $?;
    }
}

=item signal($name)

=cut

sub signal {
    my ($self, $name) = @_;

    return $self->running ? kill $name, $self->{pid} : 0;
}

=item wait($seconds)

The exit status as in C<$?>, or undef when it still runs by then.

=cut

sub wait {
    my ($self, $seconds) = @_;

    my $watch = Camera::Stopwatch->start;

    while ($self->running) {
        return undef if $watch->over($seconds // 10);
        sleep 0.01;
    }

    return $self->{status};
}

=item stop([$signal [, $seconds]])

Asks it to end (TERM), insists after five seconds (KILL), and removes what is
left of its session.

=cut

sub stop {
    my ($self, $signal, $seconds) = @_;

    $self->signal($signal // 'TERM');
    $self->wait($seconds // 5);
    $self->end_session;

    return $self->wait(5);
}

# kills every process that has this one as the leader of its session

sub end_session {
    my ($self) = @_;

    return unless delete $alive{ $self->{pid} };
    kill 'KILL', _session($self->{pid});
    $self->_reap;
}

sub _session {
    my ($sid) = @_;

    return grep { ((stat_of($_))[3] // 0) == $sid } pids();
}

=back

=head1 FUNCTIONS

=over

=item as_user($user)

Options of setpriv(1) that make root another user, who can read this checkout
even below a directory that is root's alone.

=cut

my %as;

sub as_user {
    my ($user) = @_;

    return @{ $as{$user} //= do {
        my (undef, undef, $uid, $gid) = getpwnam $user
            or die "no user \"$user\"";
        my @as = ('--reuid', $uid, '--regid', $gid, '--clear-groups');

        push @as, '--inh-caps=+dac_read_search',
            '--ambient-caps=+dac_read_search'
            if system 'setpriv', @as, 'test', '-r', __FILE__;
        \@as;
    } };
}

=item pids, stat_of($pid), alive($pid), children($pid), descendants($pid)

What F</proc> says: all pids; (state, parent, group, session) of one; 1 unless
it has ended, though nobody may have asked for its status, as in a container
without an init; the processes below one.

=cut

sub pids {
    opendir my $dir, '/proc' or return;
    return grep { /^\d+$/ } readdir $dir;
}

sub stat_of {
    my ($pid) = @_;

    open my $fh, '<', "/proc/$pid/stat" or return;
    my $line = <$fh> // return;
    $line =~ s/^.*\) //s;
    return split ' ', $line;
}

sub alive {
    my ($pid) = @_;

    return ((stat_of($pid))[0] // 'Z') ne 'Z';
}

sub children {
    my ($pid) = @_;

    my @children = grep { ((stat_of($_))[1] // 0) == $pid } pids();

    return sort { $a <=> $b } @children if wantarray;
    return scalar @children;
}

sub descendants {
    my ($pid) = @_;

    return map { $_, descendants($_) } children($pid);
}

=item end_all

Kills whatever still runs of what was started.

=cut

sub end_all {
    my @left = map { $_, _session($_) } keys %alive;

    kill 'KILL', @left;
    waitpid $_, 0 for keys %alive;
    %alive = ();
}

=back

=cut

# an interrupted test runs its END blocks too

$SIG{$_} = sub { exit 1 } for grep { !defined $SIG{$_} } qw(INT TERM HUP);

END {
    local ($?, $!);
    end_all();
}

1;
