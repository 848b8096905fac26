package Camera::Test::Browser;

# Copyright (C) The nginx camera platform authors

# A real headless Chromium, driven over WebDriver (chromedriver), for tests of
# pages.  It ends with the test like everything else.

use strict;
use warnings;

use Camera::Process;
use HTTP::Tiny;
use JSON::PP;
use Time::HiRes qw(time sleep);

=head1 NAME

Camera::Test::Browser - a browser for the tests

=head1 SYNOPSIS

    my $b = Camera::Test::Browser->start($t);
    $b->open("https://127.0.0.1:$port/watch.html#...");
    my $n = $b->script('return document.querySelectorAll("p").length');
    $b->screenshot("$dir/page.png");

=head1 METHODS

=over

=item available

1 when Chromium and its driver are installed.

=cut

sub available {
    return !grep { system("command -v $_ >/dev/null 2>&1") }
        qw(chromium chromedriver);
}

=item start($test)

Starts a browser with a profile of its own in the test's directory.

=cut

sub start {
    my ($class, $test) = @_;

    my $port = $test->port('chromedriver');
    my $profile = $test->dir . '/chromium';
    mkdir $profile;

    my $self = bless {
        url  => "http://127.0.0.1:$port",
        http => HTTP::Tiny->new(timeout => 60, keep_alive => 0),
        log  => $test->dir . '/chromedriver.out',
        process => Camera::Process->start(
            { log => $test->dir . '/chromedriver.out', name => 'chromedriver',
              env => { HOME => $profile } },
            'chromedriver', "--port=$port"),
    }, $class;

    $test->wait_for(sub {
        $self->{http}->get("$self->{url}/status")->{success};
    }, 20, 'chromedriver') or die "chromedriver did not start\n";

    my $session = $self->call(POST => '/session', {
        capabilities => { alwaysMatch => {
            acceptInsecureCerts  => JSON::PP::true,
            'goog:chromeOptions' => { args => [ _arguments($profile) ] },
        } },
    });
    $self->{session} = "/session/$session->{sessionId}";

    return $self;
}

# nothing but our own page: no updates, no reports, no shared memory limits

sub _arguments {
    my ($profile) = @_;

    return ("--user-data-dir=$profile", '--window-size=900,620', qw(
        --headless --no-sandbox --disable-gpu --disable-dev-shm-usage
        --disable-quic --no-first-run --disable-background-networking
        --disable-component-update --disable-sync --ignore-certificate-errors
        --disable-default-apps --disable-extensions --disable-domain-reliability
        --disable-client-side-phishing-detection --metrics-recording-only
        --autoplay-policy=no-user-gesture-required
    ));
}

=item call($method, $path [, \%body])

One WebDriver command; answers its value and dies with its message.

=cut

sub call {
    my ($self, $method, $path, $body) = @_;

    my $r = $self->{http}->request($method, $self->{url} . $path, {
        headers => { 'Content-Type' => 'application/json' },
        defined $body ? (content => encode_json($body)) : (),
    });
    my $value = eval { decode_json($r->{content})->{value} };

    die "WebDriver $method $path: "
        . (ref $value eq 'HASH' ? $value->{message} : $r->{content}) . "\n"
        unless $r->{success};

    return $value;
}

=item open($url), script($text, @arguments)

Goes to a page; runs the body of a function in it and answers its value.

=cut

sub open {
    my ($self, $url) = @_;

    $self->call(POST => "$self->{session}/url", { url => $url });
}

sub script {
    my ($self, $text, @arguments) = @_;

    return $self->call(POST => "$self->{session}/execute/sync",
        { script => $text, args => \@arguments });
}

=item tab([$handle]), new_tab, new_window

The handle of the present tab or window, after going to another one, or to a
new one.  A tab behind another one is hidden, a window beside it is not.

=cut

sub tab {
    my ($self, $handle) = @_;

    $self->call(POST => "$self->{session}/window", { handle => $handle })
        if defined $handle;

    return $self->call(GET => "$self->{session}/window");
}

sub new_tab    { return $_[0]->_new('tab') }
sub new_window { return $_[0]->_new('window') }

sub _new {
    my ($self, $type) = @_;

    return $self->tab($self->call(POST => "$self->{session}/window/new",
        { type => $type })->{handle});
}

=item screenshot($file)

=cut

sub screenshot {
    my ($self, $file) = @_;

    require MIME::Base64;
    my $png = $self->call(GET => "$self->{session}/screenshot");
    CORE::open my $out, '>:raw', $file or die "open(\"$file\") failed: $!";
    print $out MIME::Base64::decode_base64($png);
    close $out;
}

=item stop

=cut

sub stop {
    my ($self) = @_;

    eval { $self->call(DELETE => $self->{session}) } if $self->{session};
    $self->{process}->stop;
}

=back

=cut

1;
