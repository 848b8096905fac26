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

    for my $volume (@{ $instance->{set}{volumes} }) {
        # a fresh disk is root's; one that holds something is left as it is
        Run::Place::directory($user, $volume, 0750)
            if $volume eq $own || ($> == 0 && is_empty($volume));
    }

    $instance->write_private("$instance->{var}/worker.conninfo",
        "$instance->{worker_url}\n");
}


sub is_empty {
    my ($path) = @_;

    opendir my $dir, $path or die "opendir(\"$path\") failed: $!\n";
    return !grep { !/^(?:\.\.?|lost\+found)$/ } readdir $dir;
}


1;
