package Camera::Back;

# Copyright (C) The nginx camera platform authors

# A player of live lists that reach back into recordings: starts sessions, reads
# lists strictly, merges what a delta update leaves out, fetches what they name.

use strict;
use warnings;

use Camera::Playback;

=head1 NAME

Camera::Back - sessions that reach back, and their lists

=head1 SYNOPSIS

    my $p = Camera::Back->new($t, $camera);
    my $list = $p->start(from => $ms);
    $list = $p->reload(msn => $list->{next}, part => 0, skip => 'YES');
    my @numbers = $p->frames($list->{groups}[0]);

=head1 METHODS

=over

=item new($t, $camera), entrance(%options)

The path of the multivariant playlist: C<from> in Unix ms, and what C<token>
takes; C<fr> is half a day ago.

=cut

sub new {
    my ($class, $t, $camera) = @_;

    return bless { t => $t, camera => $camera,
        path => "/hls/$camera->{id}" }, $class;
}

sub entrance {
    my ($self, %o) = @_;

    my $from = delete $o{from};
    my $token = $o{token} // $self->{t}->token(camera => $self->{camera},
        use => 'playback', fr => 1000 * (time - 43000), %o);

    return "$self->{path}/playlist.m3u8?token=$token"
        . (defined $from ? "&from=$from" : '');
}

=item start(%options), reload(%directives)

Starts a session and answers its whole list; the list now.  Directives are
C<msn>, C<part> and C<skip>.  What was left out of a delta update is taken from
the list before, C<skipped> says how many.

=cut

sub start {
    my ($self, %o) = @_;

    my $r = $self->get($self->entrance(%o));
    die "no session: $r->{status} $r->{body}" if $r->{status} != 200;
    $self->{master} = $r->{body};
    my ($uri) = $r->{body} =~ /^(back\.m3u8\S+)/m or die "no $r->{body}";
    $self->{media} = "$self->{path}/$uri";

    return $self->reload;
}

sub reload {
    my ($self, %directive) = @_;

    my $r = $self->get(join '&', $self->{media},
        map { "_HLS_$_=$directive{$_}" } sort keys %directive);
    die "no list: $r->{status}" if $r->{status} != 200;
    my $list = read_list($r->{body}, $self->{list});
    $self->{list} = $list;

    return $list;
}

sub get {
    my ($self, $path, @o) = @_;

    return $self->{t}->http_get($path, @o);
}

=item read_list($text [, $before])

An unknown line dies.  Answers text, target, first (its first number), skipped,
start, hint, parts of the segment to come, next (its number), and segments, each
with number, uri, offset and size, duration, map, time (of its begin, Unix ms),
gap, recorded, parts and group; groups are the segments between discontinuities, without
gaps.

=cut

