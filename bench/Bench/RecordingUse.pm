package Bench::RecordingUse;

# Copyright (C) The nginx camera platform authors

# What people do with recordings: the timeline of a day among a million rows, by
# the API, the first picture after a seek to any second of an hour, and what it
# costs to send one that is encrypted on disk.

use strict;
use warnings;

use Bench qw(cpu_sec median note pin requests row);
use Bench::ApiData qw(load_data tokens);
use Camera::Playback;
use Camera::Store;
use Camera::Test;
use List::Util qw(shuffle);
use POSIX qw(strftime);
use Time::HiRes qw(time);

my $seconds = $ENV{BENCH_SECONDS} // 4;
my $days = 30;
my $recorded = 1400;            # cameras: 1.008 M hours
my $seeks = 200;

=head1 FUNCTIONS

=over

=item timeline

=cut

sub timeline {
    my $t = Camera::Test->new(workers => 1);

    note('loading a million recordings');
    $t->start_postgres(shared_buffers => '256MB');
    $t->start_redis;
    $t->migrate;
    load_data($t);
    load_recordings($t);

    $t->nginx_conf(level => 'warn', cameras => 16384,
        camera => 'redis ' . $t->redis_address . ';', api => 'access_log off;');
    $t->start_nginx;
    $t->wait_api;
    pin($t->{nginx});

    my $file = timeline_requests($t);
    my @p99;

    for my $round (0 .. 3) {
        my $r = requests($t, $t->port('http'), $file, $round ? $seconds : 2,
            connections => 4, pause => 20);
        note(sprintf 'timelines at %.0f/s: p99 %.2f ms, p50 %.2f ms',
            @$r{qw(rate p99_msec p50_msec)});
        push @p99, $r->{p99_msec} if $round;
    }

    $t->stop;

    return row('timeline of a day, 1 M recordings, p99', unit => 'ms',
        bar => '<= 10 ms', ours => median(@p99));
}

# an hour each, without an end; triggers would tell of each of them

sub load_recordings {
    my ($t) = @_;

    $t->psql({ user => 'postgres' }, <<"END");
SELECT make_recording_partition(current_date - n)
FROM generate_series(0, $days) n;

INSERT INTO volumes (id) VALUES ('00000000-0000-4000-8000-00000000abcd');

SET session_replication_role = replica;

INSERT INTO recordings (id, tenant_id, camera_id, volume_id, segment_number,
                        filename, file_path, usec, duration, file_size,
                        fragments, start_time, end_time, state, close_reason)
SELECT recording_id(start), tenant_id, c.id,
       '00000000-0000-4000-8000-00000000abcd',
       extract(epoch FROM start) / 3600, 'x.mp4', 'media/x.mp4', 3600000000,
       3600, 450000000, 7200, start, start + interval '1 hour', 'complete',
       'hour'
FROM generate_series(current_date - $days, current_date - interval '1 hour',
                     interval '1 hour') start,
     (SELECT id, tenant_id FROM cameras ORDER BY id LIMIT $recorded) c;

INSERT INTO recording_gaps (tenant_id, camera_id, start_time, end_time, cause)
SELECT tenant_id, id, day + interval '10 hours 7 minutes',
       day + interval '10 hours 9 minutes', 'network'
FROM generate_series(current_date - $days, current_date, interval '1 day') day,
     (SELECT id, tenant_id FROM cameras ORDER BY id LIMIT $recorded) c;
END

    # what was loaded is not written to the disk while others are measured

    $t->psql({ user => 'postgres' }, $_) for 'VACUUM ANALYZE', 'CHECKPOINT';
}

# any camera, any day

sub timeline_requests {
    my ($t) = @_;

    my %tokens = tokens($t);
    my @lines;

    for ($t->sql(
        "SELECT id, tenant_id FROM cameras ORDER BY id LIMIT $recorded"))
    {
        my ($id, $tenant) = split /\t/;
        my $of = $tokens{$tenant};

        for (1 .. 4) {
            my $from = (int(time / 86400) - 1 - int rand $days - 1) * 86400;
            my ($begin, $end) = map { strftime '%Y-%m-%dT%H:%M:%SZ',
                gmtime $_ } $from, $from + 86400;
            push @lines, "/api/v1/recordings/timeline/$id?from=$begin&to=$end"
                . "\t$of->[rand @$of]\n";
        }
    }

    my $file = $t->dir . '/timeline.requests';
    $t->write_file($file, join '', shuffle @lines);

    return $file;
}

