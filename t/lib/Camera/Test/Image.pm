package Camera::Test::Image;

# Copyright (C) The nginx camera platform authors

# The processes of the image, started by its own entrypoint, in one of two
# ways: out of `make install` in a private directory, which takes a second, or
# out of the image that buildah made, as containers (CAMERA_SOAK=1).

use strict;
use warnings;

use Camera::HTTP;
use Camera::Process;
use File::Path qw(make_path);
use Time::HiRes qw(time);

use constant ENTRYPOINT => '/usr/local/share/camera/deploy/image/entrypoint';
use constant USER       => 10001;

=head1 NAME

Camera::Test::Image - the image's processes in a test

=head1 SYNOPSIS

    my $image = Camera::Test::Image->new($t);
    my ($status, $text) = $image->run('secrets');
    $image->start_postgres;

    my $nginx = $image->start('nginx');        # a Camera::Process
    $image->signal($nginx, 'QUIT');            # to its first process
    my @pids = $image->processes($nginx);

=head1 METHODS

=over

=item new($test)

Installs, or builds and unpacks the image.  What compose.yaml has as volumes
are directories of the test.

=cut

sub new {
    my ($class, $test) = @_;

    my $self = bless { test => $test, image => $test->soak && $> == 0 },
        $class;

    $self->{root} = $self->{image} ? $self->_build : $self->_install;
    $self->{volume} = { map { ($_ => $self->_volume($_)) }
        qw(secrets owner state worker recordings log demo) };
    $self->{volume}{shm} = $self->_volume('shm', $test->{shm_parent});

    return $self;
}

sub _install {
    my ($self) = @_;

    my $t = $self->{test};
    my $root = $t->dir . '/image';

    $t->run('make', '-s', '-C', $t->root, 'install', "DESTDIR=$root");

    return $root;
}

# the newest image, unpacked; what is the same as last time is not built again

sub _build {
    my ($self) = @_;

    my $t = $self->{test};
    my $build = $t->root . '/deploy/image/build-local';
    my $start = time;

    $t->run($t->root . '/deploy/deps', '--image');
    $t->run('nice', $build);
    $t->run($build, qw(--buildah rm --all));    # of tests that were killed
    Test::More::diag(sprintf 'the image was built in %d s', time - $start);

    return $self->_unpack('camera-platform');
}

sub _unpack {
    my ($self, $image) = @_;

    my $t = $self->{test};
    my @buildah = ($t->root . '/deploy/image/build-local', '--buildah');

    chomp(my $container = $t->run(@buildah, 'from', '--pull-never', $image));
    push @{ $self->{containers} }, $container;
    chomp(my $root = $t->run(@buildah, 'mount', $container));

    return $root;
}

