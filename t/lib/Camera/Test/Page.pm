package Camera::Test::Page;

# Copyright (C) The nginx camera platform authors

# The page in a browser, as a person sees it: by its words, labels and
# selectors, each waited for, also by what is done with it.

use strict;
use warnings;

use Test::More ();

=head1 NAME

Camera::Test::Page - what a person does with the page

=head1 SYNOPSIS

    my $page = Camera::Test::Page->new($t, $browser);
    $page->log_in($run);
    $page->click('Add camera');
    ok($page->has_text('Waiting for your camera'), 'waits');
    ok($page->says('h1', 'Gate'), 'its name');

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
    $self->fill(username => $user, password => $password);
    $self->click('Sign in');

    return $self->has('.top-state[data-live="true"]', 30);
}

=item has($selector [, $seconds]), has_text($text [, $seconds])

=item says($selector, $text [, $seconds])

1 when it is there, or has this text or one that matches, within that time (15 s).

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

sub says {
    my ($self, $selector, $text, $seconds) = @_;

    my $now = '';

    $self->{t}->wait_for(sub {
        $now = eval { $self->text($selector) } // '';
        ref $text ? $now =~ $text : $now eq $text;
    }, $seconds // 15, "\"$text\"") and return 1;

    Test::More::diag("it says \"$now\"");
    return 0;
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
at a selector.  Like all that is done here, as soon as it can be done.

=cut

sub click {
    my ($self, $name, $root) = @_;

    $self->_do($name, <<'END', $name, $root // 'body');
        const [name, root] = arguments;
        const all = document.querySelector(root)
            .querySelectorAll("button, a, [role=menuitem]");
        const one = [...all].find((one) => one.textContent.trim() === name
            && !one.disabled);
        one.click();
END
}

sub click_at {
    my ($self, $selector) = @_;

    $self->_do($selector, <<'END', $selector);
        const one = document.querySelector(arguments[0]);
        if (one.disabled) throw Error("disabled");
        one.click();
END
}

# what throws, as nothing is there yet, is tried again

sub _do {
    my ($self, $name, @script) = @_;

    $self->{t}->wait_for(sub { eval { $self->js(@script); 1 } }, 15, $name)
        or die "nothing to be done with $name: $@";
}

=item key($name)

A key, pressed where the focus is.

=cut

sub key {
    my ($self, $name, $selector) = @_;

    $self->_do($selector // $name, <<'END', $name, $selector);
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

    $self->_do($_, <<'END', $_, $value{$_}) for keys %value;
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

    $self->_do("$name: $words", <<'END', $name, $words);
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

    $self->_do('search', <<'END', $text);
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

    $self->_do($words, <<'END', $words);
        const label = [...document.querySelectorAll("dialog .check")]
            .find((one) => one.textContent.includes(arguments[0]));
        if (label.control?.disabled) throw Error("disabled");
        label.click();
END
}

=item task($row, $name)

What the menu of a row of a list has, when no dialog is open any more.

=cut

sub task {
    my ($self, $row, $name) = @_;

    $self->closed;
    $self->click_at("$row .menu > button");
    $self->click($name, $row);
    $self->has('dialog');
}

=item closed

1 when there is no dialog (any more).

=cut

sub closed {
    my ($self) = @_;

    return $self->{t}->wait_for(sub { !$self->there('dialog') }, 15,
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
