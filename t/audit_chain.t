#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the chain of the audit log: rows get their places while many write,
# two jobs at once and one that is killed make one chain; and whoever changes,
# removes, inserts, moves or cuts off rows, with all rights that a database has,
# is found, and the row is named.

use strict;
use warnings;

use Camera::Jobs;
use Camera::Test::Cli;
use JSON::PP qw(decode_json);
use Test::More;

my $t = Camera::Jobs->new;
$t->skip_without(qw(worker postgres migrations cli));

$t->start_postgres;
$t->migrate;

my $cli = Camera::Test::Cli->new($t);
my $owner = $t->pg_session('camera_owner');
my @workers = map { $t->pg_session('camera_worker') } 1, 2;
my ($a, $b) = map {
    $owner->ask("INSERT INTO tenants (slug, name) VALUES ('$_', upper('$_'))
        RETURNING id")
} qw(a b);

###############################################################################

# rows and their places

write_rows(5);
is(verify('a')->{waiting}, 6, 'rows that have no place yet');
is($workers[0]->ask('SELECT audit_chain_next()') + 0, 12, 'get one');
is(verify('a')->{waiting}, 0, 'all of them');
is_deeply([ @{ verify('a') }{qw(good rows place)} ],
    [ JSON::PP::true, 6, 6 ], 'and are good');
is($workers[0]->ask('SELECT audit_chain_next()'), 0, 'once');

# a row that commits late has a smaller id, and its place is behind

my $late = $t->pg_session('camera_owner');
$late->ask("BEGIN; SELECT audit_add('$a', 'test.late', 'test', '1')");
write_rows(3);
$workers[0]->ask('SELECT audit_chain_next()') for 1 .. 3;
$late->ask('COMMIT');
is($workers[0]->ask('SELECT audit_chain_next()'), 1, 'a late one');
is(verify('a')->{rows}, 10, 'is in the chain');
$workers[0]->ask('SELECT audit_chain_next()') for 1 .. 2;
is($owner->ask('SELECT low_id = (SELECT max(id) FROM audit_log)
    FROM audit_state'), 't', 'nothing is looked for any more');

# so has one whose transaction is older than all that ended before the chain was
# looked at; once it was taken for over, and its row never got a place

$late->ask("BEGIN; SELECT audit_add('$a', 'test.late', 'test', '2')");
$workers[0]->ask('SELECT audit_chain_next()') for 1 .. 4;
$late->ask('COMMIT');
is($workers[0]->ask('SELECT audit_chain_next()'), 1, 'a late one alone');
is(verify('a')->{good}, JSON::PP::true, 'is in the chain, too');

# and one that begins while the chain is looked at

$workers[1]->ask('BEGIN; SELECT pg_current_xact_id()');
$late->ask("BEGIN; SELECT audit_add('$a', 'test.late', 'test', '3')");
$workers[1]->ask('SELECT audit_chain_next(); COMMIT');
$workers[0]->ask('SELECT audit_chain_next()') for 1 .. 3;
$late->ask('COMMIT');
is($workers[0]->ask('SELECT audit_chain_next()'), 1, 'one that began meanwhile');
$workers[0]->ask('SELECT audit_chain_next()') for 1 .. 3;
is($owner->ask('SELECT low_id = (SELECT max(id) FROM audit_log)
    FROM audit_state'), 't', 'nothing is looked for any more');

# two at once, and one that ends in the midst

write_rows(200);
$workers[0]->ask('BEGIN; SELECT audit_chain_next(50)');
is($workers[1]->ask('SELECT audit_chain_next(50)'), 0, 'another one waits not');
$workers[0]->ask('ROLLBACK');
$_->send('SELECT audit_chain_next(50)') for (@workers) x 1;
$_->answer for @workers;
1 while $workers[1]->ask('SELECT audit_chain_next(50)');
is_deeply([ @{ verify('b') }{qw(good rows waiting)} ], [ JSON::PP::true, 209, 0 ],
    'one chain');

# anchors, which need a key

my $anchor = $cli->run(qw(audit anchor));
is($anchor->{status}, 0, 'an anchor of each');
my $file = $t->dir . '/anchors';
$t->write_file($file, $anchor->{out});
my %anchor = map { ($_->{tenant} => $_) } map { decode_json($_) }
    split /\n/, $anchor->{out};
is($anchor{$b}{position}, 209, 'the last place');
is(verify('b', '--anchor', $file)->{anchors}, 1, 'is where it was');
write_rows(2);
1 while $workers[0]->ask('SELECT audit_chain_next()');
is(verify('b', '--anchor', $file)->{good}, JSON::PP::true, 'with more behind it');
$owner->ask("SELECT audit_anchor_add('$b', 209, '$anchor{$b}{at}',
    '$anchor{$b}{kid}', '$anchor{$b}{signature}')");
is(verify('b')->{anchors}, 1, 'kept in the database');

my $r = $cli->run(qw(audit verify --tenant none));
is($r->{status}, 4, 'no such tenant');
$t->write_file("$file.none", "nothing\n");
is($cli->run(qw(audit verify --anchor), "$file.none")->{status}, 5, 'no anchor');
like($cli->run(qw(audit verify --tenant b))->{out}, qr/^b\s+good: 211 rows/,
    'as people read it');

# append-only, for every role

for my $table (qw(audit_chain audit_anchors)) {
    for my $change ("UPDATE $table SET position = 0", "DELETE FROM $table",
        "TRUNCATE $table")
    {
        $owner->ask($change);
        is($owner->state, '55000', "not even the owner: $change");
        $workers[0]->ask($change);
        is($workers[0]->state, '42501', "nor the worker: $change");
    }
}

# drills: a superuser, for whom no trigger is in the way

my $row = $owner->ask("SELECT log_id FROM audit_chain WHERE tenant_id = '$b'
    AND position = 100");
my $next = $owner->ask("SELECT log_id FROM audit_chain WHERE tenant_id = '$b'
    AND position = 101");

drill('changed', 100, $row, "UPDATE audit_log SET actor = 'x' WHERE id = $row");
drill('changed', 100, $row, "UPDATE audit_log SET at = at - interval '1 s'
    WHERE id = $row");
drill('changed', 100, $row, "UPDATE audit_log SET new = '{}' WHERE id = $row");
drill('changed', 100, $row, "UPDATE audit_log SET actor = 'x' WHERE id = $row;
    UPDATE audit_chain c SET row_hash = audit_row_hash(a) FROM audit_log a
    WHERE a.id = c.log_id AND a.id = $row", qr/changed|removed/);
drill('removed', 100, $row, "DELETE FROM audit_log WHERE id = $row");
drill('removed', 100, undef, "DELETE FROM audit_log WHERE id = $row;
    DELETE FROM audit_chain WHERE log_id = $row");
drill('removed', 100, $next, "DELETE FROM audit_log WHERE id = $row;
    DELETE FROM audit_chain WHERE log_id = $row;
    UPDATE audit_chain SET position = -position WHERE tenant_id = '$b'
        AND position > 100;
    UPDATE audit_chain SET position = -position - 1 WHERE tenant_id = '$b'
        AND position < 0");
drill('inserted', 212, undef, "INSERT INTO audit_log (id, tenant_id, actor, action,
    object_type) OVERRIDING SYSTEM VALUE VALUES (-1, '$b', 'x', 'x.y', 'x')");
drill('inserted', 101, undef, "INSERT INTO audit_log (id, tenant_id, actor,
        action, object_type) OVERRIDING SYSTEM VALUE
        VALUES (-1, '$b', 'x', 'x.y', 'x');
    UPDATE audit_chain SET position = -position WHERE tenant_id = '$b'
        AND position > 100;
    UPDATE audit_chain SET position = 1 - position WHERE tenant_id = '$b'
        AND position < 0;
    INSERT INTO audit_chain (tenant_id, position, log_id, log_at, row_hash, hash)
    SELECT a.tenant_id, 101, a.id, a.at, audit_row_hash(a),
        sha256(c.hash || audit_row_hash(a))
    FROM audit_log a, audit_chain c WHERE a.id = -1 AND c.tenant_id = '$b'
        AND c.position = 100");
drill('reordered', 100, $next, "UPDATE audit_chain SET position = -1
        WHERE tenant_id = '$b' AND position = 100;
    UPDATE audit_chain SET position = 100 WHERE tenant_id = '$b'
        AND position = 101;
    UPDATE audit_chain SET position = 101 WHERE tenant_id = '$b'
        AND position = -1");
drill('tail cut', 201, undef, "DELETE FROM audit_log a USING audit_chain c
        WHERE a.id = c.log_id AND c.tenant_id = '$b' AND c.position > 200;
    DELETE FROM audit_chain WHERE tenant_id = '$b' AND position > 200");
drill('tail cut', 201, undef, "DELETE FROM audit_chain WHERE tenant_id = '$b'
    AND position > 200");
drill('tail cut', 201, undef, "DELETE FROM audit_log a USING audit_chain c
        WHERE a.id = c.log_id AND c.tenant_id = '$b' AND c.position > 200;
    DELETE FROM audit_chain WHERE tenant_id = '$b' AND position > 200;
    DELETE FROM audit_anchors", undef, '--anchor', $file);
drill('made anew', 209, $anchor{$b}{logId}, "UPDATE audit_log SET actor = 'x'
        WHERE id = $row;
    DELETE FROM audit_anchors;
    DELETE FROM audit_chain WHERE tenant_id = '$b';
    UPDATE audit_state SET low_id = 0; SELECT audit_chain_next(1000)", undef,
    '--anchor', $file);
drill('anchor forged', 209, undef, "UPDATE audit_log SET actor = 'x'
        WHERE id = $row;
    DELETE FROM audit_chain WHERE tenant_id = '$b';
    UPDATE audit_state SET low_id = 0; SELECT audit_chain_next(1000);
    UPDATE audit_anchors a SET hash = c.hash FROM audit_chain c
    WHERE c.tenant_id = a.tenant_id AND c.position = a.position");

is(verify('b', '--anchor', $file)->{good}, JSON::PP::true, 'and all is as it was');
is(verify('b', '--from', $owner->ask("SELECT json_time(log_at) FROM audit_chain
    WHERE log_id = $row"))->{good}, JSON::PP::true, 'from a time on');

# months that are over

my $cli_said = $cli->run(qw(audit retention))->{out};
like($cli_said, qr/kept for ever/, 'kept for ever');
is($cli->run(qw(audit retention 0))->{status}, 2, 'no number of months');
like($cli->run(qw(audit retention 2))->{out}, qr/kept for 2 months/, 'or not');
is($workers[0]->ask('SELECT audit_expire()'), 0, 'nothing is that old');
$owner->ask("SELECT make_audit_partition('2025-01-01'); INSERT INTO audit_log
    (tenant_id, at, actor, action, object_type)
    VALUES ('$a', '2025-01-15', 'x', 'x.y', 'x')");
is($workers[0]->ask('SELECT audit_expire()'), 0, 'nor what has no place yet');
1 while $workers[0]->ask('SELECT audit_chain_next()');
is($workers[0]->ask('SELECT audit_expire()'), 1, 'a month that is over');
is($owner->ask("SELECT to_regclass('audit_log_202501')"), '', 'is gone');
is($owner->ask("SELECT details ->> 'rows' FROM audit_log
    WHERE action = 'audit.expire'"), 1, 'and the log says so');
1 while $workers[0]->ask('SELECT audit_chain_next()');

# the jobs role: chains by itself, and signs; killed, and without a database

my $anchors = $owner->ask('SELECT count(*) FROM audit_anchors');
$t->stop_postgres;
$t->give_to_service($t->keys_file);
$t->start_jobs(args => [ '--keys', $t->keys_file ]);
$owner = $t->pg_session('camera_owner');
is($t->wait_sql('t', "SELECT count(*) > $anchors FROM audit_anchors"), 't',
    'anchors');
write_rows(10);
ok(chained(), 'chained within seconds');
$t->kill_jobs;
write_rows(10);
ok(chained(), 'by the next one, when it was killed');
$t->stop_postgres;
$t->start_postgres;
$owner = $t->pg_session('camera_owner');
write_rows(10);
ok(chained(), 'when PostgreSQL was away');
is_deeply([ @{ verify('b') }{qw(good waiting)} ], [ JSON::PP::true, 0 ],
    'one good chain');

$t->done_testing;

# as a superuser, with triggers off; what was done is taken back

sub drill {
    my ($what, $place, $id, $change, $like, @options) = @_;

    my @tables = qw(audit_log audit_chain audit_anchors audit_state);
    my $root = $t->pg_session('postgres');

    $root->ask('SET session_replication_role = replica');
    $root->ask("CREATE TABLE saved_$_ AS SELECT * FROM $_") for @tables;
    for my $step (split /;\s*/, $change) {
        $root->ask($step);
        is($root->state, '00000', $step =~ s/\s+/ /gr) if $root->state ne '00000';
    }

    my $broken = verify('b', @options)->{broken};
    like($broken->{what}, $like // qr/^$what$/, "$what: "
        . substr $change =~ s/\s+/ /gr, 0, 50);
    is($broken->{place}, $place, 'at its place')
        if !$like;
    is($broken->{row}, $id, 'that row') if $id && !$like;

    $root->ask("DELETE FROM $_") for @tables;
    $root->ask("INSERT INTO $_ OVERRIDING SYSTEM VALUE SELECT * FROM saved_$_"),
        $root->ask("DROP TABLE saved_$_") for @tables;
}

sub write_rows {
    my ($n) = @_;

    $owner->ask("SELECT audit_add(t.id, 'test.row', 'test', i::text, 'ä' || i,
        NULL, NULL, '{\"a\": 1.50, \"b\": [null, \"x\"]}')
        FROM generate_series(1, $n) i, tenants t WHERE t.slug IN ('a', 'b')");
}

sub verify {
    my ($tenant, @options) = @_;

    my $r = $cli->run(qw(audit verify --json --tenant), $tenant, @options);
    my ($of) = @{ $r->{json} };

    is($r->{status}, $of->{good} ? 0 : 1, 'status') if $r->{status} > 1;
    return $of;
}

sub chained {
    return $t->wait_for(sub { verify('b')->{waiting} == 0 }, 15, 'places');
}
