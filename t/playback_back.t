#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for live HLS that reaches back into what was recorded: for whom, how
# far, what its list says, and what comes when there is nothing to reach back to.
# Every frame of it over the seam: playback_dvr.t.

use strict;
use warnings;

use Camera::Back;
use Camera::Playback;
use Camera::Store;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camera_recordings));

###############################################################################

$t->nginx_conf(Camera::Playback->conf($t));
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera(segments => 4);
my $id = $camera->{id};
my $p = Camera::Playback->new($t, $camera);

# a file of 12 s that ended, and one that is being written

my $start = time - 20;
my $file = $t->make_recording($camera, start => $start, count => 24);
my $source = $t->make_recording($camera, start => $start + 12, first => 24,
    volume => "$t->{dir}/source");
$p->reveal($source, 8);

my $back = Camera::Back->new($t, $camera);
my $from = 1000 * $start + 4700;
my $fr = 1000 * ($start - 3600);
my $list = $back->start(from => $from, fr => $fr);
my $media = $back->{media};

is($list->{start}, '0.700', 'a token that reaches back');
my @recorded = grep { $_->{recorded} } @{ $list->{segments} };
is($recorded[0]{time}, $from - 700, 'from the key frame before');
is(join(' ', map { $back->frames($_) } @{ $list->{groups} }[0, 1]),
    join(' ', 60 .. 209), 'every frame that was recorded whole');

# of media that nobody can decode: the store's

my @live = map { $_->{number} } grep { !$_->{recorded} } @{ $list->{segments} };
is("@live", join(' ', $live[0] .. $live[0] + 3), 'then live');
is($list->{first}, $live[0] - @recorded, 'counted backwards from there');
is(@{ $list->{groups} }, 3, 'each with times of its own');
is((grep { $back->fetch($_)->{status} != 206 } @{ $list->{groups}[2] }), 0,
    'all of it is there');

$p->reveal($source, 16);
is($back->reload->{text}, $list->{text}, 'what comes too late does not count');

# what a player has already, and a reload that waits

my $msn = $live[-1] + 1;
$store->tell('part', $id, 1000);
my $whole = $back->reload(msn => $msn, part => 0);
is((grep { $_->{number} == $live[-1] } @{ $whole->{segments} }), 1, 'whole');
like($whole->{parts}[0]{uri}, qr/^$msn\.0\.m4s\?/, 'a part');
like($whole->{hint}, qr/^$msn\.1\.m4s\?/, 'the part to come');

my $new = $back->reload(skip => 'YES');
is($new->{skipped}, @recorded, 'nothing of what is recorded');
is_deeply([ @{ $new->{segments} } ], [ @{ $whole->{segments} } ],
    'the rest is the same');
is($back->reload(skip => 'NO')->{text}, $whole->{text}, 'unless it is asked');
$store->tell('done', $id);

for (1 .. 11) {
    $store->tell('segments', $id, 1, 8000);
    $new = $back->reload(skip => 'v2');
}

is($new->{skipped}, @recorded + 4 + 12 - 7, 'nor of what is old');
is(@{ $new->{segments} }, @recorded + 16, 'all are there');
is((grep { $_->{gap} } @{ $new->{segments} }), 0, 'without a gap');

# what nobody has any more is a gap

$store->tell('segments', $id, 4, 8000);
my $gone = $back->reload;
is_deeply([ map { $_->{number} } grep { $_->{gap} } @{ $gone->{segments} } ],
    [ @live ], 'not recorded, and not in the live store');
is($back->fetch($new->{segments}[@recorded])->{status}, 404, 'nor anywhere');
is($gone->{segments}[$_]{number}, $list->{first} + $_, 'number ' . $_)
    for 0, scalar @recorded, $#{ $gone->{segments} };
is((Camera::Back::changed($new, { segments =>
    [ grep { !$_->{gap} } @{ $gone->{segments} } ] })), 0, 'as they were');

# retention removes the oldest

unlink @$file{qw(file index)};
$gone = $back->reload;
is((grep { $_->{gap} } @{ $gone->{segments} }[0 .. 3]), 4, 'removed: gaps');
is($gone->{segments}[4]{uri}, $list->{segments}[4]{uri}, 'others stay');
is(join(' ', $back->frames($gone->{groups}[1])), join(' ', 180 .. 209),
    'and play');

