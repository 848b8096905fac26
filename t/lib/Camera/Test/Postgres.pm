package Camera::Test::Postgres;

# Copyright (C) The nginx camera platform authors

# The test's own PostgreSQL: a cluster made and migrated once per checkout and
# schema, unpacked for each test, on a unix socket in a private directory.  The
# postmaster is our child, so stopping, hanging and killing it are signals.

use strict;
use warnings;

use Camera::Process;
use Camera::Psql;
use Digest::SHA;

=head1 NAME

Camera::Test::Postgres - the database part of Camera::Test

=head1 SYNOPSIS

    $t->start_postgres;
    $t->migrate;
    my $n = $t->sql('SELECT count(*) FROM cameras');

    $t->stop_postgres('immediate');
    $t->start_postgres;
    $t->pause_postgres;  $t->resume_postgres;

=head1 METHODS

=over

=item start_postgres(%settings), start_empty_postgres(%settings)

Starts the cluster of this test, unpacking it the first time, with a database
"camera" of the newest schema, or of none, owned by role "camera_owner", and the
roles "camera_app" of the media plane, "camera_api" of the API and "camera_worker"
of camera-worker.  Nothing is synced to disk, so that it is fast, but what was
committed survives a kill; settings are added to the command line.

=cut

my $bin = (sort glob '/usr/lib/postgresql/*/bin')[-1] // '';

sub postgres_bin { $bin }

sub start_postgres {
    my ($self, %settings) = @_;

    $self->_unpack_cluster unless $self->{pgdata};
    $self->_start_server(%settings);
}

sub start_empty_postgres {
    my ($self, %settings) = @_;

    $self->start_postgres(%settings);
    $self->_as_superuser('DROP DATABASE camera',
        'CREATE DATABASE camera OWNER camera_owner');
    delete $self->{migrated};
}

sub _start_server {
    my ($self, %settings) = @_;

    %settings = (
        fsync              => 'off',
        full_page_writes   => 'off',
        listen_addresses   => '',
        unix_socket_directories => $self->{pgsocket},
        max_connections    => 60,
        shared_buffers     => '32MB',
        log_line_prefix    => '%m [%p] %u ',
        log_lock_waits     => 'on',
        %settings,
    );

    $self->{postgres} = Camera::Process->start(
        { log => "$self->{dir}/postgres.log", user => 'www-data',
          name => 'postgres', append => 1 },
        "$bin/postgres", '-D', $self->{pgdata},
        map { ('-c', "$_=$settings{$_}") } sort keys %settings);

    $self->wait_for(sub { $self->postgres_ready }, 20, 'PostgreSQL')
        or die "PostgreSQL did not start:\n" . $self->{postgres}->log;
}

sub _as_superuser {
    my ($self, @statements) = @_;

    $self->psql({ user => 'postgres', database => 'postgres' }, $_)
        for @statements;
}

sub _unpack_cluster {
    my ($self) = @_;

    my $archive = $self->_cluster_template;

    $self->_make_cluster_dirs;
    $self->run({ user => 'www-data', stdin => $archive },
        'tar', '-C', $self->{pgdata}, '-xf', '-');
    $self->{migrated} = 1;
}

sub _make_cluster_dirs {
    my ($self) = @_;

    $self->{pgdata} = $self->memory_dir . '/pg';
    $self->{pgsocket} = "$self->{dir}/s";

    for my $dir ($self->{pgdata}, $self->{pgsocket}) {
        mkdir $dir, 0700 or die "mkdir(\"$dir\") failed: $!";
        $self->give_to_service($dir);
    }
}

# build/t/postgres-15-SUM.tar: a cluster with the schema of this sum, which the
# first test that asks makes

sub _cluster_template {
    my ($self) = @_;

    my ($version) = $bin =~ /(\d+)/;
    my $sum = Digest::SHA->new;
    $sum->addfile($_) for __FILE__, $self->root . '/deploy/migrate',
        sort glob $self->root . '/sql/[0-9]*.sql';
    my $archive = $self->cache_dir . "/postgres-$version-"
        . substr($sum->hexdigest, 0, 16) . '.tar';

    $self->make_once($archive, sub {
        my ($new) = @_;

        unlink glob $self->cache_dir . '/postgres-*.tar';
        my $maker = Camera::Test->new;
        $maker->_make_cluster_dirs;
        $maker->_fill_cluster;
        $maker->run('tar', '-C', $maker->{pgdata}, '-cf', $new, '.');
        $maker->run('rm', '-rf', $maker->{pgdata});
    });

    return $archive;
}

# small, for it is unpacked hundreds of times: no template that nobody uses, no
# log kept for later

