package Camera::Test::Camera;

# Copyright (C) The nginx camera platform authors

# Keys, tokens, cameras and camera-worker of a test instance.

use strict;
use warnings;

use Camera::Process;
use Camera::Token qw(base64url jwt random_bytes);
use Digest::SHA qw(sha256 sha256_hex);
use JSON::PP;

=head1 NAME

Camera::Test::Camera - cameras, tokens and camera-worker of Camera::Test

=head1 SYNOPSIS

    my $camera = $t->add_camera(name => 'gate', cidr => ['127.0.0.0/8']);
    my $expired = $t->token(camera => $camera, exp => time - 3600);
    my $none = $t->token(camera => $camera, header => { alg => 'none' });

=head1 METHODS

=over

=item keys_file

The path of the signing keys, made the first time: one key of each use, which
sign, and a second one of each that only verifies.

=cut

sub keys_file {
    my ($self) = @_;

    my $file = "$self->{dir}/keys.json";
    return $file if $self->{keys};

    $self->write_keys(map {
        my $use = $_;
        map { { kid => substr($use, 0, 1) . $_, use => $use,
            k => base64url(random_bytes(32)),
            sign => $_ == 1 ? JSON::PP::true : JSON::PP::false } } 1, 2;
    } qw(stream playback access export recording));

    return $file;
}

=item write_keys(@keys)

Writes the key file with these entries (C<kid>, C<use>, C<k>, C<sign>).

=cut

sub write_keys {
    my ($self, @keys) = @_;

    my $file = "$self->{dir}/keys.json";
    $self->{keys} = [@keys];
    $self->write_file($file, JSON::PP->new->canonical->pretty->encode(
        { keys => \@keys }));
    chmod 0600, $file;

    return $file;
}

=item key($use), key($kid)

The entry that signs for a use ("stream", "playback", "access", "export",
"recording"), or the one named.

=cut

sub key {
    my ($self, $which) = @_;

    $self->keys_file;
    my ($key) = grep {
        $_->{kid} eq $which || $_->{use} eq $which && $_->{sign}
    } @{ $self->{keys} };

    return $key // die "no key \"$which\"";
}

=item token(%options)

Signs a token.  Claims and header are right for the kind unless overridden:

    camera    what add_camera answered, or nothing
    use       'stream' (default) or 'playback'
    kid       key to sign with, default the use's signer
    secret    bytes to sign with instead of the key's
    header    { … }  fields that replace the header's; undef removes
    claims    { … }  fields that replace the claims'; undef removes
    any other option, such as exp, iat, gen, sub, is a claim as well

=cut

