#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a live list that reaches back, with a packager and a recorder: every
# frame once over the seam of recordings and live, numbers that stay, segments
# that the live store has let go of, the latency of a plain list.

use strict;
use warnings;

use Camera::Back;
use Camera::Live;
use Camera::Playback;
use Camera::Store;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Live->new(workers => 2);
$t->skip_without(qw(nginx worker ffmpeg camera_recordings camera_hls));

###############################################################################

my $began = int(1000 * time);
$t->start_recorder(length => 10);
$t->nginx_conf(Camera::Playback->conf($t, volumes => [ $t->record_volume ]));
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = { id => $t->camera, tenant => $t->camera, epoch => 1 };
$store->put($camera);
$t->wish($camera->{id}, from => 1);

# a minute of media in fifteen seconds; wall times are those of the media

my $feed = $t->feed({ speed => 4 }, 'small', '--loop=3');
my $p = Camera::Back->new($t, $camera);

$t->wait_for(sub { ($t->record_state($camera->{id})->{end} // 0)
    > $began + 16_000 }, 15, 'recordings');

my $newest = plain();
my $list = $p->start(from => $began);
my $first = $list;
cmp_ok($list->{next} - 1, '>=', $newest, 'numbers are those of live');
cmp_ok($list->{next} - 1, '<=', plain(), 'up to the newest');

is($list->{start}, '0.000', 'begins where it was asked for');
cmp_ok(@{ $list->{groups} }, '>=', 2, 'recordings, and live');
like($list->{groups}[0][0]{uri}, qr{^/recordings/}, 'the first is recorded');
like($list->{groups}[-1][-1]{uri}, qr/^\d+\.m4s/, 'the last is live');
is_deeply([ numbers($list) ], [ 0 .. numbers($list) - 1 ],
    'every frame once, over the seam');
is((grep { $_->{gap} } @{ $list->{segments} }), 0, 'without a gap');

# it goes on: whole and as what is new, by both workers

my ($reloads, @changed, @skipped) = (0);

while ($feed->running) {
    my $before = $list;
    $list = $p->reload(msn => $list->{next}, part => 0,
        $reloads % 3 ? (skip => 'YES') : ());
    push @changed, Camera::Back::changed($before, $list),
        Camera::Back::changed($first, $list);
    push @skipped, $list->{skipped} if $list->{skipped};
    $reloads++;
}

cmp_ok($reloads, '>', 15, 'many reloads');
is(@changed, 0, 'each number is what it was')
    or diag(explain([ @changed[0 .. 1] ]));
cmp_ok($skipped[-1], '>', $skipped[0], 'what the player has is left out');
is($list->{first}, $first->{first}, 'nothing is taken away');

# the live store has long let go of what was live at first

$t->ended;
$t->wait_for(sub { ($t->record_state($camera->{id})->{end} // 0)
    > $began + 59_000 }, 10, 'the rest');
$list = $p->reload;
my $index = $t->index;
my ($gone) = grep { $_->{uri} !~ /^\// } @{ $list->{segments} };
cmp_ok($gone->{number}, '<', $index->{segments}[0]{msn}, 'seam is gone');
is($p->fetch($gone)->{status}, 206, 'and there');

my $live = $list->{groups}[-1];
my $file = $p->media($live);
my @packets = split /\n/, $t->run(qw(ffprobe -v error -select_streams v
    -show_entries packet=dts_time -of csv=p=0), $file);
my @steps = map { $packets[$_] - $packets[$_ - 1] } 1 .. $#packets;

# (twice the clip begins again, after the sound of its last picture)

is((grep { abs($_ - 1 / 15) > 0.002 } @steps), 2,
    'times run on from recorded to live');
is((grep { $_ < 0.06 || $_ > 0.15 } @steps), 0, 'and nowhere back');
is_deeply([ numbers($list) ], [ map { $_ % 300 } 0 .. 899 ],
    'every frame of all of it, once');
is((grep { $_->{gap} } @{ $list->{segments} }), 0, 'still no gap');

$t->done_testing;

###############################################################################

sub numbers {
    my ($list) = @_;

    return map { $p->frames($_) } grep { @$_ } @{ $list->{groups} };
}

# the newest segment of the plain list, of another session

sub plain {
    $p->{plain} //= $store->session($camera);
    my $text = $t->http_get($p->{plain})->{body};

    return ($text =~ /^(\d+)\.m4s/mg)[-1];
}
