package Camera::WebSocket;

# Copyright (C) The nginx camera platform authors

# A small client of WebSockets, which can be as wrong as a test wants.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Stopwatch;
use Exporter qw(import);
use JSON::PP;
use Time::HiRes qw(time);

our @EXPORT_OK = qw(ws_connect);

=head1 NAME

Camera::WebSocket - follows the events of an API under test by WebSocket

=head1 SYNOPSIS

    my $ws = ws_connect($t, token => $user->{token});
    is($ws->status, 101);
    $ws->say({ type => 'ping' });
    is($ws->next(2)->{type}, 'pong');       # decoded JSON, undef: none came
    is($ws->closed(2), 1008);               # the status of the close frame

=head1 FUNCTIONS

=over

=item ws_connect($t, %options)

Options: C<token>, C<port>, C<tls>, C<method>, C<version> (HTTP, 1.1), C<headers>:
a reference to a hash, of which an undefined value takes the header away; C<early>:
bytes sent together with the request.

=cut

sub ws_connect {
    my ($t, %opt) = @_;

    my $s = Camera::HTTP::connect_to($opt{port} // $t->port('http'),
        tls => $opt{tls}) or die "connect() failed: $!";

    my %headers = (
        'Host'                  => 'localhost',
        'Upgrade'               => 'websocket',
        'Connection'            => 'Upgrade',
        'Sec-WebSocket-Version' => 13,
        'Sec-WebSocket-Key'     => 'dGhlIHNhbXBsZSBub25jZQ==',
        $opt{token} ? ('Authorization' => "Bearer $opt{token}") : (),
        %{ $opt{headers} // {} },
    );

    print $s join("\r\n", ($opt{method} // 'GET') . ' /api/v1/ws HTTP/'
            . ($opt{version} // '1.1'),
        (map { "$_: $headers{$_}" } grep { defined $headers{$_} }
            sort keys %headers), '', ''), $opt{early} // '';

    my $self = bless { socket => $s, in => '', messages => [], pings => 0 },
        __PACKAGE__;
    my $end = time + 10;

    1 until $self->{in} =~ /\r\n\r\n/
        || !Camera::HTTP::more($s, \$self->{in}, $end);

    ($self->{head}, $self->{in}) = split /\r\n\r\n/, $self->{in}, 2;
    ($self->{status}) = ($self->{head} // '') =~ /^HTTP\/1\.\d (\d+)/;

    return $self;
}

=item status, head, rest, pings, socket

=cut

sub status { $_[0]{status} // 0 }
sub head   { $_[0]{head} // '' }
sub rest   { $_[0]{in} // '' }
sub pings  { $_[0]{pings} }
sub socket { $_[0]{socket} }

=item say($data), send_frame(%options)

A message of JSON, or a frame: C<opcode> (1), C<fin> (1), C<rsv> (0), C<mask> (1),
C<length> (what the header says), C<data>.

=cut

sub say {
    my ($self, $data) = @_;

    $self->send_frame(data => JSON::PP->new->utf8->encode($data));
}

sub send_frame {
    my ($self, %opt) = @_;

    local $SIG{PIPE} = 'IGNORE';
    my $s = $self->{socket};
    print $s frame(%opt);
}

sub frame {
    my (%opt) = @_;

    my $data = $opt{data} // '';
    my $length = $opt{length} // length $data;
    my $masked = ($opt{mask} // 1) ? 0x80 : 0;

    my $head = pack 'C', ($opt{fin} // 1) << 7 | ($opt{rsv} // 0) << 4
        | ($opt{opcode} // 1);
    $head .= $length < 126 ? pack 'C', $masked | $length
        : $length < 65536 ? pack 'Cn', $masked | 126, $length
        : pack 'CQ>', $masked | 127, $length;

    return $head . $data unless $masked;

    my $mask = "\x12\x34\x56\x78";
    return $head . $mask . ($data ^ substr($mask x (length($data) / 4 + 1), 0,
        length $data));
}

=item next($seconds)

The next message; pings are answered meanwhile, unless C<silent> was set.

=cut

sub next {
    my ($self, $seconds) = @_;

    my $watch = Camera::Stopwatch->start;

    for (;;) {
        $self->_parse;
        return shift @{ $self->{messages} } if @{ $self->{messages} };
        return undef if $self->{eof} || defined $self->{close};
        $self->_wait($watch, $seconds) or return undef;
    }
}

=item closed($seconds)

The status of the server's close frame, 0 when it has none, C<eof> when the
connection ends without one, undef when nothing ends.

=cut

sub closed {
    my ($self, $seconds) = @_;

    my $watch = Camera::Stopwatch->start;

    for (;;) {
        $self->_parse;
        return $self->{close} if defined $self->{close};
        return 'eof' if $self->{eof};
        $self->_wait($watch, $seconds) or return $self->{eof} ? 'eof' : undef;
    }
}

=item gone($seconds)

1 when the connection ends in time.

=cut

sub gone {
    my ($self, $seconds) = @_;

    my $watch = Camera::Stopwatch->start;
    1 while $self->_wait($watch, $seconds);

    return $self->{eof} ? 1 : 0;
}

sub close { close delete $_[0]{socket} }

# more, before the watch says that the time is over

sub _wait {
    my ($self, $watch, $seconds) = @_;

    until ($self->_read(time + $watch->left($seconds))) {
        return 0 if $self->{eof} || $watch->over($seconds);
    }

    return 1;
}

sub _read {
    my ($self, $end) = @_;

    my $more = Camera::HTTP::more($self->{socket}, \$self->{in}, $end);
    $self->{eof} = 1 if !$more && time < $end;

    return $more;
}

# frames of a server are whole messages without a mask

sub _parse {
    my ($self) = @_;

    while (length $self->{in} >= 2) {
        my ($first, $length) = unpack 'CC', $self->{in};
        my $head = $length == 126 ? 4 : $length == 127 ? 10 : 2;

        return if length $self->{in} < $head;
        $length = unpack 'x2 n', $self->{in} if $head == 4;
        $length = unpack 'x2 Q>', $self->{in} if $head == 10;
        return if length $self->{in} < $head + $length;

        my $data = substr $self->{in}, $head, $length;
        substr $self->{in}, 0, $head + $length, '';

        $self->_frame($first & 15, $data);
    }
}

sub _frame {
    my ($self, $opcode, $data) = @_;

    if ($opcode == 1) {
        push @{ $self->{messages} }, JSON::PP->new->utf8->decode($data);
    } elsif ($opcode == 8) {
        $self->{close} = length $data ? unpack 'n', $data : 0;
    } elsif ($opcode == 9) {
        $self->{pings}++;
        $self->send_frame(opcode => 10, data => $data)
            unless $self->{silent};
    } elsif ($opcode == 10) {
        $self->{pong} = $data;
    }
}

=back

=cut

1;
