package Camera::Matrix;

# Copyright (C) The nginx camera platform authors

# Who may do what with whose things: every operation of openapi.yaml, asked by
# every kind of principal about every kind of id.  What must be answered follows
# from the contract and the table of roles, never from the code.

use strict;
use warnings;

use Camera::Contract;
use Camera::HTTP;
use Camera::Matrix::Recipes;
use Camera::Token qw(base64url random_bytes random_uuid);
use JSON::PP;

=head1 NAME

Camera::Matrix - the authorisation matrix

=head1 SYNOPSIS

    $t->start_api;
    my $m = Camera::Matrix->new($t);

    is_deeply([ $m->without_recipe ], []);

    for my $case (grep { $_->{expect} >= 400 } $m->cases) {
        my $r = $m->ask($case);
        is($r->{status}, $case->{expect}, $m->name($case));
    }

=head1 METHODS

=over

=item new($t, %options)

Two tenants with a mark of their own, a, who asks, and b; a user of each role,
and all the ways not to be one.  With C<tokens>, API tokens, too: of each single
permission, and of a user whose role has fallen.

=cut

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

my @malformed = ('x', '0', '-', 'a' x 101, '%27%20OR%20%271%27%3D%271',
    '00000000-0000-4000-8000-00000000000g', '%C3%A4%E2%82%AC');

sub new {
    my ($class, $t, %opt) = @_;

    my $self = bless {
        %opt,
        t        => $t,
        contract => Camera::Contract->new($t->root . '/openapi.yaml'),
        owner    => $t->pg_session('camera_owner'),
        json     => $json,
    }, $class;

    $self->_volume;

    for (qw(a b)) {
        my $mark = "mark-of-$_-" . unpack 'H*', random_bytes(8);
        my $tenant = { mark => $mark, id => $t->add_tenant("tenant-$mark") };
        $tenant->{camera} = Camera::Matrix::Recipes::camera($self, $tenant);
        $self->{$_} = $tenant;
    }

    $self->_ungranted;

    $self->{principals} = [ $self->_principals ];

    $self->_make_all($_) for sort keys %Camera::Matrix::Recipes::objects;

    for my $tenant (qw(a b c)) {
        $self->{ids}{$_}{$tenant} = $self->{$tenant}{camera}
            for ':cameraId', '/cameras/:id';
    }

    return $self;
}

# without one nothing is recorded or exported

sub _volume {
    my ($self) = @_;

    $self->{volume} = random_uuid();
    $self->sql("INSERT INTO volumes (id, node, path, state, bytes_total,
        bytes_free) VALUES ('$self->{volume}', 'matrix', '/matrix', 'ok',
        1000000000000, 1000000000000)");
}

# things of a camera that is not granted to those who see granted ones alone; they
# are what another tenant's are for everybody else

sub _ungranted {
    my ($self) = @_;

    my $c = { %{ $self->{a} }, mark => 'mark-of-c-' . unpack 'H*', random_bytes(8) };
    $c->{camera} = Camera::Matrix::Recipes::camera($self, $c);
    $self->{c} = $c;
}

# one of each tenant, or one of each user when it is the user's own

sub _make_all {
    my ($self, $kind) = @_;

    for my $who (grep { $_->{may} } $self->principals) {
        my ($name, $user) = ($who->{tenant}, $who->{user}{id});

        $self->{ids}{$kind}{$user} = $self->_make($kind, $self->{$name}, $who)
            if $Camera::Matrix::Recipes::personal{$kind};
        $self->{ids}{$kind}{$name} //= $self->{ids}{$kind}{$user}
            // $self->_make($kind, $self->{$name}, $who);
        $self->{ids}{$kind}{c} //= $self->_make($kind, $self->{c}, $who);
    }
}

=item sql($statement)

As the owner, over one connection; dies when it fails.

=cut

sub sql {
    my ($self, $statement) = @_;

    my $answer = $self->{owner}->ask($statement);
    die "$statement: $answer" if $self->{owner}->state ne '00000';

    return $answer;
}

=item conf

What nginx_conf() needs: no limits in the way, and everything that an operator
has to switch on.

