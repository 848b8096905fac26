#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the helper library: a check that cannot fail is a defect, so the
# ones that all other tests rest on are made to fail here.

use strict;
use warnings;

use Camera::Process;
use Camera::Stopwatch;
use Camera::Test;
use Camera::Token qw(unbase64url);
use JSON::PP;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres ffmpeg));

###############################################################################

my $p = Camera::Process->start("$t->{dir}/sleep.out", 'sh', '-c',
    'sleep 60 & exec sleep 60');
$t->wait_for(sub { Camera::Process::children($p->pid) }, 5, 'child');
my ($child) = Camera::Process::children($p->pid);
ok($p->running, 'process runs');
$p->stop;
ok(!$p->running, 'process stopped');
ok($t->wait_for(sub { !Camera::Process::alive($child) }, 5), 'its child too');

$t->start_postgres;
is($t->sql('SELECT 1'), 1, 'sql');
ok(!eval { $t->sql('SELECT 1/0') }, 'sql error');

$t->pause_postgres;
ok(!$t->postgres_ready, 'database hangs');
$t->resume_postgres;
ok($t->wait_for(sub { $t->postgres_ready }, 5), 'database resumed');

$t->sql('CREATE TABLE kept (id int)');
$t->stop_postgres('kill');
ok(!$t->postgres_ready, 'database killed');
$t->start_postgres;
is($t->sql('SELECT count(*) FROM kept'), 0, 'database kept its table');

my @numbers = $t->frame_numbers($t->clip('small'));
is(join(',', @numbers), join(',', 0 .. 299), 'frame numbers');

my @cut = $t->frame_numbers($t->clip('small'), '-ss', 2);
is($cut[0], 30, 'first frame number after a seek');

my ($header, $claims) = map { decode_json(unbase64url($_)) }
    (split /\./, $t->token(camera => { id => 'x' }, exp => 5,
        header => { alg => 'none', kid => undef }))[0, 1];
is_deeply($header, { alg => 'none', typ => 'JWT' }, 'token header');
is("@$claims{qw(typ sub exp gen)}", 'sk+jwt x 5 1', 'token claims');

ok(!$t->wait_for(sub { 0 }, 0.1), 'deadline');

{
    no warnings 'redefine';
    my $lost = 0;
    local *Camera::Stopwatch::lost = sub { $lost };

    my $watch = Camera::Stopwatch->start;
    ok(!$t->wait_for(sub { $lost += 0.1; 0 }, 0.2), 'a machine that others have');
    cmp_ok($watch->passed, '>=', 0.8, 'has longer');
    cmp_ok($watch->passed, '<', 5, 'but not for ever');
    cmp_ok($watch->seconds, '<', 0.3 * $watch->passed, 'and is told apart');
}

$t->write_file("$t->{dir}/error.log", "x [alert] 1#1: one\nx [crit] two\n");
$t->allow_log(qr/two$/);
is(join(',', $t->bad_log_lines), 'x [alert] 1#1: one', 'bad log line');

my $other = $t->run({ may_fail => 1 }, $^X, '-I', $t->root . '/t/lib',
    '-MCamera::Test', '-MTest::More', '-e', <<'END');
my $t = Camera::Test->new;
$t->write_file($t->dir . '/nginx.out', "x: runtime error: shift\n");
ok(1);
done_testing();
END
isnt($?, 0, 'sanitizer report fails a test');
like($other, qr/not expected in a log: x: runtime error/, 'and is named');

$t->allow_log(qr/one$/);
$t->done_testing;
