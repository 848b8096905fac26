#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for bin/camera user and tenant: who may log in then, what ends their
# sessions, what is refused, and that no password shows where it should not.

use strict;
use warnings;

use Camera::Test;
use Camera::Test::Cli;
use IPC::Open2;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(postgres migrations cli));

$t->start_postgres(log_statement => 'all');
$t->migrate;

my $cli = Camera::Test::Cli->new($t);
my $uuid = qr/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
my $generated = qr/[a-z2-9]{5}(?:-[a-z2-9]{5}){3}/;
my $r;

###############################################################################

# the first user of a tenant is its admin, others are viewers

like($cli->run(qw(user list))->{out}, qr/no users yet.*camera user add/,
    'empty list');

$r = $cli->run(qw(user add root --json));
is($r->{status}, 0, 'add');
like($r->{json}{id}, qr/^$uuid$/, 'id');
is($r->{json}{role}, 'admin', 'the first one is admin');
like($r->{json}{password}, qr/^$generated$/, 'a password is made up');

my $password = $r->{json}{password};

is(right('root', $password), 0, 'and is right');
is(right('ROOT', $password), 0, 'names have no case');
is(right('root', "${password}x"), 1, 'another one is not');
is(right('nobody', $password), 4, 'nobody');

like($t->sql(q{SELECT password_hash FROM users}), qr/^\$2b\$12\$/, 'bcrypt');

$r = $cli->run(qw(user add ada --email Ada@example.org --role operator
    --password-stdin --json), \"secret123\r\nnot read\n");
is($r->{status}, 0, 'add with a password');
is_deeply([ sort keys %{ $r->{json} } ], [qw(id role username)],
    'which is not repeated');
is(right('ada@EXAMPLE.org', 'secret123'), 0, 'by email, as S1 has it');

$r = $cli->run(qw(user add bob));
like($r->{out},
    qr/^added bob\n  id +$uuid\n  role +viewer\n  password +$generated\n$/,
    'add, for people');

is_deeply([ map { [ @$_{qw(username role email isActive tenant)} ] }
    @{ $cli->run(qw(user list --json))->{json}{users} } ],
    [ [ 'root', 'admin', undef, JSON::PP::true, 'default' ],
      [ 'ada', 'operator', 'Ada@example.org', JSON::PP::true, 'default' ],
      [ 'bob', 'viewer', undef, JSON::PP::true, 'default' ] ], 'list');
like($cli->run(qw(user list))->{out},
    qr/^active +operator +default +never +ada +Ada\@example\.org$/m,
    'list, for people');

# what is refused

refused([qw(add ROOT)], 'users have unique usernames');
refused([qw(add carl --email ADA@example.org)], 'users have unique emails');
refused(['add', 'a b'], 'usernames are words');
refused(['add', "x' OR 1=1 --"], 'usernames are words');
refused([qw(add carl --email nowhere)], 'user emails have one at sign');

for my $case ([ 'abc1' => '8 characters' ], [ 'abcdefgh' => 'letter and a digit' ],
    [ 'CaRl1234' => 'contain the username' ], [ 'a1' x 37 => '72 bytes' ],
    [ 'a1' x 400 => '72 bytes' ], [ "abc\tdef1" => 'control characters' ])
{
    my ($weak, $why) = @$case;

    $r = $cli->run(qw(user add carl --password-stdin), \"$weak\n");
    is($r->{status}, 5, $why);
    like($r->{err}, qr/^camera: the password must.*\Q$why\E/, 'says so');
    is(index($r->{err}, $weak), -1, 'does not repeat it');
}

is($cli->run(qw(user add carl --password-stdin))->{status}, 2, 'no password');
is($cli->run(qw(user add carl --role king))->{status}, 2, 'unknown role');
is($cli->run(qw(user add carl --tenant nowhere))->{status}, 4,
    'unknown tenant');
is($cli->run(qw(user role bob king))->{status}, 2, 'role: unknown role');
is($cli->run(qw(user role nobody admin))->{status}, 4, 'role: nobody');
is($cli->run('user', @$_)->{status}, 2, "user @$_")
    for [], ['add'], ['burn', 'bob'], [qw(list bob)], [qw(role bob)];
is($t->sql('SELECT count(*) FROM users'), 3, 'nobody else was added');

# sessions end with a password and with disable, not with a role

my %sid = map { $_ => open_session($_) } qw(root ada bob);

$r = $cli->run(qw(user password ada --json));
is($r->{status}, 0, 'password');
is($r->{json}{sessionsEnded}, 1, 'ends the sessions');
is(right('ada', 'secret123'), 1, 'the old one is wrong');
is(right('ada', $r->{json}{password}), 0, 'the new one is right');
is(live('ada'), 0, 'session of ada');

$r = $cli->run(qw(user password ada));
like($r->{out}, qr/^$generated\n$/, 'alone on standard output');
like($r->{err}, qr/ada has a new password; sessions ended: 0/, 'remark');
is($cli->run(qw(user password ada --password-stdin), \"ada-12345\n")->{status},
    5, 'password: policy');