=cut

sub conf {
    return (http => join '', 'keepalive_requests 100000;'
        . 'camera_api_register on; camera_api_register_limit 100000r/h;',
        map { "camera_api_$_ 1000000r/m;" } qw(limit address_limit login_limit));
}

=item principals

Each has C<name>, C<tenant> (a or b), C<headers> and either C<may> (a hash of
permissions) or none, when nobody is to believe it.  C<renew> makes another one
of its kind; C<other> is c of who sees granted cameras only; C<api_token> is 1 of
one who is not a person.

=cut

sub principals { @{ $_[0]{principals} } }

sub _principals {
    my ($self) = @_;

    my @all = ($self->_nobody, $self->_ended);

    for (sort keys %Camera::Matrix::Recipes::roles) {
        my $role = $_;
        push @all, $self->_user("$role of a", $self->{a}, $role);
    }

    push @all, $self->_user("admin of a, b's tenant in the token", $self->{a},
        'admin');
    $all[-1]{headers} = ['Authorization: Bearer ' . $self->{t}->access_token(
        %{ $all[-1]{user} }, tenant => $self->{b}{id})];

    return @all, $self->_grantee, $self->_user('admin of b', $self->{b}, 'admin'),
        $self->{tokens} ? $self->_tokens : ();
}

# API tokens, sent in either way: each of an administrator with one permission of
# all that they have, and one with all permissions of who is a viewer by now