sub _fill_cluster {
    my ($self) = @_;

    $self->run({ user => 'www-data' }, "$bin/initdb", '-D', $self->{pgdata},
        qw(-N -A trust -U postgres -E UTF8 --locale C.UTF-8 --wal-segsize 1));
    $self->_start_server(min_wal_size => '2MB');
    $self->_as_superuser(
        'CREATE ROLE camera_owner LOGIN',
        'CREATE ROLE camera_app LOGIN',
        'CREATE ROLE camera_api LOGIN',
        'CREATE ROLE camera_worker LOGIN',
        'GRANT camera_api, camera_worker TO camera_owner',
        'ALTER DATABASE template0 IS_TEMPLATE false',
        'DROP DATABASE template0',
        'CREATE DATABASE camera OWNER camera_owner STRATEGY file_copy',
    );
    $self->migrate;
    $self->_as_superuser('CHECKPOINT');
    $self->stop_postgres;
    delete $self->{postgres};
}

=item postgres_ready

1 when the server takes connections.

=cut

sub postgres_ready {
    my ($self) = @_;

    return system("$bin/pg_isready -q -t 1 -h $self->{pgsocket}") == 0;
}

=item stop_postgres([$mode])

Mode as pg_ctl has it, and "kill": smart, fast (default), immediate, kill.

=cut

sub stop_postgres {
    my ($self, $mode) = @_;

    my $signal = { smart => 'TERM', fast => 'INT', immediate => 'QUIT',
        kill => 'KILL' }->{ $mode // 'fast' } // die "no mode \"$mode\"";

    $self->resume_postgres;
    my @below = Camera::Process::descendants($self->{postgres}->pid);
    $self->{postgres}->stop($signal, 10);
    kill 'KILL', @below if $signal eq 'KILL';
    unlink "$self->{pgdata}/postmaster.pid" if $signal eq 'KILL';
}

=item restart_postgres([$mode])

=cut

sub restart_postgres {
    my ($self, $mode) = @_;

    $self->stop_postgres($mode);
    $self->start_postgres;
}

=item pause_postgres, resume_postgres

Stops and continues every process of the server: it is there and does not
answer.

=cut

sub pause_postgres {
    my ($self) = @_;

    my $pid = $self->{postgres}->pid;
    kill 'STOP', $pid, Camera::Process::descendants($pid);
    $self->{pg_paused} = 1;
}

sub resume_postgres {
    my ($self) = @_;

    return unless delete $self->{pg_paused};

    my $pid = $self->{postgres}->pid;
    kill 'CONT', Camera::Process::descendants($pid), $pid;
}

=item database([$role])

The connection string, for C<camera_app> unless another role is named.

=cut

sub database {
    my ($self, $role) = @_;

    my $host = $self->{pgsocket} // "$self->{dir}/s";
    return "host=$host dbname=camera user=" . ($role // 'camera_app');
}

=item api_database

The same for C<camera_api>, whose sessions see no row before they
C<SET app.tenant>.

=cut

sub api_database {
    my ($self) = @_;

    return $self->database('camera_api');
}

=item database_url([$role])

The connection string as a URL.

=cut

sub database_url {
    my ($self, $role) = @_;

    my $host = $self->{pgsocket} // "$self->{dir}/s";
    $host =~ s{/}{%2F}g;
    return 'postgresql://' . ($role // 'camera_app') . "\@$host/camera";
}

=item sql($statement), psql({ user, database }, $statement)

Runs the statement as the owner (or the role named) and answers its rows, one
string a row with tabs between columns; in scalar context the first row.
Dies with the server's message when it fails.

=cut

sub sql {
    my ($self, $statement) = @_;

    return $self->psql({}, $statement);
}

sub psql {
    my ($self, $opt, $statement) = @_;

    my $user = $opt->{user} // 'camera_owner';
    my $database = $opt->{database} // 'camera';
    my $out = $self->run("$bin/psql", '-XAtq', '-F', "\t",
        '-v', 'ON_ERROR_STOP=1', '-h', $self->{pgsocket}, '-U', $user,
        '-d', $database, '-c', $statement);
    my @rows = split /\n/, $out;

    return wantarray ? @rows : $rows[0];
}

=item pg_session([$role [, $database]])

A connection of its own that stays open, a C<Camera::Psql>.

=cut

sub pg_session {
    my ($self, $role, $database) = @_;

    return Camera::Psql->start("$bin/psql", $self->database($role)
        . (defined $database ? " dbname=$database" : ''));
}

=item migrate

Brings "camera" to the newest schema with deploy/migrate, as make run does, unless
the cluster was unpacked with it.

=cut

sub migrate {
    my ($self) = @_;

    return if $self->{migrated};

    local $ENV{DATABASE_URL} = $self->database('camera_owner');
    local $ENV{CAMERA_DATABASE_URL} = $ENV{DATABASE_URL};
    $self->run($self->root . '/deploy/migrate', $ENV{DATABASE_URL});
    $self->{migrated} = 1;
}

=item statements

How many statements the application role has run since the cluster was made,
by the lines of the server's log; needs
C<start_postgres(log_statement =E<gt> 'all')>.

=cut

sub statements {
    my ($self) = @_;

    return scalar grep { /camera_app LOG:  (?:statement|execute)/ }
        split /\n/, $self->{postgres}->log;
}

=back

=cut

1;
