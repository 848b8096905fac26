#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for who may do what at the API: every route of openapi.yaml, by every
# kind of principal, on one's own, another tenant's, unknown and malformed ids.
# What is refused is refused as the contract says, alike whosever it is, and
# changes nothing; nothing of the other tenant is in any answer, log or metric, and
# no secret in an answer.

use strict;
use warnings;

use Camera::Matrix;
use Camera::Test;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations camera_api_database));
$t->start_api(Camera::Matrix->conf,
    server => 'location = /metrics { camera_metrics; }');

my $m = Camera::Matrix->new($t, tokens => 1);

is_deeply([ $m->without_recipe ], [], 'every route has its line in Recipes.pm')
    or BAIL_OUT('see t/README.md');

my @cases = $m->cases;
my $secret = secret();
my (%answers, %leaks, %shown);

###############################################################################

# what is refused, first: nothing may be different after it

my $start = time;
my $before = $m->sums;
my @refused = grep { $_->{expect} >= 400 } @cases;

check('refused', @refused);
is_deeply($m->sums, $before, 'what was refused changed nothing');

# then what is allowed

check('allowed', grep { $_->{expect} < 400 } @cases);

# what is one's own, another's or nobody's is refused alike, and what is named in
# a filter of a list finds as much

my @unlike = grep { keys %{ $answers{$_} } > 1 } sort keys %answers;
is_deeply(\@unlike, [], 'answers do not tell whose it is')
    or diag(map { "$_\n" } %{ $answers{ $unlike[0] } });

is_deeply([ sort keys %leaks ], [], 'nothing of the other tenant in an answer');
is_deeply(\%shown, {}, 'no hash, key, password or path of the server in one');
unlike($t->error_log . $t->read_file($t->dir . '/access.log')
    . $t->http_get('/metrics')->{body}, qr/mark-of-[abc]/,
    'nor of anybody in a log or a metric');
cmp_ok(scalar @cases, '>', 2000, sprintf '%d cases in %.1f s', scalar @cases,
    time - $start);

$t->done_testing;

###############################################################################

# sends them, a line for each operation

sub check {
    my ($what, @cases) = @_;

    my %by;
    push @{ $by{ $_->{op}{id} } }, $_ for @cases;

    for my $id (sort keys %by) {
        my @wrong;

        for my $case (@{ $by{$id} }) {
            my $r = $m->ask($case);
            push @wrong, $m->name($case) . ": $r->{status}, not $case->{expect}"
                . " ($case->{asked}) $r->{body}" if $r->{status} != $case->{expect};
            look($case, $r);
        }

        is(join("\n", @wrong), '', "$id: $what, " . @{ $by{$id} } . ' cases');
    }
}

# keeps what must be alike, and finds what belongs to the other

sub look {
    my ($case, $r) = @_;

    my $theirs = Camera::Matrix::theirs($case->{who});
    $leaks{ $m->name($case) } = 1
        if "$r->{header}$r->{body}" =~ /\Q$m->{$theirs}{mark}\E/;

    push @{ $shown{$1} }, $m->name($case)
        if "$r->{header}$r->{body}" =~ /($secret)/;

    $answers{"$case->{op}{id} by $case->{who}{name}: $r->{status}"}
        { Camera::Matrix::bytes($r) } = $case->{id}
        if $r->{status} >= 401 || $case->{id} =~ /^(?:other|unknown)/;
}

# what no answer has

sub secret {
    my @texts = map { quotemeta } map({ $_->{k} } @{ $t->{keys} }), $t->password,
        $t->dir, $t->shm, '/matrix';

    return join '|', @texts, '\$2[aby]\$\d\d\$',
        '[Hh]ash":"(?!\(hidden\))', '(?i:sqlstate)', '\bpg_\w+', '/var/', '/usr/', '/home/',
        '\bngx_\w+';
}
