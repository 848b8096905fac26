package Camera::Test::Redis;

# Copyright (C) The nginx camera platform authors

# The test's own Redis: a redis-server on a unix socket in a private directory
# that keeps nothing on disk.  It is our child, so stopping, hanging and killing
# it are signals.

use strict;
use warnings;

use Camera::Process;

=head1 NAME

Camera::Test::Redis - the Redis part of Camera::Test

=head1 SYNOPSIS

    $t->start_redis;
    $t->redis_cli('SET', 'key', 'value');
    my @keys = $t->redis_cli('KEYS', '*');

    $t->stop_redis('KILL');
    $t->start_redis;
    $t->pause_redis;  $t->resume_redis;

=head1 METHODS

=over

=item start_redis(%settings)

Starts the server of this test, empty; settings are added to the command line,
C<port> and C<requirepass> among them.

=cut

sub start_redis {
    my ($self, %settings) = @_;

    my $socket = $self->_redis_socket;

    %settings = (
        port           => 0,
        unixsocket     => $socket,
        unixsocketperm => 777,
        save           => '',
        appendonly     => 'no',
        dir            => $self->{dir},
        %settings,
    );

    $self->{redis_password} = $settings{requirepass};
    $self->{redis} = Camera::Process->start(
        { log => "$self->{dir}/redis.log", user => 'www-data',
          name => 'redis-server', append => 1 },
        'redis-server', map { ("--$_", $settings{$_}) } sort keys %settings);

    $self->wait_for(sub { $self->redis_ready }, 10, 'Redis')
        or die "Redis did not start:\n" . $self->{redis}->log;
}

# of its own directory, in which the server may create it

sub _redis_socket {
    my ($self) = @_;

    my $dir = "$self->{dir}/r";

    if (!-d $dir) {
        mkdir $dir, 0755 or die "mkdir(\"$dir\") failed: $!";
        $self->give_to_service($dir);
    }

    return "$dir/redis.sock";
}

=item redis_ready

1 when the server answers.

=cut

sub redis_ready {
    my ($self) = @_;

    return ($self->_redis_cli('PING'))[1] =~ /^PONG/;
}

=item stop_redis([$signal])

TERM by default.

=cut

sub stop_redis {
    my ($self, $signal) = @_;

    $signal //= 'TERM';

    $self->resume_redis if $signal ne 'KILL';
    $self->{redis}->stop($signal, 10);
    delete $self->{redis_paused};
}

=item restart_redis([$signal])

=cut

sub restart_redis {
    my ($self, $signal) = @_;

    $self->stop_redis($signal);
    $self->start_redis;
}

=item pause_redis, resume_redis

Stops and continues the server: it is there, lets clients connect and does not
answer.

=cut

sub pause_redis {
    my ($self) = @_;

    kill 'STOP', $self->{redis}->pid;
    $self->{redis_paused} = 1;
}

sub resume_redis {
    my ($self) = @_;

    kill 'CONT', $self->{redis}->pid if delete $self->{redis_paused};
}

=item redis_address

As C<redis> of the camera block takes it: the socket, which is known before
the server is started.

=cut

sub redis_address { 'unix:' . $_[0]->_redis_socket }

=item redis_cli(@command)

Answers the lines of the reply, in scalar context the first one.  Dies when
it is an error.

=cut

sub redis_cli {
    my ($self, @command) = @_;

    my ($status, $out) = $self->_redis_cli(@command);
    die "redis-cli @command failed: $out" if $status;

    my @lines = split /\n/, $out;
    return wantarray ? @lines : $lines[0];
}

sub _redis_cli {
    my ($self, @command) = @_;

    my @auth = defined $self->{redis_password}
        ? ('--no-auth-warning', '-a', $self->{redis_password}) : ();
    my $out = $self->run({ may_fail => 1 }, 'timeout', 5, 'redis-cli', '-e',
        '-s', $self->_redis_socket, @auth, @command);

    return ($?, $out);
}

=back

=cut

1;
