#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for API tokens in a real Chromium: one is made, shown this once and
# copied, does what was ticked and no more, shows how much it was used, and is
# revoked; whoever may not manage tokens sees nothing of it.

use strict;
use warnings;

use Camera::HTTP;
use Camera::Test;
use Camera::Test::Browser;
use Camera::Test::Page;
use Camera::Test::Run;
use JSON::PP;
use Test::More;

my $t = Camera::Test->new;
$t->skip_without(qw(nginx postgres migrations worker cli ffmpeg
    camera_rtmps camera_hls));
plan(skip_all => 'no Chromium') unless Camera::Test::Browser->available;
plan(skip_all => 'no page') unless -e $t->root . '/html/dist/index.html';

my $run = Camera::Test::Run->start($t);
$run->wait_ready or BAIL_OUT($run->log);

my $browser = Camera::Test::Browser->start($t);
my $page = Camera::Test::Page->new($t, $browser);
my $row = '[data-token]';

###############################################################################

# the first one

$page->log_in($run) or BAIL_OUT($run->log);
$page->click_at('.who');
$page->click('API tokens');
ok($page->has_text('No API token is in use'), 'none so far');
$page->click('Make token');
$page->has('dialog [name="cameras:read"]');
is_deeply(offered(), [ qw(cameras:read cameras:write streams:view
    recordings:read recordings:delete analytics:read alerts:manage users:manage
    audit:read) ], 'what its maker may do, but for making tokens');
ok($page->js('return [...document.querySelectorAll("dialog [type=submit]")][0]'
    . '.disabled'), 'nothing is made without a name');
$page->fill(name => 'Reception', rateLimit => '50',
    allowedCidrs => 'not a network');
$page->choose(expires => 'in 30 days');
$page->choose(rateWindow => 'a minute');
$page->tick($_) for 'See cameras', 'Watch live';
$page->click('Make token', 'dialog');
ok($page->has('dialog .field-error'), 'what is wrong is said at its field');
$page->fill(allowedCidrs => "127.0.0.0/8\n::1/128");
$page->click('Make token', 'dialog');

# it is shown this once, and copied

ok($page->has('dialog .copy'), 'made, and shown');
my $token = $page->text('dialog .copy');
like($token, qr/^cam_\w{49}$/, 'the token');
ok($page->has_text('It is shown this once'), 'this once');
$page->js('navigator.clipboard.writeText = (text) => {'
    . ' window.copied = text; return Promise.resolve(); }');
$page->click('Copy', 'dialog');
is($page->js('return window.copied'), $token, 'copied with one click');
$page->click('Done', 'dialog');
ok($page->closed && $page->has($row), 'it is in the list');
is($page->js('return document.documentElement.outerHTML.includes(arguments[0])'
    . ' || JSON.stringify({ ...localStorage, ...sessionStorage })'
    . '.includes(arguments[0])', $token), JSON::PP::false, 'and nowhere else');

# what the list says

my $says = $page->text($row);
like($says, qr/Reception.*\Q@{[ substr $token, 0, 8 ]}\E/, 'its name and beginning');
like($says, qr/cameras:readstreams:view/, 'what it may do');
like($says, qr/never used/, 'never used');
like($says, qr/until .*50 a minute.*from 127\.0\.0\.0\/8, ::1\/128/,
    'how long, how much and from where');
is($page->text("$row .badge"), 'Active', 'its state');

# it does what was ticked, and the plot shows it

is(asks('/cameras'), 200, 'it is good for what was ticked');
is(asks('/audit'), 403, 'and for nothing else');
used(1 => 40, 0), used(2 => 10, 4);
$page->js('location.reload()');
ok($page->has("$row rect.tokens-requests"), 'how much it was used');
like($page->attribute("$row svg.tokens-plot", 'aria-label'),
    qr/^\d+ requests in 30 days, 4 too many, most on .*: 40$/,
    'and for those who do not see it');
is($page->js('return document.querySelectorAll(arguments[0]).length',
    "$row rect.tokens-limited"), 1, 'and what was too much');

# its permissions change

$page->task($row, 'Permissions');
$page->tick('See cameras');
$page->tick('Read the audit');
$page->click('Save', 'dialog');
ok($page->closed, 'other permissions');
ok($t->wait_for(sub { $page->text($row) =~ /audit:readstreams:view/ }, 10,
    'the list'), 'are in the list');
ok($t->wait_for(sub { asks('/audit') == 200 }, 2, 'the change'), 'and count');
ok($t->wait_for(sub { asks('/cameras') == 403 }, 2, 'the change'),
    'in place of the others');

# it is revoked

$page->task($row, 'Revoke');
ok($page->has_text('Revoke Reception?'), 'the token is named');
$page->click('Cancel', 'dialog');
is(asks('/audit'), 200, 'nothing is done without a word');
$page->task($row, 'Revoke');
$page->click('Revoke token', 'dialog');
ok($page->has_text('No API token is in use'), 'revoked');
ok($t->wait_for(sub { asks('/audit') == 401 }, 1, 'the end'), 'within a second');
$page->click('Revoked');
ok($page->says("$row .badge", 'Revoked'), 'among the revoked');
ok(!$page->there("$row .menu"), 'with nothing to be done any more');
is($page->violations, '', 'nothing against the policy');

# somebody who may not manage tokens

add_user('vera', 'first day 1');
$page->click_at('.who');
$page->click('Sign out');
$page->has('[name=username]');
$page->fill(username => 'vera', password => 'first day 1');
$page->click('Sign in');
ok($page->has('.top-state[data-live="true"]'), 'a viewer');
$page->click_at('.who');
$page->has('[role=menuitem]');
unlike($page->text('.menu-list'), qr/API tokens|Users|groups/, 'is led nowhere');
$page->go('#/tokens');
ok($page->has_text('Not for your role'), 'and is told so');
is($page->violations, '', 'nothing against the policy');

unlike($t->run('cat', glob $run->var . '/log/*.log'), qr/\Q$token\E/,
    'the token is in no log');
$browser->stop;
is($run->stop, 0, 'stop');

$t->done_testing;

###############################################################################

sub offered {
    return $page->js('return [...document.querySelectorAll('
        . '"dialog .choice input")].map((one) => one.name)');
}


# the status of what a program asks with the token

sub asks {
    my ($path) = @_;

    return $run->get("/api/v1$path", headers => ["X-API-Key: $token"])->{status};
}


# so many days ago

sub used {
    my ($ago, $requests, $limited) = @_;

    sql("INSERT INTO api_token_usage (token_id, tenant_id, day, requests, limited)
        SELECT id, tenant_id, (now() AT TIME ZONE 'UTC')::date - $ago, $requests,
        $limited FROM api_tokens");
}


# a viewer whose password is their own

sub add_user {
    my ($name, $password) = @_;

    my ($user, $secret) = @{ $run->env }{qw(CAMERA_ADMIN_USER
        CAMERA_ADMIN_PASSWORD)};
    my $admin = request('/auth/login', { username => $user,
        password => $secret })->{accessToken};

    request('/users', { username => $name, role => 'viewer',
        password => $password }, $admin);
    sql("UPDATE users SET must_change_password = false
        WHERE username = '$name'");
}


sub request {
    my ($path, $json, $bearer) = @_;

    return decode_json($run->get("/api/v1$path", method => 'POST',
        body => encode_json($json), headers => [
            'Content-Type: application/json',
            $bearer ? "Authorization: Bearer $bearer" : (),
        ])->{body});
}


sub sql {
    $t->run('psql', '-XqAt', '-c', $_[0], $run->env->{CAMERA_DATABASE_URL});
}
