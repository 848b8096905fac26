package Bench;

# Copyright (C) The nginx camera platform authors

# What the cases share: this platform and a peer, each on the first core, the
# generator on the second; processor time and memory from /proc; medians; the
# table.

use strict;
use warnings;

use Camera::Process;
use Camera::Test;
use Exporter qw(import);
use File::Path qw(make_path);
use JSON::PP;

our @EXPORT_OK = qw(ours peer directory pin pin_away unpin server_core load_core camsim
    start_camsim start_wrk wrk_rate requests cpu_sec memory_kb median note
    add_cameras publish_urls row);

my $server_core = $ENV{BENCH_SERVER_CORE} // 0;
my $load_core = $ENV{BENCH_LOAD_CORE} // 1;

=head1 FUNCTIONS

=over

=item ours(%conf)

This platform with one nginx worker and one package process, as it is run,
except that access logs are off, as with the peers.  C<record> is a directory
below the test's: every camera is recorded there.

=cut

sub ours {
    my (%conf) = @_;

    my $t = Camera::Test->new(workers => 1);
    my $record = delete $conf{record};

    $t->start_postgres(log_statement => 'all');
    $t->migrate;
    $t->nginx_conf(level => 'warn',
        http => 'sendfile on; tcp_nopush on;', server => 'access_log off;',
        %conf);
    $t->start_nginx;
    $t->start_worker(args => ['--children', 1,
        defined $record ? recording($t, $record) : ()]);
    $t->wait_for(sub { $t->worker_children }, 5, 'package process');
    pin($t->{nginx}, $t->{worker});

    return $t;
}

# what tells camera-worker to record

sub recording {
    my ($t, $name) = @_;

    my $file = $t->dir . '/database';
    $t->write_file($file, $t->database('camera_worker') . "\n");
    chmod 0600, $file;
    $t->give_to_service($file);
    $t->sql('ALTER TABLE cameras ALTER is_recording SET DEFAULT true');

    return ('--record', directory($t, $t->dir . "/$name"),
        '--database', $file);
}

=item peer($t, $conf, %values)

Starts another nginx by bench/peers/$conf.conf, where %%NAME%% stands for dir,
user, certificate, certificate_key, a value given, or a free port; C<more> is
nothing unless given.

=cut

sub peer {
    my ($t, $name, %value) = @_;

    my $as = $value{as} // $name;
    $value{more} //= '';
    @value{qw(certificate certificate_key)} = $t->certificate;
    @value{qw(dir as user)} = ($t->dir, $as,
        $> == 0 ? 'user www-data;' : '');

    my $text = $t->read_file($t->root . "/bench/peers/$name.conf");
    $text =~ s/%%(\w+)_PORT%%/$t->port("$as-\L$1")/ge;
    $text =~ s/%%(\w+)%%/$value{lc $1} \/\/ die "no value \"$1\""/ge;
    my $conf = $t->dir . "/$as.conf";
    $t->write_file($conf, $text);

    my $p = Camera::Process->start($t->dir . "/$as.out", '/usr/sbin/nginx',
        '-p', $t->dir, '-c', $conf, '-e', $t->dir . "/$as.err");
    my ($port) = $text =~ /listen 127.0.0.1:(\d+)/;
    $t->wait_for(sub { Camera::HTTP::connect_to($port, timeout => 1) }, 5,
        "$name.conf") or die $p->log;
    pin($p);

    return $p;
}

=item directory($t, $path)

Makes a directory that servers may write to.

=cut

sub directory {
    my ($t, $path) = @_;

    make_path($path);
    $t->give_to_service($path);

    return $path;
}

=item server_core, load_core

Which they are.

=cut

sub server_core { $server_core }
sub load_core   { $load_core }

=item pin(@processes), pin_away(@processes), unpin(@processes)

Puts them, with all below them and their threads, on the servers' core, or on
the generator's; lets them have both.

=cut

sub pin      { place($server_core, @_) }
sub pin_away { place($load_core, @_) }
sub unpin    { place("$server_core,$load_core", @_) }

sub place {
    my ($cores, @processes) = @_;

    for my $pid (pids(@processes)) {
        system("taskset -acp $cores $pid > /dev/null");
    }
}

sub pids {
    return map { ($_->pid, Camera::Process::descendants($_->pid)) } @_;
}

=item camsim($t, @arguments), start_camsim($t, $log, @arguments)

Runs camsim on the generator's core and answers its report; or only starts it
and answers its Camera::Process.

=cut

sub camsim {
    my ($t, @arguments) = @_;

    my $text = $t->run({ may_fail => 1 }, 'taskset', '-c', $load_core,
        $t->root . '/bin/camsim', '--json', @arguments);

    return decode_json($text);
}

sub start_camsim {
    my ($t, $log, @arguments) = @_;

    return Camera::Process->start($t->dir . "/$log", 'taskset', '-c',
        $load_core, $t->root . '/bin/camsim', '--json', @arguments);
}

