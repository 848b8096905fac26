#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for reads of the PostgreSQL client that are started in one turn of the
# event loop: they share a transaction, and nobody notices, whichever of them
# fails, is given up or is lost.

use strict;
use warnings;

use Camera::PgClient qw(start_pg_client pg_query pg_send pg_answer pg_at_once
    pg_stat pg_settled);
use Camera::Test;
use List::Util qw(uniq);
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations));

$t->start_postgres(log_statement => 'all');
$t->migrate;
$t->sql('CREATE TABLE pg_test'
    . ' (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED)');
$t->sql('GRANT ALL ON pg_test TO camera_app');

start_pg_client($t, connections => 1, setting => 'app.test');

# who shares, told by the time of the transaction

is(pg_query($t, 'one', 'text', undef, 'A', 1)->{body}, 'text', 'one alone');

my @at = answers((['moment', '', undef, 'A', 1]) x 8);
is(scalar(uniq(@at)), 1, 'eight reads, one transaction');

@at = answers((['moment', '', undef, 'A']) x 4);
is(scalar(uniq(@at)), 4, 'what is no read has one of its own');

@at = answers(map { ['moment', '', undef, 'A', $_] } 1, 1, 0, 1, 1);
is(scalar(uniq(@at[0, 1, 3, 4])), 1, 'reads around it');
isnt($at[2], $at[0], 'are not in it');

my $long = 'x' x 600;
@at = answers(map { ['moment', $_, undef, 'A', 1] } '', $long, '');
is($at[0], $at[2], 'two reads');
like($at[1], qr/$long$/, 'a parameter too long to be kept');
unlike($at[1], qr/^\Q$at[0]/, 'goes alone');

# the setting, which is set once in a transaction while it stays the same

my $before = sets();
is("@{[answers(map { ['setting', '', undef, $_, 1] } qw(B B B B))]}",
    'B B B B', 'reads of one value');
is(sets() - $before, 1, 'which was set once');
is("@{[answers(map { ['setting', '', undef, $_, 1] } qw(C A A B C))]}",
    'C A A B C', 'each read has its own');

# one fails

is("@{[answers(['one', 'a', undef, 'A', 1], ['divide', 0, undef, 'B', 1],
    ['setting', '', undef, 'A', 1], ['setting', '', undef, 'B', 1])]}",
    'a 22012 A B', 'a failure is its own');
is("@{[answers(map { ['divide', $_, undef, $_, 1] } 0, 0, 1, 0, 1)]}",
    '22012 22012 1 22012 1', 'three of five fail');
is("@{[answers(['divide', 0, undef, 'A', 1], ['setting', '', undef, 'A', 1],
    ['commit', 1, undef, 'B'], ['commit', 1, undef, 'B'],
    ['setting', '', undef, 'B', 1], ['setting', '', undef, 'A', 1])]}",
    '22012 A 1 23505 pg_test_n_key B A', 'a write among them');
is($t->sql('SELECT count(*) FROM pg_test'), 1, 'was made once');

# deadlines, clients that leave

my @sockets = pg_at_once($t, ['sleep', 0.3, 100, 'A', 1],
    ['sleep', 0.1, 100, 'A', 1], ['one', 'text', undef, 'A', 1]);
is(join(' ', map { pg_answer($_)->{status} } @sockets), '504 504 200',
    'two deadlines');

@sockets = pg_at_once($t, ['sleep', 0.1, undef, 'A', 1],
    ['divide', 0, undef, 'A', 1], ['divide', 0, undef, 'A', 1],
    ['one', 'text', undef, 'A', 1]);
close $_ for @sockets[0, 2];
is(pg_answer($sockets[1])->{status}, 409, 'two clients left, one failed');
is(pg_answer($sockets[3])->{body}, 'text', 'the fourth has its answer');
ok(pg_settled($t), 'each ended once');

# lost

@sockets = pg_at_once($t, ['one', 'text', undef, 'A', 1],
    ['sleep', 5, undef, 'B', 1], ['one', 'text', undef, 'C', 1]);
$t->wait_for(sub { pg_stat($t)->{in_flight} }, 2);
terminate();
is(join(' ', (map { pg_answer($_)->{status} } @sockets)[1, 2]), '502 502',
    'told that they are lost');
ok($t->wait_for(sub { pg_stat($t)->{ready} }, 8), 'connected again');
is(pg_query($t, 'setting', '', undef, 'A', 1)->{body}, 'A', 'and serves');

# more than the buffers hold, both ways

is(join(' ', map { length } answers((['big', 300_000, undef, 'A', 1]) x 12)),
    join(' ', (300_000) x 12), 'big answers');
@at = answers(map { ['one', $_ . 'y' x 200, undef, 'A', 1] } 100 .. 199);
is_deeply(\@at, [map { $_ . 'y' x 200 } 100 .. 199], 'a hundred questions');

storm();

$t->done_testing;

sub answers {
    return map { pg_answer($_)->{body} } pg_at_once($t, @_);
}

sub sets { scalar grep { /set_config/ } split /\n/, $t->{postgres}->log }

sub terminate {
    $t->psql({ user => 'postgres' }, 'SELECT count(pg_terminate_backend(pid)) '
        . "FROM pg_stat_activity WHERE usename = 'camera_app'");
}

# reads and others with any value, some of which fail, some of whose clients
# leave; backends die among them

sub storm {
    my ($told, $foreign, $lost) = (0, 0, 0);

    for my $round (1 .. ($t->soak ? 400 : 40)) {
        my $die = $round % 10 == 0;
        my @queries = map { random_query() } 1 .. 12;
        $queries[6] = ['sleep', 5, undef, 'A', 1] if $die;
        my @sent = pg_at_once($t, @queries);

        terminate() if $die;

        for my $i (0 .. $#queries) {
            my ($name, undef, undef, $value) = @{ $queries[$i] };
            next if rand() < 0.1;       # it has left
            my $r = pg_answer($sent[$i]);
            $lost++ if $r->{status} == 502;
            next unless $name eq 'setting' && $r->{status} == 200;
            $told++;
            $foreign++ if $r->{body} ne $value;
        }

        @sent = ();
        $t->wait_for(sub { pg_stat($t)->{ready} }, 8);
    }

    cmp_ok($told, '>', 100, 'storm: many were told their value');
    is($foreign, 0, "storm: nobody got another's");
    cmp_ok($lost, '>', 0, 'storm: some were lost');
    ok(pg_settled($t), 'storm: every query ended once');
}

sub random_query {
    my @kinds = (['setting', ''], ['setting', ''], ['divide', 0],
        ['one', 'x' x 300], ['sleep', 0.001]);
    my ($name, $parameter) = @{ $kinds[rand @kinds] };

    return [$name, $parameter, undef, ('A', 'B', 'C', '')[rand 4],
        rand() < 0.8];
}
