#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for who may have which media: every kind of URL of live pictures,
# recordings and exports, with what was signed for every camera and with every
# credential of another kind.  Nothing opens anything but what it was signed
# for, and another tenant's camera answers like one that is not there.

use strict;
use warnings;

use Camera::Back;
use Camera::Playback;
use Camera::Store;
use Camera::Test;
use Camera::Token qw(base64url random_bytes random_uuid);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx camera_recordings camera_hls));
$t->nginx_conf(Camera::Playback->conf($t));
$t->start_nginx;

# two cameras of one tenant and one of another, each with live pictures, a
# recording and an export; the same times and numbers, so that all that differs
# in a URL is the camera and what was signed

my $store = Camera::Store->new($t);
my $tenant = random_uuid();
my %camera = (
    own     => $store->camera(segments => 4, tenant => $tenant),
    sibling => $store->camera(segments => 4, tenant => $tenant),
    theirs  => $store->camera(segments => 4),
);
my $start = int(time - 3600);
my %export = map { ($_ => make_export($_)) } sort keys %camera;
my %url = map { ($_ => urls($camera{$_}, $export{$_})) } sort keys %camera;
my @kinds = sort keys %{ $url{own} };

# in a path, besides those three

my %nobody = (unknown => random_uuid(), malformed => 'x');

###############################################################################

# the kinds are those that the parsers of URIs know

my %parsed = map { (lc $_ => 1) } map { $t->read_file($t->root . "/common/$_")
    =~ /\bCAM_(PLAY_[A-Z]+|RECORD_[A-Z]+)(?: = 1)?,?\n/g }
    qw(play_uri.h record_uri.h);
is_deeply([ grep { !/^record_download$/ } @kinds ], [ sort keys %parsed ],
    'every kind of URL is asked for');

# what was signed for a camera, at every camera's path

my $asked = 0;

for my $kind (@kinds) {
    my (@wrong, %answers);

    for my $holder (sort keys %camera) {
        for my $at (sort keys %camera, keys %nobody) {
            my $r = ask(moved($url{$holder}{$kind}, $holder, $at));
            my $ok = $r->{status} =~ /^20[06]$/ ? 1 : 0;

            push @wrong, "signed for $holder, at $at: $r->{status}"
                if $ok != ($holder eq $at) || $r->{status} >= 500;
            $answers{$holder}{$at} = bytes($r);
        }
    }

    is("@wrong", '', "$kind: what it was signed for, and nothing else");
    is($answers{own}{theirs}, $answers{own}{unknown},
        "$kind: another tenant's is unknown");
    is($answers{theirs}{own}, $answers{theirs}{unknown}, 'and the other way');
}

# credentials of another kind, or no longer good

my $camera = $camera{own};
my $p = Camera::Playback->new($t, $camera);
my %token = (
    'none'             => undef,
    'empty'            => '',
    'garbage'          => 'eyJ.eyJ.x',
    'stream key'       => $t->token(camera => $camera),
    'access token'     => $t->access_token(tenant => $tenant),
    'refresh token'    => base64url(random_bytes(32)),
    'expired'          => playback(iat => time - 1800, exp => time - 900),
    'not yet valid'    => playback(iat => time + 500, exp => time + 900),
    'another secret'   => playback(secret => random_bytes(32)),
    'no signature'     => playback(header => { alg => 'none' }),
    'revoked'          => playback(ep => 0),
    'a purpose of none' => playback(pur => 9),
);
my %session = (
    'none'             => undef,
    'empty'            => '',
    'garbage'          => 'A' x 64,
    'a token'          => playback(),
    'of live pictures' => argument($url{own}{play_live}, 's'),
    'of recordings'    => argument($url{own}{record_media}, 's'),
    'over'             => $p->session(from => 1000 * $start,
                              to => 1000 * $start + 60_000, ends => time - 1),
    'revoked'          => revoked(),
);

for my $kind (@kinds) {
    my ($name, $others) = $kind =~ /master/ ? (token => \%token)
        : $url{own}{$kind} =~ /[?&]s=/ ? (s => \%session) : (m => \%session);
    my @wrong;

    for my $what (sort keys %$others) {
        next if $what eq 'of live pictures' && $kind =~ /^play/
            || $what eq 'of recordings' && $kind =~ /^record/;

        my $r = ask(changed($url{own}{$kind}, $name, $others->{$what}));
        push @wrong, "$what: $r->{status}" if $r->{status} !~ /^40[0134]$/;
    }

    is("@wrong", '', "$kind: " . keys(%$others) . ' wrong credentials');
}

