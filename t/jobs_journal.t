#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the way of journals into the database: each line once and in its
# order, whatever happens to the database, the jobs or the lines in between.

use strict;
use warnings;

use Camera::Jobs;
use Camera::Stopwatch;
use Test::More;
use Time::HiRes qw(time);

my $t = Camera::Jobs->new;
$t->skip_without(qw(worker postgres migrations));

$t->start_jobs;

my $camera = $t->add_camera->{id};
my $rows = 'SELECT count(*) FROM recordings';
my $start = int(time) - 86400 * 2;

###############################################################################

# a row is there at once, grows, and ends

my $r = $t->recording($camera, time - 3600, codecs => 'avc1.64001f',
    width => 1280, height => 720);
my $watch = Camera::Stopwatch->start;

$t->journal(open => $r);
is($t->wait_sql(1, $rows, 3), 1, 'open');
cmp_ok($watch->seconds, '<', 1, 'within a second');
is($t->sql(q{SELECT state, camera_id, file_path, codecs, width, height,
    extract(epoch FROM start_time) * 1000 = } . "$r->{start}"
    . ' FROM recordings'), join("\t", 'recording', $camera, $r->{path},
    'avc1.64001f', 1280, 720, 't'), 'with what the line says');
is($t->sql(q{SELECT file_size, volume_id FROM recordings}),
    "0\t" . $t->volume_id, 'on its volume');

$t->journal(advance => $r);
is($t->wait_sql(1000, 'SELECT file_size FROM recordings'), 1000, 'advance');

$t->journal(close => { %$r, bytes => 2000, why => 'hour' });
is($t->wait_sql("complete\thour\t2000",
    'SELECT state, close_reason, file_size FROM recordings'),
    "complete\thour\t2000", 'close');

# half a line waits for its other half

my ($one, $two) = map { $t->recording($camera, $start + 10 * $_) } 1, 2;
my $line = qq({"n":"open","at":1,"id":"$one->{id}","camera":"$camera",)
    . qq("path":"$one->{path}","start":$one->{start}}\n);

$t->journal(text => substr($line, 0, 60));
ok($t->wait_for(sub { position() < size(1000) }, 3), 'half a line');
is($t->sql($rows), 1, 'is none');
$t->journal(text => substr($line, 60), open => $two);
is($t->wait_sql(3, $rows), 3, 'both halves are');

# lines that are none

my $three = $t->recording($camera, $start + 30);

$t->journal(text => "no JSON\n", text => qq({"n":"close","at":1}\n),
    text => qq({"n":"dance","at":1}\n), text => "\0\0\n",
    advance => { %$two, end => -5 },
    alert => { type => 'NO WORD', severity => 'x', message => 'm',
        camera => $camera },
    open => $three);
is($t->wait_sql(4, $rows), 4, 'bad lines are passed over');
is(skipped(), 6, 'each is said once');
like($t->worker->log, qr/before byte \d+ of ".*" is no JSON in line 1/, 'as is');
like($t->worker->log, qr/has no good "id"/, 'as incomplete');
like($t->worker->log, qr/was refused by the database/, 'as refused');
is($t->sql('SELECT count(*) FROM alerts'), 0, 'no alert where nobody records');

$t->sql("UPDATE cameras SET is_recording = true");
$t->journal(text => "[]\n");
is($t->wait_sql("journal_damaged\tmedium\t1",
    'SELECT type, severity, count FROM alerts'),
    "journal_damaged\tmedium\t1", 'an alert for who records');

# files that are done go, the newest one stays

$t->journal(2000, text => '{"torn');
$t->journal(3000, open => $t->recording($camera, $start + 40));
is($t->wait_sql(5, $rows), 5, 'the next files');
$t->wait_for(sub { join(' ', $t->journal_files) eq '3000' }, 3);
is(join(' ', $t->journal_files), '3000', 'those before are gone');
like($t->worker->log, qr/was never finished/, 'a torn end is no line');

# a camera that is not known any more does not stop anything

my $gone = '0e8a3c7e-52c1-4f57-9f3d-00000000dead';
$t->journal(open => $t->recording($gone, $start + 45),
    open => $t->recording($camera, $start + 50));
is($t->wait_sql(6, $rows), 6, 'the file of an unknown camera');
is($t->sql('SELECT count(*) FROM recording_garbage'), 1, 'is garbage');

# the database is stopped, killed, hung, and the jobs are killed, in the midst

my $n = 6;

for my $case (
    [ 'stopped' => sub { $t->stop_postgres('immediate') },
        sub { $t->start_postgres } ],
    [ 'killed' => sub { $t->stop_postgres('kill') },
        sub { $t->start_postgres } ],
    [ 'hung' => sub { $t->pause_postgres },
        sub { $t->wait_for(sub { hung() }, 15, 'a deadline');
              $t->resume_postgres } ],
    [ 'without its client' => sub { $t->kill_jobs },
        sub { } ])
{
    my ($name, $break, $mend) = @$case;
    my @some = map { $t->recording($camera, $start + 1000 * $n + $_) }
        1 .. ($t->soak ? 3000 : 500);

    write_all(\@some);
    $t->wait_sql('t', "SELECT count(*) > $n + 100 FROM recordings");
    $break->();
    write_all([ my @more = map { $t->recording($camera,
        $start + 1000 * $n + 5000 + $_) } 1 .. 200 ]);
    $mend->();

    $n += @some + @more;
    is($t->wait_sql($n, $rows, 20), $n, "$name: all rows");
    is($t->sql(q{SELECT count(*) FROM recording_gaps}),
        $t->sql(q{SELECT count(DISTINCT start_time) FROM recording_gaps}),
        "$name: none twice");
}

is($t->sql(q{SELECT count FROM alerts WHERE type = 'counted'}),
    $t->sql($rows) - 6, 'each line once');
is(skipped(), 8, 'and none passed over');
unlike($t->worker->log, qr/user=|host=/, 'no connection string in the log');

$t->stop_jobs;
$t->done_testing;

###############################################################################

# a line that counts shows what comes twice

sub write_all {
    my ($recordings) = @_;

    $t->journal(map { (open => $_, alert => { type => 'counted',
        severity => 'low', camera => $camera, message => 'm' }) }
        @$recordings);
}

sub hung { $t->worker->log =~ /the database is away: no answer/ }

sub skipped { scalar(() = $t->worker->log =~ /a line of the journal/g) }

sub position { $t->sql('SELECT position FROM record_journal') }

sub size { -s $t->journal_path($_[0]) }
