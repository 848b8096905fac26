package Camera::RedisClient;

# Copyright (C) The nginx camera platform authors

# An nginx with the test module that has the Redis client behind a location
# (t/module/ngx_http_camera_redis_test_module.c).

use strict;
use warnings;

use Camera::HTTP;
use Camera::Stopwatch;
use Exporter qw(import);
use Time::HiRes qw(time);

our @EXPORT_OK = qw(start_redis_client redis_command redis_script redis_send
    redis_answer redis_stat redis_back redis_settled);

=head1 NAME

Camera::RedisClient - the Redis client under test

=head1 SYNOPSIS

    start_redis_client($t, queue => 8);
    my $r = redis_command($t, 'GET', 'key');    # { status, body, took }
    $r = redis_script($t, 'key', 2);            # adds 2 to it
    my $s = redis_send($t, 'DEBUG', 'SLEEP', 0.1);
    $r = redis_answer($s);
    is(redis_stat($t)->{in_flight}, 0);

=head1 FUNCTIONS

=over

=item start_redis_client($t, %options)

Starts one worker with a client that takes C<queue> (256) commands, waits
C<timeout> (0, its default) ms for each and listens to "test:one" and
"test:two"; C<address> is another address, C<away> says that it will not connect.

=cut

sub start_redis_client {
    my ($t, %opt) = @_;

    my $module = 'build/t/ngx_http_camera_redis_test_module.so';
    $t->run('make', '-s', '-C', $t->root, $module);

    my $address = $opt{address} // $t->redis_address;
    my $queue = $opt{queue} // 256;
    my $timeout = $opt{timeout} // 0;

    $t->nginx_conf(
        workers => 1,
        main    => "load_module @{[$t->root]}/$module;",
        http    => qq{camera_redis_test_client "$address" $queue $timeout;},
        server  => 'location = /redis { camera_redis_test; }'
            . 'location = /stat { camera_redis_test_stat; }'
            . 'location = /other { return 200 "other"; }',
    );
    $t->start_nginx;
    redis_back($t) unless $opt{away};
}

=item redis_command($t, @command), redis_script($t, $key, $number)

=item redis_send($t, @command), redis_answer($socket [, $seconds])

The same in two steps.

=cut

sub redis_command {
    my ($t, @command) = @_;

    return get($t, path(@command));
}

sub redis_script {
    my ($t, @args) = @_;

    return get($t, path(@args) . '&script=1');
}

sub get {
    my ($t, $path) = @_;

    my $watch = Camera::Stopwatch->start;
    my $r = $t->http_get($path, timeout => 15);
    $r->{took} = $watch->seconds;

    return $r;
}

sub path { '/redis?args=' . join ',', @_ }

sub redis_send {
    my ($t, @command) = @_;

    my $s = Camera::HTTP::connect_to($t->port('http'))
        or die "connect() failed: $!";
    print $s 'GET ', path(@command),
        " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    return $s;
}

sub redis_answer {
    my ($s, $seconds) = @_;

    return Camera::HTTP::read_response($s, time + ($seconds // 10));
}

=item redis_stat($t)

Counters of the worker: pid, started, handled, gone, in_flight, ready, up
(subscriptions), ups (how often one was confirmed), messages, the last of them,
and free connections of nginx.

=cut

sub redis_stat {
    my ($t) = @_;

    return { ($t->http_get('/stat')->{body} // '') =~ /(\w+)=(\S*)/g };
}

=item redis_back($t)

Waits until commands are taken and both subscriptions confirmed.

=cut

sub redis_back {
    my ($t) = @_;

    return $t->wait_for(sub {
        my $s = redis_stat($t);
        $s->{ready} && $s->{up} == 2;
    }, 8, 'connections');
}

=item redis_settled($t)

Waits until nothing is in flight; true when every command that was started
ended exactly once, by its handler or by a client that left.

=cut

sub redis_settled {
    my ($t) = @_;

    my $s;
    $t->wait_for(sub { $s = redis_stat($t); $s->{in_flight} == 0 }, 10,
        'commands to end') or return 0;

    return $s->{started} == $s->{handled} + $s->{gone};
}

=back

=cut

1;
