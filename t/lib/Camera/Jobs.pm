package Camera::Jobs;

# Copyright (C) The nginx camera platform authors

# Tests of the jobs role: a real database, a volume, and journals that the
# test writes as the recorder does.

use strict;
use warnings;

use parent 'Camera::Live';

use Camera::Process;
use File::Path qw(make_path);
use JSON::PP;
use Time::HiRes qw(sleep time);

=head1 NAME

Camera::Jobs - Camera::Test for the jobs role of camera-worker

=head1 SYNOPSIS

    my $t = Camera::Jobs->new;
    $t->skip_without(qw(worker postgres migrations));
    $t->start_jobs;

    my $id = $t->add_camera->{id};
    my $r = $t->recording($id, time - 3600);
    $t->journal(open => $r, advance => $r);
    $t->wait_sql(1, 'SELECT count(*) FROM recordings');

=head1 METHODS

=over

=item start_jobs(%options)

Starts PostgreSQL with the schema and camera-worker with a volume and
C<--database>; again, without PostgreSQL, after C<stop_jobs>.  With C<clock>
the worker's clock can be set.

=cut

sub start_jobs {
    my ($self, %opt) = @_;

    if (!$self->{volume}) {
        $self->{volume} = "$self->{dir}/volume";
        make_path($self->{volume});
        $self->give_to_service($self->{volume});

        $self->start_postgres;
        $self->migrate;
        $self->psql({ user => 'postgres' },
            'ALTER ROLE camera_worker LOGIN');
    }

    local $ENV{LD_PRELOAD} = $opt{clock} ? join(':', $ENV{CAMERA_SANITIZED}
        // (), $self->root . '/build/t/preload/clock.so') : $ENV{LD_PRELOAD};
    local $ENV{CAMERA_CLOCK} = "$self->{dir}/clock";
    $self->set_clock(0) if $opt{clock} && !-e $ENV{CAMERA_CLOCK};

    my $file = "$self->{dir}/database";
    $self->write_file($file, $self->database('camera_worker') . "\n");
    chmod 0600, $file;
    $self->give_to_service($file);

    $self->start_worker(args => [qw(--children 1 --no-snapshots),
        '--record', $self->{volume}, '--database', $file,
        @{ $opt{args} // [] }]);
    $self->wait_for(sub { glob "$self->{volume}/journal/*.log" }, 5, 'a volume');
}

=item set_clock($seconds [, $synchronised])

So far ahead is the worker's wall clock from now on.

=cut

sub set_clock {
    my ($self, $seconds, $synchronised) = @_;

    my $file = "$self->{dir}/clock";
    open my $fh, -e $file ? '+<' : '>', $file or die "open(\"$file\"): $!";
    syswrite $fh, pack 'q2', $seconds * 1000, $synchronised ? 1 : 0;
    close $fh;
}

=item stop_jobs

=cut

sub stop_jobs { $_[0]{worker}->stop('TERM', 5) }

=item kill_jobs

Kills the child; its successor is there within a moment.

=cut

sub kill_jobs {
    my ($self) = @_;

    kill 'KILL', $self->worker_children('jobs');
}

=item say_volume([$state])

Has the volume in a state that is hard to bring about: 3 full, 4 error, 5 not
mounted.  The record child stands still meanwhile, until there is no state.

=cut

sub say_volume {
    my ($self, $state) = @_;

    if ($self->{says}) {
        (delete $self->{says})->stop;
        kill 'CONT', $self->worker_children('record');
    }

    return unless $state;

    kill 'STOP', $self->worker_children('record');
    $self->{says} = Camera::Process->start(
        { log => "$self->{dir}/says.log", name => 'record_table',
          user => 'www-data', append => 1 },
        $self->root . '/build/t/tool/record_table', $self->{shm}, $state,
        $self->{volume});
}

=item volume, volume_id

Its directory, and what its file says.

=cut

sub volume { $_[0]{volume} }

sub volume_id {
    my ($self) = @_;

    my ($id) = $self->read_file("$self->{volume}/volume") =~ /^([0-9a-f-]{36})$/m;
    return $id;
}

=item recording($camera, $start [, %values])

What the recorder would say of a recording that begins then (seconds): C<id>,
C<camera>, C<path>, C<start>, C<end>, C<bytes>, C<usec>, C<fragments>.

=cut

sub recording {
    my ($self, $camera, $start, %values) = @_;

    my $msec = int $start * 1000;
    my @t = gmtime $msec / 1000;
    my $hex = sprintf '%012x7%03x8%03x%012x', $msec,
        map { int rand $_ } 4096, 4096, 2 ** 32;
    my $id = join '-', unpack 'A8 A4 A4 A4 A12', $hex;
    my $path = sprintf 'media/%s/%04d-%02d-%02d/%04d%02d%02dT%02d%02d%02d.%03dZ'
        . '.mp4', $camera, ($t[5] + 1900, $t[4] + 1, $t[3]) x 2,
        @t[2, 1, 0], $msec % 1000;

    return { id => $id, camera => $camera, path => $path, start => $msec,
        end => $msec + 60000, bytes => 1000, usec => 60000000,
        fragments => 120, %values };
}

=item journal([$file,] $kind => \%values, ...)

Appends lines to a file of the journal, a number; the newest unless named.  A
line whose values are text is written as it is, without an end of line of its
own.  The files come after those of the recorder, which has nothing to write.

=cut

my $first_file = 9_999_999_000_000;

my %members = (
    open    => [qw(id camera path start codecs width height)],
    advance => [qw(id end bytes usec fragments)],
    close   => [qw(id end bytes usec fragments why)],
    gap     => [qw(camera start end cause)],
    removed => [qw(id why)],
    alert   => [qw(type severity camera message)],
    calm    => [qw(type camera)],
);

sub journal {
    my ($self, @lines) = @_;

    my $file = @lines % 2 ? shift @lines : $self->{journal} // 1000;
    $self->{journal} = $file;
    my $path = $self->journal_path($file);
    my $text = '';

    while (my ($kind, $values) = splice @lines, 0, 2) {
        if (!ref $values) {
            $text .= $values;
            next;
        }

        my %line = (n => $kind, at => int time * 1000,
            map { $_ => _value($values->{$_}) } @{ $members{$kind} });
        $text .= JSON::PP->new->canonical->encode(\%line) . "\n";
    }

    open my $fh, '>>', $path or die "open(\"$path\") failed: $!";
    $self->give_to_service($path);
    print $fh $text;
    close $fh or die "write(\"$path\") failed: $!";

    return $path;
}

# numbers may have come as text

sub _value {
    my ($value) = @_;

    return defined $value && $value =~ /^-?\d{1,18}$/ ? 0 + $value : $value;
}

=item files($recording [, $bytes])

Puts a file and an index of that recording onto the volume; answers their
paths.  Nobody could play them.

=cut

sub files {
    my ($self, $r, $bytes) = @_;

    my ($dir) = $r->{path} =~ m{^(.*)/};
    make_path("$self->{volume}/$dir");
    my @paths = map { "$self->{volume}/" . $r->{path} =~ s/mp4$/$_/r }
        qw(mp4 idx);
    $self->write_file($_, 'x' x ($bytes // 100)) for @paths;
    $self->run('chown', '-R', '--reference', "$self->{volume}/journal",
        "$self->{volume}/media");

    return @paths;
}

=item journal_files

Their names, as the numbers that C<journal> takes.

=cut

sub journal_files {
    my ($self) = @_;

    return grep { $_ > 0 } map { m{/(\d+)\.log$} && $1 - $first_file }
        sort glob "$self->{volume}/journal/*.log";
}

=item journal_path($number)

=cut

sub journal_path {
    my ($self, $number) = @_;

    return sprintf '%s/journal/%013d.log', $self->{volume},
        $first_file + $number;
}

=item wait_sql($value, $statement [, $seconds])

Waits until the statement answers the value; answers what it answered last.

=cut

sub wait_sql {
    my ($self, $value, $statement, $seconds) = @_;

    my $got;

    $self->wait_for(sub {
        $got = eval { $self->sql($statement) } // '';
        $got eq $value || (sleep 0.08, 0)[1];      # a psql each time
    }, $seconds // 5, $statement);

    return $got;
}

=item wishes

Of the table, by camera.

=cut

sub wishes {
    my ($self) = @_;

    return JSON::PP::decode_json($self->run(
        $self->root . '/build/t/tool/record_table', $self->{shm}));
}

=back

=cut

1;
