package Run::Place;

# Copyright (C) The nginx camera platform authors

# Where deploy/run keeps things and as whom it starts them: the directory VAR,
# its lock, the shared memory directory, the ports, the unprivileged user.

use strict;
use warnings;

use Cwd qw(abs_path);
use Fcntl qw(:flock :mode);
use File::Path qw(make_path);
use IO::Socket::INET;

use constant SHM_ROOM_KB => 256 << 10;

my %ports = (
    HTTP_PORT  => { default => 8080, address => '0.0.0.0' },
    HTTPS_PORT => { default => 8443, address => '0.0.0.0' },
    RTMPS_PORT => { default => 1936, address => '0.0.0.0' },
    RTMP_PORT  => { default => 1935, address => '127.0.0.1' },
);


# settings out of the environment, each checked, with its default

sub settings {
    my ($root) = @_;

    my %set = map { $_ => number($_, $ports{$_}{default}, 1, 65535) }
        sort keys %ports;

    $set{WORKERS} = number('WORKERS', 2, 1, 64);
    $set{DEMO} = number('DEMO', 1, 0, 1);
    $set{RECORD} = number('RECORD', 1, 0, 1);
    $set{RECORD_LENGTH} = number('RECORD_LENGTH', 3600, 10, 86400);
    $set{RECORD_RESERVE} = share('RECORD_RESERVE');

    # out of the environment, which every child inherits
    $set{$_} = delete $ENV{$_} // '' for qw(ADMIN_PASSWORD REDIS_URL);

    $set{$_} = $ENV{$_} // ''
        for qw(DATABASE_URL APP_DATABASE_URL API_DATABASE_URL
            WORKER_DATABASE_URL);

    for my $name ('API_DATABASE_URL',
        $set{RECORD} ? 'WORKER_DATABASE_URL' : ())
    {
        die "DATABASE_URL has options of its own, so $name is needed, too\n"
            if $set{DATABASE_URL} && !$set{$name}
            && $set{DATABASE_URL} =~ /\boptions\s*=/;
    }

    my $var = $ENV{VAR} // 'var';
    $set{VAR} = $var =~ m{^/} ? $var : "$root/$var";
    $set{RECORD_DIR} = $ENV{RECORD_DIR} // '';

    my %by_port;
    for my $name (sort keys %ports) {
        my $other = $by_port{ $set{$name} };
        die "$other and $name are both $set{$name}\n" if $other;
        $by_port{ $set{$name} } = $name;
    }

    return \%set;
}


sub number {
    my ($name, $default, $min, $max) = @_;

    my $value = $ENV{$name};
    return $default unless defined $value && length $value;

    die "$name is \"$value\", it must be a number from $min to $max\n"
        unless $value =~ /^\d{1,5}$/ && $value >= $min && $value <= $max;

    return $value + 0;
}


# "20g", "500m" or a part of the whole as "5%"; nothing when it is not set

sub share {
    my ($name) = @_;

    my $value = $ENV{$name} // '';
    return $value if $value =~ /^(?:\d{1,6}[mgt]|\d{1,2}%)?\z/;

    die "$name is \"$value\", it must be like 20g or 500m, or a part of"
        . " each disk like 5%\n";
}


# A connection string, of either form, whose sessions take another role after
# they have logged in.

sub as_role {
    my ($url, $role) = @_;

    return "$url options='-c role=$role'" unless $url =~ m{^postgres(?:ql)?://};
    return $url . ($url =~ /\?/ ? '&' : '?') . "options=-c%20role%3D$role";
}


# dies with the name of the first port that somebody else listens on

sub check_ports {
    my ($set) = @_;

    for my $name (sort keys %ports) {
        my $socket = IO::Socket::INET->new(
            LocalAddr => $ports{$name}{address},
            LocalPort => $set->{$name},
            Proto     => 'tcp',
            Listen    => 1,
            ReuseAddr => 1,
        );
        next if $socket;

        my $why = $!{EADDRINUSE} ? 'is taken by another program' : "fails: $!";
        my $free = $set->{$name} < 64535 ? $set->{$name} + 1000 : 10000;
        die "$name $set->{$name} $why; choose another one, for example\n"
            . "  $name=$free make run\n";
    }
}


# without an address of that kind a listener of that kind cannot be had

sub has_ipv6 {
    open my $in, '<', '/proc/net/if_inet6' or return 0;
    return defined scalar <$in>;
}


# the handle holds the lock for as long as it lives

sub lock_var {
    my ($set) = @_;

    make_path($set->{VAR});
    $set->{VAR} = abs_path($set->{VAR});

    open my $lock, '+>>', "$set->{VAR}/run.lock"
        or die "open(\"$set->{VAR}/run.lock\") failed: $!\n";

    unless (flock $lock, LOCK_EX|LOCK_NB) {
        seek $lock, 0, 0;
        chomp(my $pid = <$lock> // 'unknown');
        die "$set->{VAR} is in use by a running instance (pid $pid); stop it,"
            . " or choose\nanother directory and other ports, for example"
            . " VAR=var2 HTTP_PORT=9080 ...\n";
    }

    truncate $lock, 0;
    syswrite $lock, "$$\n";

    return $lock;
}


# Root starts everything as www-data.  A checkout that this user cannot reach,
# below /root for example, is opened to the children for reading by one ambient
# capability rather than by changing the modes of somebody's home.

sub user {
    my ($root, $var) = @_;

    return { uid => $>, gid => $) + 0, name => scalar getpwuid $>, as => [] }
        if $> != 0;

    my ($name, undef, $uid, $gid) = getpwnam 'www-data'
        or die "there is no user \"www-data\"\n";
    my @as = ('--reuid', $uid, '--regid', $gid, '--clear-groups');

    push @as, '--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'
        if grep { system('setpriv', @as, 'test', '-r', $_, '-a', '-x', $_) }
            $root, $var;

    return { uid => $uid, gid => $gid, name => $name, as => \@as };
}


sub directory {
    my ($user, $path, $mode) = @_;

    make_path($path);
    chmod $mode, $path or die "chmod(\"$path\") failed: $!\n";

    if ($> == 0) {
        chown $user->{uid}, $user->{gid}, $path
            or die "chown(\"$path\") failed: $!\n";
    }

    return $path;
}


# VAR/shm leads to a private directory on /dev/shm when that is a tmpfs with
# room, named after VAR so that the next start finds what the last one left

sub shared_memory {
    my ($user, $var) = @_;

    my $link = "$var/shm";
    return directory($user, $link, 0700) if -d $link && !-l $link;

    require Digest::SHA;
    my $path = '/dev/shm/camera-' . substr Digest::SHA::sha256_hex($var), 0, 16;

    unless (-d $path || tmpfs_has_room('/dev/shm')) {
        unlink $link;
        return directory($user, $link, 0700);
    }

    mkdir $path, 0700;
    my ($mode, $owner) = (lstat $path)[2, 4];
    die "\"$path\" belongs to somebody else\n"
        unless S_ISDIR($mode) && ($owner == $user->{uid} || $owner == $>);

    directory($user, $path, 0700);
    unlink $link;
    symlink $path, $link or die "symlink(\"$link\") failed: $!\n";

    return $path;
}


sub tmpfs_has_room {
    my ($path) = @_;

    chomp(my ($type, $free) =
        split ' ', qx(df --output=fstype,avail -k $path 2>/dev/null | tail -1));

    return ($type // '') eq 'tmpfs' && $free >= SHM_ROOM_KB;
}


1;
