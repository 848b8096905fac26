#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for playing what is just being recorded: a playlist that only grows, its
# end, files that change and go while somebody plays them.

use strict;
use warnings;

use Camera::Playback;
use Camera::Store;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new(workers => 2);
$t->skip_without(qw(nginx camera_recordings));

###############################################################################

$t->nginx_conf(Camera::Playback->conf($t));

my $before = time - 5;                  # there was no table of sessions
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = $store->camera;
my $p = Camera::Playback->new($t, $camera);

# half a second a fragment, two a key frame apart: ten seconds until now

my $start = time - 10;
my $source = $t->make_recording($camera, start => $start,
    volume => "$t->{dir}/source");
my $file = $p->reveal($source, 20);

my $list = $p->playlist(from => $source->{start});
is_deeply([ @$list{qw(type ended target)} ], [ 'EVENT', undef, 2 ],
    'a list that grows');

my $text = $list->{text};
my $media = $p->{media};
my ($seen, $changed) = (0, 0);

for my $n (21 .. 39) {
    $p->reveal($source, $n);
    my $more = $p->reload;
    $changed++ if substr($more->{text}, 0, length $text) ne $text;
    $seen = @{ $more->{pieces} };
    $text = $more->{text};
}

is($changed, 0, 'only by what is appended');
is($seen, 9, 'a piece is listed when it is whole');
is($p->reload->{text}, $text, 'nothing new, nothing changed');

# what is listed is there, and what is not is not

my $last = $p->reload->{pieces}[-1];
is($p->fetch($last)->{status}, 206, 'the last piece');
my $size = -s $file;
$p->{t}->write_file("$t->{dir}/more", 'x' x 1000);
$t->run('sh', '-c', "cat $t->{dir}/more >> $file");
is($p->range($last->{uri}, $size, $size + 9)->{status}, 416,
    'bytes that the index does not name');
like($p->range($last->{uri}, 0, 9)->{headers}{'content-range'},
    qr{/$size$}, 'nor count');
truncate $file, $size;

my $growing = $p->range($last->{uri}, 0, 9);
is($growing->{headers}{'cache-control'}, 'private, no-store',
    'of a file that grows nothing is kept');
$p->reveal($source, 40);
isnt($p->range($last->{uri}, 0, 9)->{headers}{etag},
    $growing->{headers}{etag}, 'it is another one then');

utime time - 100, time - 100, $file;
my $still = $p->range($last->{uri}, 0, 9);
is($still->{headers}{'cache-control'}, 'private, max-age=3600, immutable',
    'a file that is whole may be kept');
is($p->range($last->{uri}, 0, 9, headers =>
    ["If-None-Match: $still->{headers}{etag}"])->{status}, 304,
    'and asked for anew');

# the next file begins: the one before is whole

my $next = $t->make_recording($camera, start => $start + 20);
my $more = $p->reload;
is(substr($more->{text}, 0, length $text), $text, 'still appended');
is(@{ $more->{groups} }, 2, 'the next file');
is_deeply([ $p->frames($more->{groups}[0]) ], [ 0 .. 299 ],
    'every frame of the one before');

# the end of a list that grew

# (sessions older than the table of sessions need no place in it)

my ($from, $soon) = ($source->{start}, 1000 * $before);
my $session = $p->session(from => $from, to => $soon, started => $before);
$p->{media} = "$p->{path}/media.m3u8?s=$session";
is($p->reload->{ended}, undef, 'an end that was not now');

my $past = Camera::Playback->new($t, $store->camera);
my $recent = $t->make_recording($past->{camera}, start => $before - 35);
$session = $past->session(from => $recent->{start},
    to => $recent->{start} + 10_000, started => $before - 20);
$past->{media} = "$past->{path}/media.m3u8?s=$session";
$list = $past->reload;
is_deeply([ @$list{qw(type ended)}, scalar @{ $list->{pieces} } ],
    [ 'EVENT', 1, 5 ], 'but is');

# a camera that fell silent

my $silent = $store->camera;
my $q = Camera::Playback->new($t, $silent);
my $old = $t->make_recording($silent, start => time - 100);
$q->{media} = "$q->{path}/media.m3u8?s=" . $q->session(from => $old->{start},
    to => $old->{start} + 86_400_000, started => time - 90);
$list = $q->reload;
is_deeply([ @$list{qw(type ended)} ], [ 'EVENT', 1 ],
    'ends a minute after the last frame');
is_deeply([ $q->frames($list->{groups}[0]) ], [ 0 .. 299 ], 'with all frames');
is($q->playlist(from => $old->{start})->{type}, 'VOD', 'who comes then');

# removed while it is played

my $big = $t->make_recording($silent, start => time - 300, clip => 'big');
my $url = $q->download(start => $big->{start});
my $s = Camera::HTTP::connect_to($t->port('http'));
print $s "GET $url HTTP/1.0\r\n\r\n";
sysread $s, my $begin, 1000;
my $bytes = $t->read_file($big->{file});
unlink @$big{qw(file index)};
my $rest = do { local $/; <$s> };
my ($body) = "$begin$rest" =~ /\r\n\r\n(.*)/s;
cmp_ok(length $bytes, '>', 4_000_000, 'a long download');
ok($body eq $bytes, 'who is being sent a file gets all of it');
is($t->http_get($url)->{status}, 404, 'the next one does not');

unlink @$old{qw(file index)};
is($q->get($q->{media})->{status}, 404, 'a playlist without files');

$t->done_testing;
