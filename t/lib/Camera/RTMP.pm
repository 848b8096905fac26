package Camera::RTMP;

# Copyright (C) The nginx camera platform authors

# A small RTMP client that sends exactly what it is told, right or wrong, over
# plain or TLS sockets, and says what came back.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Stopwatch;
use IO::Select;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

use constant {
    CHUNK_SIZE => 1, ABORT => 2, ACK => 3, USER => 4, ACK_SIZE => 5,
    AUDIO => 8, VIDEO => 9, META => 18, SHARED => 19, COMMAND => 20,
    COMMAND3 => 17, AGGREGATE => 22,
};

# an avcC of Constrained Baseline 320x240 and an AAC-LC 48 kHz mono header

our $AVCC = pack 'H*', '0142c00cffe100186742c00cd90141fb01100000030010'
    . '00000301e0f142a48001000568cb83cb20';
our $ASC = pack 'H*', '1188';

=head1 NAME

Camera::RTMP - a raw RTMP client for tests

=head1 SYNOPSIS

    my $r = Camera::RTMP->open($port, tls => 1);
    $r->handshake;
    my $status = $r->publish('live', "$key?token=$token");
    is($status->{code}, 'NetStream.Publish.Start');

    $r->config;                          # H.264 and AAC headers
    $r->video($msec, key => 1, size => 5000);
    $r->message(Camera::RTMP::CHUNK_SIZE, pack 'N', 0);
    ok($r->closed(2));

=head1 METHODS

=over

=item open($port, %options)

Connects; options are those of Camera::HTTP's connect_to: C<tls>, C<local>.
Dies when nobody listens.

=cut

sub open {
    my ($class, $port, %opt) = @_;

    my $s = Camera::HTTP::connect_to($port, %opt)
        or die "connect() to port $port failed: $!";
    setsockopt $s, IPPROTO_TCP, TCP_NODELAY, 1;

    return bless { s => $s, in => '', chunk => 128, out_chunk => 128,
        streams => {}, messages => [] }, $class;
}

sub socket { $_[0]{s} }

=item raw($bytes)

Sends bytes as they are; 0 when the peer has gone.

=cut

sub raw {
    my ($self, $bytes) = @_;

    local $SIG{PIPE} = 'IGNORE';
    my $sent = 0;

    while ($sent < length $bytes) {
        my $n = syswrite $self->{s}, $bytes, length($bytes) - $sent, $sent;
        return 0 unless $n;
        $sent += $n;
    }

    return 1;
}

=item handshake([$seconds])

The simple form; 1 when the server has answered in whole within some seconds
(5).

=cut

