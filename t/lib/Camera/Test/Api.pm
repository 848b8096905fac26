package Camera::Test::Api;

# Copyright (C) The nginx camera platform authors

# The REST API of a test: its users, their tokens, requests and answers.

use strict;
use warnings;

use Camera::Token qw(base64url jwt random_bytes random_uuid);
use Digest::SHA qw(sha256_hex);
use JSON::PP;

=head1 NAME

Camera::Test::Api - the control plane of Camera::Test

=head1 SYNOPSIS

    $t->start_api;                                  # PostgreSQL and nginx
    my $viewer = $t->add_user(role => 'viewer');
    my $r = $t->api_get('/cameras', token => $viewer->{token});
    is($r->{status}, 200);
    is(scalar @{ $r->{json} }, 0);

    $r = $t->api(POST => '/cameras', token => $viewer->{token},
        json => { name => 'gate' });
    is($r->{code}, 'AUTH_INSUFFICIENT_PERMISSIONS');

=head1 METHODS

=over

=item start_api(%options)

PostgreSQL with migrations and nginx with the API, which takes queries when it
returns.  Options are those of nginx_conf, and C<env> that of start_nginx.

=cut

sub start_api {
    my ($self, %conf) = @_;

    my $env = delete $conf{env};

    $self->start_postgres unless $self->{postgres};
    $self->migrate;
    $self->nginx_conf(api => '', %conf);
    $self->start_nginx($env);
    $self->wait_api;
}

=item wait_api

1 when every worker of nginx has its connections: no request for an unknown
session is answered 503.

=cut

sub wait_api {
    my ($self) = @_;

    my $probe = $self->access_token(sid => random_uuid());
    my $good = 0;

    return $self->wait_for(sub {
        my $r = $self->api_get('/cameras', token => $probe);
        $good = $r->{status} == 401 ? $good + 1 : 0;
        $good >= 4 * $self->{workers};
    }, 10, 'the API');
}

=item api_send($path, $token)

A request whose answer nobody waits for yet; answers its socket.

=cut

sub api_send {
    my ($self, $path, $token) = @_;

    my $s = Camera::HTTP::connect_to($self->port('http'));
    print $s "GET /api/v1$path HTTP/1.1\r\nHost: localhost\r\n"
        . "Authorization: Bearer $token\r\n\r\n";

    return $s;
}

=item metric($name)

The value of a line of the page of metrics, which the configuration has at
C</metrics>, by its name and labels.

=cut

sub metric {
    my ($self, $name) = @_;

    my ($value) = $self->http_get('/metrics')->{body} =~ /^\Q$name\E (\S+)$/m;

    return $value;
}

=item wait_running($n)

1 when so many requests have passed the limits and were not answered yet.

=cut

sub wait_running {
    my ($self, $n) = @_;

    return $self->wait_for(
        sub { $self->metric('camera_api_requests_running') == $n }, 5,
        "$n requests that run");
}

=item wait_for_the_hour

Windows of limits, and days, end with an hour of the clock: in its last minute
this waits for the next one, so that none ends in mid-test.

=cut

sub wait_for_the_hour {
    sleep 1 while time % 3600 > 3540;
}

=item add_tenant([$slug])

Adds a tenant by SQL and answers its id.

=cut

sub add_tenant {
    my ($self, $slug) = @_;

    $slug //= 'tenant-' . ++$self->{tenants};

    return $self->sql("INSERT INTO tenants (slug, name)"
        . " VALUES ('$slug', '$slug') RETURNING id");
}

=item add_user(%options)

Adds a user by SQL and answers C<id, tenant, username, role, sid, token>: the
user has a session and an access token for it.  Options: C<role> (admin),
C<tenant>, C<username>, C<email>, C<password> (1: it is that of password());
without the latter no password fits.

=item password

The password of users who have one.  Its hash was made beforehand, because one
costs a quarter of a second.

=cut

sub password { 'correct horse 1' }

