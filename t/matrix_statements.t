#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for two layers that keep tenants apart in the database.  Every statement
# that the API sent for one tenant, with the same parameters, is sent again for
# another one, and for none, on one connection: it answers and changes nothing of
# the first.  Then each function that runs with its owner's rights, whom no
# row-level security stops, is made to forget who asks: the same calls must show
# it, or nobody would have noticed.  Functions that run with the caller's rights
# are made to forget it as well: there, row-level security still holds.

use strict;
use warnings;

use Camera::Matrix;
use Camera::Test;
use List::Util qw(first);
use POSIX qw(strftime);
use Test::More;

my $t = Camera::Test->new(workers => 1);
$t->skip_without(qw(nginx postgres migrations camera_api_database));

# what comes before a tenant is known, or serves all of them; nothing of it is
# found by an id that a client chose

my %before = (
    api_user_for_login => 'by the name that somebody types',
    api_session_open   => 'after the password was right',
    api_session_check  => 'by the session in a signed token',
    api_token_check    => 'by the hash of an API token',
    api_session_rotate => 'by the hash of a refresh token',
    api_session_close  => 'likewise',
    api_register       => 'makes a tenant',
    api_identity_login => 'by whom a provider has named and signed',
    api_audit_login_failed => 'of the user whose name somebody typed',
    api_audit_denied => 'writes that who asks may not, into their own log',
    api_node_heartbeat => 'of this server itself',
    api_metrics_add => 'of the cameras that publish to this server',
    api_playback_ends => 'ids alone, of whose playback this server ends',
    api_tokens_used => 'of the API tokens that this server has taken',
    granted_cameras    => 'of the grantee who asks, who sees less by it',
    granted_camera_groups => 'likewise',
);

# what works without a tenant, too, on what no client chooses

my %for_none = (
    api_session_end  => 'logging out, by the session in a signed token',
    api_password_set => 'of oneself; a request without a user never comes to it',
);

# where a statement asks row-level security first, so that none of another tenant
# comes to a function: what would be sent, if one did

my %direct = (
    api_recording_audit_add => "SELECT api_recording_audit_add(NULL, NULL,
        '%s', NULL, 'delete')",
);

# requests besides those of the matrix, for statements that it does not reach

my @more = (
    map({ [ GET => $_ ] } '/cameras/of-a', '/cameras?isActive=true',
        '/recordings?sort=startTime',
        '/cameras/of-a/stream/hls?from='
            . strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - 60)),
        map { "/cameras/elsewhere/$_" } qw(snapshot status stream/hls)),
    [ POST => '/auth/logout', '{"refreshToken":"' . 'x' x 43 . '"}' ],
);

$t->start_postgres(log_min_duration_statement => -1);
$t->migrate;

my $m = Camera::Matrix->new($t);
my ($one, $two) = @$m{qw(a b)};
prepare();

# the database as it is before anything was asked, to ask it again there

delete $m->{owner};
$t->psql({ user => 'postgres', database => 'postgres' },
    'CREATE DATABASE again TEMPLATE camera');
$m->{owner} = $t->pg_session('camera_owner');

my $code = join "\n", map { $t->read_file($_) }
    sort glob $t->root . '/ngx_camera_api/*.c';
my @calls = calls();
my $again = $t->pg_session('postgres', 'again');
my %secret = map { ($_ => 1) } $one->{mark}, ids($one->{id});
my $sums = sums_query();

###############################################################################

my %called = map { ($_->{name} => 1) } @calls;
my @source = statements();
cmp_ok(scalar @source, '>', 50, @source . ' statements in the sources');
is_deeply([ grep { !$called{$_} && !$before{$_} } @source ], [],
    'each was sent for the first tenant');

# as they are: on one connection, for the first tenant, for the other, for none

my (@silent, @told, %seen);

for my $call (grep { !exempt($_) } @calls) {
    $seen{ $call->{name} } ||= 0;
    $seen{ $call->{name} }++ if shows($call, $one->{id});

    for my $who ($two->{id}, $for_none{ $call->{name} } ? () : '') {
        my $shown = shows($call, $who);
        push @told, "$call->{name} for " . ($who ? 'the other' : 'none')
            . ": $shown" if $shown;
    }
}

is(join("\n", @told), '', 'nothing of one tenant for another, or for none');
cmp_ok(scalar(grep { $_ } values %seen), '>', 0.8 * keys %seen,
    'and something of it for itself')
    or diag(join ' ', grep { !$seen{$_} } sort keys %seen);

# with functions that forget who asks

for my $function (functions('prosecdef')) {
    my ($name) = $function->{name} =~ /^(\w+)/;

    if ($before{$name}) {
        pass("$name: $before{$name}");
        next;
    }

    my @calling = (calling($name), direct($name));

    ok(@calling && (first { forgetful($function, $_) } @calling)
        || !@calling && $code !~ /\b$name\b/,
        "$name: who asks is looked at, and this test would notice");
    is(join(' ', grep { $_ } map { shows($_, $two->{id}) } direct($name)), '',
        "$name: called by the other one") if $direct{$name};
}

