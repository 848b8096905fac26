package Camera::Test::Nginx;

# Copyright (C) The nginx camera platform authors

# nginx of a test: its configuration, its master and workers, its log.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Process;

=head1 NAME

Camera::Test::Nginx - the server part of Camera::Test

=head1 SYNOPSIS

    $t->nginx_conf(workers => 2, camera => 'ring_size 1m;');
    $t->start_nginx;
    my $r = $t->http_get('/readyz');
    $t->reload;
    $t->kill_worker(0);
    like($t->error_log, qr/.../);

=head1 METHODS

=over

=item nginx_conf(%overrides)

Writes nginx.conf.  Without overrides it has camera {}, an RTMP and an RTMPS
listener with one application "live", and an HTTP server with /hls/, /healthz
and /readyz, as far as the module that was built knows their directives.

    workers       number of worker processes; default from new(), else 2
    cameras       how many the registry has room for (1024)
    level         of the error log, default "info", at which the rtmp module
                  writes tokens: tests that look for secrets need "warn"
    main, events, camera, rtmp, rtmp_server, rtmps_server, application,
    http, server, hls
                  text put at the end of that block
    api           there is an /api/, too, with this text at its end
    conf          the whole text instead; %%NAME%% stands for dir, shm, keys,
                  database, certificate, certificate_key, http_port,
                  rtmp_port, rtmps_port, modules, user

=cut

sub nginx_conf {
    my ($self, %o) = @_;

    my %v = $self->_conf_values(%o);
    my $text = $o{conf} // $self->_default_conf(%o);

    # an override may hold names of its own
    $text =~ s/%%(\w+)%%/$v{lc $1} \/\/ die "no value \"$1\""/ge for 1 .. 2;
    $self->write_file("$self->{dir}/nginx.conf", $text);
    $self->{conf} = { %o };
}

