#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for encrypted recordings on disk: none of the camera's bytes is there, all
# of its frames are for whoever has the key, whatever is killed; without a key
# nothing is recorded at all; and what is encrypted, and by which key, changes
# with the next file.

use strict;
use warnings;

use Camera::Live;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my $id = $t->camera;
my ($one, $twin) = map { "0e8a3c7e-52c1-4f57-9f3d-00000000000$_" } 1, 2;
my $deaths = $t->soak ? 100 : 4;

###############################################################################

my $keys = put_keys();
$t->start_recorder(length => 10, args => [ '--keys', $keys ]);
$t->wish($one, from => 1, encrypt => 1);
$t->wish($twin, from => 1);
$t->wish($id, encrypt => 1);

my $feed = $t->feed({ speed => 1 }, 'small', '--loop=1000');

$_->wait(30) for map { $t->feed({ camera => $_, speed => 10 }, 'default') }
    $one, $twin;
$t->wait_for(sub { seconds($_) > 19.9 }, 10, 'all of it') for $one, $twin;

my @r = $t->recordings($one);
my @numbers = map { [ $t->frame_numbers(plain($_)) ] } @r;

is_deeply([ map { @$_ } @numbers ], [ 0 .. 299 ], 'each frame once');
is((grep { $_->{cipher} != 1 || $_->{kid} ne 'r1' } @r), 0, 'encrypted by r1');
is((grep { $_->{cipher} } $t->recordings($twin)), 0, 'the other one is not');
is(join("\n", $t->check_recordings), '', 'checksums need no key');

# what lies there

my ($sealed, $open) = map { bytes($_) } $one, $twin;
my @known = samples(bytes($twin));
cmp_ok(@known, '>', 20, 'known bytes of pictures and sound');
is((grep { index($open, $_) == -1 } @known), 0, 'are in a plain recording');
is((grep { index($sealed, $_) != -1 } @known), 0,
    'none of them in an encrypted one');
is(index($sealed, 'mdat'), -1, 'nothing is called what players look for');
is(length plain_bytes($r[0]), -s $r[0]{file}, 'not a byte longer');

# killed: it goes on in the same file, and each fragment has its own keystream

$t->goes_on($id);

