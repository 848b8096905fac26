package Camera::Playback;

# Copyright (C) The nginx camera platform authors

# A player of recordings for tests: starts sessions, reads playlists, fetches
# what they name exactly as it stands there.

use strict;
use warnings;

use Camera::Token qw(base64url random_bytes unbase64url);
use Digest::SHA qw(hmac_sha256);
use POSIX qw(strftime);

=head1 NAME

Camera::Playback - sessions and playlists of recordings

=head1 SYNOPSIS

    my $p = Camera::Playback->new($t, $camera);
    my $list = $p->playlist(from => $ms, to => $ms);
    my $r = $p->fetch($list->{pieces}[0]);
    my @numbers = $p->frames($list->{groups}[0]);

=head1 METHODS

=over

=item conf

What nginx_conf() needs: recordings of the test's volume, both locations.

=cut

sub conf {
    my ($class, $t, %o) = @_;

    return (
        %o,
        camera => 'recordings ' . join(' ', @{ $o{volumes} // [ $t->volume ] })
            . '; ' . ($o{camera} // ''),
        server => 'location /recordings/ { camera_recordings; aio threads; '
            . 'sendfile on; } location /exports/ { camera_recordings exports; '
            . 'aio threads; sendfile on; } ' . ($o{server} // ''),
    );
}

=item new($t, $camera)

=cut

sub new {
    my ($class, $t, $camera) = @_;

    return bless { t => $t, camera => $camera,
        path => "/recordings/$camera->{id}" }, $class;
}

=item token(%claims), entrance(%options)

A token for recordings; the path of the multivariant playlist: C<from>, C<to>
and C<token>, or claims of one.

=cut

sub token {
    my ($self, %claims) = @_;

    return $self->{t}->token(camera => $self->{camera}, use => 'playback',
        pur => 2, %claims);
}

sub entrance {
    my ($self, %o) = @_;

    my ($from, $to, $token) = delete @o{qw(from to token)};
    $token //= $self->token(%o);

    return "$self->{path}/playlist.m3u8?"
        . join '&', (defined $from ? "from=$from" : ()),
            (defined $to ? "to=$to" : ()), "token=$token";
}

=item start(%options)

The path of a session's media playlist, or dies.

=cut

sub start {
    my ($self, %o) = @_;

    my $r = $self->get($self->entrance(%o));
    die "no session: $r->{status} $r->{body}" if $r->{status} != 200;
    $self->{master} = $r->{body};
    my ($uri) = $r->{body} =~ /^(media\.m3u8\S+)/m or die 'no variant';

    return "$self->{path}/$uri";
}

sub get {
    my ($self, $path, @o) = @_;

    return $self->{t}->http_get($path, @o);
}

=item playlist(%options), read_playlist($text)

Starts a session, fetches its media playlist and reads it, strictly: an unknown
line dies.  Answers text, type, target, start, ended, and pieces, each with uri,
offset, size, duration, map, time (of its begin, Unix ms) and group; groups are
the pieces between discontinuities.

=cut

sub playlist {
    my ($self, %o) = @_;

    $self->{media} = $self->start(%o);
    return $self->reload;
}

sub reload {
    my ($self) = @_;

    my $r = $self->get($self->{media});
    die "no playlist: $r->{status}" if $r->{status} != 200;

    return read_playlist($r->{body});
}

sub read_playlist {
    my ($text) = @_;

    my %list = (text => $text, pieces => [], groups => [[]]);
    my ($map, $time, %piece);
    my @lines = split /\n/, $text;
    die 'no playlist' if shift @lines ne '#EXTM3U';

    for (@lines) {
        if (/^#EXT-X-VERSION:6$/) {
        } elsif (/^#EXT-X-TARGETDURATION:(\d+)$/) { $list{target} = $1;
        } elsif (/^#EXT-X-PLAYLIST-TYPE:(VOD|EVENT)$/) { $list{type} = $1;
        } elsif (/^#EXT-X-START:TIME-OFFSET=([\d.]+),PRECISE=YES$/) {
            $list{start} = $1;
        } elsif (/^#EXT-X-MAP:URI="([^"]+)",BYTERANGE="(\d+)\@0"$/) {
            $map = { uri => $1, offset => 0, size => $2 };
        } elsif (/^#EXT-X-DISCONTINUITY$/) { push @{ $list{groups} }, [];
        } elsif (/^#EXT-X-PROGRAM-DATE-TIME:(\S+)$/) { $time = msec($1);
        } elsif (/^#EXTINF:(\d+\.\d{6}),$/) { $piece{duration} = $1;
        } elsif (/^#EXT-X-BYTERANGE:(\d+)\@(\d+)$/) {
            @piece{qw(size offset)} = ($1, $2);
        } elsif (/^#EXT-X-ENDLIST$/) { $list{ended} = 1;
        } elsif (/^[^#]/) {
            my $new = { %piece, uri => $_, map => $map, time => $time,
                group => $#{ $list{groups} } };
            push @{ $list{pieces} }, $new;
            push @{ $list{groups}[-1] }, $new;
            $time += 1000 * $piece{duration};
            %piece = ();
        } else { die "strange line \"$_\"" }
    }

    return \%list;
}

=item msec($text)

Of an RFC 3339 time with milliseconds.

=cut

sub msec {
    my ($y, $m, $d, $h, $min, $s, $ms) =
        $_[0] =~ /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z$/
        or die "no time \"$_[0]\"";
    require Time::Local;

    return 1000 * Time::Local::timegm($s, $min, $h, $d, $m - 1, $y) + $ms;
}

=item fetch($piece [, %options])

By its range, as a player does.

=cut

sub fetch {
    my ($self, $piece, %o) = @_;

    return $self->range($piece->{uri}, $piece->{offset},
        $piece->{offset} + $piece->{size} - 1, %o);
}

sub range {
    my ($self, $uri, $from, $to, %o) = @_;

    return $self->get("$self->{path}/$uri", %o,
        headers => ["Range: bytes=$from-$to", @{ $o{headers} // [] }]);
}

=item download(%options), session(%options)

URLs and sessions as the API and nginx sign them, by a second implementation:
of a download C<start> (Unix ms) or C<id> of an export with C<suffix>, C<expires>,
C<epoch>, C<name> as it stands in the URL; of a session C<from>, C<to>,
C<started>, C<ends>, C<target>, C<purpose>.

=cut

sub download {
    my ($self, %o) = @_;

    my $suffix = $o{suffix} // 'mp4';
    my $kind = !$o{id} ? 3 : $suffix eq 'mp4' ? 4 : 5;
    my $what = $o{id} ? uuid($o{id}) : pack 'Q>Q>', 0, $o{start};
    my $path = $o{id} ? "/exports/$self->{camera}{id}/$o{id}.$suffix"
        : "$self->{path}/" . file_name($o{start});
    my $expires = $o{expires} // time + 60;
    my ($index, $secret) = $self->_key;
    my $head = pack 'CN', $index, $o{epoch} // $self->{camera}{epoch};
    my $mac = hmac_sha256(pack('aC', 'D', $kind) . $head
        . uuid($self->{camera}{id}) . $what . pack('Q>', $expires)
        . ($o{name} // ''), $secret);

    return "$path?e=$expires&m=" . base64url($head . substr $mac, 0, 16)
        . (length($o{name} // '') ? "&d=$o{name}" : '');
}

sub session {
    my ($self, %o) = @_;

    my ($index, $secret) = $self->_key;
    my $body = pack 'CCCCa8NN', 2, $index, $o{purpose} // 2, $o{target} // 2,
        random_bytes(8), 5, $self->{camera}{epoch};
    $body .= pack 'nN', $_ >> 32, $_ & 0xffffffff for $o{started} // time,
        $o{ends} // time + 3600, @o{qw(from to)};

    return base64url($body . substr hmac_sha256('R'
        . uuid($self->{camera}{id}) . $body, $secret), 0, 16);
}

sub _key {
    my ($self) = @_;

    my $kid = $self->{t}->key('playback')->{kid};
    my @keys = @{ $self->{t}{keys} };
    my ($index) = grep { $keys[$_]{kid} eq $kid } 0 .. $#keys;

    return ($index, unbase64url($keys[$index]{k}));
}

sub uuid { return pack 'H*', $_[0] =~ s/-//gr }

sub file_name {
    my ($msec) = @_;

    my @time = gmtime int($msec / 1000);
    return strftime('%Y-%m-%d/%Y%m%dT%H%M%S', @time)
        . sprintf '.%03dZ.mp4', $msec % 1000;
}

=item reveal($recording, $fragments)

Puts as many fragments of a recording that was made on another volume onto the
test's, as the recorder would have by then; answers its file there.

=cut

sub reveal {
    my ($self, $from, $n) = @_;

    my $t = $self->{t};
    my $index = $t->read_file($from->{index});
    my ($offset, $size) = unpack 'x' . (256 + 56 * ($n - 1)) . 'Q<x24L<', $index;
    my $to = $t->volume . "/$from->{path}";

    $t->_service_dir($t->volume);
    $t->run({ user => 'www-data' }, qw(mkdir -p), $to =~ s{/[^/]+\z}{}r);

    # media bytes before index entries

    for ([ $to, substr $t->read_file($from->{file}), 0, $offset + $size ],
        [ $to =~ s/mp4$/idx/r, substr $index, 0, 256 + 56 * $n ])
    {
        my ($name, $bytes) = @$_;
        open my $fh, -e $name ? '+<' : '>', $name or die "$name: $!";
        binmode $fh;
        my $have = -s $fh;
        seek $fh, $have, 0;
        print $fh substr $bytes, $have;
        close $fh;
        $t->give_to_service($name);
    }

    return $to;
}

=item frames($group)

The numbers of the frames in the pieces between two discontinuities.

=cut

sub frames {
    my ($self, $group) = @_;

    my $file = "$self->{t}{dir}/group.mp4";
    $self->{t}->write_file($file, join '', map {
        my $r = $self->fetch($_);
        die "$_->{uri}: $r->{status}" if $r->{status} != 206;
        $r->{body};
    } $group->[0]{map}, @$group);

    return $self->{t}->frame_numbers($file);
}

=back

=cut

1;
