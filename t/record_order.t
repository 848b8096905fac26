#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for a loss of power, by the order of the recorder's system calls: what the
# journal says is durable when it says so, and what a camera sent is durable
# within five seconds.  The calls are read from strace and replayed on a disk
# that forgets whatever was not synced.

use strict;
use warnings;

use Camera::Live;
use Camera::Process;
use JSON::PP qw(decode_json);
use Test::More;

my $t = Camera::Live->new;
$t->skip_without(qw(worker ffmpeg));
plan(skip_all => 'no strace') if system('command -v strace >/dev/null') != 0;

my $id = $t->camera;

###############################################################################

$t->start_recorder(length => 10);
my $pid = $t->wait_for(sub { $t->recorder }, 5, 'the recorder');
my $trace = trace($pid) or plan(skip_all => 'not allowed to trace processes');

$t->wish($id);
my $feed = $t->feed({ speed => 1 }, 'small', '--loop=50');

# a file that begins, ends and is followed by another one, and a sync after it

$t->wait_for(sub { grep { ($_->{why} // '') eq 'hour' } $t->journal }, 15,
    'the end of a file');
my $syncs = () = $trace->() =~ /syncfs/g;
$t->wait_for(sub { (() = $trace->() =~ /syncfs/g) > $syncs }, 6, 'a sync');

my %said;                       # lines of the journal, by kind
my @wrong;
my $longest = 0;                # from a write to its being durable
my $media = 0;                  # writes
my $disk = { now => {}, durable => {} };

replay($_) for calls($trace->());

is(join("\n", @wrong), '', 'nothing is said that a loss of power could undo');
cmp_ok($said{open} // 0, '>=', 2, 'files began');
cmp_ok($said{close} // 0, '>=', 1, 'files ended');
cmp_ok($media, '>', 8, 'media were written');
cmp_ok($longest, '>', 0, 'and became durable');
cmp_ok($longest, '<', 5, 'within five seconds');

$feed->stop;
$t->done_testing;

###############################################################################

# answers what reads its output; the recorder goes on meanwhile

sub trace {
    my ($pid) = @_;

    my $file = $t->dir . '/strace';
    my $p = Camera::Process->start($t->dir . '/strace.log', qw(strace -ttt -y
        -s 4096 -e), 'trace=openat,mkdirat,pwrite64,fsync,fdatasync,syncfs,'
        . 'unlinkat', '-o', $file, '-p', $pid);

    $t->wait_for(sub { $p->log =~ /attached/ || !$p->running }, 5, 'strace');
    return undef if !$p->running;

    return sub { $t->read_file($file) };
}

# [time, name, path of the descriptor or name, the rest, result], of the volume

sub calls {
    my ($text) = @_;

    my $volume = $t->record_volume;
    my @calls;

    for (split /\n/, $text) {
        my ($at, $name, $args, $result) =
            /^([\d.]+) (\w+)\((.*)\) = (-?\d+)/s or next;
        my ($path) = /\) = \d+<([^>]*)>$/;
        $path //= $1 if $args =~ /^\d+<([^>]*)>/;
        next if !defined $path || index($path, $volume) != 0;
        push @calls, { at => $at, name => $name, args => $args,
            result => $result, path => substr($path, length $volume) };
    }

    return @calls;
}

sub replay {
    my ($call) = @_;

    my ($name, $path) = @$call{qw(name path)};

    if ($name eq 'openat' && $call->{args} =~ /O_CREAT/) {
        $disk->{now}{$path} //= 0;
        note("$call->{at} new $path");

    } elsif ($name eq 'pwrite64' && $call->{result} > 0) {
        my ($offset) = $call->{args} =~ /, (\d+)$/;
        written($call, $offset + $call->{result});

    } elsif ($name eq 'syncfs' && $call->{result} == 0) {
        note("$call->{at} sync");
        become_durable($call, keys %{ $disk->{now} });

    } elsif ($name =~ /^f(?:data)?sync$/ && $call->{result} == 0) {
        delete $disk->{owed} if $path =~ m{^/journal/};
        become_durable($call, $path) if $path =~ /\.(?:mp4|idx)$/;
    }
}

# bytes come before the index that names them, and both before the journal

sub written {
    my ($call, $size) = @_;

    my $path = $call->{path};
    $disk->{now}{$path} = $size if $size > ($disk->{now}{$path} // 0);

    if ($path =~ /\.mp4$/) {
        push @wrong, "$call->{at}: written before the journal is durable"
            if delete $disk->{owed};
        $media++;
        $disk->{since}{$path} //= $call->{at};
        $disk->{last} = $path;

    } elsif ($path =~ /\.idx$/) {
        push @wrong, "$call->{at}: index before its media"
            if ($disk->{last} // '') ne $path =~ s/idx$/mp4/r
                && $size > 256;
        $disk->{last} = '' if $size > 256;

    } elsif ($path =~ m{^/journal/}) {
        said($call, $_) for $call->{args} =~ /(\{.*?\})(?=\\n)/g;
    }
}

sub become_durable {
    my ($call, @paths) = @_;

    for (@paths) {
        $disk->{durable}{$_} = $disk->{now}{$_};
        my $since = delete $disk->{since}{$_} // next;
        $longest = $call->{at} - $since if $call->{at} - $since > $longest;
    }
}

sub said {
    my ($call, $text) = @_;

    my $line = decode_json($text =~ s/\\"/"/gr);
    my $path = $line->{path} // $disk->{path}{ $line->{id} // '' } // return;

    $said{ $line->{n} }++;
    $disk->{owed} = 1 if $line->{n} =~ /^(?:open|close)$/;
    $disk->{path}{ $line->{id} } = $path;

    my ($media, $index) = map { $disk->{durable}{$_} // -1 }
        "/$path", '/' . $path =~ s/mp4$/idx/r;

    push @wrong, "$call->{at}: $line->{n} of a file that may be gone"
        if $media < 0 || $index < 256;
    push @wrong, "$call->{at}: $line->{n} of bytes that may be gone"
        if ($line->{bytes} // 0) > $media
            || ($line->{fragments} // 0) * 56 + 256 > $index;
}
