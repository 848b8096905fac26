package Camera::Test::Page;

# Copyright (C) The nginx camera platform authors

# The page in a browser, as a person sees it: by its words, labels and
# selectors, each waited for.

use strict;
use warnings;

=head1 NAME

Camera::Test::Page - what a person does with the page

=head1 SYNOPSIS

    my $page = Camera::Test::Page->new($t, $browser);
    $page->log_in($run);
    $page->click('Add camera');
    ok($page->has_text('Waiting for your camera'), 'waits');

=head1 METHODS

=over

=item new($test, $browser)

=cut

sub new {
    my ($class, $test, $browser) = @_;

    return bless { t => $test, browser => $browser }, $class;
}

=item log_in($run)

Opens the page of a running deploy/run as its first administrator.

=cut

sub log_in {
    my ($self, $run) = @_;

    my ($user, $password) = @{ $run->env }{qw(CAMERA_ADMIN_USER
        CAMERA_ADMIN_PASSWORD)};

    $self->{browser}->open('https://localhost:' . $run->port('HTTPS_PORT')
        . '/');
    $self->has('[name=username]') or return 0;
    $self->fill(username => $user, password => $password);
    $self->click('Sign in');

    return $self->has('.top-state[data-live="true"]');
}

=item has($selector [, $seconds]), has_text($text [, $seconds])

1 when it is there within that time (15 s).

=cut

sub has {
    my ($self, $selector, $seconds) = @_;

    return $self->{t}->wait_for(sub { $self->there($selector) },
        $seconds // 15, $selector);
}

sub has_text {
    my ($self, $text, $seconds) = @_;

    return $self->{t}->wait_for(sub {
        eval { $self->js('return document.body.innerText'
            . '.includes(arguments[0])', $text) };
    }, $seconds // 15, $text);
}

=item there($selector), text($selector), attribute($selector, $name)

As it is now.

=cut

sub there {
    my ($self, $selector) = @_;

    return eval { $self->js(
        'return document.querySelector(arguments[0]) !== null', $selector) };
}

sub text {
    my ($self, $selector) = @_;

    return $self->js('return document.querySelector(arguments[0])'
        . '?.textContent', $selector) // '';
}

sub attribute {
    my ($self, $selector, $name) = @_;

    return $self->js('return document.querySelector(arguments[0])'
        . '?.getAttribute(arguments[1])', $selector, $name) // '';
}

=item click($name [, $root]), click_at($selector)

A button, link or menu item with these words, within a selector; whatever is
at a selector.

=cut

sub click {
    my ($self, $name, $root) = @_;

    $self->js(<<'END', $name, $root // 'body');
        const [name, root] = arguments;
        const all = document.querySelector(root)
            .querySelectorAll("button, a, [role=menuitem]");
        [...all].find((one) => one.textContent.trim() === name).click();
END
}

sub click_at {
    my ($self, $selector) = @_;

    $self->js('document.querySelector(arguments[0]).click()', $selector);
}

=item key($name)

A key, pressed where the focus is.

=cut

sub key {
    my ($self, $name, $selector) = @_;

    $self->js(<<'END', $name, $selector);
        const [key, selector] = arguments;
        const at = selector ? document.querySelector(selector)
            : document.activeElement ?? document.body;
        at.dispatchEvent(new KeyboardEvent("keydown",
            { key, bubbles: true, cancelable: true }));
END
}

=item go($hash), fill(name => $value, ...), choose(name => $words)

What is typed is what React hears of: the event.  An option is chosen by its
words.

=cut

sub go {
    my ($self, $hash) = @_;

    $self->js('location.hash = arguments[0]', $hash);
}

sub fill {
    my ($self, %value) = @_;

    $self->js(<<'END', $_, $value{$_}) for keys %value;
        const [name, value] = arguments;
        const open = document.querySelector("dialog") ?? document;
        const field = open.querySelector(`[name="${name}"]`);
        Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value")
            .set.call(field, value);
        field.dispatchEvent(new Event("input", { bubbles: true }));
END
}

sub choose {
    my ($self, $name, $words) = @_;

    $self->js(<<'END', $name, $words);
        const [name, words] = arguments;
        const open = document.querySelector("dialog") ?? document;
        const field = open.querySelector(`[name="${name}"]`);
        const option = [...field.options].find((one) => one.text === words);
        Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value")
            .set.call(field, option.value);
        field.dispatchEvent(new Event("change", { bubbles: true }));
END
}

=item search($text)

In the field that the screen has for it.

=cut

sub search {
    my ($self, $text) = @_;

    $self->js(<<'END', $text);
        const field = document.querySelector("[role=search] [type=search]");
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")
            .set.call(field, arguments[0]);
        field.dispatchEvent(new Event("input", { bubbles: true }));
END
}

=item tick($words)

What can be ticked, by its label, in the dialog.

=cut

sub tick {
    my ($self, $words) = @_;

    $self->js(<<'END', $words);
        const label = [...document.querySelectorAll("dialog .check")]
            .find((one) => one.textContent.includes(arguments[0]));
        label.click();
END
}

=item task($row, $name)

What the menu of a row of a list has, when no dialog is open any more.

=cut

sub task {
    my ($self, $row, $name) = @_;

    $self->closed;
    $self->has($row);
    $self->click_at("$row .menu > button");
    $self->has('[role=menuitem]');
    $self->click($name, $row);
    $self->has('dialog');
}

=item closed

1 when there is no dialog (any more).

=cut

sub closed {
    my ($self) = @_;

    return $self->{t}->wait_for(sub { !$self->there('dialog') }, 10,
        'no dialog');
}

=item frames_pass($more)

1 when so many more pictures are decoded.

=cut

sub frames_pass {
    my ($self, $more) = @_;

    my $from;

    return $self->{t}->wait_for(sub {
        my $now = eval { $self->js('return document.querySelector("video")'
            . '.getVideoPlaybackQuality().totalVideoFrames') } // return;
        $from = $now if !defined $from || $now < $from;
        $now - $from >= $more;
    }, 30, 'pictures');
}

=item violations

What the browser did not allow since the page was loaded.

=cut

sub violations {
    my ($self) = @_;

    return join ' ', @{ $self->js(<<'END') };
        return new Promise((resolve) => {
            new ReportingObserver(
                (reports) => resolve(reports.map((one) => one.body.blockedURL)),
                { buffered: true, types: ["csp-violation"] }).observe();
            setTimeout(() => resolve([]), 200);
        });
END
}

=item js($script, @arguments)

=cut

sub js { my ($self, @script) = @_; return $self->{browser}->script(@script) }

=back

=cut

1;
