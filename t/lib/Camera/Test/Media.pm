package Camera::Test::Media;

# Copyright (C) The nginx camera platform authors

# Clips and publishers.  Every clip carries the number of each frame in its
# picture, as a strip of black and white blocks, so that a test can say which
# frames came out at the other end.

use strict;
use warnings;

use Camera::Process;

my $bits = 16;         # of the frame number; four check bits follow

my %clip = (
    default  => {},
    bframes  => { profile => 'main', x264 => 'bframes=2:b-adapt=0' },
    longgop  => { gop => 8, seconds => 24 },
    noaudio  => { audio => 0 },
    small    => { size => '320x180', rate => '100k' },
    slices   => { size => '320x180', rate => '100k',
                  x264 => 'bframes=0:slices=4' },
    other    => { size => '640x360', rate => '500k', profile => 'main',
                  audio_rate => 44100 },
    flv1     => { vcodec => 'flv', size => '320x180', rate => '200k',
                  seconds => 4 },
    mp3      => { acodec => 'libmp3lame', size => '320x180', rate => '100k',
                  audio_rate => 44100, seconds => 4 },
    big      => { rate => '8M', seconds => 8 },
    bench2m  => { rate => '1900k', seconds => 8 },
);

=head1 NAME

Camera::Test::Media - clips and publishers of Camera::Test

=head1 SYNOPSIS

    my $file = $t->clip('bframes');
    my $p = $t->publish($camera, via => 'ffmpeg', clip => 'bframes');
    $t->wait_for(sub { $p->log =~ /frame=/ }, 5);
    my @numbers = $t->frame_numbers('served.mp4');

=head1 METHODS

=over

=item clip($name)

The path of an FLV file under build/t/media, made the first time.

    default   H.264 Constrained Baseline 1280x720, 15 a second, 1 Mbit/s,
              a key frame each 2 s, AAC mono 48 kHz; 20 s
    bframes   Main, two B-frames between references
    longgop   a key frame each 8 s
    noaudio   video only
    small     320x180, 100 kbit/s
    slices    the same, each picture in four slices
    other     640x360 and AAC at 44.1 kHz: another configuration of both
    flv1      Sorenson H.263: a codec that is refused
    mp3       MP3 beside H.264: a codec that is refused
    big       8 Mbit/s
    bench2m   2 Mbit/s: segments of 500 kB

=cut

sub clip {
    my ($self, $name) = @_;

    my $c = $clip{$name} or die "no clip \"$name\"";
    my $dir = $self->cache_dir . '/media';
    mkdir $dir;
    my $file = "$dir/$name.flv";

    $self->make_once($file, sub { $self->_make_clip($_[0], $c) });

    return $file;
}

=item make_clips

All of them, before a test that measures a time would have to make one.

=cut

sub make_clips {
    my ($self) = @_;

    $self->clip($_) for sort keys %clip;
}

sub _make_clip {
    my ($self, $out, $c) = @_;

    my %c = (size => '1280x720', fps => 15, seconds => 20, gop => 2,
        rate => '900k', vcodec => 'libx264', profile => 'baseline',
        x264 => 'bframes=0', audio => 1, acodec => 'aac',
        audio_rate => 48000, %$c);
    my ($w, $h) = split /x/, $c{size};
    my ($strip_w, $strip_h) = ($w / 2, int $h / 10);
    my $strip = "$self->{dir}/strip.raw";

    $self->write_file($strip, join '',
        map { _strip($_) } 0 .. $c{seconds} * $c{fps} - 1);

    my @video = ('-c:v', $c{vcodec}, '-b:v', $c{rate}, '-maxrate', $c{rate},
        '-bufsize', $c{rate}, '-g', $c{gop} * $c{fps});
    push @video, '-profile:v', $c{profile}, qw(-preset veryfast
        -pix_fmt yuv420p -x264-params), "$c{x264}:scenecut=0:nal-hrd=cbr"
        if $c{vcodec} eq 'libx264';

    $self->run(qw(ffmpeg -nostdin -loglevel error -y -f rawvideo
        -pix_fmt gray -video_size), $bits + 4 . 'x1',
        '-framerate', $c{fps}, '-i', $strip,
        qw(-f lavfi -i), "testsrc2=size=$c{size}:rate=$c{fps}",
        qw(-f lavfi -i), "sine=frequency=440:sample_rate=$c{audio_rate}",
        '-filter_complex', "[0:v]scale=$strip_w:$strip_h:flags=neighbor,"
            . 'format=yuv420p[s];[1:v][s]overlay=0:0:shortest=1[v]',
        qw(-map [v]), @video, $c{audio} ? ('-map', '2:a', '-c:a', $c{acodec},
            qw(-b:a 64k -ac 1)) : (),
        '-t', $c{seconds}, '-f', 'flv', $out);

    unlink $strip;
}

