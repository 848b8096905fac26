#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for how long it takes to be refused: of what is another tenant's, the
# median time of an answer is within 10 % of that of what there is not, so that
# time does not tell either which ids are somebody's.
#
# The machine is shared, so times vary by more than what is looked for.  What is
# measured are pairs: one id each, one right after the other, over one connection
# to one worker, in an order that is drawn.  Whatever slows the machine down, for
# a moment or for long, slows both down alike, and a median does not care about
# the moment.  A round compares two medians of hundreds of requests, and passes
# when they are close; one round of three is enough.  That is sound because a
# difference that the server makes is there in each of the rounds, and would have
# to be made up for by noise that by chance hits one of two interleaved series in
# its middle; while noise alone that fails three rounds running is rare.  That the
# measure sees a difference is shown by work that does differ.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Matrix;
use Camera::Test;
use Camera::Token qw(random_uuid);
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database camera_hls));
$t->start_api(Camera::Matrix->conf);

my $m = Camera::Matrix->new($t);
my ($admin) = grep { $_->{name} eq 'admin of a' } $m->principals;
my ($pairs, $rounds) = ($t->soak ? 2000 : 300, 3);
my %live = map { $_ => $m->{$_}{camera} } qw(a b);

# where an id stands in a path, and of which kind it is

my @routes = (
    [ 'a camera', '/cameras/:id', '/cameras/%s' ],
    [ 'its status', '/cameras/:id', '/cameras/%s/status' ],
    [ 'an address to play it', '/cameras/:id', '/cameras/%s/stream/hls' ],
    [ 'a recording', '/recordings/:id', '/recordings/%s' ],
    [ 'a user', '/users/:id', '/users/%s' ],
    [ 'a token', '/tokens/:id', '/tokens/%s' ],
);

my $s;

###############################################################################

for my $route (@routes) {
    my ($name, $kind, $path) = @$route;
    my %id = (theirs => $m->{ids}{$kind}{b}, nobodys => random_uuid());
    my %text = map { $_ => request(sprintf "/api/v1$path", $id{$_}) } keys %id;

    is(ask($_)->{status}, 404, "$name: 404") for sort values %text;
    alike(\%text, $name);
}

# media: a token for a camera of one's own, at another one's path

my $token = $t->token(use => 'playback', camera => { id => $live{a},
    tenant => $m->{a}{id}, epoch => 1 });
my %text = map { $_->[0] => request("/hls/$_->[1]/playlist.m3u8?token=$token") }
    [ theirs => $live{b} ], [ nobodys => random_uuid() ];

is(ask($text{theirs})->{status}, ask($text{nobodys})->{status},
    'media: the same status');
alike(\%text, 'media');

# what is measured is there to be seen

my $times = round({ theirs => request('/api/v1/recordings/' . random_uuid()),
    nobodys => request('/api/v1/cameras/' . random_uuid()) });
ok(!close_enough($times), 'other work takes another time: ' . shown($times));

$t->done_testing;

###############################################################################

sub alike {
    my ($text, $name) = @_;

    my ($times, @tried);

    for (1 .. $rounds) {
        $times = round($text);
        push @tried, shown($times);
        last if close_enough($times);
    }

    ok(close_enough($times), "$name: $tried[-1]") or diag("@tried");
}

# the median time, in microseconds, of each of two requests

sub round {
    my ($text) = @_;

    my %took;
    ask($_) for (values %$text) x 20;

    for (1 .. $pairs) {
        for my $which (rand() < 0.5 ? qw(theirs nobodys) : qw(nobodys theirs)) {
            my $start = time;
            ask($text->{$which});
            push @{ $took{$which} }, time - $start;
        }
    }

    return { map { $_ => 1e6 * (sort { $a <=> $b } @{ $took{$_} })[$pairs / 2] }
        keys %took };
}

sub close_enough {
    my ($times) = @_;

    return abs($times->{theirs} / $times->{nobodys} - 1) <= 0.1;
}

sub shown {
    my ($times) = @_;

    return sprintf '%d and %d us', @$times{qw(theirs nobodys)};
}

sub request {
    my ($path) = @_;

    return join "\r\n", "GET $path HTTP/1.1", 'Host: localhost',
        @{ $admin->{headers} }, '', '';
}

# over the connection that is there, as long as it lasts

sub ask {
    my ($text) = @_;

    local $SIG{PIPE} = 'IGNORE';

    for (1, 2) {
        $s //= Camera::HTTP::connect_to($t->port('http'));
        syswrite $s, $text;
        my $r = Camera::HTTP::read_response($s, time + 10);
        my $closes = !$r->{status}
            || ($r->{headers}{connection} // '') =~ /close/i;
        undef $s if $closes;
        return $r if $r->{status};
    }

    die "no answer\n";
}
