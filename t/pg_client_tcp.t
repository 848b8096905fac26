#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the PostgreSQL client over TCP: libpq changes its socket while it
# connects, when an address refuses and when the server wants another try.

use strict;
use warnings;

use Camera::PgClient qw(start_pg_client pg_query pg_stat pg_settled);
use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations));

my $port = $ENV{PGPORT} = $t->port('postgres');
my $closed = $t->port('closed');
my ($certificate, $key) = $t->certificate;

for my $file ([$certificate, 'cert.pem'], [$key, 'key.pem']) {
    my $copy = $t->dir . "/$file->[1]";
    $t->write_file($copy, $t->read_file($file->[0]));
    chmod 0600, $copy;
    $t->give_to_service($copy);
}

$t->start_postgres(listen_addresses => '127.0.0.1', port => $port,
    ssl => 'on', ssl_cert_file => $t->dir . '/cert.pem',
    ssl_key_file => $t->dir . '/key.pem');
$t->migrate;
$t->sql('CREATE TABLE pg_test (n integer)');
$t->sql('GRANT ALL ON pg_test TO camera_app');

# the first address refuses

start_pg_client($t, connections => 4, database => 'hostaddr=127.0.0.1,127.0.0.1'
    . " port=$closed,$port dbname=camera user=camera_app");
is(pg_query($t, 'one', 'second')->{body}, 'second', 'second address');
is($t->psql({ user => 'postgres' }, 'SELECT count(*) FROM pg_stat_ssl s '
    . 'JOIN pg_stat_activity a USING (pid) '
    . "WHERE a.usename = 'camera_app' AND s.ssl"), 4, 'with TLS');
is(length pg_query($t, 'big', 2000000)->{body}, 2000000, 'a big value by it');
$t->stop_nginx;

# the server refuses TLS for this user, libpq comes again without it

$t->write_file("$t->{pgdata}/pg_hba.conf", "local all all trust\n"
    . "hostnossl all all 127.0.0.1/32 trust\n");
$t->psql({ user => 'postgres' }, 'SELECT pg_reload_conf()');

start_pg_client($t, connections => 4, database => 'hostaddr=127.0.0.1 '
    . "port=$port dbname=camera user=camera_app sslmode=prefer");
is(pg_query($t, 'one', 'plain')->{body}, 'plain', 'second try');

for (1 .. 5) {
    $t->psql({ user => 'postgres' }, 'SELECT count(pg_terminate_backend(pid)) '
        . "FROM pg_stat_activity WHERE usename = 'camera_app'");
    $t->wait_for(sub { pg_stat($t)->{ready} < 4 }, 2);
    ok($t->wait_for(sub { pg_stat($t)->{ready} == 4 }, 5), 'and again');
}
ok(pg_settled($t), 'every query ended once');

$t->done_testing;