# purposes

is(ask(changed($url{own}{play_master}, 'token', playback(pur => 2)))->{status},
    403, 'no live pictures with a token for recordings');
is(ask(changed($url{own}{record_master}, 'token', playback(pur => 1)))->{status},
    403, 'and the other way');

# no header opens what a URL does not

for my $kind (@kinds) {
    my $r = ask($url{own}{$kind} =~ s/\?.*//r, "Authorization: Bearer "
        . $t->access_token(tenant => $tenant), 'Cookie: camera_refresh=x');
    is($r->{status}, 403, "$kind: a token of the API in a header");
}

cmp_ok($asked, '>', 250, "$asked requests");

$t->done_testing;

###############################################################################

sub ask {
    my ($path, @headers) = @_;

    $asked++;

    return $t->http_get($path, headers => [ @headers,
        $path =~ m{/[\w-]+/[^/?]+\.mp4\?s=} ? 'Range: bytes=0-99' : () ]);
}

# every kind of URL, as a player who was given a token or a link comes to them

sub urls {
    my ($camera, $export) = @_;

    my $p = Camera::Playback->new($t, $camera);
    my @range = (from => $start * 1000, to => $start * 1000 + 60_000);
    my $file = $t->make_recording($camera, start => $start);
    my $list = $p->playlist(@range);
    my $live = $store->session($camera);
    my $text = $t->http_get($live)->{body};
    my %uri = (
        play_init    => $text =~ /URI="(init[^"]+)/,
        play_segment => $text =~ /^(\d+\.m4s\S+)/m,
        play_part    => $text =~ /URI="(\d+\.1\.m4s[^"]+)/,
    );

    return {
        map({ ($_ => "/hls/$camera->{id}/$uri{$_}") } keys %uri),
        play_master     => $store->entrance($camera),
        play_live       => $live,
        play_back       => back($camera),
        record_master   => $p->entrance(@range),
        record_media    => $p->{media},
        record_file     => "$p->{path}/$list->{pieces}[0]{uri}",
        record_download => $p->download(start => $file->{start}),
        record_export   => $p->download(id => $export),
        record_manifest => $p->download(id => $export, suffix => 'json'),
    };
}

# the live list that reaches back

sub back {
    my ($camera) = @_;

    my $back = Camera::Back->new($t, $camera);
    my $begin = int(time - 20);

    $t->make_recording($camera, start => $begin, count => 24);
    $back->start(from => 1000 * $begin);

    return $back->{media};
}

sub make_export {
    my ($name) = @_;

    my $id = random_uuid();
    my $dir = $t->volume . '/exports';

    $t->_service_dir($t->volume);
    $t->run({ user => 'www-data' }, 'mkdir', '-p', $dir);

    for my $suffix (qw(mp4 json)) {
        $t->write_file("$dir/$id.$suffix", "of $name");
        $t->give_to_service("$dir/$id.$suffix");
    }

    return $id;
}

# the same URL at the path of another camera, whose export is another one

sub moved {
    my ($url, $from, $to) = @_;

    my $id = $camera{$to} ? $camera{$to}{id} : $nobody{$to};
    my $export = $export{$to} // random_uuid();

    return $url =~ s/\Q$camera{$from}{id}/$id/r =~ s/\Q$export{$from}/$export/r;
}

# with another value of an argument, or without it

sub changed {
    my ($url, $name, $value) = @_;

    return defined $value ? $url =~ s/([?&]$name=)[^&]*/$1$value/r
        : $url =~ s/([?&])$name=[^&]*&?/$1/r;
}

sub argument {
    my ($url, $name) = @_;

    return ($url =~ /[?&]$name=([^&]*)/)[0];
}

sub playback {
    my (%claims) = @_;

    return $t->token(camera => $camera, use => 'playback', %claims);
}

# a session of before "revoke --viewers"

sub revoked {
    return Camera::Playback->new($t, { %$camera, epoch => 0 })->session(
        from => 1000 * $start, to => 1000 * $start + 60_000);
}

sub bytes {
    my ($r) = @_;

    return $r->{header} =~ s/^Date:.*\r\n//mr . $r->{body};
}