sub handshake {
    my ($self, $seconds) = @_;

    $self->raw("\x03" . pack('NN', 0, 0) . "\0" x 1528) or return 0;
    $self->_want(1 + 1536 * 2, $seconds // 5) or return 0;

    my $reply = substr $self->{in}, 1, 1536;
    substr $self->{in}, 0, 1 + 1536 * 2, '';

    return $self->raw($reply);
}

=item message($type, $body, %options)

Sends one message with a full header, in chunks of the size last set.
Options: C<csid>, C<msid>, C<time>, C<length> (what the header says).

=cut

sub message {
    my ($self, $type, $body, %opt) = @_;

    return $self->raw($self->chunks($type, $body, %opt));
}

sub chunks {
    my ($self, $type, $body, %opt) = @_;

    my $csid = $opt{csid} // 3;
    my $time = $opt{time} // 0;
    my @ext = $time >= 0xffffff ? pack('N', $time) : ();
    my $out = pack('C', $csid)
        . substr(pack('N', @ext ? 0xffffff : $time), 1)
        . substr(pack('N', $opt{length} // length $body), 1)
        . pack('CV', $type, $opt{msid} // 0) . join '', @ext;
    my @parts = unpack "(a$self->{out_chunk})*", $body;

    return $out . join pack('C', 0xc0 | $csid) . join('', @ext), @parts;
}

=item chunk_size($n)

Tells the server our chunk size and uses it from then on.

=cut

sub chunk_size {
    my ($self, $n) = @_;

    $self->message(CHUNK_SIZE, pack('N', $n), csid => 2);
    $self->{out_chunk} = $n;
}

=item command(@values)

Sends an AMF0 command; see amf().

=cut

sub command {
    my ($self, @values) = @_;

    return $self->message(COMMAND, join('', map { amf($_) } @values));
}

=item amf($value)

AMF0: numbers, strings, undef (null), hashes (objects); a scalar reference is
taken as a number or, when it does not look like one, as bytes.

=cut

sub amf {
    my ($v) = @_;

    return "\x05" unless defined $v;
    return $$v if ref $v eq 'SCALAR';
    return "\x03" . join('', map { pack('n/a*', $_) . amf($v->{$_}) }
        sort keys %$v) . "\0\0\x09" if ref $v eq 'HASH';
    return "\x00" . pack('d>', $v) if $v =~ /\A-?\d+(?:\.\d+)?\z/;
    return "\x02" . pack 'n/a*', $v;
}

=item connect($app)

The command and its result: 1 when it was accepted.

=cut

sub connect {
    my ($self, $app) = @_;

    $self->command('connect', 1, { app => $app, tcUrl => 'rtmp://test/' });
    my $m = $self->reply(5) or return 0;

    return $m->{values}[0] eq '_result';
}

=item publish($app, $name)

Everything from connect on; answers the status: C<code>, C<level>,
C<description>, and C<msec> from the command to it, C<ours_msec> as
L<Camera::Stopwatch> counts them; undef without one.

=cut

sub publish {
    my ($self, $app, $name) = @_;

    $self->connect($app) or return undef;
    $self->command('createStream', 2, undef);
    $self->reply(5) or return undef;

    return $self->publish_name($name);
}

sub publish_name {
    my ($self, $name) = @_;

    my $watch = Camera::Stopwatch->start;
    $self->message(COMMAND, join('', amf('publish'), amf(0), amf(undef),
        "\x02" . pack('n/a*', $name), amf('live')), msid => 1);

    my $status = $self->status(5);
    @$status{qw(msec ours_msec)} = map { $_ * 1000 } $watch->passed,
        $watch->seconds if $status;

    return $status;
}

=item publisher($t, $camera, %options)

A new connection that asks to publish as the camera of add_camera; answers
the client and the status.  Options: C<tls>, C<local>, C<app> (live), C<name>
or C<token> instead of the camera's.

=cut

sub publisher {
    my ($class, $t, $camera, %opt) = @_;

    my $name = delete $opt{name} // "$camera->{key}?token="
        . (delete $opt{token} // $camera->{token});
    my $app = delete $opt{app} // 'live';

    my $self = $class->open($t->port($opt{tls} ? 'rtmps' : 'rtmp'), %opt);
    $self->handshake;

    return ($self, $self->publish($app, $name) // { code => '' });
}

=item status($seconds)

The next onStatus.

=cut

sub status {
    my ($self, $seconds) = @_;

    my $watch = Camera::Stopwatch->start;

    while (my $m = $self->reply($seconds - $watch->seconds)) {
        return $m->{values}[-1] if $m->{values}[0] eq 'onStatus';
    }

    return undef;
}

=item reply($seconds), receive($seconds)

The next command, with its C<values>; the next message of any kind.

=cut

sub reply {
    my ($self, $seconds) = @_;

    my $watch = Camera::Stopwatch->start;

    while (my $m = $self->receive($seconds - $watch->seconds)) {
        next unless $m->{type} == COMMAND;
        $m->{values} = [_decode($m->{body})];
        return $m;
    }

    return undef;
}

sub receive {
    my ($self, $seconds) = @_;

    my $watch = Camera::Stopwatch->start;

    until (@{ $self->{messages} }) {
        next if $self->_parse_chunk;
        $self->_wait($watch, $seconds) or return undef;
    }

    return shift @{ $self->{messages} };
}

=item closed($seconds)

1 when the server has ended the connection by then.

=cut

sub closed {
    my ($self, $seconds) = @_;

    my $watch = Camera::Stopwatch->start;
    1 while $self->_wait($watch, $seconds);

    return $self->{eof} ? 1 : 0;
}

=item config([$track])

Configuration of both tracks, or of C<video> or C<audio>.

=cut

sub config {
    my ($self, $track) = @_;

    my $ok = 1;
    $ok = $self->message(VIDEO, "\x17\0\0\0\0$AVCC", msid => 1, csid => 6)
        if ($track // 'video') eq 'video';
    $ok &&= $self->message(AUDIO, "\xaf\0$ASC", msid => 1, csid => 4)
        if ($track // 'audio') eq 'audio';

    return $ok;
}

=item video($msec, %options), audio($msec, $bytes)

One frame.  C<key>, C<size> (of one NAL unit) or C<data>, C<cts>.

=cut

sub video {
    my ($self, $msec, %opt) = @_;

    my $size = $opt{size} // 100;
    my $nal = ($opt{key} ? "\x65" : "\x41") . "\x88" x ($size - 1);
    my $data = $opt{data} // pack 'N/a*', $nal;

    return $self->message(VIDEO, ($opt{key} ? "\x17" : "\x27") . "\x01"
        . substr(pack('N', ($opt{cts} // 0) & 0xffffff), 1) . $data,
        msid => 1, csid => 6, time => $msec);
}

sub audio {
    my ($self, $msec, $data) = @_;

    return $self->message(AUDIO, "\xaf\x01" . ($data // "\x21" x 32),
        msid => 1, csid => 4, time => $msec);
}

=item close

=cut

sub close {
    my ($self) = @_;

    CORE::close($self->{s});
    $self->{eof} = 1;
}

=back

=cut

sub _want {
    my ($self, $n, $seconds) = @_;

    my $watch = Camera::Stopwatch->start;

    while (length $self->{in} < $n) {
        $self->_wait($watch, $seconds) or return 0;
    }

    return 1;
}

# more, before the watch says that the time is over

sub _wait {
    my ($self, $watch, $seconds) = @_;

    until ($self->_read($watch->left($seconds))) {
        return 0 if $self->{eof} || $watch->over($seconds);
    }

    return 1;
}

sub _read {
    my ($self, $seconds) = @_;

    return 0 if $self->{eof};

    my $s = $self->{s};

    unless ($s->can('pending') && $s->pending) {
        $seconds = 0 if $seconds < 0;
        return 0 unless IO::Select->new($s)->can_read($seconds);
    }

    my $n = sysread $s, $self->{in}, 65536, length $self->{in};
    $self->{eof} = 1 unless $n;

    return $n;
}

# one chunk of the server's; its chunk stream ids are below 64

sub _parse_chunk {
    my ($self) = @_;

    my $in = \$self->{in};
    return 0 unless length $$in;

    my $first = ord $$in;
    my ($fmt, $csid) = ($first >> 6, $first & 63);
    my $head = 1 + (11, 7, 3, 0)[$fmt];
    my $st = $self->{streams}{$csid} //= { body => '' };
    return 0 if length $$in < $head;

    if ($fmt <= 1) {
        $st->{length} = unpack 'N', "\0" . substr $$in, 4, 3;
        $st->{type} = ord substr $$in, 7, 1;
    }

    my $left = $st->{length} - length $st->{body};
    my $n = $left < $self->{chunk} ? $left : $self->{chunk};
    return 0 if length $$in < $head + $n;

    $st->{body} .= substr $$in, $head, $n;
    substr $$in, 0, $head + $n, '';

    if (length $st->{body} == $st->{length}) {
        $self->{chunk} = unpack 'N', $st->{body} if $st->{type} == CHUNK_SIZE;
        push @{ $self->{messages} },
            { type => $st->{type}, body => $st->{body} };
        $st->{body} = '';
    }

    return 1;
}

sub _decode {
    my ($in) = @_;

    my @values;
    push @values, _value(\$in) while length $in;

    return @values;
}

sub _value {
    my ($in) = @_;

    my $type = ord substr $$in, 0, 1, '';

    return unpack 'd>', substr $$in, 0, 8, '' if $type == 0;
    return ord substr $$in, 0, 1, '' if $type == 1;
    return _string($in) if $type == 2;
    return undef if $type == 5 || $type == 6;

    my %object;

    for (;;) {
        my $name = _string($in);
        last if $name eq '' || !length $$in;
        $object{$name} = _value($in);
    }

    substr $$in, 0, 1, '';

    return \%object;
}

sub _string {
    my ($in) = @_;

    my $n = unpack 'n', substr $$in, 0, 2, '';
    return substr $$in, 0, $n // 0, '';
}

1;
