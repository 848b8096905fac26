#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for deploy/backup and deploy/restore: what was copied while it ran comes
# back into an empty instance, agrees, and plays; and nothing that is there is
# replaced.

use strict;
use warnings;

use Camera::Playback;
use Camera::Test;
use Camera::Test::Cli;
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations cli ffmpeg camera_recordings));

$t->start_postgres;
$t->migrate;

my $camera = $t->add_camera(name => 'gate');
my $start = int(time / 3600) * 3600 - 7200;
my @r = map { $t->add_recording($camera, start => $start + 20 * $_) } 0, 1;
$t->sql("UPDATE recordings SET locked = true, locked_reason = 'court'
    WHERE id = '$r[1]{id}'");
$t->write_file($r[1]{hold}, '');

my $cli = Camera::Test::Cli->new($t);
is($cli->run(qw(user add admin --password-stdin), \'secret123')->{status}, 0,
    'somebody');

my $conf = $t->dir . '/etc';
mkdir $_ for $conf, "$conf/conf";
$t->write_file("$conf/nginx.conf", "user nobody;\n");
$t->write_file("$conf/conf/camera.conf", "# mine\n");

my $backups = $t->dir . '/backups';
my $backup = $t->root . '/deploy/backup';
my $restore = $t->root . '/deploy/restore';

###############################################################################

# while it runs

my $first = backup();
ok(-d $first, 'a backup');
is((stat $first)[2] & 07777, 0700, 'for its owner alone');
is((stat "$first/$_")[2] & 077, 0, "$_, too") for qw(database.dump keys.json);
is($t->read_file("$first/volumes"), "$r[0]{volume} @{[ $t->volume ]}\n",
    'which volumes there are');
is($t->read_file("$first/keys.json"), $t->read_file($t->keys_file), 'keys');
is($t->read_file("$first/config/conf/camera.conf"), "# mine\n",
    'configuration');
is_deeply([ grep { /\/\./ } glob "$backups/.*" ],
    [ "$backups/.", "$backups/.." ], 'nothing half made');

# the next one shares what has not changed

unlink $r[0]{file}, $r[0]{index};
my $third = $t->make_recording($camera, start => $start + 60);
$t->wait_for(sub { time > (stat $first)[9] }, 3);    # names have seconds
my $second = backup();
is((stat copy($second, $r[1]))[1], (stat copy($first, $r[1]))[1], 'a link');
ok(!-e copy($second, $r[0]), 'without what was removed since');
ok(-e copy($first, $r[0]), 'which the older one has');
ok(-e copy($second, $third), 'with what is new');

# without keys, for a place that encrypted recordings are to be safe at

my $bare = backup('--no-keys', "$backups.bare");
ok(!-e "$bare/keys.json", 'no keys');
unlike($t->read_file("$bare/SHA256SUMS"), qr/keys/, 'nor a sum of them');
ok(-e copy($bare, $r[1]), 'recordings are there');

# into an empty instance

my $n = Camera::Test->new(workers => 1);
$n->start_empty_postgres;
my $keys = $n->dir . '/keys.json';
my $volume = "$r[0]{volume}=" . $n->volume;

is(status($n, '--keys', $keys, '--config', $n->dir . '/etc', '--volume',
    $volume, $second), 0, 'restored') or diag $n->{said};
like($n->{said}, qr/^row_missing .*$third->{path}/m, 'what is newer than rows');
like($n->{said}, qr/^file_missing .*$r[0]{path}/m, 'what was removed');

is($n->sql('SELECT count(*) FROM recordings'), 2, 'rows');
is($n->sql("SELECT locked FROM recordings WHERE id = '$r[1]{id}'"), 't',
    'the hold');
ok(-e $n->volume . '/' . $r[1]{path} =~ s/mp4$/hold/r, 'and its mark');
is($n->read_file($keys), $t->read_file($t->keys_file), 'keys');
is((stat $keys)[2] & 07777, 0600, 'for their owner alone');
is($n->read_file($n->dir . '/etc/nginx.conf'), "user nobody;\n",
    'configuration');

my %env = (CAMERA_ENV => '/dev/null', CAMERA_KEYS => $keys,
    CAMERA_DATABASE_URL => $n->database_url('camera_owner'));
is(Camera::Test::Cli->new($n, %env)->run(qw(user check admin), \'secret123')
    ->{status}, 0, 'somebody may log in');
is(Camera::Test::Cli->new($n, %env)->run('fsck', '--deep', '--volume',
    $n->volume)->{status}, 0, 'rows and files agree');
is_deeply([ $n->sql('SELECT name FROM schema_migrations ORDER BY name') ],
    [ $t->sql('SELECT name FROM schema_migrations ORDER BY name') ],
    'migrations');

# and plays

$n->{keys} = $t->{keys};
$n->run('chown', '-R', 'www-data:', $n->volume, $keys) if $> == 0;
$n->nginx_conf(Camera::Playback->conf($n));
$n->start_nginx;
$n->wait_for(sub { $n->knows($camera) }, 5, 'the camera');

my $p = Camera::Playback->new($n, { %$camera });
my $list = $p->playlist(from => $third->{start}, to => $third->{end});
my @numbers = $p->frames($list->{groups}[0]);
is("@numbers[0 .. 2] $#numbers", '0 1 2 299', 'a recording plays');

# refusals, before anything is done

my $o = Camera::Test->new;
$o->start_empty_postgres;
is(status($o, '--keys', $keys, $second), 1, 'a file of keys that is there');
like($o->{said}, qr/is there already/, 'says so');
is(status($o, '--volume', "$r[0]{volume}=" . $o->dir, $second), 1,
    'a directory that is not empty');
is(status($o, '--volume', "$camera->{id}=/tmp/x", $second), 1,
    'a volume that is not in it');
is(status($o, $o->dir), 1, 'no backup');
is(status($n, $second), 1, 'a database that is not empty');
like($n->{said}, qr/the database is not empty/, 'says so');
open my $dump, '>>', "$second/database.dump";
print $dump 'x';
close $dump;
is(status($o, $second), 1, 'a damaged backup');
like($o->{said}, qr/damaged, nothing was done/, 'says so');
is($o->sql(q{SELECT count(*) FROM pg_class WHERE relnamespace =
    'public'::regnamespace}), 0, 'and nothing was');

$t->stop_postgres;
is(status_of($backup, '--env', $t->env_file, $backups), 1, 'no database');
is(scalar(grep { -d } glob "$backups/*"), 2, 'no backup');

$t->done_testing;

###############################################################################

sub backup {
    my ($option, $to) = @_;
    my $text = $t->run($backup, '--env', $t->env_file, '--config', $conf,
        '--recordings', $option // (), $to // $backups);
    my ($dir) = $text =~ /(\S+)\n\z/;
    return $dir;
}

sub copy {
    my ($dir, $r) = @_;
    return "$dir/recordings/$r->{volume}/$r->{path}";
}

sub status {
    my ($of, @args) = @_;

    local $ENV{DATABASE_URL} = $of->database_url('camera_owner');
    $of->{said} = $of->run({ may_fail => 1 }, 'sh', '-c',
        '"$@"; echo "status $?"', 'sh', $restore, @args);
    my ($status) = $of->{said} =~ /status (\d+)\n\z/;
    return $status;
}

sub status_of {
    my ($status) = $t->run({ may_fail => 1 }, 'sh', '-c',
        '"$@"; echo "status $?"', 'sh', @_) =~ /status (\d+)\n\z/;
    return $status;
}