sub _volume {
    my ($self, $name, $parent) = @_;

    my $t = $self->{test};
    my $dir = ($parent // $t->dir) . "/volume-$name";

    make_path($dir);
    chmod 0750, $dir;

    if ($self->{image}) {
        chown USER, USER, $dir;
    } else {
        $t->give_to_service($dir);
    }

    return $dir;
}

=item is_image, root

1 when it is the image itself that is tested; where its files are.

=cut

sub is_image { $_[0]{image} ? 1 : 0 }
sub root     { $_[0]{root} }

=item start($name, @command)

Starts the entrypoint with the command as a Camera::Process, C<name> for its
log.  C<set> adds settings to those of every command.

=cut

sub start {
    my ($self, @command) = @_;

    my $t = $self->{test};
    my $n = ++$self->{started};
    my %opt = (name => $command[0], log => $t->dir . "/image.$n.$command[0].out");
    my %set = (WORKERS => 2, %{ $self->{set} // {} },
        map { (uc "${_}_PORT" => $t->port($_)) } qw(http https rtmps rtmp));

    return $self->_start_container(\%opt, \%set, @command) if $self->{image};

    my %place = (
        SECRETS       => $self->{volume}{secrets},
        OWNER_SECRETS => $self->{volume}{owner},
        STATE         => $self->{volume}{state},
        WORKER_STATE  => $self->{volume}{worker},
        RECORDINGS    => $self->{volume}{recordings},
        LOG           => $self->{volume}{log},
        DEMO          => $self->{volume}{demo},
        SHM           => "$self->{volume}{shm}/shm",
        DATABASE_HOST => $t->{pgsocket} // '',
        REDIS         => "unix:$t->{dir}/r/redis.sock",
        CAMERA_MODULES => "$self->{root}/usr/lib/nginx/modules",
        PATH          => "$self->{root}/usr/local/bin:$ENV{PATH}",
    );

    return Camera::Process->start(
        { %opt, user => 'www-data', env => { %place, %set } },
        $self->{root} . ENTRYPOINT, @command);
}

sub _start_container {
    my ($self, $opt, $set, @command) = @_;

    my $t = $self->{test};
    my %volume = (secrets => '/etc/camera', owner => '/etc/camera-owner',
        demo => '/run/demo', shm => '/run/camera',
        recordings => '/var/lib/camera/recordings');
    my %mount = map { ($self->{volume}{$_} => $volume{$_}) } keys %volume;

    $mount{ $t->{pgsocket} } = '/run/postgresql' if $t->{pgsocket};
    $mount{"$t->{dir}/r"} = '/run/redis' if $t->{redis};
    $mount{ $self->{volume}{state} } = '/run/nginx' if $command[0] eq 'nginx';
    $mount{ $self->{volume}{worker} } = '/run/worker'
        if $command[0] eq 'camera-worker';

    return Camera::Process->start($opt, $t->root . '/t/image/container',
        $self->{root}, USER,
        (map { ('-v', "$_:$mount{$_}") } sort keys %mount),
        (map { ('-e', "$_=$set->{$_}") } sort keys %$set),
        ENTRYPOINT, @command);
}

=item start_mock(%settings)

The mock camera, of an image of its own.

=cut

sub start_mock {
    my ($self, %set) = @_;

    my $t = $self->{test};

    $t->run('nice', $t->root . '/deploy/image/build-local', 'mock-camera');

    return Camera::Process->start(
        { name => 'mock-camera', log => $t->dir . '/mock-camera.out' },
        $t->root . '/t/image/container', $self->_unpack('mock-camera'), USER,
        '-v', $self->{volume}{demo} . ':/run', '-e', 'TOKEN_FILE=/run/token',
        (map { ('-e', "$_=$set{$_}") } sort keys %set), 'mock-camera');
}

=item set(%settings)

Environment variables of what is started from now on.

=cut

sub set {
    my ($self, %set) = @_;

    $self->{set} = { %{ $self->{set} // {} }, %set };
}

=item run(@command)

Runs it to its end: (exit status, what it printed).

=cut

sub run {
    my ($self, @command) = @_;

    my $process = $self->start(@command);
    my $status = $process->wait(60) // die "\"@command\" does not end";

    $process->end_session;

    return ($status >> 8 || $status & 127, $process->log);
}

=item file($volume, $path)

The path of a file on a volume: secrets, owner, state, worker, recordings, log,
demo, shm.

=cut

sub file { "$_[0]{volume}{$_[1]}/$_[2]" }

=item secret($name)

The content of a secret, without its end of line.

=cut

sub secret {
    my ($self, $name) = @_;

    my ($file) = grep { -e } map { $self->file($_, $name) }
        qw(secrets owner);
    chomp(my $text = $self->{test}->read_file($file));

    return $text;
}

=item start_postgres

A server as empty as a new container's, that asks for passwords and knows one,
the superuser's.

=cut

sub start_postgres {
    my ($self) = @_;

    my $t = $self->{test};

    $t->start_postgres;
    $t->psql({ user => 'postgres', database => 'postgres' }, $_) for (
        'DROP DATABASE camera',
        (map { "DROP ROLE IF EXISTS $_" } qw(camera_owner camera_app
            camera_api camera_worker)),
        sprintf("ALTER ROLE postgres PASSWORD '%s'", $self->secret('postgres')),
    );

    # initdb made the socket its owner's, as a container's is not
    chmod 0755, $t->{pgsocket};
    $t->write_file("$t->{pgdata}/pg_hba.conf",
        "local all all scram-sha-256\n");
    $t->{postgres}->signal('HUP');

    $t->wait_for(sub {
        system("psql -w -h $t->{pgsocket} -U postgres -c '' postgres"
            . ' > /dev/null 2>&1') != 0;
    }, 10, 'PostgreSQL to ask for passwords') or die 'it does not ask';
}

=item first($process), processes($process)

The pid of a command's first process, which an engine would signal, and the
pids of all of it.

=cut

sub first {
    my ($self, $process) = @_;

    return $process->pid unless $self->{image};
    return (Camera::Process::children($process->pid))[0];
}

sub processes {
    my ($self, $process) = @_;

    my $first = $self->first($process);

    return ($first, Camera::Process::descendants($first));
}

=item signal($process, $signal)

=cut

sub signal {
    my ($self, $process, $signal) = @_;

    return kill $signal, $self->first($process);
}

=item status_of($pid)

F</proc/PID/status> as a hash.

=cut

sub status_of {
    my ($self, $pid) = @_;

    open my $in, '<', "/proc/$pid/status" or return {};
    return { map { /^(\w+):\s*(.*)/ ? ($1 => $2) : () } <$in> };
}

=item remove

Ends the use of unpacked images.

=cut

sub remove {
    my ($self) = @_;

    my $containers = delete $self->{containers} or return;
    $self->{test}->run($self->{test}->root . '/deploy/image/build-local',
        qw(--buildah rm), @$containers);
}

sub DESTROY { local ($?, $@); eval { $_[0]->remove } }

=back

=cut

1;
