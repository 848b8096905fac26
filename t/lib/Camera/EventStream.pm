package Camera::EventStream;

# Copyright (C) The nginx camera platform authors

# A client of server-sent events, which reads what comes and remembers where it
# was.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Stopwatch;
use Exporter qw(import);
use IO::Select;
use JSON::PP;
use Time::HiRes qw(time);

our @EXPORT_OK = qw(follow);

=head1 NAME

Camera::EventStream - follows the events of an API under test

=head1 SYNOPSIS

    my $s = follow($t, $user->{token}, types => 'stream.status');
    is($s->status, 200);
    my $event = $s->next(2);          # { type, id, json }, undef: none came
    my @all = $s->until(sub { $_[0]{type} eq 'camera.deleted' }, 2);
    ok($s->ended(2));
    my $again = follow($t, $user->{token}, last => $s->last);

=head1 FUNCTIONS

=over

=item follow($t, $token, %options)

Options: C<last> (Last-Event-ID), C<types>, C<port>, C<tls>, C<peer>, C<raw>: the
event "ready" is answered like others instead of being read here.

=cut

sub follow {
    my ($t, $token, %opt) = @_;

    my $port = $opt{port} // $t->port('http');
    my $s = Camera::HTTP::connect_to($port, tls => $opt{tls})
        or die "connect() failed: $!";
    my $self = bless { socket => $s, in => '', body => '', events => [],
        comments => 0, last => $opt{last} }, __PACKAGE__;

    print $s join "\r\n", 'GET /api/v1/events'
            . (defined $opt{types} ? "?types=$opt{types}" : '') . ' HTTP/1.1',
        'Host: localhost', "Authorization: Bearer $token",
        defined $opt{last} ? "Last-Event-ID: $opt{last}" : (), '', '';

    my $end = time + 10;
    1 until $self->{in} =~ /\r\n\r\n/ || !$self->_read($end);

    ($self->{head}, $self->{in}) = split /\r\n\r\n/, $self->{in}, 2;
    ($self->{status}) = ($self->{head} // '') =~ /^HTTP\/1\.\d (\d+)/;

    $self->{ready} = $self->next(10)
        if ($self->{status} // 0) == 200 && !$opt{raw};

    return $self;
}

=item status, head, ready, last, comments, socket

What was answered; the event "ready"; the id of the last event that next() answered; how many
comments came.

=cut

sub status   { $_[0]{status} // 0 }
sub head     { $_[0]{head} // '' }
sub ready    { $_[0]{ready} }
sub last     { $_[0]{last} }
sub comments { $_[0]{comments} }
sub socket   { $_[0]{socket} }

=item next($seconds)

The next event, or undef when none comes in time.

=cut

sub next {
    my ($self, $seconds) = @_;

    my $watch = Camera::Stopwatch->start;

    for (;;) {
        $self->_parse;

        if (my $event = shift @{ $self->{events} }) {
            $self->{last} = $event->{id} // $self->{last};
            return $event;
        }

        return undef unless $self->_wait($watch, $seconds);
    }
}

=item until(\&condition, $seconds)

The events up to the first one for which the condition holds; all that came,
when it holds for none.

=cut

sub until {
    my ($self, $condition, $seconds) = @_;

    my $watch = Camera::Stopwatch->start;
    my @events;

    while (my $event = $self->next($seconds - $watch->seconds)) {
        push @events, $event;
        last if $condition->($event);
    }

    return @events;
}

=item ended($seconds)

1 when the server ends the stream in time; what comes before is kept for next().

=cut

sub ended {
    my ($self, $seconds) = @_;

    my $watch = Camera::Stopwatch->start;
    1 while $self->_wait($watch, $seconds);

    return $self->{ended} ? 1 : 0;
}

sub close { close delete $_[0]{socket} }

# more, before the watch says that the time is over

sub _wait {
    my ($self, $watch, $seconds) = @_;

    until ($self->_read(time + $watch->left($seconds))) {
        return 0 if $self->{ended} || $watch->over($seconds);
    }

    return 1;
}

sub _read {
    my ($self, $end) = @_;

    return 0 if $self->{ended};

    my $before = length $self->{in};
    my $more = Camera::HTTP::more($self->{socket}, \$self->{in}, $end);

    $self->{ended} = 1 if !$more && time < $end;
    $self->_parse if defined $self->{status};

    return $more;
}

# chunks to lines, lines to events

sub _parse {
    my ($self) = @_;

    while ($self->{in} =~ /\A([0-9a-f]+)\r\n/i
        && length $self->{in} >= $+[0] + hex($1) + 2)
    {
        my ($line, $size) = ($+[0], hex $1);

        $self->{body} .= substr $self->{in}, $line, $size;
        substr $self->{in}, 0, $line + $size + 2, '';
        $self->{ended} = 1 if $size == 0;
    }

    while ($self->{body} =~ s/\A(.*?)\n\n//s) {
        $self->_event($1);
    }
}

sub _event {
    my ($self, $text) = @_;

    my %event;

    for (split /\n/, $text) {
        $self->{comments}++ if /^:/;
        $event{$1} = $2 if /^(\w+): ?(.*)/;
    }

    return unless defined $event{data};

    push @{ $self->{events} }, { type => $event{event}, id => $event{id},
        json => JSON::PP->new->utf8->decode($event{data}) };
}

=back

=cut

1;