sub read_list {
    my ($text, $before) = @_;

    my %list = (text => $text, segments => [], skipped => 0, groups => [[]]);
    my ($map, $time, $group, %new) = (undef, undef, 0);
    my @lines = split /\n/, $text;
    die 'no playlist' if shift @lines ne '#EXTM3U';
    my @parts;

    for (@lines) {
        if (/^#EXT-X-VERSION:9$/) {
        } elsif (/^#EXT-X-TARGETDURATION:(\d+)$/) { $list{target} = $1;
        } elsif (/^\#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,
            (?:CAN-SKIP-UNTIL=([\d.]+),)?PART-HOLD-BACK=([\d.]+)$/x) {
            @list{qw(skip_until hold_back)} = ($1, $2);
        } elsif (/^#EXT-X-PART-INF:PART-TARGET=([\d.]+)$/) {
            $list{part_target} = $1;
        } elsif (/^#EXT-X-MEDIA-SEQUENCE:(\d+)$/) { $list{first} = $1;
        } elsif (/^#EXT-X-DISCONTINUITY-SEQUENCE:0$/) {
        } elsif (/^#EXT-X-START:TIME-OFFSET=([\d.]+),PRECISE=YES$/) {
            $list{start} = $1;
        } elsif (/^#EXT-X-SKIP:SKIPPED-SEGMENTS=(\d+)$/) {
            $list{skipped} = $1;
            my @old = @{ $before->{segments} }[0 .. $1 - 1];
            die 'more skipped than known' if grep { !$_ } @old;
            $list{segments} = [ map { { %$_ } } @old ];
            $group = $old[-1]{group};
            $map = $old[-1]{map};
        } elsif (/^#EXT-X-MAP:URI="([^"]+)"(?:,BYTERANGE="(\d+)\@0")?$/) {
            $map = { uri => $1, size => $2 };
        } elsif (/^#EXT-X-DISCONTINUITY$/) {
            $group++ if @{ $list{segments} };
        } elsif (/^#EXT-X-PROGRAM-DATE-TIME:(\S+)$/) {
            $time = Camera::Playback::msec($1);
        } elsif (/^#EXT-X-GAP$/) { $new{gap} = 1;
        } elsif (/^#EXTINF:([\d.]+),$/) { $new{duration} = $1;
        } elsif (/^#EXT-X-BYTERANGE:(\d+)\@(\d+)$/) {
            @new{qw(size offset)} = ($1, $2);
        } elsif (/^\#EXT-X-PART:DURATION=([\d.]+),URI="([^"]+)"
            (?:,INDEPENDENT=YES)?$/x) {
            push @parts, { duration => $1, uri => $2, map => $map };
        } elsif (/^#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+)"$/) {
            $list{hint} = $1;
        } elsif (/^[^#]/) {
            push @{ $list{segments} }, { %new, uri => $_, map => $map,
                recorded => m{^/} ? 1 : 0,
                time => $time, group => $group, parts => [@parts] };
            $time += 1000 * $new{duration} if defined $time;
            %new = ();
            @parts = ();
        } else { die "strange line \"$_\"" }
    }

    my $number = $list{first};

    for (@{ $list{segments} }) {
        $_->{number} = $number++;
        push @{ $list{groups}[$_->{group}] }, $_ unless $_->{gap};
    }

    @list{qw(parts next)} = (\@parts, $number);

    return \%list;
}

=item fetch($segment [, %options]), path($uri)

As a player does, by its range if it has one.

=cut

sub path {
    my ($self, $uri) = @_;

    return $uri =~ m{^/} ? $uri : "$self->{path}/$uri";
}

sub fetch {
    my ($self, $segment, %o) = @_;

    my $from = $segment->{offset} // 0;
    my @range = !$segment->{size} ? () : (headers => [ sprintf
        'Range: bytes=%d-%d', $from, $from + $segment->{size} - 1 ]);

    return $self->get($self->path($segment->{uri}), %o, @range);
}

=item media($group), frames($group)

A file of the segments between two discontinuities; the numbers of its frames.

=cut

sub media {
    my ($self, $group) = @_;

    my $file = "$self->{t}{dir}/group." . ++$self->{files} . '.mp4';
    $self->{t}->write_file($file, join '', map {
        my $r = $self->fetch($_);
        die "$_->{uri}: $r->{status}" if $r->{status} !~ /^20[06]$/;
        $r->{body};
    } $group->[0]{map}, @$group);

    return $file;
}

sub frames {
    my ($self, $group) = @_;

    return $self->{t}->frame_numbers($self->media($group));
}

=item changed($one, $other)

The numbers of which one list says something else than another, but for what
comes and goes: parts, and the init segment, whose bytes are the same.

=cut

sub changed {
    my ($one, $other) = @_;

    my %say = map { $_->{number} => say_segment($_) } @{ $one->{segments} };

    return grep { defined $say{ $_->{number} }
        && $say{ $_->{number} } ne say_segment($_) } @{ $other->{segments} };
}

sub say_segment {
    my ($s) = @_;

    return join ' ', map { $_ // '-' } @$s{qw(uri offset size duration time
        gap group)};
}

=back

=cut

1;
