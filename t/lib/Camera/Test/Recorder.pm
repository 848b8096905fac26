package Camera::Test::Recorder;

# Copyright (C) The nginx camera platform authors

# The recorder of a test: volumes, wishes, what lies on disk and whether that is
# right.

use strict;
use warnings;

use File::Path qw(make_path);
use JSON::PP qw(decode_json);

=head1 NAME

Camera::Test::Recorder - camera-worker's recorder in Camera::Test

=head1 SYNOPSIS

    $t->start_recorder(length => 10);
    $t->wish($id);
    $t->wait_for(sub { $t->recordings($id) > 1 }, 15, 'a second file');
    is(join("\n", $t->check_recordings), '', 'recordings are right');
    my @numbers = map { $t->frame_numbers($_->{file}) } $t->recordings($id);

Works with nginx and publishers, and with Camera::Live and its feeds.

=head1 METHODS

=over

=item start_recorder(%options)

Starts camera-worker with volumes below the test's directory.  Called again
after it was stopped or killed, it takes up the same ones.

    volumes   how many (1), or [paths]
    length    of a recording, in seconds (10)
    args      more options of camera-worker
    env       its environment has besides

=cut

sub start_recorder {
    my ($self, %opt) = @_;

    my $volumes = $opt{volumes} // 1;
    $self->{volumes} = ref $volumes ? $volumes
        : [map { "$self->{dir}/volume.$_" } 0 .. $volumes - 1];

    for (grep { !-e } @{ $self->{volumes} }) {
        make_path($_);
        $self->give_to_service($_);
    }

    return $self->start_worker(env => $opt{env},
        args => [qw(--children 1 --no-snapshots --record-length),
        $opt{length} // 10,
        (map { ('--record', $_) } @{ $self->{volumes} }),
        @{ $opt{args} // [] }]);
}

=item record_volume($n), recorder($n)

The path of volume n; the pid of the child that has it, undef when there is
none.

=cut

sub record_volume { $_[0]{volumes}[$_[1] // 0] }

sub recorder {
    my ($self, $n) = @_;

    my $name = 'record/' . ($n // 0);
    my @pids = grep { (comm($_) // '') eq $name }
        Camera::Process::children($self->worker->pid);

    return $pids[0];
}

sub comm {
    my ($pid) = @_;

    open my $fh, '<', "/proc/$pid/comm" or return undef;
    chomp(my $name = <$fh> // '');

    return $name;
}

=item wish($camera, %wish)

That the camera is recorded, or not: C<want> (1), C<from> and C<until> in Unix
milliseconds, C<encrypt> (0).  Where PostgreSQL is part of the test, the jobs role does that.

=cut

sub wish {
    my ($self, $camera, %wish) = @_;

    $self->_record_tool($self->{shm}, 'wish', $camera, $wish{want} // 1,
        $wish{from} // 0, $wish{until} // 0, $wish{encrypt} // 0);
}

=item record_state($camera), record_volumes

What live/.records says.

=cut

sub record_state {
    my ($self, $camera) = @_;

    my $text = $self->_record_tool($self->{shm}, 'state', $camera);
    return $text =~ /^\{/ ? decode_json($text) : undef;
}

sub record_volumes {
    my ($self) = @_;

    return @{ decode_json($self->_record_tool($self->{shm}, 'volumes')) };
}

# as the service: a table that is made here is its own

sub _record_tool {
    my ($self, @args) = @_;

    my @as = $> == 0 ? (qw(setpriv --reuid www-data --regid www-data
        --clear-groups)) : ();

    return $self->run({ may_fail => 1 }, @as,
        $self->root . '/build/t/tool/record_wish', @args);
}

=item recordings([$camera [, $volume]])

What lies on the volumes, the oldest first: C<file> (path), C<name>, C<hold>,
and of its index C<camera>, C<recording>, C<start>, C<cipher>, C<kid>,
C<fragments> ([{offset, wall, time, msn, size, duration, crc, part, flags,
live}]).

=cut

sub recordings {
    my ($self, $camera, $volume) = @_;

    $camera //= '*';
    my @volumes = defined $volume ? $self->record_volume($volume)
        : @{ $self->{volumes} };
    my @found;

    for my $file (map { glob "$_/media/$camera/*/*.mp4" } @volumes) {
        (my $stem = $file) =~ s/\.mp4$//;
        my $text = $self->run({ may_fail => 1 }, $self->root
            . '/build/t/tool/record_wish', '-', 'index', "$stem.idx");
        my $index = $text =~ /^\{/ ? decode_json($text) : {};
        push @found, { %$index, file => $file, name => $file =~ s{.*/}{}r,
            hold => -e "$stem.hold" ? 1 : 0 };
    }

    return sort { $a->{name} cmp $b->{name} } @found;
}

=item goes_on($camera)

Waits until the camera is recorded, and more of it than now.

=cut

sub goes_on {
    my ($self, $camera) = @_;

    my $end = ($self->record_state($camera) // {})->{end} // 0;

    return $self->wait_for(sub {
        my $state = $self->record_state($camera) // {};
        ($state->{state} // 0) == 1 && $state->{end} > $end + 500;
    }, 10, 'more to be recorded');
}

=item missing_parts($camera), repeated_parts($camera)

What the live store had between the first part recorded and the last, and no
file has: numbers of segments and parts.  A segment has five parts, as those of
the clips have.  And how many parts are there more than once.

=cut

sub missing_parts {
    my ($self, $camera) = @_;

    my (%have, @missing);
    $have{ $_->{msn} }{ $_->{part} } = 1 for $self->_parts($camera);
    my @msn = sort { $a <=> $b } keys %have or return 'all';

    for my $msn ($msn[0] .. $msn[-1]) {
        my @there = sort { $a <=> $b } keys %{ $have{$msn} // {} };
        my $last = $msn == $msn[-1] ? $there[-1] : 4;
        push @missing, map { "$msn.$_" } grep { !$have{$msn}{$_} } 0 .. $last;
    }

    return join ' ', @missing;
}

sub repeated_parts {
    my ($self, $camera) = @_;

    my %count;
    $count{"$_->{msn}.$_->{part}"}++ for $self->_parts($camera);

    return scalar grep { $_ > 1 } values %count;
}

sub _parts {
    my ($self, $camera) = @_;

    return map { @{ $_->{fragments} // [] } } $self->recordings($camera);
}

=item journal([$volume])

The lines of the journal, decoded, in order.

=cut

sub journal {
    my ($self, $volume) = @_;

    my $dir = $self->record_volume($volume) . '/journal';

    return map { decode_json($_) } map { $self->read_file($_) =~ /^(.*)\n/mg }
        sort glob "$dir/*.log";
}

=item check_recordings(%options)

Answers what is wrong, a line each: bytes that are not those of the index,
fragments that overlap in time, files without a line in the journal and the
other way round, what ffmpeg complains about.  C<decode> 0 leaves out the
latter.

=cut

sub check_recordings {
    my ($self, %opt) = @_;

    my (@wrong, %on_disk);

    for my $volume (0 .. $#{ $self->{volumes} }) {

        # what is closed before we look does not change any more

        my %closed = map { $_->{id} => $_ } grep { $_->{n} eq 'close' }
            $self->journal($volume);
        my @recordings = $self->recordings(undef, $volume);
        push @wrong, map { $self->_check_recording($_, %opt) } @recordings;
        push @wrong, $self->_check_journal($volume, \%closed, @recordings);
    }

    return @wrong;
}

sub _check_recording {
    my ($self, $r, %opt) = @_;

    my $f = $r->{fragments} or return "$r->{name}: no index";
    my $end = $r->{init_size};
    my ($time, $wall) = (0, $r->{start});
    my @wrong;

    open my $fh, '<:raw', $r->{file} or return "$r->{name}: $!";

    for (@$f) {
        seek $fh, $_->{offset}, 0;
        read $fh, my $bytes, $_->{size};
        push @wrong, "fragment $_->{msn}.$_->{part} has other bytes"
            if crc32($bytes) != $_->{crc};
        push @wrong, "$_->{msn}.$_->{part} is not where the last one ends"
            if $_->{offset} != $end;
        push @wrong, "$_->{msn}.$_->{part} overlaps"
            if $_->{time} < $time - 20;
        push @wrong, "$_->{msn}.$_->{part} goes back in wall time"
            if $_->{wall} < $wall;
        ($end, $wall) = ($_->{offset} + $_->{size}, $_->{wall});
        $time = $_->{time} + $_->{duration};
    }

    push @wrong, 'does not begin with a key frame'
        if @$f && ($f->[0]{flags} & 5) != 5;
    push @wrong, 'begins at another time than it says'
        if @$f && $f->[0]{wall} != $r->{start};

    # the samples of one that is encrypted are noise to everybody

    if (($opt{decode} // 1) && !$r->{cipher}) {
        my $said = $self->run({ may_fail => 1 }, qw(ffmpeg -nostdin -loglevel
            warning -xerror -i), $r->{file}, qw(-c copy -f null -));
        push @wrong, $said if $said ne '';
    }

    return map { "$r->{name}: $_" } @wrong;
}

sub _check_journal {
    my ($self, $volume, $closed, @recordings) = @_;

    my (%open, %removed, @wrong);

    for ($self->journal($volume)) {
        $open{ $_->{id} } = $_ if $_->{n} eq 'open';
        $removed{ $_->{id} } = $_ if $_->{n} eq 'removed';
        push @wrong, "a gap of $_->{camera} has a negative length"
            if $_->{n} eq 'gap' && $_->{end} && $_->{end} < $_->{start};
        push @wrong, "$_->{id} has a negative length" if $_->{n} eq 'close'
            && $open{ $_->{id} } && $_->{end} < $open{ $_->{id} }{start};
    }

    for my $r (@recordings) {
        my $id = $r->{recording} // next;
        push @wrong, "$r->{name} is not in the journal" if !$open{$id};
        push @wrong, "$r->{name} was removed" if $removed{$id};
        my $c = $closed->{$id} or next;
        my $last = $r->{fragments}[-1];
        push @wrong, "$r->{name} has another size than when it was closed"
            if !$last || $c->{bytes} != $last->{offset} + $last->{size}
                || $c->{bytes} != -s $r->{file}
                || $c->{fragments} != @{ $r->{fragments} };
    }

    push @wrong, map { "$open{$_}{path} is not there" } grep {
        !$removed{$_} && !-e $self->record_volume($volume) . "/$open{$_}{path}"
    } keys %open;

    return @wrong;
}

# that of zlib, which Perl has

sub crc32 {
    require Compress::Raw::Zlib;
    return Compress::Raw::Zlib::crc32($_[0]);
}

=back

=cut

1;
