#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the look at finished recordings: file, index and row have to say
# the same, and what they say has to make sense.  What is found stands at the
# recording and is an alert; the files stay as they are.

use strict;
use warnings;

use Camera::Jobs;
use Compress::Zlib qw(crc32);
use Test::More;

my $t = Camera::Jobs->new;
$t->skip_without(qw(worker postgres migrations ffmpeg));

$t->start_jobs;

my $camera = $t->add_camera;
my $start = int(time) - 86400;
my %made;

###############################################################################

# what is right, and what only looks odd

made('right');
made('a hole in it', sub { entries($_[0], sub { $_[1] > 4 ? 5000 : 0 }) });
made('a clock that runs a little fast',
    sub { entries($_[0], sub { $_[1] * 8 }) });

# a packager that died packages its last key frame once more: wall time stands
# still until it has passed what was there before, media go on

my $still;
made('five seconds twice', sub { entries($_[0], sub {
    my (undef, $n, $wall) = @_;
    $still = $wall if $n == 9;
    return $n < 10 ? 0 : $n < 20 ? $still - $wall : -5000;
}) });

# what is not

made('cut short', sub { truncate $_[0]{file}, $_[0]{bytes} - 100 });
made('too long', sub { append($_[0]{file}, 'x' x 100) });
made('no end of the index', sub { append($_[0]{index}, 'x' x 10) });
made('a damaged entry', sub { patch($_[0]{index}, 256 + 56 * 3 + 7, 'x') });
made('a damaged head', sub { patch($_[0]{index}, 20, 'x') });
made('no index', sub { unlink $_[0]{index} });
made('no file', sub { unlink $_[0]{file} });
made('no init', sub { patch($_[0]{file}, 0, "\0" x 8) });
made('no moof', sub { patch($_[0]{file}, $_[0]{init} + 4, 'mooo') });
made('another row', sub { $_[0]{bytes}++ });
made('fewer fragments', sub { $_[0]{fragments}++ });
made('other media', sub { $_[0]{usec} += 3_000_000 });
made('the index of another', sub {
    $t->write_file($_[0]{index}, $t->read_file($made{right}{index})) });
made('no key frame', undef, first => 1);
made('more time than media', sub { entries($_[0], sub { $_[1] * 900 }) });
made('less time than media', sub { entries($_[0], sub { -$_[1] * 400 }) });

$t->sql('UPDATE cameras SET is_recording = true');
$t->journal(map { my $r = $made{$_};
    $r->{camera} = $camera->{id};
    (open => { %$r, codecs => 'avc1.42c01f' }, close => { %$r, why => 'hour' })
    } sort keys %made);

is($t->wait_sql(scalar(keys %made),
    'SELECT count(*) FROM recordings WHERE probed_at IS NOT NULL', 15),
    scalar(keys %made), 'all were looked at');

probed($_, 'complete', qr/^$/) for 'right', 'a hole in it',
    'a clock that runs a little fast', 'five seconds twice';

my %found = (
    'cut short'            => qr/^it has \d+ bytes, its index \d+$/,
    'too long'             => qr/^it has \d+ bytes, its index \d+$/,
    'no end of the index'  => qr/^its index has 10 bytes that are no fragments/,
    'a damaged entry'      => qr/^its index has \d+ bytes that are no fragments/,
    'a damaged head'       => qr/^the head of its index cannot be read/,
    'no index'             => qr/^its index cannot be opened: No such file/,
    'no file'              => qr/^it cannot be opened: No such file/,
    'no init'              => qr/^the box at byte 0 has no size$/,
    'no moof'              => qr/^fragment 0 at byte \d+ is no moof and mdat/,
    'another row'          => qr/^it has \d+ bytes, its row \d+$/,
    'fewer fragments'      => qr/^it has \d+ fragments, its row \d+$/,
    'other media'          => qr/^it has \d+ ms of media, its row \d+$/,
    'the index of another' => qr/^its index is of another recording$/,
    'no key frame'         => qr/^it does not begin with a key frame$/,
    'more time than media' => qr/^it has \d+ ms of media for \d+ ms of rec/,
    'less time than media' => qr/^it has \d+ ms of media for \d+ ms of rec/,
);

probed($_, 'damaged', $found{$_}) for sort keys %found;

# how it is told

is($t->sql(q{SELECT severity, count, resolved_at IS NULL FROM alerts
    WHERE type = 'recording_damaged'}),
    join("\t", 'medium', scalar(keys %found), 't'), 'an alert that counts');
is(scalar(() = $t->worker->log =~ /recording ".*" is damaged: /g),
    scalar(keys %found), 'each is said once');
is(scalar(grep { -e $_->{file} } values %made), keys(%made) - 1,
    'no file is touched');

# one that is still being recorded, or is looked at already, is left alone

my $r = $t->make_recording($camera, start => $start + 9999);
$r->{camera} = $camera->{id};
$t->journal(open => $r);
$t->wait_sql(1, "SELECT count(*) FROM recordings WHERE id = '$r->{id}'");
my $seen = $t->sql('SELECT max(probed_at) FROM recordings');
made('a last one');
$t->journal(open => $made{'a last one'},
    close => { %{ $made{'a last one'} }, why => 'hour' });
is($t->wait_sql(1, "SELECT count(*) FROM recordings WHERE probed_at > '$seen'",
    10), 1, 'another one, later');
probed('a last one', 'complete', qr/^$/);
is($t->sql("SELECT probed_at IS NULL FROM recordings WHERE id = '$r->{id}'"),
    't', 'an open one is not looked at');

$t->stop_jobs;
$t->done_testing;

###############################################################################

# a recording that something is done to

sub made {
    my ($name, $do, %opt) = @_;

    my $r = $t->make_recording($camera, start => $start + 60 * keys %made, %opt);
    ($r->{init}) = unpack 'V', substr $t->read_file($r->{index}), 72, 4;
    $r->{camera} = $camera->{id};
    $do->($r) if $do;
    $made{$name} = $r;
}

sub probed {
    my ($name, $state, $error) = @_;

    my ($is, $found) = split /\t/, $t->sql('SELECT state, probe_error'
        . " FROM recordings WHERE id = '$made{$name}{id}'"), -1;
    is($is, $state, $name);
    like($found // '', $error, "$name: why");
}

sub append {
    my ($file, $bytes) = @_;

    $t->write_file($file, $t->read_file($file) . $bytes);
}

sub patch {
    my ($file, $offset, $bytes) = @_;

    my $text = $t->read_file($file);
    substr($text, $offset, length $bytes) = $bytes;
    $t->write_file($file, $text);
}

# moves the wall clock of each entry of the index by so many milliseconds

sub entries {
    my ($r, $shift) = @_;

    my $text = $t->read_file($r->{index});

    for my $n (0 .. $r->{fragments} - 1) {
        my $entry = substr $text, 256 + 56 * $n, 52;
        my $wall = unpack 'q<', substr $entry, 8, 8;
        substr($entry, 8, 8) = pack 'q<', $wall + $shift->($r, $n, $wall);
        substr($text, 256 + 56 * $n, 56) = $entry . pack 'V', crc32($entry);
    }

    $t->write_file($r->{index}, $text);
}
