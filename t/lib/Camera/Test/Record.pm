package Camera::Test::Record;

# Copyright (C) The nginx camera platform authors

# Recordings of a test: volumes, and hour files that were never recorded but
# lie there as if they had been, by t/tool/record_make.

use strict;
use warnings;

use Sys::Hostname qw(hostname);

=head1 NAME

Camera::Test::Record - volumes and recordings of Camera::Test

=head1 SYNOPSIS

    my $r = $t->add_recording($camera, start => time - 3600);
    # { id, volume, path, file, index, start, end, bytes, usec, fragments }

=head1 METHODS

=over

=item volume

The directory for recordings of this test, made by the first recording.

=cut

sub volume { "$_[0]{dir}/recordings" }

=item fragmented($clip)

The path of a clip as fragmented MP4, half a second a fragment, made the first
time.

=cut

sub fragmented {
    my ($self, $name) = @_;

    my $clip = $self->clip($name);
    my $file = $self->cache_dir . "/media/$name.fragments.mp4";

    $self->make_once($file, sub {
        $self->run(qw(ffmpeg -nostdin -loglevel error -y -i), $clip,
            qw(-c copy -f mp4 -movflags),
            'frag_keyframe+empty_moov+default_base_moof',
            qw(-frag_duration 500000 -use_editlist 0 -avoid_negative_ts 0),
            $_[0]);
    });

    return $file;
}

=item make_recording($camera, %options)

Makes the files of a recording and answers its id, volume, path (below the
volume), file, index, start and end (Unix ms), bytes, usec and fragments.

    start   Unix seconds (an hour ago)
    clip    name of a clip (small); its frame numbers are those of the clip
    file    fragmented MP4 instead
    first   number of its first fragment (0), half a second each
    count   how many of them (all)
    volume  another directory
    encrypt 1: encrypted, by the keys of the test

=cut

sub make_recording {
    my ($self, $camera, %opt) = @_;

    my $volume = $opt{volume} // $self->volume;
    my $start = int 1000 * ($opt{start} // time - 3600);
    my $out = $self->run({ user => 'www-data' },
        $self->root . '/build/t/tool/record_make',
        ($opt{encrypt} ? ('-k', $self->_service_keys) : ()),
        $self->_service_dir($volume),
        $camera->{id}, $start,
        $opt{file} // $self->fragmented($opt{clip} // 'small'),
        $opt{first} // 0, $opt{count} // ());

    my %r = $out =~ /(\w+)=(\S+)/g;
    $r{file} = "$volume/$r{path}";
    $r{index} = $r{file} =~ s/mp4$/idx/r;
    $r{hold} = $r{file} =~ s/mp4$/hold/r;

    return \%r;
}

# as the recorder reads them

sub _service_keys {
    my ($self) = @_;

    my $file = "$self->{dir}/service-keys.json";
    $self->write_file($file, $self->read_file($self->keys_file));
    chmod 0600, $file;
    $self->give_to_service($file);

    return $file;
}

sub _service_dir {
    my ($self, $dir) = @_;

    unless (-e $dir) {
        mkdir $dir, 0750 or die "mkdir(\"$dir\") failed: $!";
        $self->give_to_service($dir);
    }

    return $dir;
}

=item add_recording($camera, %options)

The same, with its row.

=cut

sub add_recording {
    my ($self, $camera, %opt) = @_;

    my $r = $self->make_recording($camera, %opt);

    $self->sql(sprintf q{SELECT volume_report('%s', '%s', '%s', 'ok', 0, 0)},
        $r->{volume}, hostname(),
        $opt{volume} // $self->volume);
    $self->sql(sprintf q{SELECT journal_open('%s', '%s', '%s', '%s',
        to_timestamp(%s / 1000.0), 'avc1.42c01f', 320, 180)},
        @$r{qw(volume id)}, $camera->{id}, @$r{qw(path start)});
    $self->sql(sprintf q{SELECT journal_close('%s', to_timestamp(%s / 1000.0),
        %s, %s, %s, 'hour')}, @$r{qw(id end bytes usec fragments)});

    return $r;
}

=item add_recording_row($camera, %options)

The row alone, of files that are not there; $camera is an id.  Answers the
recording's.

    start    RFC 3339 (2026-01-01T00:00:00Z)
    seconds  how long it is (600)
    bytes    of its file (1000)
    open     1: it is still being recorded

=cut

sub add_recording_row {
    my ($self, $camera, %opt) = @_;

    my $start = $opt{start} // '2026-01-01T00:00:00Z';
    my ($seconds, $bytes) = ($opt{seconds} // 600, $opt{bytes} // 1000);
    my $volume = $self->{row_volume} //= $self->sql('SELECT gen_random_uuid()');
    my $id = $self->sql("SELECT recording_id('$start')");
    my $end = "'$start'::timestamptz + interval '$seconds seconds'";

    $self->sql("SELECT journal_open('$volume', '$id', '$camera',
        'media/$id.mp4', '$start', 'avc1.42c01f', 320, 180)");
    $self->sql($opt{open}
        ? "SELECT journal_advance('$id', $end, $bytes, ${seconds}000000, 1)"
        : "SELECT journal_close('$id', $end, $bytes, ${seconds}000000, 1,
            'hour')");

    return $id;
}

=back

=cut

1;
