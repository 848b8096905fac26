package Camera::Snapshot;

# Copyright (C) The nginx camera platform authors

# Tests of snapshots: rings are fed without ingest (Camera::Live), camera-worker
# makes pictures of them, and an nginx with the test module that has snapshots
# behind a location serves them
# (t/module/ngx_http_camera_snapshot_test_module.c).

use strict;
use warnings;

use parent 'Camera::Live';

use Camera::HTTP;
use Camera::Stopwatch;
use Time::HiRes qw(time);

=head1 NAME

Camera::Snapshot - Camera::Live with nginx in front

=head1 SYNOPSIS

    my $t = Camera::Snapshot->new;
    $t->start_snapshots;
    my $feed = $t->feed('small', '--stay');
    my $r = $t->snapshot(320);            # { status, headers, body, took }
    is_deeply([$t->picture($r)], [320, 180]);

=head1 METHODS

=over

=item start_snapshots(%conf)

Starts nginx (one worker) and camera-worker; options are those of nginx_conf,
and C<worker>, the arguments of camera-worker (one package child).

=cut

sub start_snapshots {
    my ($self, %conf) = @_;

    my $module = 'build/t/ngx_http_camera_snapshot_test_module.so';
    $self->run('make', '-s', '-C', $self->root, $module);
    my $worker = delete $conf{worker} // ['--children', 1];

    $self->nginx_conf(
        workers => 1,
        main    => "load_module @{[$self->root]}/$module;",
        server  => 'location = /snapshot { camera_snapshot_test; }'
            . 'location = /stat { camera_snapshot_test_stat; }',
        %conf,
    );
    $self->start_nginx;
    $self->start_worker(args => $worker) if @$worker;
}

=item snapshot($width [, $camera] [, %options])

=item ask($width [, $camera]), answer($socket)

The same in two steps.

=cut

sub snapshot {
    my ($self, $width, $camera, %opt) = @_;

    my $watch = Camera::Stopwatch->start;
    my $r = $self->http_get($self->_path($width, $camera), %opt);
    $r->{took} = $watch->seconds;
    $r->{passed} = $watch->passed;

    return $r;
}

sub _path {
    my ($self, $width, $camera) = @_;

    $camera //= $self->camera;
    return "/snapshot?id=$camera&width=$width";
}

sub ask {
    my ($self, $width, $camera) = @_;

    my $s = Camera::HTTP::connect_to($self->port('http'))
        or die "connect() failed: $!";
    print $s 'GET ', $self->_path($width, $camera),
        " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    return $s;
}

sub answer {
    my ($self, $s) = @_;

    return Camera::HTTP::read_response($s, time + 10);
}

=item first($width [, $camera])

Asks until there is a picture.

=cut

sub first {
    my ($self, $width, $camera) = @_;

    my $r;
    $self->wait_for(sub {
        $r = $self->snapshot($width, $camera);
        $r->{status} == 200;
    }, 10, 'the first picture');

    return $r;
}

=item picture($response)

Width and height of the JPEG, as ffprobe sees it, or what that had to say.

=item number($response)

The number of the frame that it shows.

=cut

sub picture {
    my ($self, $r) = @_;

    my $text = $self->run({ may_fail => 1 }, 'ffprobe', '-loglevel', 'error',
        '-show_entries', 'stream=codec_name,width,height', '-of', 'csv=p=0',
        $self->_file($r));

    return $text =~ /^mjpeg,(\d+),(\d+)\s*$/ ? ($1, $2) : $text;
}

sub number {
    my ($self, $r) = @_;

    return ($self->frame_numbers($self->_file($r)))[0];
}

sub _file {
    my ($self, $r) = @_;

    my $file = "$self->{dir}/snapshot.jpg";
    $self->write_file($file, $r->{body});

    return $file;
}

=item stat

Counters of the nginx worker: started, waited, refused.

=cut

sub stat {
    my ($self) = @_;

    return { ($self->http_get('/stat')->{body} // '') =~ /(\w+)=(\d+)/g };
}

=item made($width [, $camera])

Inode of the file, which every picture changes.

=cut

sub made {
    my ($self, $width, $camera) = @_;

    $camera //= $self->camera;
    return (CORE::stat("$self->{shm}/live/$camera/snapshot.$width.jpg"))[1];
}

=back

=cut

1;
