package Camera::Test;

# Copyright (C) The nginx camera platform authors

# The helper library of the tests: one object is one private instance of the
# platform, with its own directory, ports, PostgreSQL, Redis, nginx and
# camera-worker, all of which end with the test.  The parts are mixed in from
# Camera/Test/*.pm; this file has the object itself, waiting, and the end.

use strict;
use warnings;

use parent -norequire, qw(Camera::Test::Nginx Camera::Test::Postgres
    Camera::Test::Redis Camera::Test::Media Camera::Test::Camera
    Camera::Test::Api Camera::Test::Record
    Camera::Test::Recorder);

use Camera::Process;
use Camera::Stopwatch;
use Camera::Test::Api;
use Camera::Test::Camera;
use Camera::Test::Media;
use Camera::Test::Nginx;
use Camera::Test::Postgres;
use Camera::Test::Record;
use Camera::Test::Recorder;
use Camera::Test::Redis;

use Cwd qw(abs_path);
use Fcntl qw(:flock);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More ();
use Time::HiRes qw(time sleep);

my $root = abs_path(dirname(__FILE__) . '/../../..');
my @objects;

=head1 NAME

Camera::Test - helper library of the tests

=head1 SYNOPSIS

    use Test::More;
    use Camera::Test;

    my $t = Camera::Test->new(workers => 2);
    $t->skip_without(qw(postgres ffmpeg worker));

    $t->start_all;                         # PostgreSQL, nginx, worker
    my $camera = $t->add_camera(name => 'gate');
    my $p = $t->publish($camera, rtmps => 1);

    my $r;
    $t->wait_for(sub {
        $r = $t->http_get($camera->{play_path});
        $r->{status} == 200;
    }, 10, 'playlist');
    is($r->{status}, 200, 'playlist');

    $t->done_testing;

Methods are described where they are: Camera::Test::Nginx (configuration,
start, reload, http_get), Camera::Test::Postgres (start, stop, pause, sql),
Camera::Test::Redis (the same), Camera::Test::Camera (cameras, tokens,
camera-worker), Camera::Test::Api (users, requests to the API),
Camera::Test::Media (clips, publish, frame_numbers), Camera::Test::Record
(volumes, recordings), Camera::Test::Recorder (the same by the recorder),
Camera::Process (what
publish answers).

=head1 ENVIRONMENT

CAMERA_NGINX, CAMERA_RTMP_MODULE, CAMERA_MODULES, CAMERA_BIN: other binaries,
such as those under sanitizers; CAMERA_MODULES is the directory of our modules.
CAMERA_SOAK=1: tests run their long form.
CAMERA_LEAVE=1: the test's directory stays for a look, its path is printed.

=head1 METHODS

=over

=item new(%options)

C<workers>: nginx worker processes (2).

=cut

sub new {
    my ($class, %opt) = @_;

    my $self = bless {
        workers => $opt{workers} // 2,
        dir     => tempdir('camera-test-XXXXXX', TMPDIR => 1),
        owner   => $$,
        ports   => {},
        allowed => [],
    }, $class;

    chmod 0755, $self->{dir};
    $self->{shm} = $self->_shm_dir;
    push @objects, $self;       # kept until END, which sets the exit status

    return $self;
}

# a tmpfs where there is one; nginx makes the directory itself

sub _shm_dir {
    my ($self) = @_;

    return "$self->{dir}/shm" unless -w '/dev/shm' && !$ENV{CAMERA_NO_TMPFS};

    my $parent = tempdir('camera-test-XXXXXX', DIR => '/dev/shm');
    chmod 0755, $parent;
    $self->{shm_parent} = $parent;

    return "$parent/shm";
}

=item dir, shm, root

The private directory, the shared memory directory of this instance, the top
of the source tree.

=cut

sub dir  { $_[0]{dir} }
sub shm  { $_[0]{shm} }
sub root { $root }

=item memory_dir

A directory of this instance for what is many files and has to be on no disk: on a
tmpfs where there is one with room for several tests.

=cut

sub memory_dir {
    my ($self) = @_;

    return $self->{memory_dir} //= do {
        my $parent = $self->{shm_parent};
        my ($free_kb) = defined $parent
            ? $self->run('df', '-Pk', $parent) =~ /(\d+)\s+\d+%/ : ();
        ($free_kb // 0) >= 1 << 20 ? $parent : $self->{dir};
    };
}

=item program($name)

The path of a program that was built: camera-worker, camera, camsim.

=cut