=item start_wrk($t, $log, $port, $path, $seconds), wrk_rate($process)

Starts wrk with 16 connections that are kept; waits for its end and answers
the requests a second.

=cut

sub start_wrk {
    my ($t, $log, $port, $path, $seconds) = @_;

    return Camera::Process->start($t->dir . "/$log", 'taskset', '-c',
        $load_core, 'wrk', '-t1', '-c16', "-d${seconds}s",
        "http://127.0.0.1:$port$path");
}

sub wrk_rate {
    my ($p) = @_;

    $p->wait(30);
    my $text = $p->log;
    die "wrk: $text" if $text =~ /Non-2xx|Socket errors/;
    my ($rate) = $text =~ /Requests\/sec:\s+([\d.]+)/ or die "wrk: $text";

    return $rate;
}

=item requests($t, $port, $file, $seconds, %options)

Lets wrk send the requests of a file (see requests.lua) on so many
C<connections> that are kept, each with a C<pause> of so many milliseconds on
average if any, on the generator's core or C<anywhere>; answers C<count>,
C<rate>, C<p50_msec> and C<p99_msec>.  All of them have to succeed.

=cut

sub requests {
    my ($t, $port, $file, $for, %opt) = @_;

    my $core = $opt{anywhere} ? "$server_core,$load_core" : $load_core;
    my $text = $t->run('taskset', '-c', $core, 'wrk', '-t1',
        '-c', $opt{connections}, "-d${for}s", '--timeout', '10s', '--latency',
        '-s', $t->root . '/bench/requests.lua', "http://127.0.0.1:$port/",
        '--', $file, $opt{pause} // ());
    my ($count, $usec, $p50, $p99, $errors) =
        $text =~ /^result (\d+) (\d+) (\d+) (\d+) (\d+)$/m;

    die "wrk: $text" if !$count || $errors;

    return { count => $count, rate => $count / $usec * 1e6,
        p50_msec => $p50 / 1000, p99_msec => $p99 / 1000 };
}

=item cpu_sec(@processes)

Time on a processor of the processes and all below them, in seconds.

=cut

sub cpu_sec {
    my $sum = 0;
    $sum += Camera::Test::cpu(undef, $_) // 0 for pids(@_);
    return $sum;
}

=item memory_kb(@processes)

Proportional memory, without what is mapped from a tmpfs, which is where rings
and segments lie.

=cut

sub memory_kb {
    my $sum = 0;

    for my $pid (pids(@_)) {
        open my $fh, '<', "/proc/$pid/smaps_rollup" or next;
        my %kb = map { /^(\w+):\s+(\d+) kB/ ? ($1 => $2) : () } <$fh>;
        $sum += ($kb{Pss} // 0) - ($kb{Pss_Shmem} // 0);
    }

    return $sum;
}

=item median(@values)

=cut

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return $sorted[$#sorted / 2];
}

=item add_cameras($t, $n), publish_urls($t, $scheme, @cameras)

Adds so many by one statement and waits until the server knows them; writes
their URLs to a file for camsim.

=cut

sub add_cameras {
    my ($t, $n) = @_;

    my @cameras = map {
        my %camera = (generation => 1, epoch => 1);
        @camera{qw(id key tenant)} = split /\t/;
        $t->camera_urls(\%camera);
    } $t->sql("INSERT INTO cameras (name) SELECT 'bench ' || n "
        . "FROM generate_series(1, $n) n RETURNING id, rtmp_key, tenant_id");

    $t->wait_for(sub {
        my $used = eval { decode_json($t->http_get('/readyz')->{body}) };
        ($used // {})->{parts}{registry}{used} >= $n;
    }, 10, 'registry') or die 'cameras were not fed';

    return @cameras;
}

sub publish_urls {
    my ($t, $scheme, @cameras) = @_;

    my $file = $t->dir . "/$scheme.urls";
    my $field = $scheme eq 'rtmps' ? 'rtmps_url' : 'publish_url';
    $t->write_file($file, join '', map { "$_->{$field}\n" } @cameras);

    return "\@$file";
}

=item row($name, %fields)

One line of the result: C<ours>, C<theirs> (may be missing), C<unit>, C<bar>
as "E<gt>= 0.97 x", "E<lt>= 5 ms" and the like, where "x" compares the ratio;
without a bar it is there for comparison.

=cut

sub row {
    my ($name, %row) = @_;

    $row{ratio} = $row{ours} / $row{theirs} if $row{theirs};
    return { name => $name, %row } unless defined $row{bar};

    my ($op, $bar, $unit) = $row{bar} =~ /^([<>]=) ([\d.]+) (.+)$/
        or die "no bar \"$row{bar}\"";
    my $value = $unit eq 'x' ? $row{ratio} : $row{ours};
    my $met = $op eq '<=' ? $value <= $bar : $value >= $bar;

    return { name => $name, %row, met => $met ? 1 : 0 };
}

=item note($text)

Says what is going on.

=cut

sub note {
    print STDERR "# $_[0]\n";
}

=back

=cut

1;
