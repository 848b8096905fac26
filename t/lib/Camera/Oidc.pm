package Camera::Oidc;

# Copyright (C) The nginx camera platform authors

# Identity providers of a test: a real one, one that answers what it is told,
# and what nginx needs to reach them: names, and an authority that it trusts.

use strict;
use warnings;

use Camera::Process;
use Camera::Token qw(base64url);
use IO::Socket::INET;
use JSON::PP;

=head1 NAME

Camera::Oidc - identity providers

=head1 SYNOPSIS

    my $oidc = Camera::Oidc->new($t);
    $t->start_api(server => $oidc->location,
        http => $oidc->directive('local', 'tenant=default'));
    $oidc->start_real;
    my $r = $oidc->browse($url, jar => 'ann');

    $oidc->start_hostile;
    $oidc->says(token => 200, { id_token => $oidc->token(nonce => $nonce) });

=head1 METHODS

=over

=item new($t)

Makes an authority and a certificate for C<idp.test>, and starts a name server
that knows this name.

=cut

sub new {
    my ($class, $t) = @_;

    my $self = bless { t => $t, dir => $t->dir . '/oidc' }, $class;

    mkdir $self->{dir};
    $self->_certificates;
    $self->_name_server;
    $t->write_file("$self->{dir}/secret", "a secret of the client: +/=%\n");
    chmod 0600, "$self->{dir}/secret";

    return $self;
}

sub _certificates {
    my ($self) = @_;

    my $dir = $self->{dir};
    my @new = qw(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256
        -nodes -days 2);

    $self->{t}->run(@new, '-subj', '/CN=authority', '-keyout', "$dir/ca.key",
        '-out', "$dir/ca.crt");
    $self->{t}->run(@new, '-subj', '/CN=idp.test', '-addext',
        'subjectAltName=DNS:idp.test', '-addext',
        'basicConstraints=critical,CA:FALSE', '-CA', "$dir/ca.crt", '-CAkey',
        "$dir/ca.key", '-keyout', "$dir/idp.key", '-out', "$dir/idp.crt");
}

# idp.test is here, and nothing else is anywhere

sub _name_server {
    my ($self) = @_;

    my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
        Proto => 'udp') or die "no port for names: $!";

    $self->{names} = $s->sockport;
    $self->{name_server} = _child(sub {
        while (defined $s->recv(my $question, 512)) {
            my ($id, undef) = unpack 'n n', $question;
            my $asked = substr $question, 12;
            my $type = unpack 'n', $asked =~ s/^.*?\0//sr;
            my $here = $asked =~ /^\x03idp\x04test\0/ && $type == 1;

            $asked =~ s/^(.*?\0.{4}).*/$1/s;
            $s->send(pack('n n n n n n', $id, $here ? 0x8180 : 0x8183, 1,
                $here ? 1 : 0, 0, 0) . $asked . ($here
                    ? pack('n n n N n C4', 0xc00c, 1, 1, 5, 4, 127, 0, 0, 1)
                    : ''));
        }
    });
}

sub _child {
    my ($code) = @_;

    my $pid = fork // die "fork() failed: $!";
    return $pid if $pid;

    $SIG{$_} = 'DEFAULT' for qw(TERM INT);
    $SIG{PIPE} = 'IGNORE';
    eval { $code->() };
    warn $@ if $@;
    require POSIX;
    POSIX::_exit(0);
}

=item port, issuer

Where the providers are, one at a time.

=cut

# not one of the test's own, all of which nginx is expected to listen at

sub port {
    my ($self) = @_;

    return $self->{port} //= IO::Socket::INET->new(LocalPort => 0, Listen => 1,
        LocalAddr => '127.0.0.1')->sockport;
}

sub issuer { 'https://idp.test:' . $_[0]->port }

=item directive($name, @more)

C<camera_api_oidc> for them, by that name.

=cut

