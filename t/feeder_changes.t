#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the feeder: what is changed in the database is in the registry
# soon, and never missed.

use strict;
use warnings;

use Camera::Registry qw(registry);
use Camera::Stopwatch;
use Camera::Test;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations));

$t->start_postgres;
$t->migrate;

my $early = $t->add_camera(name => 'early', cidr => ['10.0.0.0/8', '::1/128']);

$t->nginx_conf;
$t->write_file($t->dir . '/nginx.conf',
    $t->read_file($t->dir . '/nginx.conf') =~ s/cameras 1024;/cameras 16;/r);
$t->start_nginx;

my $c;
ok(seen(sub { $c = camera($early) }), 'camera added before the start');
is($c->{key}, $early->{key}, 'its key');
is($c->{tenant}, $early->{tenant}, 'its tenant');
is($c->{cidrs}, 2, 'its networks');
ok($c->{active}, 'it is active');

ok(seen(sub { time - registry($t)->{fed_at} < 5 }), 'time of the last read');

# changes

my $watch = Camera::Stopwatch->start;
my $added = $t->add_camera(name => 'added');
ok(seen(sub { camera($added) }), 'camera added later');
note(sprintf 'added: %.0f ms', 1000 * $watch->seconds);
cmp_ok($watch->seconds, '<', 1, 'within a second');

$t->sql("SELECT rotate_stream_key('$added->{id}', 3600)");
ok(seen(sub { camera($added)->{key_generation} == 2 }), 'key rotated');
is(camera($added)->{prev_generation}, 1, 'earlier key lives on');
cmp_ok(abs(camera($added)->{prev_until} - time - 3600), '<', 5, 'for an hour');

$added->{generation} = 2;
$t->add_opaque($added);
ok(seen(sub { camera($added)->{opaque} !~ /^0+$/ }), 'opaque key');

$t->sql("SELECT rotate_stream_key('$added->{id}', 0)");
ok(seen(sub { camera($added)->{key_generation} == 3 }), 'key revoked');
is(camera($added)->{prev_generation}, 0, 'no earlier key lives on');
like(camera($added)->{opaque}, qr/^0+$/, 'nor an opaque one');

$t->sql("UPDATE cameras SET is_active = false WHERE id = '$added->{id}'");
ok(seen(sub { !camera($added)->{active} }), 'camera switched off');

$t->sql('UPDATE tenants SET max_publishers = 7');
ok(seen(sub { camera($early)->{max_publishers} == 7 }), 'quota of the tenant');

$t->sql("UPDATE cameras SET deleted_at = now() WHERE id = '$added->{id}'");
ok(seen(sub { !camera($added) }), 'camera removed');

my $heir = $t->add_camera(name => 'heir', key => $added->{key});
ok(seen(sub { camera($heir) }), 'its key given to another');

# what concerns nobody

my $changes = registry($t)->{changes};
$t->sql("UPDATE cameras SET stream_status = 'online'");
my $marker = $t->add_camera(name => 'marker');
ok(seen(sub { camera($marker) }), 'a change after it was seen');
is(registry($t)->{changes}, $changes + 1, 'a status is no change');

# a transaction that began before others and commits after them

my $name = 'late';
my $slow = open_psql();
print $slow "BEGIN;\nINSERT INTO cameras (name, rtmp_key)"
    . " VALUES ('$name', '$name');\n\\! touch @{[$t->dir]}/inserted\n";
ok(seen(sub { -e $t->dir . '/inserted' }), 'transaction under way');

for my $n (1 .. 3) {
    my $other = $t->add_camera(name => "other $n");
    seen(sub { camera($other) }) or fail("camera $n is missing");
}

ok(!by_key($name), 'not committed, not seen');
print $slow "COMMIT;\n";
close $slow;
ok(seen(sub { by_key($name) }), 'committed late, seen');

# full

$t->allow_log(qr/the registry is full/);
$t->add_camera(name => "filler $_") for 1 .. 12;
ok(seen(sub { registry($t)->{full_at} > 0 }), 'full registry says so');
is(registry($t)->{used}, 16, 'and holds what fits');
like($t->error_log, qr/registry is full: \d cameras are left out/, 'and logs');

$t->sql("UPDATE cameras SET deleted_at = now() WHERE name ~ 'other|filler 1'");
ok(seen(sub { registry($t)->{full_at} == 0 }), 'room was made');
is(() = $t->error_log =~ /registry is full/g, 1, 'one line about it');

my %want = map { $_ => 1 } $t->sql('SELECT id FROM cameras '
    . 'WHERE deleted_at IS NULL');
is_deeply([sort keys %{ registry($t)->{cameras} }], [sort keys %want],
    'all cameras are known');

$t->done_testing;

sub seen { $t->wait_for($_[0], 2) }

sub camera { (registry($t) // {})->{cameras}{ $_[0]{id} } }

sub by_key {
    return grep { $_->{key} eq $_[0] } values %{ registry($t)->{cameras} };
}

sub open_psql {
    open my $fh, '|-', 'psql', '-Xq', '-d', $t->database('camera_owner')
        or die "psql: $!";
    $fh->autoflush;
    return $fh;
}
