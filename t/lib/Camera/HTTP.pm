package Camera::HTTP;

# Copyright (C) The nginx camera platform authors

# A small HTTP/1.1 client that sends the path exactly as it is given, so that
# encoded and dotted paths reach the server unchanged.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);

=head1 NAME

Camera::HTTP - the HTTP client of the tests

=head1 SYNOPSIS

    my $r = Camera::HTTP::get($port, '/readyz', timeout => 2);
    # { status => 200, headers => { 'content-type' => … }, body => … }

=head1 FUNCTIONS

=over

=item get($port, $path, %options)

Options: C<method>, C<headers> (array of lines), C<body>, C<timeout> (10 s),
C<tls> (1), C<local> (source address), C<socket> (a connection to be reused).
C<keep> leaves the connection open and answers it as C<socket>.  When there is
no whole answer in time, status is 0 and C<error> says why.

=cut

sub get {
    my ($port, $path, %opt) = @_;

    my $end = time + ($opt{timeout} // 10);
    my $s = $opt{socket} // connect_to($port, %opt)
        or return failed("connect() failed: $!");

    my $body = $opt{body} // '';
    my @lines = (($opt{method} // 'GET') . " $path HTTP/1.1",
        'Host: localhost', @{ $opt{headers} // [] });
    push @lines, 'Connection: close' unless $opt{keep};
    push @lines, 'Content-Length: ' . length $body if length $body;

    local $SIG{PIPE} = 'IGNORE';
    print $s join("\r\n", @lines, '', $body);

    my $r = read_response($s, $end, ($opt{method} // 'GET') eq 'HEAD');
    $r->{socket} = $s if $opt{keep};

    return $r;
}

=item connect_to($port, %options)

A connection to the loopback port; C<tls> and C<local> as above.

=cut

sub connect_to {
    my ($port, %opt) = @_;

    my @args = (
        PeerAddr => $opt{peer} // '127.0.0.1',
        PeerPort => $port,
        Timeout  => $opt{timeout} // 10,
        ($opt{local} ? (LocalAddr => $opt{local}) : ()),
    );

    my $s = $opt{tls} ? tls_socket(@args) : IO::Socket::INET->new(@args);
    $s->autoflush(1) if $s;

    return $s;
}

sub tls_socket {
    require IO::Socket::SSL;
    return IO::Socket::SSL->new(@_, SSL_verify_mode => 0);
}

sub failed {
    return { status => 0, headers => {}, body => '', error => $_[0] };
}

sub read_response {
    my ($s, $end, $head_only) = @_;

    my $in = '';
    more($s, \$in, $end) or return failed('no whole header in time')
        until $in =~ /\r\n\r\n/;

    my ($head, $rest) = split /\r\n\r\n/, $in, 2;
    my ($first, @lines) = split /\r\n/, $head;
    my %headers;

    for (@lines) {
        my ($name, $value) = /^([^:]+):\s*(.*)$/ or next;
        my $old = $headers{ lc $name };
        $headers{ lc $name } = defined $old ? "$old, $value" : $value;
    }

    my ($status) = $first =~ /^HTTP\/1\.\d (\d+)/
        or return failed("not HTTP: $first");

    my $r = { status => $status, headers => \%headers, header => $head,
        body => '' };
    return $r if $head_only || $status == 204 || $status == 304;

    my $whole = read_body($s, $rest, \%headers, $end, \$r->{body});
    @$r{qw(status error)} = (0, 'no whole body in time') unless $whole;

    return $r;
}

sub read_body {
    my ($s, $in, $headers, $end, $body) = @_;

    if (($headers->{'transfer-encoding'} // '') =~ /chunked/i) {
        return read_chunks($s, $in, $end, $body);
    }

    my $length = $headers->{'content-length'};

    while (!defined $length || length $in < $length) {
        last unless more($s, \$in, $end);
    }

    $$body = $in;

    return !defined $length || length $in >= $length;
}

sub read_chunks {
    my ($s, $in, $end, $body) = @_;

    for (;;) {
        until ($in =~ /^([0-9a-fA-F]+)[^\r\n]*\r\n/) {
            more($s, \$in, $end) or return 0;
        }

        my ($size, $line) = (hex $1, $+[0]);
        until (length $in >= $line + $size + 2) {
            more($s, \$in, $end) or return 0;
        }

        $$body .= substr $in, $line, $size;
        substr $in, 0, $line + $size + 2, '';

        return 1 if $size == 0;
    }
}

# appends what has come to $$in; 0 at the end, on errors and at the deadline

sub more {
    my ($s, $in, $end) = @_;

    unless ($s->can('pending') && $s->pending) {
        my $left = $end - time;
        return 0 if $left <= 0 || !IO::Select->new($s)->can_read($left);
    }

    my $n = sysread $s, $$in, 65536, length $$in;

    return $n ? 1 : 0;
}

=back

=cut

1;
