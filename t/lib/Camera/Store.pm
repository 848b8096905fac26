package Camera::Store;

# Copyright (C) The nginx camera platform authors

# A registry and a live store that do what the test says, by t/tool/live_store.

use strict;
use warnings;

use Camera::Token qw(random_uuid);
use IPC::Open2;

=head1 NAME

Camera::Store - the feeder and the packager of a test of playback

=head1 SYNOPSIS

    my $store = Camera::Store->new($t);          # nginx runs
    my $camera = $store->camera(segments => 8);
    my $r = $t->http_get($store->entrance($camera));
    $store->tell('part', $camera->{id}, 1000);   # answers the msn

=head1 METHODS

=over

=item new($t)

Starts the tool as the user of nginx and marks the registry as just read.

=cut

sub new {
    my ($class, $t) = @_;

    my $tool = $t->root . '/build/t/tool/live_store';
    my @as = $> == 0
        ? ('setpriv', Camera::Process::as_user('www-data'), '--') : ();

    my $self = bless { t => $t }, $class;
    $self->{pid} = open2($self->{out}, $self->{in}, @as, $tool, $t->shm);
    $self->tell('fed', 0);

    return $self;
}

=item tell(@command)

Answers the number that the tool did, or dies.

=cut

sub tell {
    my ($self, @command) = @_;

    local $SIG{PIPE} = 'IGNORE';
    print { $self->{in} } "@command\n";
    $self->{in}->flush;

    my $line = readline($self->{out}) // 'it is gone';
    $line =~ /^ok (\d+)/ or die "live_store: @command: $line";

    return $1;
}

=item camera(%options)

A camera, known to the registry, with C<segments> whole segments of C<size>
bytes (8000).  Options: C<epoch> (1), C<active> (1), C<tenant>.

=cut

sub camera {
    my ($self, %opt) = @_;

    my $camera = {
        id     => random_uuid(),
        tenant => $opt{tenant} // random_uuid(),
        epoch  => $opt{epoch} // 1,
    };

    $self->put($camera, active => $opt{active});

    if ($opt{segments}) {
        $self->tell('init', $camera->{id}, 1280, 720);
        $self->tell('segments', $camera->{id}, $opt{segments},
            $opt{size} // 8000);
    }

    return $camera;
}

=item put($camera, active => 1)

Writes the camera's registry entry again.

=cut

sub put {
    my ($self, $camera, %opt) = @_;

    $self->tell('camera', @$camera{qw(id tenant epoch)}, $opt{active} // 1);
}

=item entrance($camera, %options)

The path that starts a session; options are those of C<token>, and C<path_id>,
which stands in the path instead of the camera's.

=cut

sub entrance {
    my ($self, $camera, %opt) = @_;

    my $id = delete $opt{path_id} // $camera->{id};
    my $token = $opt{token} // $self->{t}->token(camera => $camera,
        use => 'playback', %opt);

    return "/hls/$id/playlist.m3u8?token=$token";
}

=item session($camera [, %options])

Starts a session and answers the path of its media playlist.

=cut

sub session {
    my ($self, $camera, %opt) = @_;

    my $r = $self->{t}->http_get($self->entrance($camera, %opt));
    die "no session: $r->{status}" if $r->{status} != 200;
    my ($uri) = $r->{body} =~ /^(live\.m3u8\S+)/m or die "no variant";

    return "/hls/$camera->{id}/$uri";
}

=item uris($playlist)

All URIs in the text of a playlist, relative as they are.

=cut

sub uris {
    my ($self, $text) = @_;

    return map { /^#.*URI="([^"]+)"/ ? $1 : /^([^#]\S+)/ ? $1 : () }
        split /\n/, $text;
}

sub DESTROY {
    my ($self) = @_;

    local $?;
    close $self->{in};
    waitpid $self->{pid}, 0;
}

=back

=cut

1;