is($cli->run(qw(user password ada --password-stdin), \"secret456\n")->{status},
    0, 'password of my own');
is(right('ada', 'secret456'), 0, 'is right');

is($cli->run(qw(user role bob operator))->{out}, "operator bob\n", 'role');
is(live('bob'), 1, 'session of bob');
is($t->sql("SELECT role FROM api_session_check('$sid{bob}')"), 'operator',
    'has the new role');

is($cli->run(qw(user disable bob))->{out}, "disabled bob\n", 'disable');
is(live('bob'), 0, 'session of bob has ended');
is(usable('bob'), 'f', 'no login');
is($cli->run(qw(user enable bob))->{out}, "enabled bob\n", 'enable');
is(usable('bob'), 't', 'login');
is(live('bob'), 0, 'the old session stays dead');
is(live('root'), 1, 'nobody else lost one');

# the last admin stays one, unless it is meant

for my $case ([qw(disable root)], [qw(role root viewer)]) {
    refused($case, 'tenants keep an admin');
}
is($t->sql("SELECT role, is_active FROM users WHERE username = 'root'"),
    "admin\tt", 'and is what it was');

is($cli->run(qw(user role bob admin))->{status}, 0, 'another one');
is($cli->run(qw(user disable root))->{out}, "disabled root\n",
    'then it may be disabled');
refused([qw(role bob viewer)], 'tenants keep an admin');
is($cli->run(qw(user role bob viewer --force))->{out}, "viewer bob\n",
    'by force');
is($cli->run(qw(user role bob operator))->{status}, 0,
    'who is no admin is let alone');
is($cli->run(qw(user enable root))->{status}, 0, 'the first one is back');

# tenants

$r = $cli->run(qw(tenant add acme), 'Acme GmbH', '--json');
is($r->{status}, 0, 'tenant add');
is($r->{json}{slug}, 'acme', 'slug');
is($cli->run(qw(tenant add acme Again))->{status}, 5, 'twice');
like($cli->run('tenant', 'add', 'A b', 'Acme')->{err},
    qr/tenant slugs are lower case words/, 'no slug');

is($cli->run(qw(user add eve --tenant acme --json))->{json}{role}, 'admin',
    'its first user is its admin');
is($cli->run(qw(add Gate --tenant acme))->{status}, 0, 'its camera');
is($cli->run(qw(add Gate --tenant nowhere))->{status}, 4,
    'camera: unknown tenant');
is($t->sql(q{SELECT t.slug FROM cameras c JOIN tenants t ON t.id = c.tenant_id
    WHERE c.name = 'Gate'}), 'acme', 'is in it');
is_deeply([ map { "@$_{qw(slug name cameras users)}" }
    @{ $cli->run(qw(tenant list --json))->{json}{tenants} } ],
    [ 'default Default 0 3', 'acme Acme GmbH 1 1' ], 'tenant list');
like($cli->run(qw(tenant list))->{out}, qr/^acme +1 +1  Acme GmbH$/m,
    'tenant list, for people');

# typed at a terminal, it does not show

SKIP: {
    skip 'no script(1)', 2 if system('script -V >/dev/null 2>&1');
    my $seen = typed('user', 'check', 'ada');
    like($seen, qr/password: .*right/s, 'asks for it');
    unlike($seen, qr/secret456/, 'does not show it');
}

# what the database writes down, with every statement and its parameters

my $log = $t->read_file($t->dir . '/postgres.log');
like($log, qr/\$1 = 'ada'/, 'the log has parameters');
unlike($log, qr/\Q$password\E|secret123|secret456/, 'and no password');

$t->done_testing;

###############################################################################

sub right {
    my ($name, $password) = @_;

    return $cli->run(qw(user check), $name, \"$password\n")->{status};
}

sub refused {
    my ($arguments, $why) = @_;

    my $r = $cli->run('user', @$arguments);
    is($r->{status}, 5, "refused: $why");
    like($r->{err}, qr/refused: $why/, "user @$arguments");
}

sub open_session {
    my ($name) = @_;

    return $t->sql("SELECT api_session_open(id, sha256(username::bytea), 3600,
        'test', '127.0.0.1') FROM users WHERE username = '$name'");
}

sub live {
    my ($name) = @_;

    return $t->sql("SELECT count(*) FROM api_session_check('$sid{$name}')");
}

sub usable {
    my ($name) = @_;

    return $t->sql("SELECT usable FROM api_user_for_login('$name')");
}

# what a terminal shows of the command when ada types her password

sub typed {
    my @argv = @_;

    local $ENV{CAMERA_ENV} = $t->env_file;
    my $command = join ' ', $t->program('camera'), @argv;
    my $pid = open2(my $screen, my $keys, 'script', '-qec', $command,
        '/dev/null');
    my $seen = '';

    # echo is off when it asks
    1 while $seen !~ /password: / && sysread $screen, $seen, 99, length $seen;
    syswrite $keys, "secret456\n";
    1 while sysread $screen, $seen, 99, length $seen;
    waitpid $pid, 0;

    return $seen;
}
