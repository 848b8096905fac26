#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for volumes: a disk that is not there any more, or is another one, is
# not written to, its cameras go to the other volume and an alert says so; what
# is no volume is never made one, and nobody records where another does.

use strict;
use warnings;

use Camera::Live;
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));
plan skip_all => 'needs root to mount' if $> != 0;

my $id = $t->camera;
my @disk = map { $t->dir . "/disk.$_" } 0, 1;
my @mounted;

mkdir $_ for @disk;
mount_disk($disk[0]) or plan skip_all => 'cannot mount a tmpfs here';

my $away = 5;

###############################################################################

$t->start_recorder(volumes => \@disk, length => 3600);
$t->give_to_service($disk[1]);

ok($t->wait_for(sub { ok_volumes() == 2 }, 10, 'volumes'),
    'empty directories are made volumes');

my %uuid = map { $_ => $t->read_file("$_/volume") } @disk;
like($uuid{$_}, qr/^camera-volume 1\n[0-9a-f-]{36}\n$/, 'a uuid') for @disk;

# cameras are spread over both

my @ids = map { sprintf '0e8a3c7e-52c1-4f57-9f3d-%012d', $_ } 1 .. 10;
$t->wish($_) for @ids;
my @feeds = map { $t->feed({ camera => $_, speed => 1 }, 'small', '--loop=50') }
    @ids;

$t->wait_for(sub { recording(@ids) == @ids }, 10, 'all');
my %volume = map { $_ => $t->record_state($_)->{volume} } @ids;
my @on_first = grep { $volume{$_} == 0 } @ids;

cmp_ok(@on_first, '>', 0, 'some on the first');
cmp_ok(@on_first, '<', @ids, 'some on the second');

# the disk is unmounted: its cameras go to the other one

umount_disk($disk[0]);
ok($t->wait_for(sub { ($t->record_volumes)[0]{state} == $away }, 10, 'away'),
    'seen that it is away');
ok($t->wait_for(sub { !grep { $t->record_state($_)->{volume} == 0 } @on_first },
    10, 'moved'), 'its cameras went to the other');
ok($t->wait_for(sub { recording(@ids) == @ids }, 5, 'all'), 'all are recorded');
ok($t->wait_for(sub { grep { $_->{n} eq 'alert' && $_->{type} eq 'volume_away' }
    $t->journal(1) }, 10, 'alert'), 'an alert');
is_deeply([glob "$disk[0]/*"], [], 'nothing is written below the mount point');

my @gaps = grep { $_->{n} eq 'gap' && ($_->{end} // 0) - $_->{start} > 2500 }
    $t->journal(1);
is(@gaps, 0, 'without a gap');

# another disk in its place

mount_disk($disk[0]);
system('chmod', '777', $disk[0]);
$t->write_file("$disk[0]/volume", $uuid{ $disk[1] } =~ s/[0-9a-f](?=\n$)/0/r);
ok($t->wait_for(sub { $t->worker_log =~ /another disk is mounted there/ }, 70,
    'log'), 'another disk is told apart') if $t->soak;
ok(!-e "$disk[0]/media", 'and not written to');
umount_disk($disk[0]);

# it is there again

system('mount', '--bind', "$disk[0].was", $disk[0]);
push @mounted, $disk[0];
ok($t->wait_for(sub { ($t->record_volumes)[0]{state} == 1 }, 10, 'back'),
    'taken up when it is there again');
ok($t->wait_for(sub { 0 == grep { $t->record_state($_)->{volume} != 0 }
    @on_first }, 10, 'back'), 'its cameras come back');
ok($t->wait_for(sub { grep { $_->{n} eq 'calm' && $_->{type} eq 'volume_away' }
    map { $t->journal($_) } 0, 1 }, 10, 'calm'), 'the alert is over');

# a second camera-worker on the same volume

my $other = Camera::Live->new;
$other->start_recorder(volumes => [$disk[1]]);
ok($other->wait_for(sub { $other->worker_log
    =~ /another camera-worker records there/ }, 10, 'log'),
    'two on one volume are refused');
is(($other->record_volumes)[0]{state}, 0, 'it is none of the second');
is($other->worker->stop, 0, 'stopped');

# a directory of somebody else

my $foreign = $t->dir . '/foreign';
mkdir $foreign;
$t->write_file("$foreign/thesis.txt", 'mine');
$other->start_recorder(volumes => [$foreign]);
ok($other->wait_for(sub { $other->worker_log
    =~ /it is no volume of ours, and not empty/ }, 10, 'log'),
    'a directory of somebody else is refused');
is_deeply([map { s{.*/}{}r } glob "$foreign/*"], ['thesis.txt'],
    'and left alone');
is($other->worker->stop, 0, 'stopped');

$_->stop for @feeds;
$t->wish($_, want => 0) for @ids;
$t->wait_for(sub { recording(@ids) == 0 }, 5, 'none');
is($t->worker->stop, 0, 'stopped');
is(join("\n", $t->check_recordings), '', 'all is right');

$t->done_testing;

###############################################################################

# a disk that keeps what it has when it is not mounted

sub mount_disk {
    my ($dir) = @_;

    my ($uid, $gid) = (getpwnam 'www-data')[2, 3];
    my $was = "$dir.was";
    $was .= 's' while -e $was;

    mkdir $was;
    chown $uid, $gid, $was;
    system("mount --bind $was $dir") == 0 or return 0;
    push @mounted, $dir;

    return 1;
}

sub umount_disk {
    my ($dir) = @_;

    system('umount', '-l', $dir);
    @mounted = grep { $_ ne $dir } @mounted;
}

sub ok_volumes { grep { $_->{state} == 1 } $t->record_volumes }

sub recording {
    return grep { (($t->record_state($_) // {})->{state} // 0) == 1 } @_;
}


END {
    system("umount -l $_") for @mounted;
}