sub _conf_values {
    my ($self, %o) = @_;

    my ($certificate, $key) = $self->certificate;

    return (
        dir             => $self->{dir},
        shm             => $self->{shm},
        keys            => $self->keys_file,
        database        => $self->database,
        certificate     => $certificate,
        certificate_key => $key,
        http_port       => $self->port('http'),
        rtmp_port       => $self->port('rtmp'),
        rtmps_port      => $self->port('rtmps'),
        modules         => join("\n", map { "load_module $_;" }
                               $self->modules),
        user            => $> == 0 ? 'user www-data;' : '',
        workers         => $o{workers} // $self->{workers},
        level           => $o{level} // 'info',
        cameras         => $o{cameras} // 1024,
        api_database    => $self->database('camera_api'),
        map { ($_ => $o{$_} // '') } qw(main events camera rtmp rtmp_server
            rtmps_server application http server hls api),
    );
}

sub _default_conf {
    my ($self, %o) = @_;

    my $ingest = $self->has_directive('camera_rtmps') ? <<'END' : '';
    server {
        listen 127.0.0.1:%%RTMPS_PORT%%;
        camera_rtmps on;
        camera_certificate %%CERTIFICATE%%;
        camera_certificate_key %%CERTIFICATE_KEY%%;
        application live {
            camera on;
            %%APPLICATION%%
        }
        %%RTMPS_SERVER%%
    }
END

    my $live = $self->has_directive('camera_rtmps') ? 'camera on;' : '';
    my $hls = $self->has_directive('camera_hls')
        ? 'location /hls/ { camera_hls; %%HLS%% }' : '';
    my $health = $self->has_directive('camera_health') ? <<'END' : '';
location = /healthz { camera_health; }
        location = /readyz { camera_health; }
END

    my ($api_http, $api) = defined $o{api} ? (<<'HTTP', <<'LOCATION') : ('', '');
    camera_api_database "%%API_DATABASE%%";
    camera_api_publish_url rtmps://localhost:%%RTMPS_PORT%%/live;
HTTP
location /api/ {
            camera_api;
            error_page 400 403 404 408 411 413 414 429 500 502 503 504 /api/;
            %%API%%
        }
LOCATION

    return <<"END";
daemon off;
%%USER%%
worker_processes %%WORKERS%%;
error_log %%DIR%%/error.log %%LEVEL%%;
pid %%DIR%%/nginx.pid;
%%MODULES%%
%%MAIN%%
events {
    worker_connections 4096;
    %%EVENTS%%
}
camera {
    node test;
    database "%%DATABASE%%";
    keys %%KEYS%%;
    shm %%SHM%%;
    cameras %%CAMERAS%%;
    %%CAMERA%%
}
rtmp {
    access_log off;
    max_message 8m;
    server {
        listen 127.0.0.1:%%RTMP_PORT%%;
        application live {
            $live
            %%APPLICATION%%
        }
        %%RTMP_SERVER%%
    }
$ingest
    %%RTMP%%
}
http {
    access_log %%DIR%%/access.log;
    client_body_temp_path %%DIR%%/body;
    proxy_temp_path %%DIR%%/proxy;
    fastcgi_temp_path %%DIR%%/fastcgi;
    scgi_temp_path %%DIR%%/scgi;
    uwsgi_temp_path %%DIR%%/uwsgi;
$api_http    %%HTTP%%
    server {
        listen 127.0.0.1:%%HTTP_PORT%%;
        $hls
        $health
        $api
        %%SERVER%%
    }
}
END
}

=item modules

The modules loaded, in order: the distribution's rtmp module and ours, or what
CAMERA_RTMP_MODULE and, a directory, CAMERA_MODULES name.

=cut

sub modules {
    my ($self) = @_;

    my $objects = $ENV{CAMERA_MODULES} // $self->root . '/build/objs';

    return (
        $ENV{CAMERA_RTMP_MODULE} // '/usr/lib/nginx/modules/ngx_rtmp_module.so',
        map { "$objects/$_.so" } qw(ngx_camera_module ngx_camera_api),
    );
}

=item has_directive($name)

1 when one of our modules was built with it.

=cut

sub has_directive {
    my ($self, $name) = @_;

    my (undef, @ours) = $self->modules;
    $self->{module_text} //= join '', map { $self->read_file($_) } @ours;
    return index($self->{module_text}, "\0$name\0") >= 0;
}

=item start_nginx([$env])

Writes the configuration when there is none yet, the keys likewise, and
returns when the listeners answer.  CAMERA_NGINX names another binary; C<$env> is
what its environment has besides.

=cut

sub start_nginx {
    my ($self, $env) = @_;

    $self->nginx_conf unless $self->{conf};
    $self->{nginx} = Camera::Process->start(
        { log => "$self->{dir}/nginx.out", name => 'nginx', append => 1,
          env => $env },
        $self->nginx_command);

    $self->wait_for(
        sub { !$self->{nginx}->running || $self->_nginx_up }, 10, 'nginx');
    $self->{nginx}->running && $self->_nginx_up
        or die "nginx did not start:\n" . $self->{nginx}->log
            . $self->error_log;
}

sub nginx_command {
    my ($self) = @_;

    return ($ENV{CAMERA_NGINX} // '/usr/sbin/nginx', '-p', $self->{dir},
        '-c', "$self->{dir}/nginx.conf", '-e', "$self->{dir}/error.log");
}

sub _nginx_up {
    my ($self) = @_;

    for my $port (values %{ $self->{ports} }) {
        next if $self->read_file("$self->{dir}/nginx.conf") !~ /:$port\b/;
        Camera::HTTP::connect_to($port, timeout => 1) or return 0;
    }

    return $self->worker_pids >= 1;
}

=item reload

Sends HUP and waits until new workers took over the accepting; answers 1.
The old ones may live on as long as they have connections.

=cut

sub reload {
    my ($self) = @_;

    my %old = map { $_ => 1 } $self->worker_pids;
    $self->{nginx}->signal('HUP');

    return $self->wait_for(sub {
        my @now = $self->worker_pids;
        @now && !grep { $old{$_} } @now;
    }, 10, 'new workers');
}

=item stop_nginx([$signal])

TERM by default.

=cut

sub stop_nginx {
    my ($self, $signal) = @_;

    return unless $self->{nginx};
    return $self->{nginx}->stop($signal);
}

=item nginx_test

Runs C<nginx -t> and answers what it said; C<$?> is its status.

=cut

sub nginx_test {
    my ($self) = @_;

    return $self->run({ may_fail => 1 }, $self->nginx_command, '-t');
}

=item master_pid, worker_pids

C<worker_pids> leaves out workers that are shutting down; they are answered by
C<old_worker_pids>.

=cut

sub master_pid { $_[0]{nginx}->pid }

sub worker_pids {
    my ($self) = @_;

    return grep { _title($_) =~ /worker process$/ } _below($self);
}

sub old_worker_pids {
    my ($self) = @_;

    return grep { _title($_) =~ /worker process is shutting/ } _below($self);
}

sub _below { Camera::Process::children($_[0]{nginx}->pid) }

sub _title {
    my ($pid) = @_;

    open my $fh, '<', "/proc/$pid/cmdline" or return '';
    my $title = <$fh> // '';
    $title =~ s/[\0 ]+\z//;
    return $title;
}

=item kill_worker($n [, $signal])

Kills (KILL) the n-th worker; answers its pid.  nginx reports that by an
alert, which is allowed from then on.

=cut

sub kill_worker {
    my ($self, $n, $signal) = @_;

    my $pid = ($self->worker_pids)[$n] // die "no worker $n";
    $self->allow_log(qr/process $pid exited on signal/);
    kill $signal // 'KILL', $pid;

    return $pid;
}

=item error_log

=cut

sub error_log {
    my ($self) = @_;

    my $file = "$self->{dir}/error.log";
    return -e $file ? $self->read_file($file) : '';
}

=item http_get($path, %options)

See Camera::HTTP; C<port> is a number or one of the names of C<port()>.

=cut

sub http_get {
    my ($self, $path, %opt) = @_;

    my $port = delete $opt{port} // 'http';
    $port = $self->port($port) if $port =~ /\D/;

    return Camera::HTTP::get($port, $path, %opt);
}

=back

=cut

1;
