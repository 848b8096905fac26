package Run::Instance;

# Copyright (C) The nginx camera platform authors

# One running platform: what it is made of, in the order it is started.
#
# PostgreSQL, migrations, Redis, keys, certificate, places for recordings, nginx
# (which makes the shared directory), camera-worker, run.env, demo cameras.  Each
# start is given what it needs on the command line or in VAR; nothing reads the
# environment later.

use strict;
use warnings;

use Fcntl;
use POSIX ();
use Time::HiRes qw(time sleep);

use constant LINK_TTL => 12 * 3600;      # links of the demo cameras

use Run::Admin;
use Run::Children;
use Run::Place;
use Run::Recordings;
use Run::Redis;
use Run::Steps;


sub new {
    my ($class, %arg) = @_;

    return bless { %arg }, $class;      # root, set, say, stopped
}


sub start {
    my ($self) = @_;

    $self->make_place;

    for my $part (qw(build database migrations redis keys admin certificate
        recordings nginx worker service demo))
    {
        my $method = "start_$part";
        die "stopped\n" if $self->{stopped}->();
        $self->$method;
    }

    $self->summary;
}


sub make_place {
    my ($self) = @_;

    my $var = $self->{set}{VAR};
    my $user = Run::Place::user($self->{root}, $var);

    $self->{set}{volumes} = Run::Recordings::volumes($self->{root}, $var,
        $self->{set}{RECORD_DIR});

    Run::Place::directory($user, $var, 0755);
    Run::Place::directory($user, "$var/log", 0750);
    Run::Place::directory($user, "$var/tls", 0700);
    Run::Place::directory($user, "$var/tmp", 0700);

    $self->{user} = $user;
    $self->{var} = $var;
    $self->{shm} = Run::Place::shared_memory($user, $var);
    $self->{children} = Run::Children->new(say => $self->{say},
        logs => "$var/log");
    $self->{steps} = Run::Steps->new(say => $self->{say}, user => $user,
        children => $self->{children}, stopped => $self->{stopped});

    $self->{say}->('run', "everything runs as $user->{name}, state is kept in"
        . " $var");
}


# Root builds as the owner of the checkout, whose next build must not stumble
# over root's files.

sub start_build {
    my ($self) = @_;

    my ($uid, $gid) = (stat $self->{root})[4, 5];
    my $home = (getpwuid $uid)[7];
    my @as = $> == 0 && $uid != 0 && $home
        ? ('--reuid', $uid, '--regid', $gid, '--init-groups') : ();

    $self->{steps}->step('build', sub {
        $self->{steps}->command('build',
            { as => \@as, env => @as ? { HOME => $home } : {} },
            $ENV{MAKE} // 'make', '-C', $self->{root},
            '--no-print-directory', '-s', 'build');
    });
}


# PostgreSQL: private and on a unix socket, unless somebody has one

sub start_database {
    my ($self) = @_;

    my $url = $self->{set}{DATABASE_URL};

    if ($url) {
        $self->{owner_url} = $url;
        $self->{app_url} = $self->{set}{APP_DATABASE_URL} || $url;
        $self->{api_url} = $self->{set}{API_DATABASE_URL}
            || Run::Place::as_role($url, 'camera_api');
        $self->{worker_url} = $self->{set}{WORKER_DATABASE_URL}
            || Run::Place::as_role($url, 'camera_worker');
        return;
    }

    my $bin = (sort { version_of($b) <=> version_of($a) }
        glob '/usr/lib/postgresql/*/bin')[0]
        or die "there is no PostgreSQL in /usr/lib/postgresql\n";
    my $data = "$self->{var}/pg";
    my $fresh = !-e "$data/PG_VERSION";

    $self->{pg_bin} = $bin;
    $self->{socket} = length "$data/.s.PGSQL.5432" < 100 ? $data
        : $self->{shm};

    $self->{steps}->step('PostgreSQL', sub {
        $self->init_cluster($bin, $data) if $fresh;
        $self->run_postgres($bin, $data);
        $self->make_database;
        return $fresh ? "new cluster in $data" : 'started';
    });

    $self->{owner_url} = $self->url('camera_owner');
    $self->{app_url} = $self->url('camera_app');
    $self->{api_url} = $self->url('camera_api');
    $self->{worker_url} = $self->url('camera_worker');
}


sub version_of { return $_[0] =~ m{/(\d+)/bin} ? $1 : 0 }