sub token {
    my ($self, %opt) = @_;

    my ($camera, $use, $kid, $secret, $header, $more) =
        delete @opt{qw(camera use kid secret header claims)};
    $use //= 'stream';
    my $key = $self->key($kid // $use);

    my %header = (alg => 'HS256', kid => $key->{kid}, typ => 'JWT',
        %{ $header // {} });

    my %claims = (
        typ => $use eq 'stream' ? 'sk+jwt' : 'pb+jwt',
        sub => $camera->{id},
        jti => base64url(random_bytes(16)),
        iat => time,
        exp => time + ($use eq 'stream' ? 30 * 86400 : 900),
        ($use eq 'stream'
            ? (gen => 0 + ($camera->{generation} // 1))
            : (pur => 1, ep => 0 + ($camera->{epoch} // 0),
               ten => $camera->{tenant})),
        %opt, %{ $more // {} },
    );

    for my $part (\%header, \%claims) {
        delete @$part{ grep { !defined $part->{$_} } keys %$part };
    }

    return jwt($secret // Camera::Token::unbase64url($key->{k}),
        \%header, \%claims);
}

=item certificate

The paths of a self-signed certificate for localhost and its key.

=cut

sub certificate {
    my ($self) = @_;

    my $dir = $self->cache_dir . '/tls';
    mkdir $dir;

    $self->make_once("$dir/both.pem", sub {
        $self->run(qw(openssl req -x509 -newkey ec -pkeyopt
            ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=localhost
            -addext), 'subjectAltName=DNS:localhost,IP:127.0.0.1',
            '-keyout', "$dir/key.pem", '-out', "$dir/cert.pem");
        $self->write_file($_[0], $self->read_file("$dir/cert.pem")
            . $self->read_file("$dir/key.pem"));
    });

    return ("$dir/cert.pem", "$dir/key.pem");
}

=item start_worker(%options)

Starts bin/camera-worker on this instance's shared memory, as www-data when
the test is root; C<args> are added to its command line.

=cut

sub start_worker {
    my ($self, %opt) = @_;

    $self->{worker} = Camera::Process->start(
        { log => "$self->{dir}/worker.log", name => 'camera-worker',
          user => 'www-data', append => 1, env => $opt{env} },
        $self->program('camera-worker'), '--shm', $self->{shm},
        @{ $opt{args} // [] });

    return $self->{worker};
}

=item worker, worker_children([$role])

The Camera::Process of camera-worker's master; the pids below it that have a
role: C<package> (default), C<snapshot>, C<sandbox>.

=cut

sub worker { $_[0]{worker} }

sub worker_children {
    my ($self, $role) = @_;

    $role //= 'package';

    return grep { _comm($_) =~ m{^\Q$role\E(?:/|$)} }
        Camera::Process::children($self->{worker}->pid);
}

sub _comm {
    my ($pid) = @_;

    open my $fh, '<', "/proc/$pid/comm" or return '';
    my $comm = <$fh> // '';
    chomp $comm;
    return $comm;
}

=item kill_worker_child($n [, $signal])

=cut

sub kill_worker_child {
    my ($self, $n, $signal) = @_;

    my $pid = ($self->worker_children)[$n] // die "no worker child $n";
    kill $signal // 'KILL', $pid;

    return $pid;
}

=item cli(@arguments)

Runs bin/camera on this instance and answers what it printed, decoded when
C<--json> is among the arguments.  Dies when it fails.

=cut

sub cli {
    my ($self, @arguments) = @_;

    local @ENV{qw(CAMERA_ENV)} = ($self->env_file);
    my $text = $self->run($self->program('camera'), @arguments);

    return $text unless grep { $_ eq '--json' } @arguments;
    return JSON::PP->new->utf8->decode($text);
}

=item env_file([%other])

The path of a run.env that describes this instance, as make run writes it;
with other values, of a second file that has those instead.

=cut

sub env_file {
    my ($self, %other) = @_;

    my $file = "$self->{dir}/" . (%other ? 'other.env' : 'run.env');
    my %env = (
        CAMERA_URL          => 'http://127.0.0.1:' . $self->port('http'),
        CAMERA_RTMP_URL     => 'rtmp://127.0.0.1:' . $self->port('rtmp'),
        CAMERA_RTMPS_URL    => 'rtmps://127.0.0.1:' . $self->port('rtmps'),
        CAMERA_DATABASE_URL => $self->database_url('camera_owner'),
        CAMERA_KEYS         => $self->keys_file,
        CAMERA_SHM          => $self->{shm},
        ($self->{nginx} ? (NGINX_PID => $self->{nginx}->pid) : ()),
        %other,
    );

    $self->write_file($file,
        join '', map { "$_=$env{$_}\n" } sort keys %env);

    return $file;
}

=item add_camera(%options)

Adds a camera by SQL and answers

    id, name, key, tenant, generation, epoch, token, publish_url, rtmps_url,
    play_path, play_url

where the URLs carry tokens made by token(), and C<opaque> and C<opaque_url>
when the option C<opaque> is set.  Options: C<name>, C<key>, C<cidr> (array),
C<opaque>.  When nginx runs, it returns when nginx knows the camera.

=cut

sub add_camera {
    my ($self, %opt) = @_;

    my $name = $opt{name} // 'camera-' . ++$self->{cameras};
    my $cidrs = join ',', @{ $opt{cidr} // [] };
    my %columns = (name => $name, allowed_cidrs => "{$cidrs}",
        $opt{key} ? (rtmp_key => $opt{key}) : ());

    my $row = $self->sql(sprintf 'INSERT INTO cameras (%s) VALUES (%s) '
        . 'RETURNING id, rtmp_key, tenant_id, play_epoch',
        join(',', sort keys %columns),
        join(',', map { "'$columns{$_}'" } sort keys %columns));

    my %camera = (name => $name, generation => 1);
    @camera{qw(id key tenant epoch)} = split /\t/, $row;
    $camera{epoch} += 0;        # a number in JSON
    $camera{opaque} = $self->add_opaque(\%camera) if $opt{opaque};
    $self->wait_for(sub { $self->knows(\%camera) }, 3)
        if $self->{nginx} && $self->{nginx}->running;

    return $self->camera_urls(\%camera);
}

=item knows($camera)

1 when the camera stands in the registry, with its opaque key if it has one.

=cut

sub knows {
    my ($self, $camera) = @_;

    my $file = "$self->{shm}/registry";
    my $text = -e $file ? $self->read_file($file) : '';
    my $hash = $camera->{opaque} ? sha256($camera->{opaque}) : '';

    return index($text, "$camera->{key}\0") >= 0 && index($text, $hash) >= 0;
}

=item add_opaque($camera)

Gives the camera's current key an opaque form and answers it.

=cut

sub add_opaque {
    my ($self, $camera) = @_;

    my $opaque = base64url(random_bytes(16));

    $self->sql(sprintf q{UPDATE stream_keys SET opaque_hash = '\\x%s'
        WHERE camera_id = '%s' AND generation = %d},
        sha256_hex($opaque), @$camera{qw(id generation)});

    return $opaque;
}

=item camera_urls($camera)

Gives the camera new tokens and the URLs that carry them.

=cut

sub camera_urls {
    my ($self, $camera) = @_;

    $camera->{token} = $self->token(camera => $camera);
    my $path = "/live/$camera->{key}?token=$camera->{token}";

    $camera->{publish_url} = 'rtmp://127.0.0.1:' . $self->port('rtmp') . $path;
    $camera->{rtmps_url} = 'rtmps://127.0.0.1:' . $self->port('rtmps') . $path;
    $camera->{play_path} = "/hls/$camera->{id}/playlist.m3u8?token="
        . $self->token(camera => $camera, use => 'playback');
    $camera->{play_url} = 'http://127.0.0.1:' . $self->port('http')
        . $camera->{play_path};

    $camera->{opaque_url} = 'rtmp://127.0.0.1:' . $self->port('rtmp')
        . "/live/$camera->{opaque}" if $camera->{opaque};

    return $camera;
}

=back

=cut

1;