for (1 .. $deaths) {
    my $pid = $t->wait_for(sub { $t->recorder }, 5, 'the recorder');
    sleep rand 1;
    kill 'KILL', $t->recorder // 0;
    $t->wait_for(sub { ($t->recorder // $pid) != $pid }, 5, 'another one');
}

$t->goes_on($id);
is(join(' ', grep { $_ ne 'hour' } closed()), '',
    'no file was ended by a death');
is(join("\n", $t->check_recordings), '', 'all is right');
is($t->repeated_parts($id), 0, 'no part is there twice');

is((grep { my @f = $t->frame_numbers(plain($_)); !@f || grep { $_ < 0 } @f }
    $t->recordings($id)), 0, 'every picture is one');

my %name;
$name{name_of($_->[0], $_->[1])}++ for map { my $r = $_;
    map { [ $r, $_ ] } @{ $r->{fragments} } } $t->recordings($id);
is((grep { $_ > 1 } values %name), 0, 'no counter begins twice under a key');

# torn off and written once more: the same text has the same bytes, and another
# text another keystream

my $pid = $t->recorder;
kill 'STOP', $t->worker->pid;
kill 'KILL', $pid;
$t->wait_for(sub { ($t->recordings($id))[-1]{count} > 3
    && !kill(0, $pid) || zombie($pid) }, 5, 'its death');
my $torn = ($t->recordings($id))[-1];
my $before = $t->read_file($torn->{file});
truncate $torn->{file} =~ s/mp4$/idx/r, 256 + 56 * ($torn->{count} - 2);
kill 'CONT', $t->worker->pid;
$t->wait_for(sub { my ($r) = grep { $_->{file} eq $torn->{file} }
    $t->recordings($id); $r->{count} >= $torn->{count} }, 10, 'both again');
my ($again) = grep { $_->{file} eq $torn->{file} } $t->recordings($id);
my $now = $t->read_file($torn->{file});
my ($same, $wrong) = (0, 0);

for my $n ($torn->{count} - 2, $torn->{count} - 1) {
    my ($one, $two) = map { $_->{fragments}[$n] } $torn, $again;
    my $named = name_of($torn, $one) eq name_of($again, $two);
    my ($was, $is) = map { substr $_, $one->{offset} + $one->{size} - 200, 200 }
        $before, $now;
    $same += $named;
    $wrong++ if $named != ($was eq $is);
}

is($wrong, 0, 'what is written twice is the same, or under another name')
    or diag("$same have the same name");

# off, and on again by another key; the old one stays good

put_keys(sign => 'r2');
$t->wish($id);
$t->wait_for(sub { !($t->recordings($id))[-1]{cipher} }, 10, 'a plain one');
my ($off) = ($t->recordings($id))[-1];
ok($t->wait_for(sub { 1 == grep { $_ eq 'encryption' } closed() }, 10, 'a cut'),
    'switched off, another file begins');
ok($t->wait_for(sub { $t->frame_numbers($off->{file}) }, 10, 'frames'),
    'which plays as it is');

$t->wish($id, encrypt => 1);
$t->wait_for(sub { ($t->recordings($id))[-1]{kid} eq 'r2' }, 15, 'r2');
ok($t->wait_for(sub { $t->frame_numbers(plain(($t->recordings($id))[-1])) }, 10,
    'frames'), 'on again, by another key');
ok(scalar $t->frame_numbers(plain($r[0])), 'the old one still decrypts');

# without a key: nothing rather than plain

put_keys(none => 1);
$t->wish($id);
$t->wait_for(sub { !($t->recordings($id))[-1]{cipher} }, 10, 'a plain one');
$t->wish($id, encrypt => 1);
$t->wait_for(sub { $t->record_state($id)->{state} == 5 }, 10, 'no key');
my $files = () = $t->recordings($id);
my $size = length bytes($id);
ok($t->wait_for(sub { grep { $_->{n} eq 'gap' && $_->{cause} eq 'key'
    && !$_->{end} } $t->journal }, 10, 'gap'), 'a gap with its cause');
is(() = $t->recordings($id), $files, 'no file is begun');
is(length bytes($id), $size, 'and none grows');
is(() = $t->worker->log =~ /there is no key of use "recording"/g, 1,
    'said once');

# a death does not change that

my $other = $t->recorder;
kill 'KILL', $other;
$t->wait_for(sub { ($t->recorder // $other) != $other
    && $t->record_state($id)->{state} == 5 }, 10, 'the next one');
is(length bytes($id), $size, 'the next recorder has no key either');

# and with one it goes on

put_keys(sign => 'r2');
$t->goes_on($id);
ok($t->wait_for(sub { grep { $_->{n} eq 'gap' && $_->{cause} eq 'key'
    && $_->{end} } $t->journal }, 5, 'its line'), 'the gap has an end');
ok(($t->recordings($id))[-1]{cipher}, 'encrypted again');
unlike($t->worker->log, qr/\Q$_->{k}\E/, "$_->{kid} is in no log")
    for @{ $t->{keys} };

# one that was open is closed when its key is gone

kill 'STOP', $t->worker->pid;
kill 'KILL', $t->recorder;
put_keys(none => 1);
kill 'CONT', $t->worker->pid;
ok($t->wait_for(sub { grep { $_->{n} eq 'close' && $_->{why} eq 'recovered' }
    $t->journal }, 10, 'its end'), 'an open one whose key is gone is closed');

$feed->stop;
$t->wish($_, want => 0) for $id, $one, $twin;
$t->wait_for(sub { $t->record_state($id)->{state} == 0 }, 10, 'idle');
is(join("\n", $t->check_recordings), '', 'all is right');

$t->done_testing;

###############################################################################

# for the service; an own copy, so that it changes at once

sub put_keys {
    my (%o) = @_;

    $t->keys_file;
    $t->{all_keys} //= [ @{ $t->{keys} } ];
    my $sign = $o{sign} // 'r1';
    my @keys = map { $_->{use} ne 'recording' ? $_ : $o{none} ? ()
        : { %$_, sign => $_->{kid} eq $sign ? JSON::PP::true
            : JSON::PP::false } } @{ $t->{all_keys} };
    my $file = "$t->{dir}/service-keys.json";

    $t->write_file("$file.new", JSON::PP::encode_json({ keys => \@keys }));
    chmod 0600, "$file.new";
    $t->give_to_service("$file.new");
    rename "$file.new", $file or die "rename: $!";

    return $file;
}


sub plain_bytes {
    my ($r) = @_;

    return scalar $t->run({ binary => 1 }, $t->root
        . '/build/t/tool/record_plain', $t->keys_file, $r->{file});
}


sub plain {
    my ($r) = @_;

    my $file = "$t->{dir}/plain.mp4";
    $t->write_file($file, plain_bytes($r));

    return $file;
}


sub bytes {
    my ($camera) = @_;

    return join '', map { $t->read_file($_->{file}) } $t->recordings($camera);
}


# some bytes of each fragment's samples

sub samples {
    my ($media) = @_;

    my @known;

    while ($media =~ /mdat/g) {
        my $at = pos $media;
        push @known, map { substr $media, $at + $_, 24 } 40, 400, 1500
            if $at + 1600 < length $media;
    }

    return @known;
}


# why files ended

sub closed {
    return map { $_->{why} } grep { $_->{n} eq 'close' } $t->journal;
}


sub name_of {
    my ($r, $f) = @_;

    return join ' ', $r->{recording}, $f->{wall} & 0xffffffff,
        @$f{qw(msn part)};
}


sub seconds {
    my ($camera) = @_;

    my $usec = 0;
    $usec += $_->{duration}
        for map { @{ $_->{fragments} } } $t->recordings($camera);

    return $usec / 1e6;
}


sub zombie {
    my ($pid) = @_;

    open my $fh, '<', "/proc/$pid/stat" or return 1;

    return <$fh> =~ /\) Z /;
}
