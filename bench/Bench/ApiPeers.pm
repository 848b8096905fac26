package Bench::ApiPeers;

# Copyright (C) The nginx camera platform authors

# What the API is compared with: the servers of bench/peers/api on Node.js,
# pgbench, and a program of libpq alone.  Each has the servers' core when it is
# its turn, as ours has.

use strict;
use warnings;

use Bench qw(pin server_core);
use Camera::HTTP;
use Camera::Process;
use Camera::Test::Postgres;
use Exporter qw(import);

our @EXPORT_OK = qw(start_node pgbench libpq_page versions);

my $modules = 'bench/peers/api/node_modules';

=head1 FUNCTIONS

=over

=item start_node($t, $name, $server, %environment)

Starts bench/peers/api/dist/$server.js under that name, which is its port's,
too.

=cut

sub start_node {
    my ($t, $name, $server, %env) = @_;

    my ($socket) = $t->redis_address =~ /^unix:(.+)/;
    my $port = $t->port($name);

    my $p = Camera::Process->start({
        log => $t->dir . "/$name.out",
        env => {
            NODE_ENV      => 'production',
            PEER_PORT     => $port,
            PEER_DATABASE => $t->{pgsocket},
            PEER_REDIS    => $socket,
            PEER_KEY      => $t->key('access')->{k},
            PEER_LOG      => $t->dir . "/$name.requests.log",
            %env,
        },
    }, 'node', $t->root . "/bench/peers/api/dist/$server.js");

    $t->wait_for(sub {
        !$p->running || Camera::HTTP::connect_to($port, timeout => 1);
    }, 20, $name);
    die "$name: " . $p->log unless $p->running;
    pin($p);

    return $p;
}

=item pgbench($t, $seconds)

How often a second eight clients get a camera by the API's statement, as its
role and with row-level security.  pgbench can draw a number, not a UUID, so
the ids of the cameras are numbers and the statement makes one of the other.

=cut

my $columns = 'id, external_id, name, company, model, serial_number, location,'
    . ' place, rtmp_key, is_active, is_recording, stream_status::text,'
    . ' assigned_node, allowed_cidrs::text[], cut_at_expiry, created_at,'
    . ' updated_at, version';

sub pgbench {
    my ($t, $seconds) = @_;

    my $script = $t->dir . '/camera.sql';
    my ($tenant) = $t->sql(
        "SELECT id FROM tenants WHERE slug = 'bench-2'");

    # every twentieth from the first on is this tenant's
    $t->write_file($script, <<"END");
\\set n 20 * random(0, 499) + 1
SELECT $columns FROM cameras
WHERE id = ('00000000-0000-4000-8000-' || lpad((:n)::text, 12, '0'))::uuid
  AND deleted_at IS NULL;
END

    local $ENV{PGOPTIONS} = "-c app.tenant=$tenant";
    my $text = $t->run('taskset', '-c', server_core(),
        Camera::Test::Postgres::postgres_bin() . '/pgbench', '-n',
        '-M', 'prepared', '-c', 8, '-j', 1, '-T', $seconds, '-f', $script,
        '-h', $t->{pgsocket}, '-U', 'camera_api', 'camera');
    my ($rate) = $text =~ /^tps = ([\d.]+)/m or die "pgbench: $text";

    return { rate => $rate };
}

=item libpq_page($t, $seconds)

How often a second libpq alone gets a page of 50 and writes it as JSON.

=cut

sub libpq_page {
    my ($t, $seconds) = @_;

    my @tenants = $t->sql(
        "SELECT id FROM tenants WHERE slug LIKE 'bench-%'");
    my $text = $t->run('taskset', '-c', server_core(),
        $t->root . '/build/bench/libpq_page', $t->database('camera_owner'),
        $seconds, @tenants);
    my ($rate) = $text =~ /^([\d.]+) \d+$/ or die "libpq_page: $text";

    return { rate => $rate };
}

=item versions

Of what was compared with, in one line.

=cut

sub versions {
    my $root = Camera::Test::root();
    my ($postgres) = `${\Camera::Test::Postgres::postgres_bin()}/postgres -V`
        =~ /([\d.]+)/;
    my ($redis) = `redis-server --version` =~ /v=([\d.]+)/;
    my ($node) = `node --version` =~ /v([\d.]+)/;

    my @packages = map {
        my $text = Camera::Test->read_file("$root/$modules/$_/package.json");
        my ($version) = $text =~ /"version":\s*"([^"]+)"/;
        "$_ $version";
    } qw(fastify @nestjs/core pg ioredis pino);

    return join ', ', "PostgreSQL $postgres", "Redis $redis",
        "Node.js $node", @packages;
}

=back

=cut

1;
