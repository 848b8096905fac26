#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a live list that reaches back while things happen: a camera that
# connects anew, a packager that is killed, a recording that is stopped, a right
# that is taken away.  Numbers stay what they are, and no frame is lost or twice,
# also when what is recorded is encrypted.

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

# encrypted on disk, which nobody notices

my $keys = "$t->{dir}/service-keys.json";
$t->write_file($keys, $t->read_file($t->keys_file));
chmod 0600, $keys;
$t->give_to_service($keys);

my $began = int(1000 * time);
$t->start_recorder(length => 10, args => [ '--keys', $keys ]);
$t->nginx_conf(Camera::Playback->conf($t, volumes => [ $t->record_volume ]));
$t->start_nginx;

my $store = Camera::Store->new($t);
my $camera = { id => $t->camera, tenant => $t->camera, epoch => 1 };
$store->put($camera);
$t->wish($camera->{id}, from => 1, encrypt => 1);

# forty seconds, with another publication after twenty-five

my $feed = $t->feed({ speed => 4 }, 'small', '--loop=2',
    '--reconnect-at=25000', '--stay');
recorded(19);

my $p = Camera::Back->new($t, $camera);
my $first = $p->start(from => $began);
my $live = $first->{segments}[-1]{number};
my @lists = ($first);

follow(sub { @{ $_[0]{groups} } > @{ $first->{groups} } });
ok(@{ $p->{list}{groups} } > @{ $first->{groups} }, 'connected anew');
recorded(39);
my $list = look();
is_deeply([ frames($list) ], [ map { $_ % 300 } 0 .. frames($list) - 1 ],
    'every frame once, over both');
cmp_ok(scalar frames($list), '>', 560, 'nearly all');
is(join(' ', changed($list)), '', 'numbers are what they were');
is((grep { !$_->{cipher} } $t->recordings($camera->{id})), 0, 'encrypted');
$feed->stop;
$t->ended;

# the packager dies

my $groups = @{ look()->{groups} };
my ($packager) = grep { (Camera::Test::Recorder::comm($_) // '')
    =~ /^package/ } Camera::Process::children($t->worker->pid);
$feed = $t->feed({ speed => 4 }, 'small', '--loop=5', '--stay');
$t->wait_for(sub { look(); @{ $p->{list}{groups} } > $groups }, 10, 'it goes on');
my $seam = $p->{list}{next};
kill 'KILL', $packager;
follow(sub { $_[0]{next} > $seam + 2 });
is(@{ $p->{list}{groups} }, $groups + 1, 'a packager that was killed: no seam');
is(join(' ', changed($p->{list})), '', 'numbers are what they were');
$list = follow(sub { $_[0]{next} > $seam + 3 });
ok(frames({ groups => [ $list->{groups}[-1] ] }) > 30, 'it plays behind it');

# nothing is recorded any more: what the store lets go of is a gap

$t->wish($camera->{id}, want => 0);
$t->wait_for(sub { $t->record_state($camera->{id})->{state} == 0 }, 5, 'stop');
my $end = (segments())[-1];
$t->wait_for(sub { $t->index->{segments}[0]{msn} > $end + 3 }, 15, 'the store');
$list = look();
my @gaps = map { $_->{number} } grep { $_->{gap} } @{ $list->{segments} };
cmp_ok(@gaps, '>=', 3, 'gaps') or diag($list->{text});
is($gaps[0], $end + 1, 'from the last segment that was recorded');
is(join(' ', missing($list)), '', 'all else is there');

# (of the last one recorded some parts are lost)

is(join(' ', grep { $_ != $end } changed($list)), '',
    'numbers are what they were');

my $r = $t->http_get($p->entrance(from => $began));
like($r->{body}, qr/^back\.m3u8/m, 'who comes within half a minute') if
    1000 * time - $t->record_state($camera->{id})->{end} < 25_000;

# recorded once more: gaps stay, the list goes on

$t->wish($camera->{id});
$t->goes_on($camera->{id});
my ($again) = grep { $_ > $end } segments();
$list = look();
is((grep { $_->{gap} && $_->{number} >= $again } @{ $list->{segments} }), 0,
    'recorded again');
is(join(' ', grep { $_ != $end } changed($list)), '',
    'numbers are what they were');

# revoked

my ($old) = grep { $_->{recorded} } @{ $list->{segments} };
my ($gone) = grep { $_->{number} == $live } @{ $list->{segments} };
is($p->fetch($old)->{status}, 206, 'what was recorded');
is($p->fetch($gone)->{status}, 206, 'what was live at first');
$camera->{epoch}++;
$store->put($camera);
is($t->http_get($p->{media})->{status}, 403, 'revoked: the list');
is($p->fetch($old)->{status}, 403, 'revoked: what was recorded');
is($p->fetch($gone)->{status}, 403, 'revoked: what was live');
$feed->stop;

$t->done_testing;

###############################################################################

sub recorded {
    my ($seconds) = @_;

    $t->wait_for(sub { ($t->record_state($camera->{id})->{end} // 0)
        > $began + 1000 * $seconds }, 15, 'recordings');
}

# numbers of those that were recorded

sub segments {
    my %have = map { $_->{msn} => 1 } map { @{ $_->{fragments} } }
        $t->recordings($camera->{id});

    return sort { $a <=> $b } keys %have;
}

# a whole list, remembered

sub look {
    push @lists, $p->reload;
    return $lists[-1];
}

# as a player does, until the condition holds

sub follow {
    my ($condition) = @_;

    $t->wait_for(sub {
        push @lists, $p->reload(msn => $p->{list}{next}, part => 0,
            skip => 'YES');
        $condition->($lists[-1]);
    }, 10, 'the list');

    return $lists[-1];
}

# numbers of those that are not served, though a list that is read afterwards has
# them: the store goes on letting go of them meanwhile

sub missing {
    my ($list) = @_;

    my @not = grep { $p->fetch($_)->{status} !~ /^20[06]$/ }
        grep { !$_->{gap} } @{ $list->{segments} };
    my %gap = map { $_->{number} => 1 } grep { $_->{gap} }
        @{ look()->{segments} };

    return grep { !$gap{$_} } map { $_->{number} } @not;
}

# what any list said otherwise before, but for gaps that came

sub changed {
    my ($list) = @_;

    my %gap = map { $_->{number} => 1 } grep { $_->{gap} }
        @{ $list->{segments} };

    return map { $_->{number} } map { Camera::Back::changed({ segments => [ grep {
        !$gap{ $_->{number} } && !$_->{gap} } @{ $_->{segments} } ] }, $list)
    } @lists;
}

sub frames {
    my ($list) = @_;

    return map { $p->frames($_) } grep { @$_ } @{ $list->{groups} };
}
