#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for rotation under load, of both kinds: a camera's key (generations,
# with overlap) and the signing keys (kids, with a reload).  Nobody who holds
# something valid may notice, and what ended must be refused.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Cli;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx postgres migrations ffmpeg worker cli tls
    camera_hls));

$t->start_all;

my $cli = Camera::Test::Cli->new($t);
my %url = map {
    $_ => $cli->run('add', $_, '--key', $_, '--json')->{json}{publishUrl}
} qw(gate yard hall);

###############################################################################

# the camera's key: both generations publish, and only those

my $p = publish($url{gate});
ok(online('gate'), 'first generation');

my $second = $cli->run(qw(rotate gate --overlap 600))->{out};
ok(generation('gate', 2), 'nginx knows the second');
ok($p->running, 'a publisher of the first goes on');

$p->stop;
ok(offline('gate'), 'it leaves');
$p = publish($url{gate});
ok(online('gate'), 'and comes back within the overlap');
$p->stop;

ok(offline('gate'), 'it leaves');
$p = publish($second);
ok(online('gate'), 'second generation');

my $third = $cli->run(qw(rotate gate))->{out};
ok(generation('gate', 3), 'nginx knows the third');
ok($p->running, 'the second goes on');
is(refused($url{gate}), 'token_revoked', 'the first has ended');

$cli->run(qw(revoke gate));
ok($t->wait_for(sub { live('gate')->{status} ne 'online' }, 2, 'dark'),
    'revoked while live');
is(refused($third), 'token_revoked', 'revoked before it was used');

# the signing keys: what the first one signed is good until it is retired

$p = publish($url{yard});
ok(online('yard'), 'a camera of the first signing key');

my $play = path($cli->run(qw(play-url yard))->{out});
my $list = entrance($play);
is($t->http_get($list)->{status}, 200, 'and a viewer');

is($cli->run(qw(keys rotate))->{status}, 0, 'rotate the signing keys');
ok($t->reload, 'reload');

ok($p->running, 'the publisher goes on');
is($t->http_get($list)->{status}, 200, 'the viewer goes on');
is($t->http_get($play)->{status}, 200, 'a play URL of before starts');
is($t->http_get(path($cli->run(qw(play-url yard))->{out}))->{status}, 200,
    'a new one too');

my $q = publish($url{hall});
ok(online('hall'), 'a publish URL of before connects');
$q->stop;
ok(offline('hall'), 'it leaves');
$q = publish($cli->run(qw(publish-url hall))->{out});
ok(online('hall'), 'a new one too');
$q->stop;
ok(offline('hall'), 'it leaves');

# retired: the test's file has a spare key of each use, which goes first

is($cli->run(qw(keys rotate --retire))->{status}, 0, 'retire')
    for 1, 2;
ok($t->reload, 'reload');

ok($p->running, 'who publishes is not asked again');
is($t->http_get($list)->{status}, 403, 'sessions of a retired key end');
is($t->http_get($play)->{status}, 403, 'its play URLs end');
is($t->http_get(path($cli->run(qw(play-url yard))->{out}))->{status}, 200,
    'a new one starts');
is(refused($url{hall}), 'token_invalid', 'its publish URLs end');

$p->stop;
$t->done_testing;

###############################################################################

sub live {
    my ($id) = @_;
    return $cli->run('show', $id, '--json')->{json}{live};
}

sub publish {
    my ($url) = @_;
    chomp $url;
    return $t->publish({}, url => $url, clip => 'small');
}

sub online {
    my ($id) = @_;
    return $t->wait_for(sub { live($id)->{status} eq 'online' }, 10, $id);
}

# it may have been refused meanwhile, which is another status

sub offline {
    my ($id) = @_;
    return $t->wait_for(sub { !live($id)->{since} }, 5, "end of $id");
}

sub generation {
    my ($id, $n) = @_;

    return $t->wait_for(sub {
        my $r = $cli->run('doctor', $id)->{out};
        $r =~ /knows the camera as active, key generation $n$/m;
    }, 5, "generation $n");
}

# publishes, and answers the reason of the refusal that follows

sub refused {
    my ($url) = @_;

    my ($id) = $url =~ m{/live/(\w+)};
    my $p = publish($url);

    $p->wait(8);
    return 'none' if $p->running;

    return live($id)->{lastRefusal}{reason} // 'none';
}

sub path {
    my ($path) = $_[0] =~ m{^https?://[^/]+(\S+)};
    return $path;
}

sub entrance {
    my ($play) = @_;

    my ($dir) = $play =~ m{^(.*/)};
    my ($uri) = $t->http_get($play)->{body} =~ /^([^#\s]+)$/m;

    return $dir . $uri;
}
