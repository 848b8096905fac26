package Camera::Test::Cli;

# Copyright (C) The nginx camera platform authors

# bin/camera as its tests see it: status, standard output and standard error
# apart, decoded when --json is asked for.

use strict;
use warnings;

use File::Temp;
use JSON::PP;

=head1 NAME

Camera::Test::Cli - runs bin/camera and keeps what it answers apart

=head1 SYNOPSIS

    my $cli = Camera::Test::Cli->new($t);
    my $r = $cli->run(qw(show front --json));
    # { status => 0, out => …, err => …, json => … }

=head1 METHODS

=over

=item new($t [, %env])

For the instance of C<$t>, or, without one, with this environment alone.

=cut

sub new {
    my ($class, $t, %env) = @_;

    return bless {
        bin => $t->program('camera'),
        env => %env ? {%env} : { CAMERA_ENV => $t->env_file },
    }, $class;
}

=item run(@arguments)

An argument that is a reference to a string is standard input.

=cut

sub run {
    my ($self, @arguments) = @_;

    my ($in) = map { $$_ } grep { ref } @arguments;
    @arguments = grep { !ref } @arguments;

    my %file = map { $_ => File::Temp->new } qw(in out err);
    print { $file{in} } $in // '';
    $file{in}->flush;

    my $pid = fork // die "fork() failed: $!";

    if ($pid == 0) {
        delete @ENV{ grep { /^CAMERA_|^NGINX_PID$/ } keys %ENV };
        @ENV{ keys %{ $self->{env} } } = values %{ $self->{env} };
        open STDIN, '<', $file{in}->filename;
        open STDOUT, '>', $file{out}->filename;
        open STDERR, '>', $file{err}->filename;
        exec $self->{bin}, @arguments or POSIX::_exit(127);
    }

    waitpid $pid, 0;

    my %r = (status => $? & 127 ? "signal $?" : $? >> 8);
    $r{$_} = slurp($file{$_}->filename) for qw(out err);
    $r{json} = eval { JSON::PP->new->utf8->decode($r{out}) }
        if grep { $_ eq '--json' } @arguments;

    return \%r;
}

sub slurp {
    open my $fh, '<:raw', $_[0] or die "open() failed: $!";
    local $/;
    return scalar(<$fh>) // '';
}

=back

=cut

1;
