package Run::Recordings;

# Copyright (C) The nginx camera platform authors

# Where recordings lie, and what camera-worker is told of them.
#
# VAR/recordings is made by us.  A directory that RECORD_DIR names has to be
# there: one that is not may be a disk that is not mounted, and recordings must
# never go to the disk beneath it.  camera-worker marks each as a volume.

use strict;
use warnings;

use Run::Place;

use constant VOLUMES_MAX => 8;


# out of RECORD_DIR; the paths are checked before anything is started

sub volumes {
    my ($root, $var, $dirs) = @_;

    return ["$var/recordings"] unless length $dirs;

    my @volumes = map { m{^/} ? $_ : "$root/$_" } split /:/, $dirs;

    die 'RECORD_DIR names ' . @volumes . ' directories, the most are '
        . VOLUMES_MAX . "\n" if @volumes > VOLUMES_MAX;

    for my $volume (@volumes) {
        die "RECORD_DIR: \"$volume\" is no directory; make it, or mount its"
            . " disk\n" unless -d $volume;
    }

    return \@volumes;
}


# instance: a Run::Instance

sub make {
    my ($instance) = @_;

    my $user = $instance->{user};
    my $own = "$instance->{var}/recordings";
    my $fresh = !-d $own;

    for my $volume (@{ $instance->{set}{volumes} }) {
        # a fresh disk is root's; one that holds something is left as it is
        Run::Place::directory($user, $volume, 0750)
            if $volume eq $own || ($> == 0 && is_empty($volume));
    }

    $instance->write_private("$instance->{var}/worker.conninfo",
        "$instance->{worker_url}\n");

    # VAR was removed to begin anew; camera-worker would take the empty directory
    # for the mount point of the volume that it remembers
    unlink "$instance->{shm}/live/.records" if $fresh;
}


# Rows and files are made to agree before anybody looks at either.  A volume that
# nobody has written to yet has nothing to prove, and one that cannot be read
# now is camera-worker's to report.

sub prove {
    my ($instance) = @_;

    my @volumes = grep { -e "$_/volume" } @{ $instance->{set}{volumes} };
    return unless @volumes;

    my $said;
    $instance->{steps}->step('recordings', sub {
        $said = $instance->{steps}->answer(
            { as_user => 1, any => 1, env => {
                CAMERA_ENV          => '/dev/null',
                CAMERA_DATABASE_URL => $instance->{owner_url},
                CAMERA_RECORD       => join(':', @volumes),
            } },
            "$instance->{root}/bin/camera", 'fsck');
        return (split /\n/, $said // '')[-1] // 'not looked at';
    });
}


# what camera-worker is told

sub options {
    my ($instance) = @_;

    my $set = $instance->{set};

    return () unless $set->{RECORD};
    return ((map { ('--record', $_) } @{ $set->{volumes} }),
        '--record-length', $set->{RECORD_LENGTH},
        length $set->{RECORD_RESERVE} ? ('--reserve', $set->{RECORD_RESERVE})
            : (),
        '--database', "$instance->{var}/worker.conninfo",
        '--keys', $instance->{keys});
}


# The demo cameras are recorded from their first start on; later it is whoever
# logs in who says.  A day of them, or 2 GB each, is enough for a look.

use constant DEMO_SQL => <<'SQL';
UPDATE cameras c
   SET is_recording = true,
       retention_days = coalesce(retention_days, 1),
       retention_bytes = coalesce(retention_bytes, 2000000000)
 WHERE c.id::text = ANY (string_to_array(:'ids', ','))
   AND NOT c.is_recording
   AND NOT EXISTS (SELECT FROM recordings r WHERE r.camera_id = c.id)
SQL

sub record_demo {
    my ($instance, @ids) = @_;

    return unless $instance->{set}{RECORD};
    $instance->{steps}->answer({ as_user => 1, in => DEMO_SQL },
        'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1',
        '-v', 'ids=' . join(',', @ids), '-f', '-', $instance->{owner_url})
        // die "the demo cameras are not recorded\n";
}


# of an earlier run that did record, which nobody keeps up to date

sub forget_state {
    my ($instance) = @_;

    unlink "$instance->{shm}/live/.records" unless $instance->{set}{RECORD};
}


sub is_empty {
    my ($path) = @_;

    opendir my $dir, $path or die "opendir(\"$path\") failed: $!\n";
    return !grep { !/^(?:\.\.?|lost\+found)$/ } readdir $dir;
}


1;
