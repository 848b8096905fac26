#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the API's memory: a worker that has answered 100,000 requests, good
# and bad ones, of sessions and API tokens, is no larger than after the first
# 20,000 (in the long form, a million).

use strict;
use warnings;

use Camera::Test;
use Camera::Token qw(random_uuid);
use Compress::Zlib qw(crc32);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations wrk));

my $many = '1000000r/s';
$t->start_api(http => 'access_log off;'
    . "camera_api_limit $many; camera_api_address_limit $many;"
    . 'camera_api_token_concurrent 1000;');

my $admin = $t->add_user(role => 'admin');
my $viewer = $t->add_user(role => 'viewer', tenant => $t->add_tenant);
my @ids = $t->sql("INSERT INTO cameras (name, external_id) SELECT 'camera ' "
    . "|| n, 'ext-' || n FROM generate_series(1, 60) n RETURNING id");

# API tokens: one that goes on, one that soon may not, one that was revoked, and
# those that have a right sum and are nobody's; of a tenant with a limit

$t->sql("UPDATE tenants SET max_requests_per_hour = 1000000000
    WHERE id = '$admin->{tenant}'");
my ($long, $short, $revoked) = map { token(rateLimit => $_) } 1_000_000, 100, 100;
$t->api(DELETE => "/tokens/$revoked->{id}", token => $admin->{token});

my $file = $t->dir . '/requests';
$t->write_file($file, join '', map { requests($_) } @ids);

# a sanitizer makes it ten times as slow
my $all = $t->soak ? 1_000_000 : $ENV{CAMERA_SANITIZED} ? 10_000 : 100_000;
my ($worker) = $t->worker_pids;
my ($count, $bad) = (0, 0);

send_until($all / 5);
my $before = $t->rss($worker);
send_until($all);
my $after = $t->rss($worker);

note("$before kB, after $count requests $after kB");
cmp_ok($count, '>=', $all, 'requests');
cmp_ok($bad, '<', $count * 0.65, 'five in thirteen are good');
ok($t->wait_for(sub { used($long) > $all / 20 && limited($short) > $all / 20 },
    25, 'its use'), 'the use of tokens is counted');
is(($t->worker_pids)[0], $worker, 'one worker for all of them');

SKIP: {
    skip 'a sanitizer keeps what was freed', 1 if $ENV{CAMERA_SANITIZED};
    cmp_ok($after, '<=', $before * 1.02, 'memory is flat');
}

$t->done_testing;

sub requests {
    my ($id) = @_;

    my ($unknown, $n) = (random_uuid(), 1 + int rand 60);

    return map { "/api/v1$_->[0]\t$_->[1]{token}\n" } (
        ["/cameras/$id", $admin], ["/cameras/ext-$n", $admin],
        ["/cameras/$id", $viewer], ["/cameras/$unknown", $admin],
        ['/cameras?limit=20', $admin], ['/cameras?limit=none', $admin],
        ['/nothing', $admin], ["/cameras/$id", { token => 'none' }],
        ["/cameras/$id", $long], ['/cameras?limit=20', $long],
        ["/cameras/$id", $short], ["/cameras/$id", $revoked],
        ["/cameras/$id", { token => nobodys() }],
    );
}

sub token {
    my (%more) = @_;

    return $t->api(POST => '/tokens', token => $admin->{token}, json => {
        name => 'x', permissions => ['cameras:read'], %more })->{json};
}

# as docs/tokens.md has them

sub nobodys {
    my @letters = (0 .. 9, 'A' .. 'Z', 'a' .. 'z');
    my $text = 'cam_' . join '', map { $letters[ rand @letters ] } 1 .. 43;
    my ($sum, $tail) = (crc32($text), '');

    ($tail, $sum) = ($letters[ $sum % 62 ] . $tail, int($sum / 62)) for 1 .. 6;

    return $text . $tail;
}

sub usage {
    my ($token) = @_;

    return $t->api_get("/tokens/$token->{id}/usage?days=1",
        token => $admin->{token})->{json}[0];
}

sub used { return usage(@_)->{requests} // 0 }

sub limited { return usage(@_)->{limited} // 0 }

sub send_until {
    my ($goal) = @_;

    while ($count < $goal) {
        my $text = $t->run('wrk', '-t1', '-c32', '-d1', '-s',
            $t->root . '/bench/requests.lua',
            'http://127.0.0.1:' . $t->port('http') . '/', '--', $file);
        my ($n, $refused) = $text =~ /^result (\d+) .* (\d+)$/m;
        die "wrk: $text" unless $n;
        $count += $n;
        $bad += $refused;
    }
}
