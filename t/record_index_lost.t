#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for an index that is lost while its recorder is dead: the next one makes
# it anew and goes on in the same file, encrypted or not; where it cannot, the
# media stay as they are and another file begins.

use strict;
use warnings;

use Camera::Live;
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));

my ($sealed, $open) = ($t->camera, '0e8a3c7e-52c1-4f57-9f3d-000000000001');
my $keys = $t->keys_file;
$t->give_to_service($keys);

###############################################################################

$t->start_recorder(length => 3600, args => [ '--keys', $keys ]);
$t->wish($sealed, encrypt => 1);
$t->wish($open);
my @feeds = map { $t->feed({ speed => 1, camera => $_ }, 'small',
    '--loop=1000') } $sealed, $open;

for my $case ([ lost => sub { unlink $_[0] } ],
    [ torn => sub { truncate $_[0], 100 } ],
    [ 'of zeros' => sub { $t->write_file($_[0], "\0" x -s $_[0]) } ],
    [ 'without entries' => sub { truncate $_[0], 256 } ])
{
    my ($name, $break) = @$case;
    my %was = killed(sub { $break->(index_of($_[0])) });

    for my $camera ($sealed, $open) {
        my $kind = $camera eq $sealed ? "encrypted, $name" : "plain, $name";
        my $r = $was{$camera};

        ok(goes_on($r), "$kind: it goes on in the same file");
        ok(begins_with(bytes($r), $r->{plain}), "$kind: with what it had");
        my @jumps = jumps(numbers($r));

        # a plain one does not say which parts it has

        @jumps = grep { !/^(\d+)-(\d+)$/ || $2 > $1 } @jumps if !$r->{cipher};
        is("@jumps", '', "$kind: " . ($r->{cipher} ? 'each frame once'
            : 'each frame'));
    }
}

is((grep { $_->{n} eq 'removed' } $t->journal), 0, 'nothing was removed');
is($t->repeated_parts($sealed), 0, 'no part is there twice');
like($t->worker->log, qr/the index of ".*" was lost, and is made anew/, 'said');

my ($r) = $t->recordings($sealed);
my @f = @{ $r->{fragments} };
is((grep { $f[$_]{wall} < $f[$_ - 1]{wall} } 1 .. $#f), 0, 'in its time');
is(scalar(my @one = $t->recordings($sealed)), 1, 'one file of all that');

# its key is not in the journal, or altered there: its media stay

for my $case ([ 'no key' => sub { $_[0] =~ s/"wrapped"/"xrapped"/g } ],
    [ 'an altered key' => sub { $_[0] =~ s/"wrapped":"\K(.)/$1 eq '_'
        ? 'A' : '_'/ge } ])
{
    my ($name, $break) = @$case;
    my %was = killed(sub { unlink index_of($_[0]) if $_[0]{cipher} },
        sub { lines($break) });
    my $r = $was{$sealed};
    my $size = -s $r->{file};
    my $bytes = $t->read_file($r->{file});

    ok($t->wait_for(sub { my $last = ($t->recordings($sealed))[-1];
        $last->{file} ne $r->{file} && ($last->{count} // 0) > 3 }, 15,
        'another file'), "$name: another file begins");
    ok($t->read_file($r->{file}) eq $bytes, "$name: the media stay");
    ok(!-e index_of($r), "$name: and have no index");
    my $path = $r->{file} =~ s{.*/media/}{media/}r;
    like($t->worker->log, qr/cannot go on with "\Q$path\E"/, "$name: is said");
}

$_->stop for @feeds;
unlike($t->worker->log, qr/\Q$_->{k}\E/, 'no key is in the log')
    for @{ $t->{keys} };

$t->done_testing;

###############################################################################

# kills the recorder while nobody starts another; what both cameras had then

sub killed {
    my ($break, $also) = @_;

    my %was;
    $t->goes_on($_) for $sealed, $open;

    my $pid = $t->recorder;
    kill 'STOP', $t->worker->pid;
    kill 'KILL', $pid;
    $t->wait_for(sub { gone($pid) }, 5, 'its death');

    for my $camera ($sealed, $open) {
        my $r = $was{$camera} = ($t->recordings($camera))[-1];
        $r->{plain} = bytes($r);
        $break->($r);
    }

    $also->() if $also;
    kill 'CONT', $t->worker->pid;

    return %was;
}

sub gone {
    open my $fh, '<', "/proc/$_[0]/stat" or return 1;

    return <$fh> =~ /\) Z /;
}

sub goes_on {
    my ($was) = @_;

    return $t->wait_for(sub { my ($r) = grep { $_->{file} eq $was->{file} }
        $t->recordings; ($r->{count} // 0) > $was->{count} + 5 }, 15,
        'more of it');
}

sub index_of { $_[0]{file} =~ s/mp4$/idx/r }

sub bytes {
    my ($r) = @_;

    return $r->{cipher} ? scalar $t->run({ binary => 1 }, $t->root
        . '/build/t/tool/record_plain', $keys, $r->{file})
        : scalar $t->read_file($r->{file});
}

sub begins_with {
    my ($bytes, $with) = @_;

    # what no entry named is torn, and may have been cut

    return length $with > 10_000
        && substr($bytes, 0, length($with) - 10_000)
            eq substr($with, 0, length($with) - 10_000);
}

# the clip is sent again and again

sub jumps {
    my @n = @_ or return 'no frame';

    return map { "$n[$_ - 1]-$n[$_]" }
        grep { $n[$_] != $n[$_ - 1] + 1 && $n[$_] != 0 } 1 .. $#n;
}

sub numbers {
    my ($r) = @_;

    my $file = "$t->{dir}/plain.mp4";
    $t->write_file($file, bytes($r));

    return $t->frame_numbers($file);
}

# each line of the journal, in place

sub lines {
    my ($change) = @_;

    for my $file (glob $t->record_volume . '/journal/*.log') {
        my $text = $t->read_file($file);
        $change->($text);
        open my $fh, '+<:raw', $file or die "open(\"$file\"): $!";
        print $fh $text;
        close $fh or die "close(\"$file\"): $!";
    }
}