for my $function (functions('NOT prosecdef')) {
    my ($name) = $function->{name} =~ /^(\w+)/;
    my @told = grep { $_ } map { forgetful($function, $_) } calling($name);

    is("@told", '', "$name: forgets who asks, which changes nothing");
}

$t->done_testing;

###############################################################################

# something that goes by age, names, and a camera that this node does not know

sub prepare {
    $m->sql("UPDATE tenants SET retention_days = 1");
    $m->sql("UPDATE cameras SET external_id = 'of-a'
        WHERE id = '$one->{camera}'");
    $m->sql("UPDATE cameras SET external_id = 'elsewhere' WHERE id = '"
        . Camera::Matrix::Recipes::camera($m, $one) . "'");
    $m->sql("DELETE FROM stream_keys WHERE camera_id = (SELECT id FROM cameras
        WHERE external_id = 'elsewhere')");
}

# what the API sends for an administrator of the first tenant, as the server logs
# it; who ends a session, does it last

sub calls {
    $t->psql({ user => 'postgres' }, "ALTER ROLE camera_api
        SET log_statement = 'all'");
    $t->nginx_conf(api => '', Camera::Matrix->conf);
    $t->start_nginx;
    $t->wait_api;

    my ($admin) = grep { $_->{name} eq 'admin of a' } $m->principals;
    my $recipes = \%Camera::Matrix::Recipes::requests;
    my @cases = sort { order($a) cmp order($b) } grep { $_->{who} == $admin
        && $_->{id} =~ /^(?:own|all)$/ } $m->cases;

    $m->request($_->[0], "/api/v1$_->[1]", [ @{ $admin->{headers} },
        'Content-Type: application/json' ], $_->[2]) for @more;

    # what is only sent for somebody who may not do something, or not log in

    my ($viewer) = grep { $_->{name} eq 'viewer of a' } $m->principals;
    $m->request('DELETE', '/api/v1/cameras/of-a', $viewer->{headers});
    $m->request('POST', '/api/v1/auth/login', [ 'Content-Type: application/json' ],
        qq({"username":"$viewer->{user}{username}","password":"wrong horse 1"}));

    my ($grantee) = grep { $_->{other} } $m->principals;
    $m->request(GET => "/api/v1/cameras$_", $grantee->{headers})
        for '', "/$one->{camera}/status";
    $m->request(GET => '/api/v1/events', $grantee->{headers}, undef, 1);

    # as they are found, and nobody made anew, so that ids are those of before

    for my $case (@cases) {
        $m->ask({ %$case, expect => 400 })
            unless $case->{op}{endless} || $case->{op}{good} == 101;
    }

    $t->stop_nginx;

    return logged($t->{postgres}->log);
}

sub order {
    my ($case) = @_;

    my $op = $case->{op};
    my $recipe = $Camera::Matrix::Recipes::requests{ $op->{id} } // {};

    return ($recipe->{renew} ? 2 : $op->{method} eq 'DELETE' ? 1 : 0)
        . $op->{id};
}

# [ name, sql, parameters as they are written in SQL ] of each execution

sub logged {
    my ($log) = @_;

    my (@calls, %once);

    while ($log =~ /camera_api\ LOG:\ \ execute\ (api_\w+):\ (.*)\n
        (?:.*DETAIL:\ \ parameters:\ (.*)\n)?/xgi)
    {
        my ($name, $sql, $parameters) = ($1, $2, $3 // '');
        next if $once{"$name $parameters"}++;
        push @calls, { name => $name, sql => $sql, parameters =>
            [ $parameters =~ /\$\d+ = (NULL|'(?:[^']|'')*')/g ] };
    }

    return @calls;
}

sub statements {
    return sort $code =~ /\bngx_camera_api_statement_t\s+\w+\s*=\s*\{
        \s*"(\w+)"/xg;
}

sub direct {
    my ($name) = @_;

    return unless $direct{$name};
    return { name => $name, parameters => [],
        sql => sprintf $direct{$name}, $one->{camera} };
}

sub exempt {
    my ($call) = @_;

    return scalar grep { $call->{sql} =~ /\b$_\b/ } keys %before;
}

# what somebody of that tenant is shown of the first one, or does to it, by a
# call; in a transaction that is taken back

sub shows {
    my ($call, $tenant, @first) = @_;

    my $values = join ', ', @{ $call->{parameters} };
    my @sql = ('BEGIN', @first, "SELECT set_config('app.tenant', '$tenant', true)",
        'SET LOCAL ROLE camera_api', "PREPARE call AS $call->{sql}",
        'EXECUTE call' . (length $values ? "($values)" : ''));
    my $rows;

    for (@sql) {
        $rows = $again->ask($_);
        last if $again->state ne '00000';
    }

    # row-level security may say so; no other statement is wrong

    die "$sql[-1]: $rows" if $again->state =~ /^(?:42|26)(?!501)/;
    my $failed = $again->state ne '00000';
    my $what = !$failed && (grep { $secret{$_} } $rows
        =~ /$one->{mark}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g)
        ? 'rows' : '';

    unless ($failed) {
        $again->ask('RESET ROLE');
        $what .= ' changes' if $again->ask($sums) ne unchanged();
    }

    $again->ask($_) for 'ROLLBACK', 'DEALLOCATE ALL';

    return $what;
}

my $unchanged;

sub unchanged {
    unless (defined $unchanged) {
        my $before = $t->pg_session('postgres', 'again');
        $unchanged = $before->ask($sums);
    }

    return $unchanged;
}

# of all rows of the first tenant

sub sums_query {
    my @tables = map { [ $_, 'tenant_id' ] } tenant_tables();

    return 'SELECT string_agg(s, chr(32)) FROM (' . join(' UNION ALL ', map {
        "SELECT md5(string_agg(x::text, '|' ORDER BY x::text)) AS s
            FROM $_->[0] x WHERE $_->[1] = '$one->{id}'" } [ 'tenants', 'id' ],
        @tables) . ') t';
}

sub tenant_tables {
    return split /\n/, $m->sql("SELECT c.relname FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relnamespace = 'public'::regnamespace ORDER BY 1");
}

# ids that are in rows of the first tenant alone

sub ids {
    my %of;

    for my $tenant ($one, $two) {
        my $rows = join ' ', $tenant->{id}, map { $m->sql("SELECT x::text
            FROM $_ x WHERE tenant_id = '$tenant->{id}'") } tenant_tables();
        $of{$_}{ $tenant->{id} } = 1
            for $rows =~ /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
    }

    return grep { !$of{$_}{ $two->{id} } } keys %of;
}

# functions that the API may call and that know of tenants, with their text

my %functions;

sub functions {
    my ($which) = @_;

    return @{ $functions{$which} } if $functions{$which};

    my @found;

    for my $name (split /\n/, $m->sql("SELECT p.oid::regprocedure FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f'
            AND has_function_privilege('camera_api', p.oid, 'EXECUTE')
            AND p.prorettype <> 'trigger'::regtype AND ($which)
            AND p.proname !~ '^(session|current|default)_'
        ORDER BY 1"))
    {
        my $text = definition($name);
        push @found, { name => $name, text => $text }
            if $which eq 'prosecdef' || forgotten($text) ne $text;
    }

    $functions{$which} = \@found;

    return @found;
}

sub definition {
    my ($name) = @_;

    return $m->sql("SELECT pg_get_functiondef('$name'::regprocedure)");
}

# the same, asked by the first tenant whoever asks

sub forgotten {
    my ($text) = @_;

    return $text =~ s/\b(?:session|current)_tenant\(\)/'$one->{id}'::uuid/gr;
}

sub forgetful {
    my ($function, $call) = @_;

    my @texts = map { forgotten($_) } $function->{text}, called_by($function);

    return shows($call, $two->{id}, grep { /\Q$one->{id}/ } @texts);
}

# those that it leaves the question to

my @askers;

sub called_by {
    my ($function) = @_;

    my ($own) = $function->{name} =~ /^(\w+)/;

    @askers = map { { name => $_, text => definition($_) } } split /\n/, $m->sql(
        "SELECT p.oid::regprocedure FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f'
            AND pg_get_functiondef(p.oid) ~ '(session|current)_tenant\\(\\)'
            AND p.proname !~ '^(session|current|default)_'") unless @askers;

    return map { $_->{text} } grep { $_->{name} =~ /^(\w+)/ && $1 ne $own
        && $function->{text} =~ /\b$1\(/ } @askers;
}

# calls that come to a function, by another one or by a view, too

my %text;

sub calling {
    my ($name) = @_;

    my %way = ($name => 1);
    %text = map { (/^(\w+)\t/ ? ($1 => $_) : ()) } split /\n/, $m->sql(
        "SELECT p.proname, replace(pg_get_functiondef(p.oid), chr(10), ' ')
            FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
            AND p.prokind = 'f'
        UNION ALL SELECT viewname, replace(definition, chr(10), ' ')
            FROM pg_views WHERE schemaname = 'public'") unless %text;
    my $n = 0;

    while ($n != keys %way) {
        $n = keys %way;
        my $any = join '|', keys %way;
        $way{$_} = 1 for grep { $text{$_} =~ /\b(?:$any)\b/ } keys %text;
    }

    my $any = join '|', keys %way;

    return grep { $_->{sql} =~ /\b(?:$any)\b/ } @calls;
}