sub url {
    my ($self, $role, $database) = @_;

    return "host=$self->{socket} dbname=" . ($database // 'camera')
        . " user=$role";
}


# the directory is ours alone, so whoever reaches the socket is trusted

sub init_cluster {
    my ($self, $bin, $data) = @_;

    Run::Place::directory($self->{user}, $data, 0700);
    $self->{steps}->command('postgres', { as_user => 1, quiet => 1 },
        "$bin/initdb", '-D', $data, '-U', 'postgres', '-A', 'trust', '-k',
        '-E', 'UTF8', '--locale', 'C.UTF-8');
}


sub run_postgres {
    my ($self, $bin, $data) = @_;

    my %settings = (
        listen_addresses        => '',
        unix_socket_directories => $self->{socket},
        unix_socket_permissions => '0700',
        cluster_name            => 'camera',
        log_line_prefix         => '',
        log_checkpoints         => 'off',
    );

    my $child = $self->{children}->add(
        name => 'postgres',
        as   => $self->{user}{as},
        stop => 'INT',                  # fast: sessions are rolled back
        argv => [ "$bin/postgres", '-D', $data,
                  map { ('-c', "$_=$settings{$_}") } sort keys %settings ],
    );

    $self->{steps}->wait_for($child, 60, sub {
        defined $self->{steps}->answer({ as_user => 1 }, "$bin/pg_isready",
            '-q', '-t', 1, '-h', $self->{socket}, '-U', 'postgres');
    });
}


# an older release's cluster lacks the roles that came since

sub make_database {
    my ($self) = @_;

    my @psql = ("$self->{pg_bin}/psql", '-X', '-q', '-v', 'ON_ERROR_STOP=1',
        '-d', $self->url('postgres', 'postgres'));
    my $there = $self->{steps}->answer({ as_user => 1 }, @psql, '-Atc',
        'SELECT rolname FROM pg_roles UNION ALL SELECT datname FROM pg_database')
        // die "PostgreSQL does not say what is there\n";
    my %there = map { $_ => 1 } split /\n/, $there;

    my @make = map { "CREATE ROLE $_ LOGIN" } grep { !$there{$_} }
        qw(camera_owner camera_app camera_api camera_worker);
    push @make, 'CREATE DATABASE camera OWNER camera_owner'
        unless $there{camera};

    return unless @make;
    $self->{steps}->command('postgres', { as_user => 1, quiet => 1 }, @psql,
        map { ('-c', $_) } @make);
}


sub start_migrations {
    my ($self) = @_;

    $self->{steps}->step('database schema', sub {
        $self->{steps}->command('migrate', { as_user => 1,
            env => { DATABASE_URL => $self->{owner_url} } },
            "$self->{root}/deploy/migrate");
    });
}


sub start_redis {
    my ($self) = @_;

    $self->{redis_url} = Run::Redis::start($self);
}


sub start_keys {
    my ($self) = @_;

    my $file = $self->{keys} = "$self->{var}/keys.json";
    my @keys = ("$self->{root}/bin/camera", 'keys');
    my $run = sub {
        $self->{steps}->command('run', { as_user => 1, quiet => 1 }, @keys, @_);
        return $file;
    };

    return $self->{steps}->step('signing keys', sub { $run->('init', $file) })
        unless -e $file;

    # one of before people could log in, export, or encrypt what is recorded

    my $there = $self->{steps}->answer({ as_user => 1 }, @keys, 'list', $file);

    for my $use (qw(access export recording)) {
        $self->{steps}->step("signing key of use $use", sub {
            $run->('rotate', $file, '--use', $use);
        }) if defined $there && $there !~ /^ +\S+ +$use +signs$/m;
    }
}


# before nginx, whose start writes run.env

sub start_admin {
    my ($self) = @_;

    $self->{admin} = Run::Admin::find($self);
}


# self-signed, for this machine's names; kept until a month before its end

sub start_certificate {
    my ($self) = @_;

    my ($certificate, $key) = map { "$self->{var}/tls/$_.pem" } qw(cert key);
    $self->{certificate} = $certificate;
    $self->{certificate_key} = $key;

    return if -e $key && system(qw(openssl x509 -noout -checkend 2592000 -in),
        $certificate, '-out', '/dev/null') == 0;

    my (undef, $host) = POSIX::uname();
    my $names = join ',', map { "DNS:$_" } 'localhost',
        grep { /^[\w.-]+$/ && $_ ne 'localhost' } $host;

    $self->{steps}->step('certificate', sub {
        $self->{steps}->command('run', { as_user => 1, quiet => 1 },
            qw(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256),
            '-nodes', '-days', 825, '-subj', '/CN=localhost',
            '-addext', "subjectAltName=$names,IP:127.0.0.1,IP:::1",
            '-keyout', $key, '-out', $certificate);
        return "self-signed for $names";
    });
}


sub start_recordings {
    my ($self) = @_;

    Run::Recordings::make($self);
    Run::Recordings::forget_state($self);
    Run::Recordings::prove($self);
}


sub start_nginx {
    my ($self) = @_;

    my $set = $self->{set};
    my @nginx = ('nginx', '-e', 'stderr', '-p', $self->{var},
        '-c', "$self->{var}/nginx.conf");

    $self->render_conf;
    $self->{steps}->command('nginx', { as_user => 1, quiet => 1 }, @nginx,
        '-t', '-q');

    $self->{steps}->step('nginx', sub {
        my $child = $self->{nginx} = $self->{children}->add(
            name     => 'nginx',
            as       => $self->{user}{as},
            argv     => [ $self->more_files, @nginx, '-g', 'daemon off;' ],
            on_start => sub { $self->write_env($_[0]{pid}) },
        );
        $self->{steps}->wait_for($child, 20, sub {
            Run::Steps::http_status($set->{HTTP_PORT}, '/healthz') == 200;
        });
        return "listens on $set->{HTTP_PORT}, $set->{HTTPS_PORT},"
            . " $set->{RTMPS_PORT} and 127.0.0.1:$set->{RTMP_PORT}";
    });
}


sub render_conf {
    my ($self) = @_;

    my $var = $self->{var};
    my $set = $self->{set};

    $self->{steps}->command('nginx', { as_user => 1, quiet => 1 },
        "$self->{root}/deploy/render-conf", $var,
        'API_DATABASE=' . quoted($self->{api_url}),
        "CAMERA_MODULES=$self->{root}/build/objs",
        "CERTIFICATE=$self->{certificate}",
        "CERTIFICATE_KEY=$self->{certificate_key}",
        'DATABASE=' . quoted($self->{app_url}),
        "HTML=$self->{root}/html/dist",
        'IPV6=' . (Run::Place::has_ipv6() ? '' : '#'),
        "KEYS=$self->{keys}",
        "LOG=$var/log",
        'MODULES=/usr/lib/nginx/modules',
        'FILES=',                       # more_files() has seen to it
        'PUBLISH_URL=' . $self->publish_url,
        'RECORDINGS=' . join(' ', map { '"' . quoted($_) . '"' }
            @{ $set->{volumes} }),
        'REDIS=' . quoted($self->{redis_url}),
        "RUN=$var/tmp",
        "SHM=$self->{shm}",
        'USER=',                        # the master has no rights to give up
        map { "$_=$set->{$_}" } qw(HTTP_PORT HTTPS_PORT RTMPS_PORT RTMP_PORT
            WORKERS));

    # a password may be in them
    chmod 0600, "$var/conf/camera.conf", "$var/conf/api.conf";
}


# inside of quotes in nginx.conf

sub quoted { return $_[0] =~ s/(["\\])/\\$1/gr }


sub publish_url {
    my ($self) = @_;

    return 'rtmps://' . ($ENV{HOST_NAME} // 'localhost')
        . ":$self->{set}{RTMPS_PORT}/live";
}


# a camera, a viewer and a segment take a descriptor each

sub more_files {
    my ($self) = @_;

    chomp(my $hard = qx(sh -c 'ulimit -Hn'));
    my $files = $hard =~ /^\d+$/ && $hard < 65536 ? $hard : 65536;

    return ('prlimit', "--nofile=$files:");
}


sub start_worker {
    my ($self) = @_;

    my $child = $self->{children}->add(
        name => 'worker',
        as   => $self->{user}{as},
        argv => [ $self->more_files, "$self->{root}/bin/camera-worker",
                  '--shm', $self->{shm}, '--children', $self->{set}{WORKERS},
                  Run::Recordings::options($self) ],
    );

    $self->{steps}->step('camera-worker', sub {
        $self->{steps}->wait_for($child, 20, sub {
            -e "$self->{shm}/live/.worker";
        });
        return 'started';
    });
}


# cameras are refused until the first worker of nginx has read the database

sub start_service {
    my ($self) = @_;

    my $port = $self->{set}{HTTP_PORT};

    $self->{steps}->step('service', sub {
        $self->{steps}->wait_for($self->{nginx}, 20, sub {
            Run::Steps::http_status($port, '/readyz') == 200;
        });
        return 'ready';
    });
}


# two cameras like any other: added by the operator's tool, recorded, pushed
# over RTMPS

sub start_demo {
    my ($self) = @_;

    return unless $self->{set}{DEMO};

    my %there = map { $_->{name} => $_ } $self->cameras;

    for my $n (1, 2) {
        my $name = "Demo camera $n";
        my $id = ($there{$name} // $self->camera('add', $name))->{id};

        push @{ $self->{demo} }, { id => $id, name => $name };
    }

    Run::Recordings::record_demo($self, map { $_->{id} } @{ $self->{demo} });

    for my $n (1, 2) {
        my $id = $self->{demo}[$n - 1]{id};

        $self->{children}->add(
            name => "demo-$n",
            as   => $self->{user}{as},
            argv => [ "$self->{root}/deploy/demo-camera", $n ],
            env  => { CAMERA_PUSH_URL =>
                          $self->camera('publish-url', $id)->{publishUrl} },
        );
    }
}


# what bin/camera answers

sub camera {
    my ($self, @argv) = @_;

    require JSON::PP;
    my $text = $self->{steps}->answer({ as_user => 1 },
        "$self->{root}/bin/camera", @argv, '--json', '--env',
        "$self->{var}/run.env");

    return JSON::PP::decode_json($text // die "bin/camera $argv[0] failed\n");
}


sub cameras {
    my ($self) = @_;

    return @{ $self->camera('list')->{cameras} };
}


# for people and programs that look for this instance

sub write_env {
    my ($self, $nginx_pid) = @_;

    my $set = $self->{set};
    my $host = $ENV{HOST_NAME} // 'localhost';

    my @lines = (
        "CAMERA_URL=http://127.0.0.1:$set->{HTTP_PORT}",
        "CAMERA_HTTPS_URL=https://$host:$set->{HTTPS_PORT}",
        'CAMERA_RTMPS_URL=' . $self->publish_url,
        "CAMERA_RTMP_URL=rtmp://127.0.0.1:$set->{RTMP_PORT}/live",
        "CAMERA_DATABASE_URL='$self->{owner_url}'",
        "CAMERA_REDIS_URL='$self->{redis_url}'",
        "CAMERA_KEYS='$self->{keys}'",
        "CAMERA_SHM='$self->{shm}'",
        "CAMERA_RECORD='" . join(':', @{ $set->{volumes} }) . "'",
        "NGINX_PID=$nginx_pid",
    );

    push @lines, "CAMERA_ADMIN_USER=$self->{admin}{user}",
        "CAMERA_ADMIN_PASSWORD='" . $self->{admin}{password} =~ s/'/'\\''/gr
        . "'" if $self->{admin};

    $self->write_private("$self->{var}/run.env", map { "$_\n" } @lines);
}


# whole at any moment, for our user alone

sub write_private {
    my ($self, $file, @text) = @_;

    unlink "$file.new";
    sysopen my $out, "$file.new", O_WRONLY|O_CREAT|O_EXCL, 0600
        or die "open(\"$file.new\") failed: $!\n";
    chown $self->{user}{uid}, $self->{user}{gid}, $out if $> == 0;
    print $out @text;
    close $out or die "write(\"$file.new\") failed: $!\n";
    rename "$file.new", $file or die "rename(\"$file\") failed: $!\n";
}


sub summary {
    my ($self) = @_;

    my $host = $ENV{HOST_NAME} // 'localhost';
    my $https = "https://$host:$self->{set}{HTTPS_PORT}";
    my @lines = ('', 'Ready. The certificate is self-signed: the browser asks'
        . ' once.', '', $self->login_lines($https));

    push @lines, '' if $self->{demo};

    for my $camera (@{ $self->{demo} // [] }) {
        my $url = $self->camera('play-url', $camera->{id}, '--ttl', LINK_TTL)
            ->{playUrl};
        $url =~ s{^https?://[^/]+}{};
        push @lines, "  $camera->{name}", "    $https/watch.html#$url";
    }

    push @lines, '', 'Push a camera of your own:', '',
        ($self->{var} eq "$self->{root}/var" ? ()
            : "  export CAMERA_ENV=$self->{var}/run.env"),
        '  bin/camera add "Front door"       prints where to push to',
        "  ffmpeg -re -i FILE -c copy -f flv 'PUBLISH URL'",
        '  bin/camera play-url ID            a new link',
        '  bin/camera doctor ID              why there is no picture',
        '', 'Ctrl-C stops everything; the next start keeps what is there.', '';

    $self->{say}->('run', $_, 'links') for @lines;
}


sub login_lines {
    my ($self, $https) = @_;

    my $admin = $self->{admin};
    my @lines = ("Log in: $https/");

    push @lines, "  as        $admin->{user}", '  password  '
        . ($admin->{given} ? 'that of ADMIN_PASSWORD' : $admin->{password})
        if $admin;

    return (@lines, '  bin/camera user password '
        . ($admin ? 'admin    a new one, for you alone'
            : 'NAME     a new one, who forgot theirs'));
}


sub supervise {
    my ($self) = @_;

    until ($self->{stopped}->()) {
        $self->{children}->turn;
        sleep 0.1;
    }
}


sub stop {
    my ($self) = @_;

    return unless $self->{children};
    $self->{say}->('run', 'stopping');
    $self->{children}->stop_all;
    unlink "$self->{var}/run.env";
    $self->{say}->('run', 'stopped');
}


1;
