#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for the token verifier against a second one, written here in Perl from
# docs/tokens.md alone: of some thousand tokens, right, mutated and random,
# both must accept exactly the same.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256);
use File::Temp qw(tempdir);
use FindBin;
use JSON::PP;
use MIME::Base64 qw(encode_base64 decode_base64);
use Test::More;

my $seed = $ENV{CAMERA_SEED} // time;
my $count = $ENV{CAMERA_SOAK} ? 100_000 : 4000;
my $now = time;
my $bin = $ENV{CAMERA_BIN} // "$FindBin::Bin/../bin";

my %secret = (s1 => secret('S', 32), s0 => secret('T', 33),
    p1 => secret('P', 64), a1 => secret('A', 48));
my %use = (s1 => 'stream', s0 => 'stream', p1 => 'playback', a1 => 'access');
my %kind = (stream => 'sk+jwt', playback => 'pb+jwt', access => 'at+jwt');
my %life = (stream => 366 * 86400, playback => 12 * 3600, access => 3600);

my $camera = '0b7a3e1c-5d2f-4a86-9c31-7e5f00aa1122';

my $grammar = qr/
    (?<string> " (?: [^"\\\x00-\x1f]
        | \\ (?: ["\\\/bfnrt] | u [0-9a-fA-F]{4} ) )*+ " )
    (?<number> -? (?: 0 | [1-9][0-9]*+ ) (?: \. [0-9]++ )?+
        (?: [eE] [+-]?+ [0-9]++ )?+ )
    (?<list> \[ \s*+ (?: (?&value) (?: , (?&value) )*+ )?+ \] )
    (?<pair> \s*+ (?&string) \s*+ : (?&value) )
    (?<members> \{ \s*+ (?: (?&pair) (?: , (?&pair) )*+ )?+ \} )
    (?<value> \s*+ (?: (?&string) | (?&number) | true | false | null
        | (?&list) | (?&members) ) \s*+ )
/xa;

plan tests => 7;

srand $seed;
note "CAMERA_SEED=$seed repeats this run";

my $keys = write_keys();

for my $use (qw(stream playback access)) {
    my @tokens = map { candidate($use) } 1 .. $count;
    my @theirs = verify($use, @tokens);
    my ($accepted, $different) = (0, 0);

    for my $i (0 .. $#tokens) {
        my $ours = acceptable($tokens[$i], $use);

        $accepted += $ours;
        next if $ours == ($theirs[$i] eq 'ok' ? 1 : 0);

        $different++ or diag "here ", $ours ? 'ok' : 'refused',
            ", there $theirs[$i]: $tokens[$i]";
    }

    is $different, 0, "both judge $use tokens alike";
    cmp_ok $accepted, '>', $count / 20, "enough of them were good ($accepted)";
}

cmp_ok((verify('stream', candidate('stream', 1)))[0], 'eq', 'ok',
    'an unchanged token passes');

###############################################################################

# the second implementation

sub acceptable {
    my ($token, $use) = @_;

    return 0 if length $token > 2048;

    my ($header, $claims, $mac) =
        $token =~ /\A([\w-]{1,128})\.([\w-]+)\.([\w-]{43})\z/a or return 0;

    my $h = object(unbase64url($header)) or return 0;
    return 0 unless join(' ', sort keys %$h) eq 'alg kid typ'
        && $h->{alg} eq '"HS256' && $h->{typ} eq '"JWT'
        && $h->{kid} =~ /\A"(.*)\z/s && ($use{$1} // '') eq $use;

    my $right = base64url(hmac_sha256("$header.$claims", $secret{$1}));
    return 0 unless $right eq $mac;

    my $c = object(unbase64url($claims)) or return 0;
    return 0 unless ($c->{typ} // '') eq "\"$kind{$use}"
        && uuid($c->{sub}) && jti($c->{jti})
        && integer($c->{iat}) && integer($c->{exp})
        && $c->{iat} >= 0 && $c->{exp} > $c->{iat}
        && $c->{exp} - $c->{iat} <= $life{$use};

    if ($use eq 'stream') {
        return 0 unless within($c->{gen}, 1);
    } elsif ($use eq 'playback') {
        return 0 unless uuid($c->{ten}) && within($c->{pur}, 1)
            && within($c->{ep}, 0) && range($c->{fr}, $c->{to});
    } else {
        return 0 unless uuid($c->{ten}) && uuid($c->{sid})
            && ($c->{rol} // '') =~ /\A"(admin|operator|viewer|api_only)\z/;
    }

    return $c->{iat} <= $now + 60 && $c->{exp} > $now ? 1 : 0;
}

sub uuid {
    my $value = $_[0] // '';
    return $value =~ /\A"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z/i;
}

sub jti {
    my ($text) = ($_[0] // '') =~ /\A"([\w-]{22})\z/a or return 0;
    return base64url(unbase64url($text) // '') eq $text;
}

sub integer {
    return defined $_[0] && $_[0] =~ /\A-?(0|[1-9]\d{0,17})\z/a;
}

sub within {
    my ($value, $min) = @_;
    return integer($value) && $value >= $min && $value <= 4294967295;
}

# the members of one JSON object as they are written, strings decoded behind
# a quotation mark; undef when it is not JSON or names a member twice

sub object {
    my ($text) = @_;
    my %members;

    my $space = qr/[ \t\r\n]*/;

    return undef unless defined $text && utf8::decode(my $copy = $text);
    return undef unless $text =~ /\G$space\{$space/gc;
    return {} if $text =~ /\G\}$space\z/gc;

    for (;;) {
        $text =~ /\G((?&string))$space:$space(?(DEFINE)$grammar)/gc
            or return undef;
        my $name = unquote($1) // return undef;
        $text =~ /\G((?&value))$space(?(DEFINE)$grammar)/gc or return undef;
        my $raw = $1;

        return undef if exists $members{$name} || !sound($raw);
        $members{$name} = $raw =~ /\A"/ ? '"' . unquote($raw) : $raw;

        next if $text =~ /\G,$space/gc;
        return $text =~ /\G\}$space\z/gc ? \%members : undef;
    }
}

# what is JSON by its grammar and yet refused, however deep it lies: integers
# that do not fit 64 bits, NUL in strings, names that are there twice

sub sound {
    my ($raw) = @_;

    return defined unquote($raw) if $raw =~ /\A"/;
    return defined object($raw) if $raw =~ /\A\{/;
    return defined object(numbered($raw)) if $raw =~ /\A\[/;

    if (my ($digits) = $raw =~ /\A-?(\d+)\z/a) {
        return sprintf('%20s', $digits) le ' 9223372036854775807';
    }

    return 1;
}

# an array as an object, so that one parser serves both

sub numbered {
    my ($text) = $_[0] =~ /\A\[(.*)\]\z/s;
    my ($n, $out) = (0, '');

    while ($text =~ /\G\s*((?&value))\s*,?(?(DEFINE)$grammar)/gc) {
        $out .= ($n ? ',' : '') . '"' . $n++ . "\":$1";
    }

    return "{$out}";
}

sub unquote {
    my ($text) = $_[0] =~ /\A"(.*)"\z/s or return undef;
    my %plain = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");

    return undef if $text =~ /\\u0000/ || $text =~ /\\u[dD][89a-fA-F]/;
    $text =~ s/\\(?:u([0-9a-fA-F]{4})|(.))/
        defined $1 ? chr hex $1 : $plain{$2} \/\/ $2/gesx;

    return $text;
}

sub base64url {
    my $text = encode_base64($_[0], '');
    $text =~ tr{+/}{-_};
    $text =~ s/=+\z//;
    return $text;
}

sub unbase64url {
    my ($text) = @_;

    (my $plain = $text) =~ tr{-_}{+/};
    my $bytes = decode_base64($plain . '=' x (-length($plain) % 4));

    return length($text) % 4 != 1 && base64url($bytes) eq $text ? $bytes : undef;
}

# a bound that is absent is 0

sub range {
    my ($from, $to) = @_;

    return 0 if grep { defined && !(integer($_) && $_ > 0) } $from, $to;
    return !defined $to || $to > ($from // 0);
}

# what they are asked

sub candidate {
    my ($use, $unchanged) = @_;

    my $kid = pick(grep { $use{$_} eq $use } sort keys %use);
    my $header = [ alg => '"HS256"', kid => "\"$kid\"", typ => '"JWT"' ];
    my $claims = [
        typ => "\"$kind{$use}\"", sub => "\"$camera\"",
        jti => '"' . base64url(join '', map { chr rand 256 } 1 .. 16) . '"',
        iat => $now - 30, exp => $now + 3000,
        $use eq 'stream' ? (gen => 1 + int rand 9)
            : $use eq 'playback' ? (ten => "\"$camera\"", pur => 1, ep => 0,
                bounds())
            : (ten => "\"$camera\"", sid => "\"$camera\"", rol => '"viewer"'),
    ];

    if (!$unchanged && rand() < 0.85) {
        mutate($header) if rand() < 0.4;
        mutate($claims) if rand() < 0.6;
    }

    my @parts = map { '{' . members(@$_) . '}' } $header, $claims;

    if (!$unchanged && rand() < 0.1) {
        my $i = int rand 2;
        $parts[$i] = pick("$parts[$i] ", " $parts[$i]", "$parts[$i]}",
            "[$parts[$i]]", '', '{}', '{', "\xef\xbb\xbf$parts[$i]",
            "$parts[$i]\0", substr($parts[$i], 0, rand length $parts[$i]));
    }

    my $text = join '.', map { base64url($_) } @parts;
    my $secret = $unchanged || rand() < 0.9 ? $secret{$kid}
        : pick('', 'S', 'S' x 31, values %secret);

    $text .= '.' . base64url(hmac_sha256($text, $secret));

    return $unchanged || rand() < 0.8 ? $text : scratch($text);
}

sub bounds {
    my @bounds = (fr => 1000 * ($now - 50), to => 1000 * ($now - 20));

    return rand() < 0.5 ? () : rand() < 0.7 ? @bounds
        : rand() < 0.5 ? @bounds[0, 1] : @bounds[2, 3];
}

sub members {
    my @list = @_;
    my @pairs;

    while (my ($name, $value) = splice @list, 0, 2) {
        push @pairs, ($name =~ /\A"/ ? $name : "\"$name\"") . ":$value";
    }

    return join ',', @pairs;
}

sub mutate {
    my ($list) = @_;

    my $at = 2 * int rand @$list / 2;
    my ($name, $value) = @$list[$at, $at + 1];
    my $what = rand;

    my @values = (
        qw(0 -1 1 1.5 1e3 -0 00 01 +1 null true [] {} "" "1" NaN 1. .5),
        qw(4294967295 4294967296 9223372036854775807 18446744073709551616),
        qw("none" "None" "nOnE" "hs256" "HS512" "jwt" "at+jwt" "\\u0000"),
        qw("sk+jwt" "pb+jwt" "s1" "s0" "p1" "a1" "s1x" "H\\u0053256"),
        qw("HS25\\u0036" "admin" "Admin" "api_only" "root" "\\u0061dmin"),
        qw("\\ud800" "\\x41" [[[1]]] {"a":1} "ä"), "\"\xff\"", "\"\t\"",
        '{"a":1,"a":2}', '[{"a":[{"b":1,"b":2}]}]',
        '"s1\' OR 1=1--"', $now, $now - 1000, $now + 1000, $now + 40 * 86400,
        $now + 400 * 86400, "$now.0", "\"$now\"", $now + 30, $now + 90,
        $now - 86400 * 30, '[' x 40 . ']' x 40,
    );

    if ($what < 0.5) {
        $list->[$at + 1] = pick(@values);
    } elsif ($what < 0.6) {
        splice @$list, $at, 2;
    } elsif ($what < 0.7) {
        push @$list, $name, pick($value, @values);
    } elsif ($what < 0.8) {
        push @$list, pick(qw(crit jwk jku nbf aud x)), pick(@values);
    } elsif ($what < 0.9) {
        $list->[$at] = pick(uc $name, "\"\\u00" . sprintf('%02x', ord $name)
            . substr($name, 1) . '"', "\"$name\\u0000\"", " $name");
    } else {
        push @$list, splice @$list, $at, 2;
    }
}

# damage to the finished text

sub scratch {
    my ($text) = @_;

    my $at = int rand length $text;
    my $what = rand;

    if ($what < 0.4) {
        substr $text, $at, 1, pick('A' .. 'Z', 'a' .. 'z', 0 .. 9, '-', '_');
    } elsif ($what < 0.6) {
        $text = substr $text, 0, $at;
    } elsif ($what < 0.7) {
        substr $text, $at, 0, pick(qw(. = + / A), ' ', "\0", "\x80");
    } elsif ($what < 0.8) {
        $text .= pick('=', '.', ' ', 'A', '.A', "\0", "\r");
    } elsif ($what < 0.9) {
        $text = substr $text, $at;
    } else {
        $text = join '', map { chr 33 + rand 94 } 1 .. rand 3000;
    }

    return $text;
}

sub pick {
    return $_[rand @_];
}

# as long, and of bytes that differ as a random one's do

sub secret {
    my ($first, $length) = @_;

    return join '', map { chr ord($first) + $_ } 0 .. $length - 1;
}

# the first implementation

sub write_keys {
    my $path = tempdir('camera-XXXXXX', TMPDIR => 1, CLEANUP => 1)
        . '/keys.json';

    open my $f, '>', $path or die "open() failed: $!";
    chmod 0600, $path;
    print $f encode_json({ keys => [ map { {
        kid => $_, use => $use{$_}, k => base64url($secret{$_}),
        sign => $_ =~ /1/ ? JSON::PP::true : JSON::PP::false,
    } } sort keys %secret ] });
    close $f;

    return $path;
}

sub verify {
    my ($use, @tokens) = @_;

    open my $f, '>', "$keys.tokens" or die "open() failed: $!";
    print $f map { "$_\n" } @tokens;
    close $f;

    my $kind = $use eq 'stream' ? 'publish' : $use;
    my $answer = `CAMERA_ENV=/dev/null CAMERA_KEYS=$keys $bin/camera verify \\
        --json --kind $kind < $keys.tokens`;

    return map { $_->{verdict} } @{ decode_json($answer) };
}
