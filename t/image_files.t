#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for Dockerfile, .dockerignore and compose.yaml without an engine: what
# they name exists, nothing runs as root, no secret is a setting, and whoever
# has to come back does.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Camera::Test;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx worker cli));
eval { require YAML::XS; 1 } or plan(skip_all => 'no YAML::XS');

my $root = $t->root;
my $dockerfile = read_lines('Dockerfile');
my @steps = map { [ split ' ', $_, 2 ] } @$dockerfile;
my @last = @steps[ last_from() .. $#steps ];

# the base, by a tag, from nowhere in particular

my ($base) = map { /^ARG DEBIAN=(\S+)$/ } @$dockerfile;
like($base, qr/^debian:bookworm(?:-\w+)*$/, 'base is pinned by a tag');

my %stage = ('${DEBIAN}' => 1);

for my $from (map { $_->[1] } grep { $_->[0] eq 'FROM' } @steps) {
    my ($image, undef, $name) = split ' ', $from;
    ok($stage{$image}, "FROM $from");
    $stage{ $name // '' } = 1;
}

for my $file (qw(Dockerfile compose.yaml), glob "$root/deploy/image/*") {
    my $text = $t->read_file($file =~ m{^/} ? $file : "$root/$file");
    unlike($text, qr{https?://(?!127\.0\.0\.1|\$)}, "$file names no host");
}

# the last stage: no root, no shell between engine and process

my ($user) = of('USER') =~ /^(\d+):\d+$/;
cmp_ok($user // 0, '>', 0, 'a user without rights, by number');
is(of('STOPSIGNAL'), 'SIGQUIT', 'is stopped in order');
like(of('HEALTHCHECK'), qr{CMD curl .*/readyz"}, 'says how it is');
is(of('CMD'), '["nginx"]', 'nginx by default');
like(of('EXPOSE'), qr/^8080 8443 1936$/, 'ports');

my ($entrypoint) = of('ENTRYPOINT') =~ /^\["([^"]+)"\]$/;
my $script = $t->read_file(local_path($entrypoint));
like($script, qr/\nexec "\$\@"\n\z/, 'entrypoint becomes the process');

# packages: fresh lists, nothing that was not asked for, nothing left

for my $run (grep { $_->[1] =~ /apt-get install/ } @steps) {
    like($run->[1], qr/^apt-get update .* --no-install-recommends /,
        'packages of fresh lists, alone');
    like($run->[1], qr{rm -rf /var/lib/apt/lists/\*}, 'lists are removed');
}

my %package = map { ($_ => 1) } map { split ' ', $_->[1] }
    grep { $_->[1] =~ /apt-get install/ } @last;

# psql and libc are part of others
my %there = map { ($_ => 1) } qw(libc6 libcrypt1 libssl3);

for my $file ("$root/bin/camera", "$root/bin/camera-worker",
    glob "$root/build/objs/ngx_camera_*.so")
{
    my @missing = grep { !$there{$_} && !$package{$_} } packages_of($file);
    is("@missing", '', "libraries of $file") unless $ENV{CAMERA_MODULE};
}

# what it copies is there and travels

my @ignored = grep { !/^#/ } @{ read_lines('.dockerignore') };
my @copied = map { my @words = split ' ', $_->[1]; pop @words; @words }
    grep { $_->[0] eq 'COPY' && $_->[1] !~ /^--from/ } @steps;

for my $path (grep { $_ ne '.' } @copied) {
    ok(-e "$root/$path", "$path exists");
    is((grep { $path eq $_ || $path =~ m{^\Q$_\E/} } @ignored), 0,
        "$path is not ignored");
}

is((grep { !/[*.]/ && $_ !~ /^(?:bin|build|docs|t|var)$/ && !-e "$root/$_"
    && !m{^html/} } @ignored), 0, 'what is ignored exists');

###############################################################################

# compose.yaml

my $text = $t->read_file("$root/compose.yaml");
my $compose = merged(YAML::XS::Load($text));
my $service = $compose->{services};
my @ours = grep { $service->{$_}{image} =~ /^camera-platform/ }
    sort keys %$service;
my %known = map { ($_ => 1) } $text =~ /\$\{(\w+)/g;
my $scripts = join '', map { $t->read_file($_) } glob "$root/deploy/image/*";

is("@ours", 'camera camera-worker demo migrate mock-camera nginx secrets',
    'services of ours');
like($service->{postgres}{image}, qr/^postgres:15\b/, 'PostgreSQL 15');
like($service->{redis}{image}, qr/^redis:7\b/, 'Redis 7');

for my $name (@ours) {
    my $s = $service->{$name};
    my $target = ref $s->{build} ? $s->{build}{target} : undef;

    ok($s->{read_only}, "$name: read-only");
    is("@{ $s->{cap_drop} } @{ $s->{security_opt} }",
        'ALL no-new-privileges:true', "$name: no rights");
    ok(!$s->{user} && !$s->{privileged} && !$s->{cap_add},
        "$name: none given back");
    ok(!$target || $stage{$target}, "$name: stage");

    my ($command) = @{ $s->{command} // [] };
    like($script, qr/^(?:\w+\|)*\Q$command\E(?:\|\w+)*\)$/m,
        "$name: entrypoint knows \"$command\"") if $command;
    is($s->{entrypoint}[0], $entrypoint, "$name: entrypoint")
        if $s->{entrypoint};

    for my $variable (sort keys %{ $s->{environment} // {} }) {
        like($scripts . $t->read_file("$root/docs/cli.md"),
            qr/\b$variable\b/, "$name: $variable is read");
    }
}

# secrets are files; a camera's key is a name in an address

for my $name (sort keys %$service) {
    my @settings = grep { /PASSWORD|SECRET|TOKEN|KEY/ && !/_FILE$/
        && $_ ne 'CAMERA_KEY' } keys %{ $service->{$name}{environment} // {} };
    is("@settings", '', "$name: no secret is a setting");
}

# what runs for long comes back, and is looked after

my %once = map { ($_ => 1) } qw(camera demo migrate secrets);

for my $name (sort keys %$service) {
    my $s = $service->{$name};

    is($s->{restart} // '', $once{$name} ? '' : 'unless-stopped',
        "$name: restart");
    ok($once{$name} || $name eq 'nginx' || $name eq 'mock-camera'
        || $s->{healthcheck}{test}, "$name: health");

    # an engine does not start these again after a restart of the other's
    unlike(join(' ', map { $s->{$_} // '' } qw(pid network_mode ipc)),
        qr/service:/, "$name: no namespace of another's") unless $once{$name};

    for my $on (sort keys %{ $s->{depends_on} // {} }) {
        my $condition = $s->{depends_on}{$on}{condition};

        ok($service->{$on}, "$name: after $on");
        is($condition eq 'service_completed_successfully', !!$once{$on},
            "$name: $on is $condition");
    }
}

# volumes: named, used, and with a place in the image

my %used;

for my $name (sort keys %$service) {
    for my $mount (@{ $service->{$name}{volumes} // [] }) {
        my ($volume, $place) = split /:/, $mount;
        $used{$volume}++;
        next unless $service->{$name}{image} eq 'camera-platform';
        ok((grep { $_->[1] =~ m{\Q$place\E(?:\s|$)} } @last),
            "$name: the image has $place");
    }
}

is(join(' ', sort keys %used), join(' ', sort keys %{ $compose->{volumes} }),
    'volumes');

my $tmpfs = $compose->{volumes}{camera}{driver_opts};
is($tmpfs->{type}, 'tmpfs', 'live video lies in memory');
like($tmpfs->{o}, qr/^size=\S+,uid=$user,gid=$user,mode=0750$/,
    'of a size, for our user alone');

is((grep { /^camera:/ } @{ $service->{$_}{volumes} }), 1,
    "$_ shares it") for qw(nginx camera-worker);

# the page about it

my $page = $t->read_file("$root/docs/docker.md");
like($page, qr/`$_`/, "docs/docker.md has $_")
    for sort(keys %known), sort(keys %$service), sort keys %used;

$t->done_testing;

###############################################################################

# what "<<" names comes into a map, beneath what the map says itself

sub merged {
    my ($value) = @_;

    return [ map { merged($_) } @$value ] if ref $value eq 'ARRAY';
    return $value unless ref $value eq 'HASH';

    my %own = %$value;
    my $base = delete $own{'<<'} // {};

    return { map { ($_ => merged($own{$_} // $base->{$_})) } keys %own,
        keys %$base };
}

# lines without comments, continued ones as one

sub read_lines {
    my ($file) = @_;

    my $text = $t->read_file("$root/$file");
    $text =~ s/^#.*\n//mg;
    $text =~ s/\\\n\s*/ /g;
    $text =~ s/[ ]+/ /g;

    return [ grep { /\S/ } split /\n/, $text ];
}

sub last_from { return (grep { $steps[$_][0] eq 'FROM' } 0 .. $#steps)[-1] }

sub of {
    my ($instruction) = @_;

    my @found = grep { $_->[0] eq $instruction } @last;
    return @found ? $found[-1][1] : '';
}

# where an installed file comes from

sub local_path {
    my ($path) = @_;

    return $root . '/' . ($path =~ m{^/usr/local/share/camera/(.*)})[0];
}

# the packages of the libraries that a file names itself

sub packages_of {
    my ($file) = @_;

    my @names = grep { !/^ld-linux/ }
        $t->run('objdump', '-p', $file) =~ /NEEDED +(\S+)/g;
    my %path = $t->run('ldd', $file) =~ m{^\s*(\S+) => (/\S+)}mg;
    my %package;

    for my $path (map { $path{$_} // "/none/$_" } @names) {
        # usrmerge: a package may name either
        my ($owner) = map { /^([^:,]+)/ } grep { !/^dpkg-query/ }
            split /\n/, $t->run({ may_fail => 1 }, 'dpkg', '-S',
                $path =~ s{^/usr/lib/}{/lib/}r, $path =~ s{^/lib/}{/usr/lib/}r);
        $package{ $owner // $path } = 1;
    }

    return sort keys %package;
}
