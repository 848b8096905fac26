package Camera::PgClient;

# Copyright (C) The nginx camera platform authors

# An nginx with the test module that has the PostgreSQL client behind a
# location (t/module/ngx_http_camera_pg_test_module.c).

use strict;
use warnings;

use Camera::HTTP;
use Camera::Process;
use Camera::Stopwatch;
use Exporter qw(import);
use Time::HiRes qw(time);

our @EXPORT_OK = qw(start_pg_client pg_query pg_send pg_answer pg_at_once
    pg_stat pg_settled);

=head1 NAME

Camera::PgClient - the PostgreSQL client under test

=head1 SYNOPSIS

    start_pg_client($t, connections => 2, queue => 8);
    my $r = pg_query($t, 'one', 'text');      # { status, body, took }
    my $s = pg_send($t, 'sleep', 0.5, 1000);  # a socket
    my $s2 = pg_send($t, 'setting', '', undef, 'A');
    $r = pg_answer($s);
    is(pg_stat($t)->{in_flight}, 0);

=head1 FUNCTIONS

=over

=item start_pg_client($t, %options)

Starts one worker with a pool of C<connections> (2) that takes C<queue> (256)
queries; C<database> is another connection string, C<setting> the name of a
session setting, C<demand> a question to each connection, C<away> says that it
will not connect.  PostgreSQL must have run once.

=cut

sub start_pg_client {
    my ($t, %opt) = @_;

    my $module = 'build/t/ngx_http_camera_pg_test_module.so';
    $t->run('make', '-s', '-C', $t->root, $module);

    my $database = $opt{database} // $t->database;
    my $connections = $opt{connections} // 2;
    my $queue = $opt{queue} // 256;
    my $more = ($opt{setting} ? "camera_pg_test_setting $opt{setting};" : '')
        . ($opt{demand} ? qq{camera_pg_test_demand "$opt{demand}";} : '');

    $t->nginx_conf(
        workers => 1,
        main    => "load_module @{[$t->root]}/$module;",
        http    =>
            qq{camera_pg_test_pool "$database" $connections $queue; $more},
        server  => 'location = /pg { camera_pg_test; }'
            . 'location = /stat { camera_pg_test_stat; }'
            . 'location = /other { return 200 "other"; }',
    );
    $t->start_nginx;
    $t->wait_for(sub { pg_stat($t)->{ready} == $connections }, 5, 'pool')
        unless $opt{away};
}

=item pg_query($t, $statement, $parameter [, $timeout_msec [, $setting [,
$read ]]])

=item pg_send(...), pg_answer($socket [, $seconds])

The same in two steps.

=cut

sub pg_query {
    my ($t, @args) = @_;

    my $watch = Camera::Stopwatch->start;
    my $r = $t->http_get(path(@args), timeout => 15);
    $r->{took} = $watch->seconds;

    return $r;
}

sub path {
    my ($statement, $parameter, $timeout, $setting, $read) = @_;

    $timeout //= 5000;
    return "/pg?q=$statement&p=$parameter&t=$timeout"
        . (defined $setting ? "&s=$setting" : '') . ($read ? '&r=1' : '');
}

sub pg_send {
    my ($t, @args) = @_;

    my $s = Camera::HTTP::connect_to($t->port('http'))
        or die "connect() failed: $!";
    print $s 'GET ', path(@args),
        " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    return $s;
}

sub pg_answer {
    my ($s, $seconds) = @_;

    return Camera::HTTP::read_response($s, time + ($seconds // 10));
}

=item pg_at_once($t, [$statement, ...], ...)

Has all of them started in one turn of the event loop, in this order, by
stopping the worker while they are sent; answers their sockets.

=cut

sub pg_at_once {
    my ($t, @queries) = @_;

    my $pid = pg_stat($t)->{pid};
    my @sockets = map { $t->http_get('/other', keep => 1)->{socket} } @queries;

    kill 'STOP', $pid;
    $t->wait_for(sub { (Camera::Process::stat_of($pid))[0] eq 'T' }, 5,
        'a worker that is stopped');

    for my $i (0 .. $#queries) {
        my $s = $sockets[$i];
        print $s 'GET ', path(@{ $queries[$i] }), " HTTP/1.1\r\nHost: x\r\n\r\n";
    }
    kill 'CONT', $pid;

    return @sockets;
}

=item pg_stat($t)

Counters of the worker: pid, started, handled, gone, in_flight, ready,
notified; and last, the channel and payload of the last notification.

=cut

sub pg_stat {
    my ($t) = @_;

    return { ($t->http_get('/stat')->{body} // '') =~ /(\w+)=(\S*)/g };
}

=item pg_settled($t)

Waits until nothing is in flight; true when every query that was started
ended exactly once, by its handler or by a client that left.

=cut

sub pg_settled {
    my ($t) = @_;

    my $s;
    $t->wait_for(sub { $s = pg_stat($t); $s->{in_flight} == 0 }, 10,
        'queries to end') or return 0;

    return $s->{started} == $s->{handled} + $s->{gone};
}

=back

=cut

1;