=item seek

=cut

sub seek {
    my $t = Camera::Test->new(workers => 1);

    $t->start_postgres;
    $t->migrate;
    $t->nginx_conf(Camera::Playback->conf($t, level => 'warn'));
    $t->start_nginx;
    pin($t->{nginx});

    note('making a recording of an hour');
    my $store = Camera::Store->new($t);
    my $camera = $store->camera;
    my $start = int(time / 3600) * 3600 - 7200;
    my $r = $t->make_recording($camera, start => $start, file => hour($t));
    my $p = Camera::Playback->new($t, $camera);
    my @msec;

    for (1 .. $seeks) {
        forget(@$r{qw(file index)});
        my $from = 1000 * ($start + int rand 3590);
        my $since = time;
        my $list = $p->playlist(from => $from, to => $from + 600_000);
        my $piece = $list->{pieces}[0];
        my @got = map { $p->fetch($_) } $piece->{map}, $piece;
        push @msec, 1000 * (time - $since);
        die "seek: $_->{status}" for grep { $_->{status} != 206 } @got;
    }

    $t->stop;
    @msec = sort { $a <=> $b } @msec;
    note(sprintf 'seeks: p50 %.1f ms, p99 %.1f ms', $msec[$seeks / 2],
        $msec[$seeks * 0.99]);

    return row('first picture after a seek, nothing in memory, p99',
        unit => 'ms', bar => '<= 300 ms', ours => $msec[$seeks * 0.99]);
}

=item download

An hour that is encrypted and its plain twin, over TLS, turn by turn.

=cut

sub download {
    my $t = Camera::Test->new(workers => 1);
    my ($certificate, $key) = $t->certificate;
    my $port = $t->port('https');

    $t->start_postgres;
    $t->migrate;
    $t->nginx_conf(Camera::Playback->conf($t, level => 'warn', http => <<"END"));
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate $certificate;
        ssl_certificate_key $key;
        location /recordings/ { camera_recordings; aio threads; sendfile on; }
    }
END
    $t->start_nginx;
    pin($t->{nginx});

    note('making an hour twice, once encrypted');
    my $store = Camera::Store->new($t);
    my $start = int(time / 3600) * 3600 - 7200;
    my $hour = hour($t);
    my (@url, @cost, $size);

    for my $encrypt (0, 1) {
        my $camera = $store->camera;
        my $r = $t->make_recording($camera, start => $start, file => $hour,
            encrypt => $encrypt);
        $size = (-s $r->{file}) / 1e6;
        push @url, "https://127.0.0.1:$port"
            . Camera::Playback->new($t, $camera)->download(start => $start * 1000);
    }

    for my $round (1 .. 5) {
        for my $i (0, 1) {
            my ($since, $cpu) = (time, cpu_sec($t->{nginx}));
            $t->run(qw(curl -sSfk -o /dev/null), $url[$i]);
            push @{ $cost[$i] }, 1000 * (cpu_sec($t->{nginx}) - $cpu) / $size;
            note(sprintf '%s: %.0f MB/s, %.2f ms/MB',
                $i ? 'encrypted' : 'plain', $size / (time - $since),
                $cost[$i][-1]);
        }
    }

    $t->stop;

    return row('a download over TLS, encrypted on disk against plain',
        unit => 'ms of a core/MB', bar => '<= 1.5 x',
        ours => median(@{ $cost[1] }), theirs => median(@{ $cost[0] }));
}

# 1 Mbit/s, half a second a fragment

sub hour {
    my ($t) = @_;

    my $file = $t->dir . '/hour.mp4';
    $t->run(qw(ffmpeg -nostdin -loglevel error -stream_loop -1 -t 3600 -i),
        $t->clip('default'), qw(-c copy -f mp4 -movflags),
        'frag_keyframe+empty_moov+default_base_moof',
        qw(-frag_duration 500000 -use_editlist 0 -avoid_negative_ts 0), $file);

    return $file;
}

# the kernel keeps nothing of them

sub forget {
    my (@files) = @_;

    for (@files) {
        system('dd', 'status=none', 'if=/dev/null', "of=$_", 'count=0',
            'oflag=nocache', 'conv=notrunc,fdatasync');
    }
}

=back

=cut

1;
