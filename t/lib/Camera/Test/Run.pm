package Camera::Test::Run;

# Copyright (C) The nginx camera platform authors

# `make run` for the tests: deploy/run in a directory and on ports of its own.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Process;
use Digest::SHA qw(sha256_hex);
use File::Path qw(remove_tree);
use JSON::PP;

use constant PORTS => qw(HTTP_PORT HTTPS_PORT RTMPS_PORT RTMP_PORT);

my $built;
my @vars;

# what deploy/run names after VAR stays there for the next start

END {
    local $?;
    remove_tree(map { '/dev/shm/camera-' . substr sha256_hex($_), 0, 16 }
        @vars);
}

=head1 NAME

Camera::Test::Run - a running deploy/run

=head1 SYNOPSIS

    my $run = Camera::Test::Run->start($t, DEMO => 0);
    $run->wait_ready or BAIL_OUT($run->log);

    my $env = $run->env;                       # run.env as a hash
    my $camera = $run->cli('add', 'gate');     # decoded JSON
    is($run->stop, 0, 'Ctrl-C');

=head1 METHODS

=over

=item start($test, %environment)

The same ports and directory for each start in one test, unless the
environment says otherwise.

=cut

sub start {
    my ($class, $test, %env) = @_;

    my %default = (
        VAR  => $test->dir . '/var',
        DEMO => 0,
        map { ($_ => $test->port($_)) } PORTS,
    );
    %env = (%default, DATABASE_URL => '', %env);

    # deploy/run builds what is out of date; that is not to be timed
    $built ||= do { $test->run('make', '-s', '-C', $test->root, 'build'); 1 };

    push @vars, $env{VAR};
    my $n = ++$test->{runs};
    my $process = Camera::Process->start(
        { log => $test->dir . "/run.$n.out", name => 'deploy/run',
          env => \%env },
        $test->root . '/deploy/run');

    return bless { test => $test, process => $process, set => \%env }, $class;
}

=item wait_ready([$seconds])

1 when the summary was printed; 0 when it ended or takes longer (90 s).

=cut

sub wait_ready {
    my ($self, $seconds) = @_;

    my $ready = $self->{test}->wait_for(sub {
        $self->log =~ /^run +\| Ready/m || !$self->running;
    }, $seconds // 90, 'deploy/run');

    return $ready && $self->running;
}

=item log, running, pid, var, port($name)

=cut

sub log     { $_[0]{process}->log }
sub running { $_[0]{process}->running }
sub pid     { $_[0]{process}->pid }
sub var     { $_[0]{set}{VAR} }
sub port    { $_[0]{set}{ $_[1] } }

=item env

run.env as a hash.

=cut

sub env {
    my ($self) = @_;

    open my $in, '<', $self->var . '/run.env' or return {};
    return { map { /^(\w+)='?(.*?)'?$/ ? ($1 => $2) : () } <$in> };
}

=item cli(@arguments)

What bin/camera answers for this instance, decoded.

=cut

sub cli {
    my ($self, @arguments) = @_;

    return decode_json($self->{test}->run($self->{test}->root . '/bin/camera',
        @arguments, '--json', '--env', $self->var . '/run.env'));
}

=item get($path, %options)

A GET over plain HTTP; see Camera::HTTP.

=cut

sub get {
    my ($self, $path, %options) = @_;

    return Camera::HTTP::get($self->port('HTTP_PORT'), $path, %options);
}

=item processes

The pids of everything below it.

=cut

sub processes { return Camera::Process::descendants($_[0]->pid) }

=item stop([$signal])

Ctrl-C unless another signal is named; answers the exit status as in C<$?>.

=cut

sub stop {
    my ($self, $signal) = @_;

    $self->{process}->signal($signal // 'INT');
    my $status = $self->{process}->wait(40);
    $self->{process}->end_session;

    return $status;
}

=back

=cut

1;