# one frame's strip, a byte a block: the number, then four check bits

sub _strip {
    my ($n) = @_;

    return join '', map { chr($_ eq '1' ? 235 : 16) }
        split //, sprintf "%0${bits}b%04b", $n, _check($n);
}

sub _check {
    my ($n) = @_;

    return ($n ^ $n >> 4 ^ $n >> 8 ^ $n >> 12 ^ 5) & 15;
}

=item frame_numbers($file_or_url, @options)

Decodes with ffmpeg and answers the numbers of the frames in the order in
which they are shown; -1 for one whose strip cannot be read.  The options go
before the input.  What ffmpeg had to say is in C<$t-E<gt>{decoder_log}>.

=cut

sub frame_numbers {
    my ($self, $input, @options) = @_;

    my $raw = "$self->{dir}/frames.raw";
    $self->{decoder_log} = $self->run({ may_fail => 1 },
        qw(ffmpeg -nostdin -hide_banner -loglevel warning -y), @options,
        '-i', $input, qw(-an -vsync passthrough -vf),
        'crop=floor(iw/2):floor(ih/10):0:0,scale=' . ($bits + 4)
            . ':1:flags=area,format=gray', '-f', 'rawvideo', $raw);

    my $bytes = -e $raw ? $self->read_file($raw) : '';
    unlink $raw;

    return map { _number($_) } unpack '(a' . ($bits + 4) . ')*', $bytes;
}

sub _number {
    my $text = join '', map { ord > 125 ? 1 : 0 } split //, $_[0];
    my $n = oct '0b' . substr $text, 0, $bits;

    return oct('0b' . substr $text, $bits) == _check($n) ? $n : -1;
}

=item publish($camera, %options)

Starts a publisher and answers its Camera::Process.

    via     'ffmpeg' (default) or 'camsim'
    clip    name of a clip, or
    file    a path
    rtmps   1: over TLS (also when the camera has no plain URL)
    url     another URL than the camera's
    loop    1 (default): begin again at the end of the file
    forever 1: connect again whenever the connection ends, as a camera does
    input   options for ffmpeg before its input, or
    output  after it
    args    options for camsim

=cut

sub publish {
    my ($self, $camera, %opt) = @_;

    my $url = $opt{url}
        // $camera->{ $opt{rtmps} ? 'rtmps_url' : 'publish_url' };
    my $file = $opt{file} // $self->clip($opt{clip} // 'default');
    my $n = ++$self->{publishers};
    my @loop = ($opt{loop} // 1) ? (qw(-stream_loop -1)) : ();

    my @command = ($opt{via} // 'ffmpeg') eq 'camsim'
        ? ($self->program('camsim'), '--file', $file, '--publish', $url,
            @{ $opt{args} // [] })
        : (qw(ffmpeg -nostdin -hide_banner -loglevel info -re), @loop,
            @{ $opt{input} // [] }, '-i', $file,
            @{ $opt{output} // [qw(-c copy)] }, '-f', 'flv', $url);

    @command = ('sh', '-c', 'while :; do "$@"; sleep 0.2; done', 'camera',
        @command) if $opt{forever};

    return Camera::Process->start(
        { log => "$self->{dir}/publisher.$n.log", name => "publisher $n" },
        @command);
}

=back

=cut

1;