# in the middle: no number becomes another piece

my $other = Camera::Back->new($t, $camera);
my $early = $t->make_recording($camera, start => $start - 12, count => 24);
$t->make_recording($camera, start => $start, count => 24);
my $before = $other->start(from => 1000 * ($start - 12), fr => $fr);
unlink glob $t->volume . "/media/$id/*/*" . Camera::Playback::file_name(
    1000 * $start) =~ s{.*/(.*)\.mp4}{$1}r . '*';
$gone = $other->reload;
is((grep { $_->{gap} } @{ $gone->{segments} }),
    (grep { $_->{recorded} } @{ $before->{segments} }), 'all gaps');
is($gone->{next}, $before->{next}, 'and live goes on');

# a list of somebody else's making

my %wrong = (
    'more of the past' => $media =~ s/&f=(\d+)/'&f=' . ($1 - 1)/er,
    'another seam' => $media =~ s/&n=(\d+)/'&n=' . ($1 + 1)/er,
    'another count' => $media =~ s/&c=(\d+)/'&c=' . ($1 + 1)/er,
    'another end' => $media =~ s/&l=(\d+)/'&l=' . ($1 + 1)/er,
    'another start' => $media =~ s/&o=(\d+)/'&o=' . ($1 + 1)/er,
    'another target' => $media =~ s/&t=(\d+)/'&t=' . ($1 + 1)/er,
    'without a signature' => $media =~ s/&m=[^&]+//r,
    'of another camera' => $media =~ s/\Q$id\E/$store->camera->{id}/er,
    'plain session' => $media =~ s/s=[^&]+/plain()/er,
);
is($t->http_get($wrong{$_})->{status}, 403, $_) for sort keys %wrong;
is($t->http_get("$media&_HLS_part=1")->{status}, 400, 'part of nothing');

# a plain session gets nothing out of recordings

my ($uri) = $t->http_get('/hls/' . "$id/live.m3u8?" . plain())->{body}
    =~ /^(\d+\.m4s\S+)/m;
$store->tell('segments', $id, 16, 8000);
is($t->http_get("/hls/$id/$uri")->{status}, 404, 'plain: gone is gone');

# for whom, and how far

my $entrance = sub { $store->entrance($camera, @_) };
my %status = (
    'no such right'     => [ 403, $entrance->() . "&from=$from" ],
    'not as far'        => [ 403, $entrance->(fr => $from + 1)
                                . "&from=$from" ],
    'recordings token'  => [ 403, $entrance->(fr => $fr, pur => 2)
                                . "&from=$from" ],
    'twice'             => [ 403, $entrance->(fr => $fr)
                                . "&from=$from&from=$from" ],
    'no number'         => [ 403, $entrance->(fr => $fr) . '&from=now' ],
    'the future'        => [ 400, $entrance->(fr => $fr) . '&from='
                                . 1000 * (time + 10) ],
    'longer than a session' => [ 400, $entrance->(fr => 1000) . '&from='
                                . 1000 * (time - 12 * 3600 - 10) ],
);

is($t->http_get($status{$_}[1])->{status}, $status{$_}[0], $_)
    for sort keys %status;

# nothing to reach back to: live as ever

my $never = $store->camera(segments => 4);
my $r = $t->http_get($store->entrance($never, fr => $fr) . "&from=$from");
like($r->{body}, qr/^live\.m3u8\?s=/m, 'never recorded');

my $once = $store->camera(segments => 4);
$t->make_recording($once, start => time - 600);
$r = $t->http_get($store->entrance($once, fr => $fr) . '&from='
    . 1000 * (time - 601));
like($r->{body}, qr/^live\.m3u8\?s=/m, 'not recorded any more');

my $off = $store->camera;
is($t->http_get($store->entrance($off, fr => $fr) . "&from=$from")->{status},
    503, 'and off the air');

$t->done_testing;

###############################################################################

# the argument of another session of the camera

sub plain { return $store->session($camera) =~ /(s=.*)/ ? $1 : die }