sub program { ($ENV{CAMERA_BIN} // "$root/bin") . "/$_[1]" }

=item soak

1 when the long forms of drills are wanted.

=cut

sub soak { $ENV{CAMERA_SOAK} ? 1 : 0 }

=item skip_without(@what)

Skips the test, saying why, unless all of it is there: C<nginx> (the built
module), C<postgres>, C<redis>, C<migrations>, C<ffmpeg>, C<worker>, C<cli>,
C<camsim>, C<wrk>,
C<tls> (IO::Socket::SSL), or the name of one of our directives.

=cut

sub skip_without {
    my ($self, @what) = @_;

    my %has = (
        nginx      => sub { !grep { !-e } $self->modules },
        postgres   => sub { -x Camera::Test::Postgres::postgres_bin()
                                . '/postgres' },
        redis      => sub { system('command -v redis-server >/dev/null') == 0 },
        migrations => sub { -x "$root/deploy/migrate" },
        ffmpeg     => sub { system('command -v ffmpeg >/dev/null') == 0 },
        worker     => sub { -x $self->program('camera-worker') },
        cli        => sub { -x $self->program('camera') },
        camsim     => sub { -x $self->program('camsim') },
        wrk        => sub { system('command -v wrk >/dev/null') == 0 },
        tls        => sub { eval { require IO::Socket::SSL; 1 } },
    );

    for my $what (@what) {
        my $has = $has{$what}
            // sub { $has{nginx}->() && $self->has_directive($what) };
        Test::More::plan(skip_all => "no $what") unless $has->();
    }
}

=item start_all(%options)

PostgreSQL with migrations, keys, nginx, camera-worker; options are those of
nginx_conf.

=cut

sub start_all {
    my ($self, %conf) = @_;

    $self->start_postgres;
    $self->migrate;
    $self->nginx_conf(%conf);
    $self->start_nginx;
    $self->start_worker;
}

=item port($name)

A free loopback port, the same for each use of a name; C<http>, C<rtmp> and
C<rtmps> are those of the default configuration.

=cut

my %taken;

sub port {
    my ($self, $name) = @_;

    return $self->{ports}{$name} //= _free_port();
}

# Below those that the kernel gives to clients, and kept by a lock for as long as
# the test runs: several run at once, and what listens may be started again.

sub _free_port {
    my $dir = cache_dir() . '/ports';
    make_path($dir);

    for (1 .. 1000) {
        my $port = 12_000 + int rand 20_000;
        open my $lock, '>', "$dir/$port" or die "open(\"$dir/$port\"): $!";

        next if $taken{$port} || !flock($lock, LOCK_EX | LOCK_NB)
            || !IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                LocalPort => $port, Listen => 1);

        $taken{$port} = $lock;
        return $port;
    }

    die "no free port: $!";
}

=item wait_for(\&condition, $seconds [, $name])

Tries until the condition holds; answers what it did, or 0 after so many
seconds, as L<Camera::Stopwatch> counts them, with a note of the name.  Nothing in a
test sleeps instead.

=cut

sub wait_for {
    my ($self, $condition, $seconds, $name) = @_;

    my $watch = Camera::Stopwatch->start;

    for (;;) {
        my $result = $condition->();
        return $result if $result;
        last if $watch->over($seconds);
        sleep 0.02;
    }

    Test::More::diag("waited ${seconds}s in vain for $name") if defined $name;

    return 0;
}

=item growth($kb)

How much a process may grow in a test: so much, and what sanitizers keep of
freed memory on top (CAMERA_SANITIZED).

=cut

sub growth { $_[1] + ($ENV{CAMERA_SANITIZED} ? 65536 : 0) }

=item rss($pid), pss($pid), cpu($pid), fds($pid)

Resident and proportional memory in kB, time on a processor in seconds, open
descriptors.

=cut

sub rss { _rollup($_[1], 'Rss') }
sub pss { _rollup($_[1], 'Pss') }

sub _rollup {
    my ($pid, $what) = @_;

    open my $fh, '<', "/proc/$pid/smaps_rollup" or return undef;
    my ($kb) = map { /^$what:\s+(\d+)/ ? $1 : () } <$fh>;
    return $kb;
}

sub cpu {
    open my $fh, '<', "/proc/$_[1]/schedstat" or return undef;
    return (split ' ', <$fh>)[0] / 1e9;
}

sub fds {
    opendir my $dir, "/proc/$_[1]/fd" or return undef;
    return -2 + (() = readdir $dir);
}

=item run([\%options,] @command)

Runs a command to its end and answers what it printed, dying with that when
it fails.  Options: C<user>, C<stdin> (a path), C<may_fail>.

=cut

sub run {
    my ($self, @command) = @_;

    my $opt = ref $command[0] ? shift @command : {};
    my @as = $opt->{user} && $> == 0
        ? ('setpriv', Camera::Process::as_user($opt->{user}), '--') : ();

    my $pid = open(my $out, '-|') // die "fork() failed: $!";

    if ($pid == 0) {
        open STDIN, '<', $opt->{stdin} // '/dev/null';
        open STDERR, '>&', \*STDOUT;
        exec @as, @command or POSIX::_exit(127);
    }

    my $text = do { local $/; scalar(<$out>) // '' };
    close $out;

    die "\"$command[0]\" failed: $text" if $? && !$opt->{may_fail};

    return $text;
}

=item write_file($path, $bytes), read_file($path)

=cut

sub write_file {
    my ($self, $path, $bytes) = @_;

    open my $fh, '>:raw', $path or die "open(\"$path\") failed: $!";
    print $fh $bytes;
    close $fh or die "close(\"$path\") failed: $!";
}

sub read_file {
    my ($self, $path) = @_;

    open my $fh, '<:raw', $path or die "open(\"$path\") failed: $!";
    local $/;
    return scalar(<$fh>) // '';
}

=item give_to_service(@paths)

Makes www-data the owner when the test runs as root: servers drop to it.

=cut

sub give_to_service {
    my ($self, @paths) = @_;

    return if $> != 0;

    my (undef, undef, $uid, $gid) = getpwnam 'www-data';
    chown $uid, $gid, @paths;
}

=item cache_dir, make_once($path, \&make)

What is the same for all tests lies under build/t.  C<make> is given a
temporary name, which is renamed when it is whole; only one process makes.

=cut

sub cache_dir {
    my $dir = "$root/build/t";
    make_path($dir);
    return $dir;
}

sub make_once {
    my ($self, $path, $make) = @_;

    return if -e $path;

    open my $lock, '>', "$path.lock" or die "open(\"$path.lock\") failed: $!";
    flock $lock, LOCK_EX;

    unless (-e $path) {
        my ($suffix) = $path =~ /(\.\w+)\z/;
        my $new = $path . '.new' . ($suffix // '');
        $make->($new);
        rename $new, $path or die "rename(\"$new\") failed: $!";
    }
}

=item allow_log(@patterns)

Lines of nginx's error log that this test causes on purpose.

=cut

sub allow_log {
    my ($self, @patterns) = @_;

    push @{ $self->{allowed} }, @patterns;
}

=item bad_log_lines

Lines above [error] in nginx's log, and what sanitizers reported anywhere,
without those allowed.

=cut

sub bad_log_lines {
    my ($self) = @_;

    my @bad = grep { /\[(?:alert|emerg|crit)\]/ } split /\n/,
        $self->error_log;

    for my $file (glob "$self->{dir}/*.out $self->{dir}/*.log") {
        push @bad, grep { /Sanitizer|runtime error:/ } split /\n/,
            $self->read_file($file);
    }

    return grep {
        my $line = $_;
        !grep { $line =~ $_ } @{ $self->{allowed} };
    } @bad;
}

=item stop

Ends everything that was started, the servers first in the order in which they
depend on each other.

=cut

sub stop {
    my ($self) = @_;

    $_->stop for grep { defined } delete @$self{qw(worker nginx)};
    $self->stop_postgres('immediate') if $self->{postgres};
    $self->stop_redis if $self->{redis};
    delete @$self{qw(postgres redis)};
}

=item done_testing

Stops all, asserts that the logs are clean, and ends the plan.  A test that
ends without it is still failed by a log that is not clean.

=cut

sub done_testing {
    my ($self) = @_;

    $self->stop;
    Test::More::is(join("\n", $self->bad_log_lines), '', 'clean logs');
    $self->{checked} = 1;
    Test::More::done_testing();
}

sub _end {
    my ($self) = @_;

    return 0 if $self->{owner} != $$ || $self->{ended}++;

    my @bad = $self->{checked} ? () : $self->bad_log_lines;
    Test::More::diag("not expected in a log: $_") for @bad;

    if ($ENV{CAMERA_LEAVE}) {
        Test::More::diag("left: $self->{dir} $self->{shm}");
    } else {
        remove_tree(grep { defined } @$self{qw(dir shm_parent)});
    }

    return scalar @bad;
}

=back

=cut

END {
    my $status = $?;
    my $bad = 0;

    for (grep { $_->{owner} == $$ } @objects) {
        $_->stop;
    }

    Camera::Process::end_all();
    $bad += $_->_end for @objects;
    $? = $status || ($bad ? 1 : 0);
}

1;