sub _tokens {
    my ($self) = @_;

    my @all = map { $self->_token("token for $_", $_) }
        @{ $Camera::Matrix::Recipes::roles{admin} };
    my $fallen = $self->_token("a viewer's token for all", '*');

    $fallen->{may} = { map { ($_ => 1) }
        @{ $Camera::Matrix::Recipes::roles{viewer} } };
    $self->sql("UPDATE users SET role = 'viewer'
        WHERE id = '$fallen->{user}{id}'");

    return @all, $fallen;
}

sub _token {
    my ($self, $name, $permission) = @_;

    my $owner = $self->_user($name, $self->{a}, 'admin');
    my $r = $self->request('POST', '/api/v1/tokens', [ @{ $owner->{headers} },
        'Content-Type: application/json' ], $json->encode({ name => $name,
        permissions => [$permission], rateLimit => 1_000_000 }));
    my $token = eval { $json->decode($r->{body})->{token} }
        // die "no $name: $r->{status} $r->{body}";

    delete $owner->{renew};

    return { %$owner, may => { $permission => 1 }, api_token => 1,
        headers => [ ++$self->{unique} % 2 ? "X-API-Key: $token"
            : "Authorization: Bearer $token" ] };
}

# credentials that are none, or of another kind

sub _nobody {
    my ($self) = @_;

    my $t = $self->{t};
    my $user = $self->_add_user('admin', $self->{a});
    my $camera = { id => $self->{a}{camera},
        tenant => $self->{a}{id}, generation => 1, epoch => 1 };
    my $token = sub { $t->access_token(%$user, @_) };
    my %bearer = (
        'garbage'          => 'x.y.z',
        'another secret'   => $token->(secret => 'k' x 32),
        'no signature'     => $token->(header => { alg => 'none' }),
        'expired'          => $token->(claims => { iat => time - 900,
                                                   exp => time - 120 }),
        'not yet valid'    => $token->(claims => { iat => time + 86400,
                                                   exp => time + 87000 }),
        'unknown session'  => $token->(sid => random_uuid()),
        'stream key'       => $t->token(camera => $camera),
        'playback token'   => $t->token(camera => $camera, use => 'playback'),
        'refresh token'    => $user->{refresh},
    );

    return { name => 'nobody', headers => [] },
        map { { name => $_, tenant => 'a', headers =>
            ["Authorization: Bearer $bearer{$_}"] } } sort keys %bearer;
}

# who was somebody

sub _ended {
    my ($self) = @_;

    my %end = (
        'revoked session'  => "SELECT api_session_end('%s', 'logout')",
        'disabled user'    => "UPDATE users SET is_active = false WHERE id =
            (SELECT user_id FROM user_sessions WHERE id = '%s')",
        'turned api_only'  => "UPDATE users SET role = 'api_only' WHERE id =
            (SELECT user_id FROM user_sessions WHERE id = '%s')",
    );

    return map {
        my $one = $self->_user($_, $self->{a}, 'admin');
        $self->sql(sprintf $end{$_}, $one->{user}{sid});
        delete @$one{qw(may renew)};
        $one;
    } sort keys %end;
}

sub _grantee {
    my ($self) = @_;

    my $one = $self->_user('viewer of a, one camera granted', $self->{a},
        'viewer');

    $self->sql("UPDATE users SET camera_scope = 'granted'
        WHERE id = '$one->{user}{id}'");
    $self->sql("INSERT INTO camera_grants (tenant_id, user_id, camera_id)
        VALUES ('$self->{a}{id}', '$one->{user}{id}', '$self->{a}{camera}')");

    return { %$one, other => 'c', renew => sub { $self->_grantee } };
}

sub _user {
    my ($self, $name, $tenant, $role) = @_;

    my $user = $self->_add_user($role, $tenant);
    my %may = map { ($_ => 1) } @{ $Camera::Matrix::Recipes::roles{$role} };

    return {
        name    => $name,
        tenant  => $tenant == $self->{a} ? 'a' : 'b',
        user    => $user,
        may     => \%may,
        headers => ["Authorization: Bearer $user->{token}"],
        renew   => sub { $self->_user($name, $tenant, $role) },
    };
}

sub _add_user {
    my ($self, $role, $tenant) = @_;

    return $self->{t}->add_user(role => $role, tenant => $tenant->{id},
        username => 'u' . ++$self->{unique} . "-$tenant->{mark}", password => 1);
}

sub _make {
    my ($self, $kind, $tenant, $who) = @_;

    return $Camera::Matrix::Recipes::objects{$kind}->($self, $tenant, $who);
}

=item without_recipe

What openapi.yaml has and nobody wrote a line for: ids of an unknown kind, bodies
and required arguments without an example.

=cut

sub without_recipe {
    my ($self) = @_;

    my @wrong;

    for my $op ($self->{contract}->operations) {
        push @wrong, map { "$op->{id}: no maker of $_" }
            grep { !$Camera::Matrix::Recipes::objects{$_} } path_ids($op);
        push @wrong, "$op->{id}: no example of its body"
            if $op->{body} && !ref $op->{example};
        push @wrong, map { "$op->{id}: no example of $_" }
            grep { !defined $op->{examples}{$_} } keys %{ $op->{required} };
    }

    my %known = map { ($_->{id} => 1) } $self->{contract}->operations;
    push @wrong, map { "$_ is no operation" } grep { !$known{$_} }
        sort keys %Camera::Matrix::Recipes::requests;

    return @wrong;
}

# the kinds of the ids in a path, in their order: keys of %objects

sub path_ids {
    my ($op) = @_;

    my @kinds;
    my $path = '';

    for my $part (split m{(?=/)}, $op->{path}) {
        $path .= $part;
        next unless $part =~ m{^/(:\w+)$};
        push @kinds, $Camera::Matrix::Recipes::objects{$path} ? $path
            : $Camera::Matrix::Recipes::objects{$1} ? $1 : $path;
    }

    return @kinds;
}

=item cases

All of them: C<op>, C<who>, C<id> (own, other, unknown or malformed, with the
place of the id behind it when it is not the first; all: a list without a filter),
and C<expect>, the status.

=cut

sub cases {
    my ($self) = @_;

    my @cases;

    for my $op ($self->{contract}->operations) {
        for my $who ($self->principals) {
            push @cases, map { { op => $op, who => $who, id => $_,
                expect => $self->expected($op, $who, $_) } } id_kinds($op);
        }
    }

    return @cases;
}

sub id_kinds {
    my ($op) = @_;

    my @ids = path_ids($op);
    my @places = @ids ? ('', map { " $_" } 2 .. @ids)
        : names_camera($op) ? ('') : ();

    return ($op->{query}{cameraId} ? 'all' : (), 'own', map { my $place = $_; map { "$_$place" }
        qw(other unknown malformed) } @places);
}

# a camera that is named in a query or a body, not in the path

sub names_camera {
    my ($op) = @_;

    return !path_ids($op) && ($op->{query}{cameraId}
        || $json->encode($op->{example}) =~ /"cameraId":/) ? 1 : 0;
}

=item expected($op, $who, $id)

The status that the contract wants.

=cut

sub expected {
    my ($self, $op, $who, $id) = @_;

    my $status = ($Camera::Matrix::Recipes::requests{ $op->{id} } // {})->{status}
        // {};
    my @keys = ("$who->{name}, $id", $who->{name},
        $who->{api_token} ? 'API token' : ());
    my ($known) = grep { $_ } @$status{@keys};
    return $known if $known;

    unless ($op->{public} eq 'public') {
        return 401 unless $who->{may};
        return 403 if $op->{needs} && !$who->{may}{ $op->{needs} }
            || $op->{interactive} && $who->{api_token};
    }

    return $status->{$id} if $status->{$id};
    return $op->{good} if $id eq 'own' || $id eq 'all';
    return 404 if path_ids($op);
    return 400 if $id eq 'malformed';
    return $op->{query}{cameraId} ? $op->{good} : 404;
}

=item ask($case)

Sends the request of a case over one connection and answers as Camera::HTTP, with
C<json>.  Of a stream only the head is read.

=cut

sub ask {
    my ($self, $case) = @_;

    my $op = $case->{op};
    my $recipe = $Camera::Matrix::Recipes::requests{ $op->{id} } // {};
    my $good = $case->{expect} < 300;
    my $who = $good ? $self->_asks($case->{who}, $recipe->{renew}) : $case->{who};
    my $fresh = $good && ($recipe->{fresh} || $op->{method} eq 'DELETE');

    my ($path, $ids) = $self->_path($op, $who, $case->{id}, $fresh);
    my $body = $self->_body($op, $recipe, $who, $ids);
    my @headers = (@{ $who->{headers} }, upgrade($op),
        defined $body ? 'Content-Type: application/json' : ());

    $path = "/api/v1$path" unless $path =~ m{^/api/};

    my $r = $self->request($op->{method}, $path, \@headers, $body,
        $good && ($op->{endless} || $op->{good} == 101));
    $case->{asked} = "$path " . ($body // '');
    $r->{json} = eval { $json->decode($r->{body}) };

    return $r;
}

# who asks: with headers as they are, for whom nobody believes, but with
# the name and the tokens of somebody

sub _asks {
    my ($self, $who, $renew) = @_;

    my ($good) = $who->{may} ? $who : grep { $_->{may} } $self->principals;
    $good = $good->{renew}->() if $renew && $good->{renew};

    return { %$who, user => $good->{user},
        headers => $who->{may} ? $good->{headers} : $who->{headers} };
}

sub upgrade {
    my ($op) = @_;

    return $op->{good} != 101 ? () : ('Upgrade: websocket',
        'Connection: Upgrade', 'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==');
}

# over the connection that is there, as long as it lasts

sub request {
    my ($self, $method, $path, $headers, $body, $endless) = @_;

    for my $try (1, 2) {
        my $s = delete $self->{socket}
            // Camera::HTTP::connect_to($self->{t}->port('http'));

        local $SIG{PIPE} = 'IGNORE';
        print $s join "\r\n", "$method $path HTTP/1.1", 'Host: localhost',
            @$headers, defined $body ? 'Content-Length: ' . length $body : (),
            '', $body // '';

        my $r = Camera::HTTP::read_response($s, time + 10, $endless);
        next if $r->{status} == 0 && $try == 1;
        $self->{socket} = $s unless $endless
            || ($r->{headers}{connection} // '') =~ /close/i;

        return $r;
    }
}

# the path of a request, and the ids of this case by their kind

sub _path {
    my ($self, $op, $who, $id, $fresh) = @_;

    my ($what, $place) = $id =~ /^(\w+)(?: (\d))?$/;
    my $path = $op->{path};
    my $n = 0;

    for my $kind (path_ids($op)) {
        my $is = ++$n == ($place // 1) ? $what : 'own';
        my $value = $self->_id($kind, $is, $who, $fresh);
        $path =~ s/:\w+/$value/;
    }

    my $recipe = $Camera::Matrix::Recipes::requests{ $op->{id} } // {};
    my %query = (%{ $recipe->{query} // {} }, map { ($_ => $op->{examples}{$_}) }
        keys %{ $op->{required} });
    my $camera = $self->_id(':cameraId', names_camera($op) ? $what : 'own', $who);

    $query{cameraId} = $camera if $op->{query}{cameraId} && $what ne 'all';

    return ($path . (%query ? '?' . join '&', map { "$_=$query{$_}" }
        sort keys %query : ''), $camera);
}

# whose things another one's are

sub theirs {
    my ($who) = @_;

    return $who->{other} // (($who->{tenant} // 'a') eq 'a' ? 'b' : 'a');
}

sub _id {
    my ($self, $kind, $what, $who, $fresh) = @_;

    my $own = $who->{tenant} // 'a';
    my $other = theirs($who);

    return random_uuid() if $what eq 'unknown';
    return $malformed[ $self->{malformed}++ % @malformed ]
        if $what eq 'malformed';
    return $self->{ids}{$kind}{$other} if $what eq 'other';
    return $self->_make($kind, $self->{$own}, $who) if $fresh;
    return $self->{ids}{$kind}{ ($who->{user} // {})->{id} // '' }
        // $self->{ids}{$kind}{$own};
}

sub _body {
    my ($self, $op, $recipe, $who, $camera) = @_;

    return if !$op->{body} || exists $recipe->{body} && !$recipe->{body};

    my $user = $who->{user} // {};
    my %word = (
        ':unique'    => 'word-' . ++$self->{unique},
        ':email'     => "word-$self->{unique}\@example.org",
        ':camera'    => $self->{ids}{':cameraId'}{ $who->{tenant} // 'a' },
        ':username'  => $user->{username},
        ':password'  => $self->{t}->password,
        ':password2' => $self->{t}->password . '2',
        ':refresh'   => $user->{refresh},
    );

    return $json->encode(filled(
        { %{ $op->{example} // {} }, %{ $recipe->{body} // {} } },
        \%word, $camera));
}

# with words for what begins with a colon, and this camera for every cameraId

sub filled {
    my ($data, $word, $camera) = @_;

    return [ map { filled($_, $word, $camera) } @$data ]
        if ref $data eq 'ARRAY';
    return { map { ($_ => $_ eq 'cameraId' ? $camera
        : filled($data->{$_}, $word, $camera)) } keys %$data }
        if ref $data eq 'HASH';

    return defined $data && exists $word->{$data} ? $word->{$data} : $data;
}

=item name($case), bytes($answer)

A case in words; an answer without what differs for a good reason: time, limits
and the id of the request.

=cut

sub name {
    my ($self, $case) = @_;

    return "$case->{op}{id} by $case->{who}{name}, $case->{id}";
}

sub bytes {
    my ($r) = @_;

    my $text = "$r->{header}\n$r->{body}";
    $text =~ s/^(?:Date|RateLimit|X-Request-Id): .*\n//mgi;
    $text =~ s/"(?:timestamp|requestId)":"[^"]*"//g;

    return $text;
}

=item sums

A checksum of each table that belongs to tenants, by its name.

=cut

sub sums {
    my ($self) = @_;

    my @tables = split /\n/, $self->sql("SELECT table_name
        FROM information_schema.columns
        JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_schema = 'public' AND column_name = 'tenant_id'
            AND table_type = 'BASE TABLE'");

    # what is refused is audited, too, and an API token was used for it

    return { map { ($_ => $self->sql("SELECT md5(string_agg(x, '|' ORDER BY x))
        FROM (SELECT (to_jsonb(t) - 'last_used_at')::text AS x FROM $_ t) AS u")) }
        grep { !/^audit_|^api_token_usage$/ } @tables };
}

=back

=cut

1;