sub directive {
    my ($self, $name, @more) = @_;

    my @issuer = grep({ /^issuer=/ } @more) ? () : 'issuer=' . $self->issuer;

    return join(' ', 'camera_api_oidc', $name, @issuer, 'client_id=cameras',
        "client_secret_file=$self->{dir}/secret", @more) . ";\n";
}

=item location

What nginx asks them through: conf/oidc.conf, with this authority and these names,
and less patience.

=cut

sub location {
    my ($self) = @_;

    my $t = $self->{t};
    my $conf = $t->read_file($t->root . '/conf/oidc.conf');

    $conf =~ s{^ *#.*\n}{}mg;
    $conf =~ s{/etc/ssl/certs/ca-certificates\.crt}{$self->{dir}/ca.crt}
        or die 'no authority in conf/oidc.conf';
    $conf =~ s{(_(?:connect|read)_timeout +)\d+s}{${1}2s}g == 2
        or die 'no timeouts in conf/oidc.conf';
    $conf =~ s{internal;}{$&
    resolver 127.0.0.1:$self->{names} ipv6=off valid=5s;}
        or die 'not internal in conf/oidc.conf';

    return $conf;
}

=item callback($name)

Where a provider sends the browser back to.

=cut

sub callback {
    my ($self, $name) = @_;

    return 'http://127.0.0.1:' . $self->{t}->port('http')
        . "/api/v1/auth/oidc/$name/callback";
}

=item start_real($name [, $algorithm])

The real one, which knows our client as C<$name>; started again it has other
keys.

=cut

sub start_real {
    my ($self, $name, $algorithm) = @_;

    $self->stop;
    $self->{real} = Camera::Process->start(
        { log => "$self->{dir}/provider.log", name => 'provider', append => 1 },
        'node', $self->{t}->root . '/t/oidc/provider.mjs', $self->issuer,
        $self->port, "$self->{dir}/idp.crt", "$self->{dir}/idp.key",
        $self->callback($name), $algorithm // 'RS256');
    $self->_wait;
}

sub _wait {
    my ($self) = @_;

    $self->{t}->wait_for(sub {
        Camera::HTTP::connect_to($self->port, timeout => 1)
    }, 20, 'the provider');
}

=item stop

Ends the provider that runs.

=cut

sub stop {
    my ($self) = @_;

    (delete $self->{real})->stop if $self->{real};

    if (my $pid = delete $self->{hostile}) {
        kill KILL => $pid;
        waitpid $pid, 0;
    }
}

=item browse($url, %options)

What a browser gets, which keeps cookies in the C<jar> of that name, and follows
nothing.  C<form> is sent by POST.

=cut

sub browse {
    my ($self, $url, %opt) = @_;

    my $jar = "$self->{dir}/jar-" . ($opt{jar} // 'default');
    my @form = map { ('--data-urlencode', "$_=$opt{form}{$_}") }
        sort keys %{ $opt{form} // {} };

    my $text = $self->{t}->run('curl', '-s', '-i', '--max-time', 10,
        '--cacert', "$self->{dir}/ca.crt", '--resolve',
        'idp.test:' . $self->port . ':127.0.0.1', '-b', $jar, '-c', $jar,
        @form, $url);
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    my ($status) = $head =~ /^HTTP\S+ (\d+)/;
    my ($location) = $head =~ /^location: (\S+)/mi;

    if (defined $location && $location =~ m{^/}) {
        $location = ($url =~ m{^(https?://[^/]+)})[0] . $location;
    }

    return { status => $status, header => $head, body => $body,
        location => $location };
}

=item log_in($name, $login, %options)

All that a browser does from the button to the page: answers where it ends.

=cut

sub log_in {
    my ($self, $name, $login, %opt) = @_;

    my $ours = 'http://127.0.0.1:' . $self->{t}->port('http');
    my $query = delete $opt{query} // '';
    my $r = $self->browse("$ours/api/v1/auth/oidc/$name$query", %opt);

    for (1 .. 12) {
        if ($r->{location}) {
            return $r if $r->{location} =~ m{^\Q$ours\E(?!/api)};
            $r = $self->browse($r->{location}, %opt);
            next;
        }

        my ($action) = $r->{body} =~ /action="([^"]+)"/ or return $r;
        my $form = $r->{body} =~ /name="login"/
            ? { prompt => 'login', login => $login, password => 'any' }
            : { prompt => 'consent' };
        $r = $self->browse($action, %opt, form => $form);
    }

    return $r;
}

=item start_hostile

One that answers what it was told by says().  It has the keys C<rsa>, C<ec> and,
in no document, C<other>.

=cut

sub start_hostile {
    my ($self) = @_;

    $self->stop;

    unless (-e "$self->{dir}/rsa.pem") {
        $self->_keys;
        $self->says(discovery => 200, $self->discovery);
        $self->says(jwks => 200, $self->jwks(qw(rsa ec)));
        $self->says(token => 500, {});
    }

    require IO::Socket::SSL;
    my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16,
        LocalPort => $self->port, ReuseAddr => 1) or die "listen(): $!";
    my $dir = $self->{dir};

    $self->{hostile} = _child(sub {
        while (my $c = $s->accept) {
            IO::Socket::SSL->start_SSL($c, SSL_server => 1,
                SSL_cert_file => "$dir/idp.crt", SSL_key_file => "$dir/idp.key")
                or next;
            _answer($dir, $c);
            close $c;
        }
    });
    close $s;
}

sub _answer {
    my ($dir, $c) = @_;

    my $in = '';
    while ($in !~ /\r\n\r\n/) {
        sysread $c, $in, 4096, length $in or return;
    }

    my ($length) = $in =~ /^content-length: (\d+)/mi;
    my ($head, $body) = split /\r\n\r\n/, $in, 2;

    while (length $body < ($length // 0)) {
        sysread $c, $body, 4096, length $body or return;
    }

    my ($what) = $head =~ m{^\S+ /(?:\S*/)?([\w-]+)};
    $what = 'discovery' if $what =~ /^openid/;

    open my $seen, '>>', "$dir/seen" or return;
    print $seen "$head\n\n$body\n\n";
    close $seen;

    open my $fh, '<:raw', "$dir/says-$what" or return;
    local $/;
    my ($first, $text) = split /\n/, <$fh>, 2;
    my ($status, @headers) = split /\t/, $first;

    if ($status eq 'hang') {
        sleep 30;
        return;
    }

    print $c join "\r\n", "HTTP/1.1 $status Told", @headers,
        'Content-Type: application/json', 'Connection: close',
        'Content-Length: ' . length $text, '', $text;
}

sub _keys {
    my ($self) = @_;

    my $dir = $self->{dir};

    $self->{t}->run(qw(openssl genpkey -algorithm RSA -pkeyopt
        rsa_keygen_bits:2048 -out), "$dir/$_.pem") for qw(rsa other);
    $self->{t}->run(qw(openssl genpkey -algorithm EC -pkeyopt
        ec_paramgen_curve:P-256 -out), "$dir/ec.pem");
}

=item untrusted, trusted

Whether an authority that nginx trusts vouches for the provider that is started
next.

=cut

sub untrusted {
    my ($self) = @_;

    my $dir = $self->{dir};

    rename "$dir/idp.$_", "$dir/good.$_" for qw(crt key);
    $self->{t}->run(qw(openssl req -x509 -newkey ec -pkeyopt
        ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=idp.test -addext
        subjectAltName=DNS:idp.test -keyout), "$dir/idp.key", '-out',
        "$dir/idp.crt");
}

sub trusted {
    my ($self) = @_;

    rename "$self->{dir}/good.$_", "$self->{dir}/idp.$_" for qw(crt key);
}

=item says($what, $status, $body, @headers)

Of C<discovery>, C<jwks> and C<token>: what is answered from now on, a text or
data, with more lines of headers.  The status C<hang> answers nothing.

=cut

my $json = JSON::PP->new->utf8->canonical;

sub says {
    my ($self, $what, $status, $body, @headers) = @_;

    $self->{t}->write_file("$self->{dir}/says-$what",
        join("\t", $status, @headers) . "\n"
        . (ref $body ? $json->encode($body) : $body // ''));
}

=item seen

What the hostile one was sent.

=cut

sub seen {
    my ($self) = @_;

    return -e "$self->{dir}/seen"
        ? $self->{t}->read_file("$self->{dir}/seen") : '';
}

=item discovery(%changes), jwks(@names), token(%options)

Documents that are right but for what is said.  Of a token: C<key> (rsa),
C<alg>, C<kid>, C<header>, and all other options are claims; undef removes one.

=cut

sub discovery {
    my ($self, %change) = @_;

    my $issuer = $self->issuer;

    return { issuer => $issuer, authorization_endpoint => "$issuer/authorize",
        token_endpoint => "$issuer/token", jwks_uri => "$issuer/jwks",
        %change };
}

sub jwks {
    my ($self, @names) = @_;

    return { keys => [ map { $self->_jwk($_) } @names ] };
}

sub _jwk {
    my ($self, $name) = @_;

    my $file = "$self->{dir}/$name.pem";

    if ($name eq 'ec') {
        my $der = $self->{t}->run(qw(openssl pkey -pubout -outform DER -in),
            $file);
        return { kty => 'EC', crv => 'P-256', kid => $name, use => 'sig',
            x => base64url(substr $der, -64, 32),
            y => base64url(substr $der, -32) };
    }

    my ($hex) = $self->{t}->run(qw(openssl rsa -noout -modulus -in), $file)
        =~ /=([0-9A-F]+)/;

    return { kty => 'RSA', kid => $name, use => 'sig', alg => 'RS256',
        n => base64url(pack 'H*', $hex), e => 'AQAB' };
}

sub token {
    my ($self, %opt) = @_;

    my $key = delete $opt{key} // 'rsa';
    my $alg = delete $opt{alg} // ($key eq 'ec' ? 'ES256' : 'RS256');
    my %header = (typ => 'JWT', alg => $alg,
        kid => exists $opt{kid} ? delete $opt{kid} : $key,
        %{ delete $opt{header} // {} });
    my %claims = (iss => $self->issuer, aud => 'cameras', sub => 'ann',
        iat => time, exp => time + 300, email => 'ann@example.org',
        email_verified => JSON::PP::true, %opt);

    for my $part (\%header, \%claims) {
        delete @$part{ grep { !defined $part->{$_} } keys %$part };
    }

    my $text = join '.', map { base64url($json->encode($_)) } \%header,
        \%claims;

    return "$text." . base64url($self->sign($key, $alg, $text));
}

=item sign($key, $algorithm, $text)

=cut

sub sign {
    my ($self, $key, $alg, $text) = @_;

    return '' if $alg eq 'none';

    # what somebody does who has the public key alone

    if ($alg eq 'HS256') {
        require Digest::SHA;
        return Digest::SHA::hmac_sha256($text, scalar $self->{t}->run(
            qw(openssl pkey -pubout -in), "$self->{dir}/$key.pem"));
    }

    $self->{t}->write_file("$self->{dir}/text", $text);
    my $sig = $self->{t}->run(qw(openssl dgst -sha256 -sign),
        "$self->{dir}/$key.pem", "$self->{dir}/text");

    return $key eq 'ec' ? _raw($sig) : $sig;
}

# the two numbers of DER side by side

sub _raw {
    my ($der) = @_;

    my (undef, undef, undef, $r, $s) = unpack 'C C C C/a x C/a', $der;

    return join '', map { substr "\0" x 32 . $_, -32 } $r, $s;
}

sub DESTROY {
    my ($self) = @_;

    local $?;
    $self->stop;

    if (my $pid = delete $self->{name_server}) {
        kill KILL => $pid;
        waitpid $pid, 0;
    }
}

=back

=cut

1;
