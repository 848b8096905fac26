package Camera::Token;

# Copyright (C) The nginx camera platform authors

# Mints tokens in Perl, right and wrong ones, so that what the C code accepts
# is tested against something that is not itself.

use strict;
use warnings;

use Compress::Zlib qw(crc32);
use Digest::SHA qw(hmac_sha256);
use Exporter qw(import);
use JSON::PP;
use MIME::Base64 qw(encode_base64 decode_base64);

our @EXPORT_OK = qw(base64url unbase64url jwt claims made_up random_bytes
    random_uuid);

=head1 NAME

Camera::Token - JSON web tokens for tests

=head1 FUNCTIONS

=over

=item base64url($bytes), unbase64url($text)

=cut

sub base64url {
    my $text = encode_base64($_[0], '');
    $text =~ tr{+/}{-_};
    $text =~ s/=+\z//;
    return $text;
}

sub unbase64url {
    my $text = $_[0];
    $text =~ tr{-_}{+/};
    return decode_base64($text . '=' x (-length($text) % 4));
}

=item random_bytes($n), random_uuid

=cut

sub random_bytes {
    open my $fh, '<:raw', '/dev/urandom' or die "open() failed: $!";
    read $fh, my $bytes, $_[0];
    return $bytes;
}

sub random_uuid {
    my $hex = unpack 'H*', random_bytes(16);
    substr $hex, 12, 1, '4';
    substr $hex, 16, 1, '8';
    return join '-', unpack 'A8A4A4A4A12', $hex;
}

=item jwt($secret, \%header, \%claims)

A token with exactly this header and these claims, signed with HMAC-SHA256
whatever the header says.  Either part may also be a string, which is taken
as it is, so that no broken JSON is out of reach.

=cut

my $json = JSON::PP->new->canonical->utf8->allow_nonref;

sub jwt {
    my ($secret, $header, $claims) = @_;

    my $text = join '.',
        map { base64url(ref $_ ? $json->encode($_) : $_) } $header, $claims;

    return $text . '.' . base64url(hmac_sha256($text, $secret));
}

=item claims($token)

What a token says, its signature not looked at.

=cut

sub claims {
    my ($token) = @_;

    return $json->decode(unbase64url((split /\./, $token)[1]));
}

=item made_up

An API token that is right in itself, and nobody's.

=cut

sub made_up {
    my @digits = (0 .. 9, 'A' .. 'Z', 'a' .. 'z');
    my $text = join '', 'cam_', map { $digits[ $_ % 62 ] }
        unpack 'C43', random_bytes(43);
    my ($sum, $crc) = ('', crc32($text));

    for (1 .. 6) {
        $sum = $digits[ $crc % 62 ] . $sum;
        $crc = int $crc / 62;
    }

    return $text . $sum;
}

=back

=cut

1;
