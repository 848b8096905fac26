package Run::Admin;

# Copyright (C) The nginx camera platform authors

# The first administrator.  Where nobody can log in yet, "admin" is made with
# the password that ADMIN_PASSWORD gives, or with one that is made up: there is
# no default one.  What was made up is kept in VAR/admin, for the summary and
# run.env of later starts, until it is no longer right; what was given is kept
# nowhere.  No log has either.

use strict;
use warnings;

use JSON::PP ();

use constant NAME => 'admin';


# instance: a Run::Instance; answers { user, password, given }, or nothing when
# the password is only known to its owner

sub find {
    my ($instance) = @_;

    my $file = "$instance->{var}/admin";
    my $given = $instance->{set}{ADMIN_PASSWORD};
    my $users = camera($instance, undef, 'user', 'list')->{users}
        // die "the users of the database cannot be read\n";

    return make($instance, $file, $given) unless @$users;

    my $password = length $given ? $given : kept($file) // return;
    my $check = camera($instance, $password, 'user', 'check', NAME);

    return { user => NAME, password => $password, given => length $given }
        if $check->{right};

    unlink $file unless length $given || $check->{error};
    return;
}


sub make {
    my ($instance, $file, $given) = @_;

    my $made;

    $instance->{steps}->step('administrator', sub {
        $made = camera($instance, $given, 'user', 'add', NAME, '--role',
            'admin', length $given ? '--password-stdin' : ());
        die "ADMIN_PASSWORD: $made->{error}{message}\n" if $made->{error};
        return NAME;
    });

    $instance->write_private($file, "$made->{password}\n")
        unless length $given;

    return { user => NAME, password => $made->{password} // $given,
        given => length $given };
}


sub kept {
    my ($file) = @_;

    open my $in, '<', $file or return undef;
    chomp(my $password = <$in> // '');

    return length $password ? $password : undef;
}


# what bin/camera answers; there is no run.env yet

sub camera {
    my ($instance, $in, @argv) = @_;

    my %env = (
        CAMERA_ENV          => '/dev/null',
        CAMERA_DATABASE_URL => $instance->{owner_url},
    );
    my $text = $instance->{steps}->answer(
        { as_user => 1, any => 1, in => $in, env => \%env },
        "$instance->{root}/bin/camera", @argv, '--json');

    return eval { JSON::PP::decode_json($text) }
        // die "bin/camera $argv[0] $argv[1] failed\n";
}


1;
