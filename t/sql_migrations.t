#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the migrations: each can be applied, verified and taken back, and
# the runner may be run at any time.

use strict;
use warnings;

use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations));

$t->start_empty_postgres;

my $migrate = $t->root . '/deploy/migrate';
my $url = $t->database_url('camera_owner');
my @names = map { m{(\d+_\w+)\.sql$} } sort glob $t->root . '/sql/[0-9]*.sql';

for my $name (@names) {
    ok(-e $t->root . "/sql/$_/$name.sql", "$name has its $_")
        for qw(revert verify);
}

# apply

my $said = migrate();
is($said, join('', map { "applied $_\n" } @names), 'all are applied');
is(migrate(), '', 'only once');
is(migrate('--verify'), join('', map { "verified $_\n" } @names), 'verified');
is($t->sql('SELECT count(*) FROM cameras'), 0, 'verifying leaves no trace');

# revert, one by one, and apply again

my $schema = schema();
is(migrate('--revert'), "reverted $_\n", "reverted $_") for reverse @names;
is($t->sql(q{SELECT count(*) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace
    AND relname NOT LIKE '%migration%'}), 0, 'no table is left');
is($t->sql(q{SELECT count(*) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace}), 0, 'no function is left');
migrate();
is(schema(), $schema, 'applied again to the same schema');

# what was there before a migration

migrate('--revert') for 5 .. @names;
$t->sql("INSERT INTO cameras (name) VALUES ('old'), ('rotated')");
$t->sql("SELECT rotate_stream_key(id, 60) FROM cameras WHERE name = 'rotated'");
migrate();
is(join(' ', $t->sql('SELECT name, key_generation, version, is_active
    FROM cameras ORDER BY name')), "old\t1\t1\tt rotated\t2\t1\tt",
    'cameras of an older schema');

# two at once

migrate('--revert') for @names;
my @runs = map {
    open my $fh, '-|', $migrate, $url or die;
    $fh;
} 1, 2;
my $applied = join '', map { my $fh = $_; <$fh> } @runs;
close $_ for @runs;
is(() = $applied =~ /^applied/mg, scalar @names, 'two at once apply each once');

# what was edited after it was applied

$t->sql("UPDATE schema_migrations SET sha256 = 'x' WHERE name ~ '^002'");
$said = $t->run({ may_fail => 1 }, $migrate, $url);
isnt($?, 0, 'an edited migration is refused');
like($said, qr/002_cameras.sql was changed after it had been applied/,
    'by name');

# who is nobody, and a URL that is no database

$said = $t->run({ may_fail => 1 }, $migrate, $url =~ s{/camera$}{/none}r);
isnt($?, 0, 'no such database');
like($said, qr/database "none" does not exist/, 'is said');

$t->done_testing;

sub migrate { $t->run($migrate, @_, $url) }

sub schema {
    return $t->run('pg_dump', '-s', '-T', 'schema_migrations', $url)
        =~ s/^--.*\n//mgr =~ s/^\\(un)?restrict.*\n//mgr;
}
