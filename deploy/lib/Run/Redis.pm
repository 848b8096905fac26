package Run::Redis;

# Copyright (C) The nginx camera platform authors

# Redis: private and on a unix socket, unless somebody has one.  It is only
# speed: nothing is written to disk, and what is used least goes first when
# memory is short.

use strict;
use warnings;

use Run::Place;

use constant MEMORY => '64mb';


# instance: a Run::Instance; answers the address for nginx

sub start {
    my ($instance) = @_;

    return $instance->{set}{REDIS_URL} if $instance->{set}{REDIS_URL};

    my $dir = "$instance->{var}/redis";
    my $socket = length "$dir/redis.sock" < 100 ? "$dir/redis.sock"
        : "$instance->{shm}/redis.sock";

    Run::Place::directory($instance->{user}, $dir, 0700);

    $instance->{steps}->step('Redis', sub {
        run($instance, $dir, $socket);
        return 'started';
    });

    return "unix:$socket";
}


sub run {
    my ($instance, $dir, $socket) = @_;

    my %settings = (
        'port'             => 0,
        'unixsocket'       => $socket,
        'unixsocketperm'   => 700,
        'dir'              => $dir,
        'save'             => '',
        'appendonly'       => 'no',
        'maxmemory'        => MEMORY,
        'maxmemory-policy' => 'allkeys-lru',
        'loglevel'         => 'warning',
    );

    my $child = $instance->{children}->add(
        name => 'redis',
        as   => $instance->{user}{as},
        argv => [ 'redis-server',
                  map { ("--$_", $settings{$_}) } sort keys %settings ],
    );

    $instance->{steps}->wait_for($child, 20, sub {
        ($instance->{steps}->answer({ as_user => 1 }, 'redis-cli', '-s',
            $socket, 'PING') // '') =~ /^PONG/;
    });
}


1;
