#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the expiry of a publish token while its camera is live: it ends
# nothing, unless the camera is to be cut at expiry; either way the camera
# does not come back with it.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Cli;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations ffmpeg cli camera_rtmps));

$t->start_postgres;
$t->migrate;
$t->start_nginx;

my $cli = Camera::Test::Cli->new($t);
my $life = 4;

for my $name (qw(kept cut)) {
    is($cli->run('add', $name, '--key', $name)->{status}, 0, "add $name");
}

$t->sql("UPDATE cameras SET cut_at_expiry = true WHERE name = 'cut'");
ok($t->wait_for(sub { known('kept') && known('cut') }, 5, 'the feeder'),
    'nginx knows both');

###############################################################################

my $end = time + $life;
my %url = map {
    $_ => $cli->run('publish-url', $_, '--ttl', $life)->{out} =~ s/\n//r
} qw(kept cut);
my %p = map { $_ => $t->publish({}, url => $url{$_}, clip => 'small') }
    sort keys %url;

for my $name (sort keys %p) {
    ok($t->wait_for(sub { live($name)->{since} }, $life, $name),
        "$name publishes");
}

ok($t->wait_for(sub { !live('cut')->{since} }, $life + 2, 'the cut'), 'cut');
cmp_ok(time, '>=', $end - 1, 'not before its expiry');
cmp_ok(time, '<', $end + 1.5, 'within a second of it');
is(live('cut')->{lastRefusal}{reason}, 'token_expired', 'reason of the cut');

ok(live('kept')->{since}, 'the other one goes on');
is(live('kept')->{lastRefusal}, undef, 'untroubled');

$p{kept}->stop;
ok($t->wait_for(sub { !live('kept')->{since} }, 5, 'its end'), 'until it ends');

my $again = $t->publish({}, url => $url{kept}, clip => 'small');
ok($t->wait_for(sub { live('kept')->{lastRefusal} }, 5, 'refusal'),
    'it does not come back');
is(live('kept')->{lastRefusal}{reason}, 'token_expired', 'and why');

$t->done_testing;

###############################################################################

sub live {
    my ($id) = @_;
    return $cli->run('show', $id, '--json')->{json}{live};
}

sub known {
    my ($id) = @_;
    return $cli->run('doctor', $id)->{out} =~ /knows the camera as active/;
}
