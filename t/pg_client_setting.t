#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the session setting of the PostgreSQL client: each query runs with
# its own value, whatever came before it on the connection and however that
# ended.  And for its demands: who does not meet them serves nobody.

use strict;
use warnings;

use Camera::PgClient qw(start_pg_client pg_query pg_send pg_answer pg_stat
    pg_settled);
use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations));

$t->start_postgres(log_statement => 'all');
$t->migrate;
$t->sql('CREATE TABLE pg_test'
    . ' (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED)');
$t->sql('GRANT ALL ON pg_test TO camera_app');
$t->sql('INSERT INTO pg_test VALUES (1)');

start_pg_client($t, connections => 1, setting => 'app.test');

# one after the other

is(setting(), '', 'none: empty, not unset');
is(setting('A'), 'A', 'one');
is(setting('B'), 'B', 'another one');
is(setting(), '', 'none again');
is(pg_query($t, 'one', 'text', undef, 'C')->{body}, 'text',
    'the answer is of the query');

my $before = sets();
is(setting('A'), 'A', 'the same') for 1 .. 10;
is(sets() - $before, 1, 'set once, not every time');

is(pg_query($t, 'divide', 0, undef, 'B')->{body}, '22012', 'B fails');
is(setting('A'), 'A', 'A after it');
is(pg_query($t, 'divide', 0, undef, 'A')->{body}, '22012', 'A fails');
is(setting('A'), 'A', 'A after it again');

# several at once: those behind are sent before it is known how the first ends

is(burst([sleep => 'A'], [divide => 'B'], [setting => 'B'], [setting => 'B']),
    'B B', 'another value, rolled back, and set again');
is(burst([sleep => 'B'], [commit => 'A'], [setting => 'A'], [setting => '']),
    'A -', 'rolled back at commit');
is(burst([divide => 'A'], [divide => 'B'], [divide => ''], [setting => 'A']),
    'A', 'three fail');
is(burst([setting => 'A'], [setting => 'B'], [setting => ''],
    [setting => 'A']), 'A B - A', 'interleaved');
is(burst([sleep => 'A'], [setting => 'A'], [divide => 'A'], [setting => 'A'],
    [setting => 'B']), 'A A B', 'the same value, a failure between');

# a connection that is lost, and one that is new

is(setting('A'), 'A', 'A');
terminate();
is(setting('A'), 'A', 'reconnected: set again');
is(setting(), '', 'none');
terminate();
is(setting(), '', 'reconnected: empty again');

my $busy = pg_send($t, 'sleep', 5, undef, 'A');
$t->wait_for(sub { pg_stat($t)->{in_flight} }, 2);
terminate();
is(pg_answer($busy)->{status}, 502, 'lost in mid-query');
is(setting('B'), 'B', 'B after it');

# a value too long is a defect of the caller

is(pg_query($t, 'setting', '', undef, 'x' x 288)->{body}, 'x' x 288, '288 bytes');
is(pg_query($t, 'setting', '', undef, 'x' x 289)->{status}, 503, '289 bytes');
$t->allow_log(qr/"test" cannot take a setting of 289 bytes/);
is(setting('A'), 'A', 'the connection was kept');

storm('one connection', 1);
$t->stop_nginx;

# more connections

start_pg_client($t, connections => 3, setting => 'app.test');
$before = sets();
setting($_) for ('A', 'B', '') x 10;
is(sets() - $before, 3, 'each value keeps a connection of its own');
storm('three connections', 3);
$t->stop_nginx;

# demands

my $demand = 'SELECT NOT rolcreatedb FROM pg_roles WHERE rolname = current_user';

$t->psql({ user => 'postgres' }, 'ALTER ROLE camera_app CREATEDB');
start_pg_client($t, connections => 2, away => 1, demand => $demand);
ok($t->wait_for(sub { $t->error_log =~ /\[crit\].*may not serve/ }, 5),
    'a demand is not met');
like($t->error_log, qr/"test": the role is not the one for tests/,
    'and what is wrong');
$t->wait_for(sub { demanded() > 8 }, 5, 'more attempts');
is(pg_stat($t)->{ready}, 0, 'no connection serves');
is(pg_query($t, 'one', 1)->{status}, 503, 'queries are refused');
is(() = $t->error_log =~ /may not serve/g, 1, 'one line');

