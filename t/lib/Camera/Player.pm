package Camera::Player;

# Copyright (C) The nginx camera platform authors

# A player as a person would use one, for drills: it follows the URIs of the
# playlists and nothing else, fetches every new segment, and keeps going over
# errors, so that a test can say how long the picture stood still.

use strict;
use warnings;

use Camera::Stopwatch;
use Time::HiRes qw(time sleep);

=head1 NAME

Camera::Player - follows a live playlist

=head1 SYNOPSIS

    my $player = Camera::Player->new($t, $camera->{play_path});
    $player->play(6);                    # seconds
    $player->play_until(sub { $player->segments > 3 }, 10);
    is($player->errors, 0);
    cmp_ok($player->longest_wait, '<', 5);

=head1 METHODS

=over

=item new($t, $path [, %options])

The path is that of the multivariant playlist, with its token.  Options:
C<port> of the HTTP server (default: the test's).

=cut

sub new {
    my ($class, $t, $path, %opt) = @_;

    return bless {
        t        => $t,
        path     => $path,
        port     => $opt{port} // $t->port('http'),
        seen     => {},
        segments => [],
        failures => [],
    }, $class;
}

=item poll

Fetches the playlist and each segment that is new in it; answers how many.
The first call opens the session.

=cut

sub poll {
    my ($self) = @_;

    my $list = $self->{live} // $self->_open or return 0;
    my $r = $self->_get($list) or return 0;

    my $new = 0;

    if ($r->{body} ne $self->playlist) {
        $self->_came('still');
        $self->{playlist} = $r->{body};
    }

    for my $segment (_segments($r->{body})) {
        next if $self->{seen}{ $segment->{msn} };
        my $media = $self->_get($self->_base . $segment->{uri}) or last;

        $self->{seen}{ $segment->{msn} } = 1;
        push @{ $self->{segments} }, { %$segment, at => time,
            bytes => length $media->{body} };
        $self->_came('wait');
        $new++;
    }

    return $new;
}

sub _base {
    my ($self) = @_;

    my ($base) = $self->{path} =~ m{^([^?]*/)};
    return $base;
}

sub _open {
    my ($self) = @_;

    my $r = $self->_get($self->{path}) or return;
    my ($variant) = grep { !/^#/ && length } split /\n/, $r->{body};

    return $self->{live} = $self->_base . $variant;
}

sub _get {
    my ($self, $path) = @_;

    my $r = Camera::HTTP::get($self->{port}, $path, timeout => 3);
    return $r if $r->{status} == 200;

    push @{ $self->{failures} }, { status => $r->{status}, at => time,
        body => $r->{body} };
    return;
}

sub _segments {
    my ($text) = @_;

    my ($msn) = $text =~ /^#EXT-X-MEDIA-SEQUENCE:(\d+)/m or return;
    my (@segments, $duration);

    for (split /\n/, $text) {
        $duration = $1 if /^#EXTINF:([\d.]+)/;
        next if /^#/ || !length || !defined $duration;
        push @segments, { msn => $msn++, uri => $_, duration => $duration };
        undef $duration;
    }

    return @segments;
}

=item play($seconds), play_until(\&condition, $seconds)

Polls five times a second.  play_until answers what the condition did, or 0
when the time is over, as L<Camera::Stopwatch> counts it.

=cut

sub play {
    my ($self, $seconds) = @_;

    my $end = time + $seconds;
    $self->play_until(sub { time >= $end }, $seconds);
}

sub play_until {
    my ($self, $condition, $seconds) = @_;

    my $watch = Camera::Stopwatch->start;

    until ($watch->over($seconds)) {
        $self->poll;
        my $result = $condition->();
        return $result if $result;
        sleep 0.2;
    }

    return 0;
}

=item segments, newest, errors, failures, forget_failures

How many segments were fetched; the newest one (C<msn>, C<duration>,
C<bytes>, C<at>); how many requests were not answered with 200; those; count
them anew.

=cut

sub segments { scalar @{ $_[0]{segments} } }
sub newest   { $_[0]{segments}[-1] }
sub errors   { scalar @{ $_[0]{failures} } }
sub failures { @{ $_[0]{failures} } }
sub forget_failures { $_[0]{failures} = [] }
sub playlist { $_[0]{playlist} // '' }

=item longest_wait, longest_still, forget_still

The longest time in seconds, as L<Camera::Stopwatch> counts them, between two new
segments, and between two changes of the playlist (parts come every half second);
the time since the last one included.  The latter is counted anew.

=cut

sub longest_wait  { $_[0]->_longest('wait') }
sub longest_still { $_[0]->_longest('still') }
sub forget_still  { $_[0]{still} = { watch => Camera::Stopwatch->start } }

sub _came {
    my ($self, $what) = @_;

    $self->{$what} = { longest => $self->_longest($what),
        watch => Camera::Stopwatch->start };
}

sub _longest {
    my ($self, $what) = @_;

    my ($watch, $longest) = @{ $self->{$what} // {} }{qw(watch longest)};
    my $now = $watch ? $watch->seconds : 0;

    return $now > ($longest // 0) ? $now : $longest // 0;
}

=item missed

Media sequence numbers that came between two fetched ones and were never
fetched.

=cut

sub missed {
    my ($self) = @_;

    my @msn = sort { $a <=> $b } keys %{ $self->{seen} };
    return @msn ? grep { !$self->{seen}{$_} } $msn[0] .. $msn[-1] : ();
}

=back

=cut

1;
