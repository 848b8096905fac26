package Camera::Psql;

# Copyright (C) The nginx camera platform authors

# One connection to the test's PostgreSQL that stays open: what a statement
# leaves behind on its session (a setting, an open transaction, a lock, LISTEN) is
# there for the next one.  A psql at the other end of two pipes; it ends when
# they are closed, hence with the test.

use strict;
use warnings;

use IO::Select;
use IPC::Open2;
use Time::HiRes qw(time);

=head1 NAME

Camera::Psql - a session of PostgreSQL

=head1 SYNOPSIS

    my $s = $t->pg_session('camera_api');

    $s->ask("SET app.tenant = '$a'");
    is($s->ask('SELECT count(*) FROM cameras'), 2);

    $s->ask('SELECT 1 / 0');
    is($s->state, '22012');

    $s->send('SELECT pg_sleep(1)');     # and meanwhile
    $s->answer;

    $s->ask('LISTEN api_event');
    my @payloads = $s->notified('api_event');

=head1 METHODS

=over

=item start($program, $conninfo)

=cut

sub start {
    my ($class, $program, $conninfo) = @_;

    my $pid = open2(my $out, my $in, 'sh', '-c', 'exec stdbuf -oL "$@" 2>&1',
        'sh', $program, '-XAtq', '-F', "\t", '-v', 'VERBOSITY=verbose',
        $conninfo);

    my $self = bless { pid => $pid, in => $in, out => $out, n => 0,
        state => '', buffer => '', notified => [] }, $class;
    $in->autoflush(1);

    my $said = $self->ask('SELECT 1');
    die "psql does not connect: $said" unless $said eq '1';

    return $self;
}

=item send($statement), answer

The two halves of C<ask>.  An answer that does not come within 20 s is fatal.

=cut

sub send {
    my ($self, $statement) = @_;

    $self->{n}++;
    print { $self->{in} } "$statement;\n\\echo end $self->{n} :SQLSTATE\n";
}

sub answer {
    my ($self) = @_;

    my $until = time + 20;
    my $select = IO::Select->new($self->{out});

    until ($self->{buffer} =~ /^end $self->{n} \w+\n/m) {
        my $left = $until - time;
        die "psql does not answer: $self->{buffer}\n"
            unless $left > 0 && $select->can_read($left)
                && sysread $self->{out}, $self->{buffer}, 65536,
                    length $self->{buffer};
    }

    $self->{buffer} =~ s/^(.*?)^end $self->{n} (\w+)\n//ms;
    ($self->{state}, my $text) = ($2, $1);

    push @{ $self->{notified} }, [ $1, $2 ] while $text
        =~ s/^Asynchronous notification "(\w+)" (?:with payload "(.*)" )?received .*\n//m;
    chomp $text;

    return $text;
}

=item ask($statement)

Its rows, a line each with tabs between columns; or the message, when it fails.

=cut

sub ask {
    my ($self, $statement) = @_;

    $self->send($statement);

    return $self->answer;
}

=item state

SQLSTATE of the last statement, 00000 when it succeeded.

=cut

sub state { $_[0]{state} }

=item notified($channel)

Payloads that came on this channel since the last call, in their order.

=cut

sub notified {
    my ($self, $channel) = @_;

    $self->ask('SELECT 1');

    my @payloads = map { $_->[1] } grep { $_->[0] eq $channel }
        @{ $self->{notified} };
    $self->{notified} = [ grep { $_->[0] ne $channel } @{ $self->{notified} } ];

    return @payloads;
}

=item backend

The pid of its server process.

=cut

sub backend {
    my ($self) = @_;

    return $self->{backend} //= $self->ask('SELECT pg_backend_pid()');
}

sub DESTROY {
    my ($self) = @_;

    local ($?, $!, $@);
    close $self->{in};
    close $self->{out};
    waitpid $self->{pid}, 0;
}

=back

=cut

1;