$t->psql({ user => 'postgres' }, 'ALTER ROLE camera_app NOCREATEDB');
ok($t->wait_for(sub { pg_stat($t)->{ready} == 2 }, 8), 'met: it serves');
is(pg_query($t, 'one', 1)->{body}, 1, 'queries');
like($t->error_log, qr/PostgreSQL serves "test" again/, 'and says so');
$t->allow_log(qr/may not serve "test"/);
$t->stop_nginx;

for my $bad (['SELECT NULL::boolean', 'NULL'], ['SELECT true WHERE false',
    'no row'], ['VALUES (true), (true)', 'two rows'])
{
    my $lines = () = $t->error_log =~ /may not serve/g;
    start_pg_client($t, connections => 1, away => 1, demand => $bad->[0]);
    ok($t->wait_for(sub { $lines < (() = $t->error_log =~ /may not serve/g) },
        5), "$bad->[1] is not true");
    $t->stop_nginx;
}

start_pg_client($t, connections => 1, away => 1,
    demand => 'SELECT true FROM absent');
ok($t->wait_for(sub { $t->error_log =~ /does not serve "test": preparing/ },
    5), 'a demand that fails');
is(pg_stat($t)->{ready}, 0, 'is not met');

$t->done_testing;

sub setting {
    my ($value) = @_;

    return pg_query($t, 'setting', '', undef, $value)->{body};
}

sub sets { scalar grep { /set_config/ } split /\n/, $t->{postgres}->log }

sub demanded { scalar grep { /rolcreatedb/ } split /\n/, $t->{postgres}->log }

# sends all of it while the connection is busy, answers what "setting" said

sub burst {
    my (@queries) = @_;

    my %parameter = (sleep => 0.02, divide => 0, commit => 1, setting => '');
    my $first = pg_send($t, 'sleep', 0.1, undef, 'C');
    my @sent = map { [$_->[0], pg_send($t, $_->[0], $parameter{$_->[0]}, undef,
        $_->[1])] } @queries;
    my @answers = map { [$_->[0], pg_answer($_->[1])->{body}] } @sent;
    pg_answer($first);

    return join ' ', map { $_->[1] || '-' }
        grep { $_->[0] eq 'setting' } @answers;
}

# asking the connection itself would set a value

sub terminate {
    my $again = () = $t->error_log =~ /serves "test" again/g;
    terminate_all();
    ok($t->wait_for(sub {
        $again < (() = $t->error_log =~ /serves "test" again/g)
    }, 8), 'connected again');
}

sub terminate_all {
    $t->psql({ user => 'postgres' }, 'SELECT count(pg_terminate_backend(pid)) '
        . "FROM pg_stat_activity WHERE usename = 'camera_app'");
}

# queries of all kinds with any value; backends die among them

sub storm {
    my ($name, $connections) = @_;

    my ($told, $foreign, $lost) = (0, 0, 0);

    for my $round (1 .. ($t->soak ? 400 : 40)) {
        my $die = $round % 10 == 0;
        my @sent = map { random_query() } 1 .. 12;

        if ($die) {
            unshift @sent, { name => 'sleep',
                socket => pg_send($t, 'sleep', 5, undef, 'A') };
            terminate_all();
        }

        for my $query (@sent) {
            my $r = pg_answer($query->{socket});
            $lost++ if $r->{status} == 502;
            next unless $query->{name} eq 'setting' && $r->{status} == 200;
            $told++;
            $foreign++ if $r->{body} ne $query->{value};
        }

        $t->wait_for(sub { pg_stat($t)->{ready} == $connections }, 8)
            if $die;
    }

    cmp_ok($told, '>', 100, "$name: many were told their value");
    is($foreign, 0, "$name: nobody got another's");
    cmp_ok($lost, '>', 0, "$name: some were lost");
    ok(pg_settled($t), "$name: every query ended once");
}

sub random_query {
    my @kinds = (['setting', ''], ['setting', ''], ['divide', 0],
        ['commit', 1], ['sleep', 0.001]);
    my ($name, $parameter) = @{ $kinds[rand @kinds] };
    my $value = ('A', 'B', 'C', '')[rand 4];

    return { name => $name, value => $value,
        socket => pg_send($t, $name, $parameter, undef, $value) };
}
