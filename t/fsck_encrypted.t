#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the lost index of an encrypted recording: its row and the journal have
# its wrapped key, each of them is enough, and what is made anew plays byte for
# byte as before; a key that was altered, or none, is said and costs nothing.

use strict;
use warnings;

use Camera::Jobs;
use Camera::Test::Cli;
use JSON::PP;
use Test::More;

my $t = Camera::Jobs->new;
$t->skip_without(qw(worker cli ffmpeg postgres migrations));

my $keys = $t->keys_file;
$t->give_to_service($keys);
my ($done, $live) = ('0e8a3c7e-52c1-4f57-9f3d-000000000001', $t->camera);

start();
$t->sql("INSERT INTO cameras (id, name, is_recording, recording_encrypted)
    VALUES ('$_', '$_', true, true)") for $done, $live;
my ($feed, $short) = map { $t->feed({ speed => 1, camera => $_ }, 'small',
    '--loop=1000') } $live, $done;
$t->wait_for(sub { my ($r) = $t->recordings($done);
    $r && ($r->{count} // 0) > 15 }, 20, 'some of it');
$short->stop;
$t->sql("UPDATE cameras SET is_recording = false WHERE id = '$done'");
says(0, "SELECT count(*) FROM recordings WHERE camera_id = '$done'
    AND state = 'recording'");

my %env = (CAMERA_ENV => '/dev/null', CAMERA_RECORD => $t->volume,
    CAMERA_DATABASE_URL => $t->database_url('camera_owner'));
my $keyless = Camera::Test::Cli->new($t, %env);
my $cli = Camera::Test::Cli->new($t, %env, CAMERA_KEYS => $keys);

###############################################################################

# where the key is, beside the index

my ($r) = $t->recordings($done);
my ($line) = grep { $_->{n} eq 'open' && $_->{id} eq $r->{recording} }
    map { decode_json($_) } lines();
is($line->{kid}, 'r1', 'the journal says whose key it is');
is(length $line->{wrapped}, 54, 'and the key, wrapped');
is(column($r, "wrapped_kid || ' ' || wrapped_key"), "r1 $line->{wrapped}",
    'the row, too');
is($t->sql("SELECT count(*) FROM recordings WHERE wrapped_key IS NULL"), 0,
    'of each of them');
is(sql_as_api('SELECT id FROM recordings'), 'no error', 'the API sees a row');
like(sql_as_api('SELECT wrapped_key FROM recordings'), qr/permission denied/,
    'and not its key');
unlike($t->worker->log, qr/$line->{wrapped}/, 'which is in no log');

# killed while one is written: the index is lost, and what is left tells all

for my $where (qw(row journal)) {
    $t->wait_for(sub { ($t->recordings($live))[-1]{count} > 5 }, 15, 'some');
    $t->worker->stop('KILL');

    my $r = ($t->recordings($live))[-1];
    my ($index, $plain) = ($t->read_file(index_of($r)), plain_bytes($r));
    my @key = forget($r, $where);
    unlink index_of($r);

    my $json = fsck(1, "killed, $where alone");
    is(kinds($json, $r), 'index_lost', 'the index is lost');
    is($json->{repaired}, $json->{found}, 'and is made anew');

    my $anew = $t->read_file(index_of($r));
    ok(substr($anew, 256, length($index) - 256) eq substr($index, 256),
        'of the same entries');
    ok(substr(plain_bytes($r), 0, length $plain) eq $plain, 'the same bytes');
    fsck(0, 'and is whole');

    remember($r, @key);
    start();
    ok($t->wait_for(sub { my ($now) = grep { $_->{file} eq $r->{file} }
        $t->recordings($live); $now->{count} > $r->{count} + 2 }, 15, 'more'),
        'it goes on in the same file');
    is(numbers($r) =~ /-1/ ? 'noise' : 'pictures', 'pictures', 'all of it plays');
}

$feed->stop;
$t->sql('UPDATE cameras SET is_recording = false');
says(0, "SELECT count(*) FROM recordings WHERE state = 'recording'");
$t->stop_jobs;
is($t->repeated_parts($live), 0, 'no part is there twice');
fsck(0, 'and all is right', '--deep');

# a finished one, whose index is lost, torn, or of zeros; the database has not
# heard of its line yet

my $index = $t->read_file(index_of($r));
my ($bytes, $plain, $numbers) = (media($r), plain_bytes($r), numbers($r));
isnt($numbers, '', 'it plays');
$t->write_file($t->volume . '/journal/9999999999980.log',
    encode_json($line) . "\n");

for my $where (qw(row journal)) {
    for my $left ('', substr($index, 0, 100), "\0" x length $index) {
        my $name = sprintf '%s alone, %d bytes of its index are left', $where,
            length $left;
        my @key = forget($r, $where);

        length $left ? $t->write_file(index_of($r), $left)
            : unlink index_of($r);
        is(kinds($cli->run(qw(fsck --json --dry-run))->{json}, $r),
            'index_lost', "$name: found");
        ok(left($r) eq $left, 'a look changes nothing');
        fsck(1, "$name: repaired");
        ok(left($r) eq $index, 'the same index');
        ok(plain_bytes($r) eq $plain, 'the same bytes');
        is(numbers($r), $numbers, 'the same frames');
        remember($r, @key);
    }
}

# its head alone is lost: the entries stay; an entry is: the head does

$t->write_file(index_of($r), "\0" x 256 . substr $index, 256);
fsck(1, 'no head');
ok(left($r) eq $index, 'is made of its row');
my @key = (forget($r, 'row'), forget($r, 'journal'));
my $damaged = $index;
substr($damaged, 256 + 56 * 3, 8) = 'x' x 8;
$t->write_file(index_of($r), $damaged);
fsck(1, 'an entry in the middle', '--deep');
ok(left($r) eq $index, 'is made of its fragment, the head stays');

# nobody knows the key

unlink index_of($r);
my $json = fsck(1, 'no key anywhere');
like(finding($json, $r), qr/neither its row nor the journal has its key/, 'is said');
untouched($r);
remember($r, @key);

# it was altered, is another one's, or no key at all

my ($other) = $t->recordings($live);
my $wrong = column($other, 'wrapped_key');
my $altered = $line->{wrapped} =~ s/^(.)/$1 eq 'A' ? 'B' : 'A'/er;

for my $case ([ altered => $altered ], [ 'of another recording' => $wrong ]) {
    my ($name, $key) = @$case;
    forget($r, 'row');
    $t->sql("UPDATE recordings SET wrapped_kid = 'r1', wrapped_key = '$key'
        WHERE id = '$r->{recording}'");
    my $json = fsck(1, $name);
    like(finding($json, $r), qr/known of it is refused/, "$name: is said");
    unlike($cli->run('fsck')->{err}, qr/$key/, 'without the key');
    untouched($r);
    remember($r);
    fsck(1, "$name, and the journal has a good one");
    ok(left($r) eq $index, 'which is taken');
    unlink index_of($r);
    $t->sql("UPDATE recordings SET wrapped_key = '$line->{wrapped}',
        state = 'complete', probe_error = NULL WHERE id = '$r->{recording}'");
}

# without the keys it is believed, as an index is

is($keyless->run(qw(fsck --json))->{json}{repaired}, 1, 'fsck without any keys');
ok(left($r) eq $index, 'makes the same index');

# lines of the journal that no recorder wrote

unlink index_of($r);
my $path = $t->volume . '/journal/9999999999990.log';
$t->write_file($path, join '', map { encode_json({ %$line, %$_ }) . "\n" }
    { wrapped => 'x' x 3_000_000 }, { wrapped => $line->{wrapped} . 'A' },
    { wrapped => 7 }, { wrapped => undef }, { kid => 'x' x 100 },
    { kid => '../..' }, { kid => [ 'r1' ] }, { path => '../../etc/passwd' },
    { wrapped => '', kid => '' });
forget($r, 'row');
fsck(1, 'lines of nonsense');
ok(left($r) eq $index, 'do not hide the good one');
unlink $path;

# what an older release recorded has no names: its media stay as they are

my $old = $t->add_recording({ id => $done }, start => time - 86400 * 3,
    encrypt => 1);
my $old_index = $t->read_file($old->{index});
$t->sql(sprintf q{UPDATE recordings SET wrapped_kid = 'r1',
    wrapped_key = '%s' WHERE id = '%s'}, wrapped($old_index), $old->{id});
$t->write_file($old->{index}, "\0" x 256 . substr $old_index, 256);
fsck(1, 'the head of an older one');
is(substr($t->read_file($old->{index}), 256), substr($old_index, 256),
    'is made anew');
$bytes = $t->read_file($old->{file});
unlink $old->{index};
$json = $cli->run(qw(fsck --json))->{json};
like(finding($json, $old), qr/an older release recorded it/, 'and no more');
ok($t->read_file($old->{file}) eq $bytes && !-e $old->{index},
    'its media stay as they are');

$t->done_testing;

###############################################################################

sub start {
    $t->start_jobs(args => [ '--keys', $keys, '--record-length', 3600 ]);
    $t->{volumes} = [ $t->volume ];
}

sub says { is($t->wait_sql(@_, 20), $_[0], $_[1] =~ s/\s+/ /gr) }

sub sql_as_api {
    my ($statement) = @_;

    return $t->sql("SELECT 1") && eval { $t->psql({ user => 'camera_api' },
        $statement); 1 } ? 'no error' : $@;
}

sub lines { map { split /\n/, $t->read_file($_) } journals() }

sub journals { glob $t->volume . '/journal/*.log' }

sub index_of { $_[0]{file} =~ s/mp4$/idx/r }

sub left { -e index_of($_[0]) ? scalar $t->read_file(index_of($_[0])) : '' }

sub media { scalar $t->read_file($_[0]{file}) }

# leaves the key in that place alone; what is to be done to have it back

sub forget {
    my ($r, $but) = @_;

    if ($but eq 'journal') {
        my $was = column($r, 'wrapped_key') or return;
        $t->sql("UPDATE recordings SET wrapped_kid = NULL, wrapped_key = NULL
            WHERE id = '$r->{recording}'");

        return $was;
    }

    rename_members('wrapped', 'xrapped');

    return;
}

sub remember {
    my ($r, $key) = @_;

    $t->sql("UPDATE recordings SET wrapped_kid = 'r1', wrapped_key = '$key',
        state = CASE state WHEN 'damaged' THEN 'complete' ELSE state END
        WHERE id = '$r->{recording}'") if $key;
    rename_members('xrapped', 'wrapped');
}

# in place, so that each line stays where it is

sub rename_members {
    my ($from, $to) = @_;

    for my $file (journals()) {
        my $text = $t->read_file($file) =~ s/"$from"/"$to"/gr;
        open my $fh, '+<:raw', $file or die "open(\"$file\"): $!";
        print $fh $text;
        close $fh or die "close(\"$file\"): $!";
    }
}

sub column {
    my ($r, $what) = @_;

    return scalar $t->sql("SELECT $what FROM recordings
        WHERE id = '$r->{recording}'");
}

sub fsck {
    my ($status, $name, @options) = @_;

    my $r = $cli->run(qw(fsck --json), @options);
    is($r->{status}, $status, $name) or diag "$r->{out}$r->{err}";

    return $r->{json} // {};
}

sub of {
    my ($json, $r) = @_;

    my $stem = $r->{file} =~ s/.*\/|mp4$//gr;

    return grep { index($_->{path}, $stem) != -1 } @{ $json->{findings} };
}

# torn ends are what a kill leaves

sub kinds {
    return join ' ', grep { !/_torn$/ } sort map { $_->{kind} } of(@_);
}

sub finding { return join ' ', map { $_->{text} } of(@_) }

sub untouched {
    my ($r) = @_;

    ok(media($r) eq $bytes, 'its media stay as they are');
    ok(!-e index_of($r), 'without an index');
}

# base64url, of the head of an index

sub wrapped {
    my ($index) = @_;

    require MIME::Base64;

    return MIME::Base64::encode_base64(substr($index, 168, 40), '')
        =~ tr{+/=}{-_}dr;
}

sub plain_bytes {
    my ($r) = @_;

    return scalar $t->run({ binary => 1 }, $t->root
        . '/build/t/tool/record_plain', $keys, $r->{file});
}

sub numbers {
    my ($r) = @_;

    my $file = "$t->{dir}/plain.mp4";
    $t->write_file($file, plain_bytes($r));

    return join ' ', $t->frame_numbers($file);
}