my $hash = '$2b$12$rYmxhgceiYDqeMH9oGjXeObsnm9XhKxt1f5Bb6bVjQKzpn5b4FOhy';

sub add_user {
    my ($self, %opt) = @_;

    my $n = ++$self->{users};
    my %user = (role => 'admin', username => "user$n", %opt);
    my %column = (
        username      => $user{username},
        password_hash => $opt{password} ? $hash : '$2b$12$' . '.' x 53,
        role          => $user{role},
        $opt{tenant} ? (tenant_id => $opt{tenant}) : (),
        $opt{email} ? (email => $opt{email}) : (),
    );
    my @names = sort keys %column;

    @user{qw(id tenant)} = split /\t/, $self->sql(sprintf
        'INSERT INTO users (%s) VALUES (%s) RETURNING id, tenant_id',
        join(', ', @names), join(', ', map { "'$_'" } @column{@names}));

    return \%user if $user{role} eq 'api_only';

    $user{sid} = $self->open_session(\%user);
    $user{token} = $self->access_token(%user);

    return \%user;
}

=item open_session($user)

A session of the user, as a login opens it; answers its id.  The refresh token
is kept as C<refresh> of the user.

=cut

sub open_session {
    my ($self, $user) = @_;

    $user->{refresh} = base64url(random_bytes(32));

    return $self->sql(sprintf
        q{SELECT api_session_open('%s', '\\x%s', 86400, 'test', '127.0.0.1')},
        $user->{id}, sha256_hex($user->{refresh}));
}

=item access_token(%options)

Signs an access token.  C<id>, C<tenant>, C<sid> and C<role> are whose it is,
as add_user answers them; C<claims>, C<header>, C<kid> and C<secret> are those
of token(), to make it wrong.

=cut

sub access_token {
    my ($self, %opt) = @_;

    my $key = $self->key($opt{kid} // 'access');

    my %header = (alg => 'HS256', kid => $key->{kid}, typ => 'JWT',
        %{ $opt{header} // {} });
    my %claims = (
        typ => 'at+jwt',
        sub => $opt{id} // random_uuid(),
        ten => $opt{tenant} // random_uuid(),
        sid => $opt{sid} // random_uuid(),
        rol => $opt{role} // 'admin',
        jti => base64url(random_bytes(16)),
        iat => time,
        exp => time + 900,
        %{ $opt{claims} // {} },
    );

    for my $part (\%header, \%claims) {
        delete @$part{ grep { !defined $part->{$_} } keys %$part };
    }

    return jwt($opt{secret} // Camera::Token::unbase64url($key->{k}),
        \%header, \%claims);
}

=item api($method, $path, %options)

A request; the path is what follows C</api/v1>, or C<base>.  Options: C<token>,
C<json> (encoded as the body), C<body> (as it is), C<headers> and whatever
Camera::HTTP takes.  Of the answer, C<json> is the body decoded and C<code>
that of an error.

=cut

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

sub api {
    my ($self, $method, $path, %opt) = @_;

    my ($token, $data) = delete @opt{qw(token json)};
    my @headers = @{ delete $opt{headers} // [] };

    push @headers, "Authorization: Bearer $token" if defined $token;

    if (defined $data) {
        $opt{body} = $json->encode($data);
        push @headers, 'Content-Type: application/json';
    }

    my $port = delete $opt{port} // 'http';
    $port = $self->port($port) if $port =~ /\D/;

    my $base = delete $opt{base} // '/api/v1';
    my $r = Camera::HTTP::get($port, $base . $path, method => $method,
        headers => \@headers, %opt);

    if (($r->{headers}{'content-type'} // '') =~ m{^application/json}) {
        $r->{json} = eval { $json->decode($r->{body}) };
        $r->{code} = $r->{json}{error}{code} if ref $r->{json} eq 'HASH'
            && ref $r->{json}{error} eq 'HASH';
    }

    return $r;
}

=item api_get($path, %options)

=cut

sub api_get {
    my ($self, @args) = @_;

    return $self->api(GET => @args);
}

=back

=cut

1;
