package Camera::Registry;

# Copyright (C) The nginx camera platform authors

# Reads shm/registry as docs/registry.md describes it.

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT_OK = qw(registry);

my @reasons = ('', qw(token_missing token_invalid token_expired token_revoked
    token_foreign camera_inactive address busy takeover_limit no_space
    video_codec audio_codec bad_media idle quarantined not_ready quota
    drained));

=head1 NAME

Camera::Registry - the registry of a test instance

=head1 SYNOPSIS

    my $r = registry($t);
    is($r->{used}, 1);
    ok($r->{cameras}{$camera->{id}}{active});

=head1 FUNCTIONS

=over

=item registry($t)

Answers undef without a file, else

    capacity, used, fed_at, full_at, changes
    cameras    by id: slot, version, tenant, key, active, key_generation,
               prev_generation, prev_until, opaque, prev_opaque, play_epoch,
               max_publishers, max_viewers,
               max_egress_kbps, cidrs (the number of them), publishing (1 while
               somebody does), generation (of the publication), refused (why
               the last publisher was: a word, or '') and detail

=back

=cut

sub registry {
    my ($t) = @_;

    my $file = $t->shm . '/registry';
    return undef unless -e $file;

    my $text = $t->read_file($file);
    my %r;
    @r{qw(magic version slot_size capacity index_words size used fed_at
        full_at changes)} = unpack 'Q L L L L Q Q q q Q', $text;
    $r{cameras} = {};
    my $states = 4096 + $r{slot_size} * $r{capacity};
    $states += -$states % 4096;

    for my $slot (0 .. $r{capacity} - 1) {
        my $s = substr $text, 4096 + $slot * $r{slot_size}, $r{slot_size};
        my ($version) = unpack 'Q', $s;
        my ($used, $entry) = unpack 'Q a392',
            substr $s, 128 + 448 * ($version & 1);
        next if !$used;

        my %c = (slot => $slot, version => $version);
        (my ($id, $tenant), @c{qw(key flags key_generation prev_generation)},
            undef, @c{qw(prev_until opaque prev_opaque)}, undef, undef,
            @c{qw(play_epoch max_publishers max_viewers max_egress_kbps)},
            my @cidr) =
            unpack 'a16 a16 Z64 L L L L q H64 H64 L L L L L L (C C a16)10',
            $entry;

        my ($ended, $reason);
        (@c{qw(generation)}, $ended, undef, $reason, $c{detail}) =
            unpack 'Q Q q L L', substr $text, $states + 64 * $slot, 64;
        $c{publishing} = $c{generation} && $c{generation} != $ended ? 1 : 0;
        $c{refused} = $reasons[$reason];

        $c{tenant} = _uuid($tenant);
        $c{active} = $c{flags} & 1;
        $c{cidrs} = grep { $_ } @cidr[map { 3 * $_ } 0 .. 9];
        $r{cameras}{ _uuid($id) } = \%c;
    }

    return \%r;
}

sub _uuid { join '-', unpack 'H8 H4 H4 H4 H12', $_[0] }

1;
