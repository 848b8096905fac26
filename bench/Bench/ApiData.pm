package Bench::ApiData;

# Copyright (C) The nginx camera platform authors

# What the API and its peers are asked for: 10,000 cameras of 20 tenants, 50
# viewers each with a session, loaded by SQL; and the files of requests that
# the generators read.

use strict;
use warnings;

use Exporter qw(import);
use List::Util qw(shuffle);

our @EXPORT_OK = qw(load_data tokens request_files password);

my ($tenants, $cameras, $users) = (20, 10_000, 50);
my $password = 'correct horse 7';

=head1 FUNCTIONS

=over

=item load_data($t)

=cut

sub load_data {
    my ($t) = @_;

    # one hash for all of them: making it takes a quarter of a second
    my $hash = crypt $password, '$2b$12$' . 'bench' x 4 . 'be';

    $t->psql({ user => 'camera_owner' }, <<"END");
INSERT INTO tenants (slug, name)
SELECT 'bench-' || n, 'Bench ' || n FROM generate_series(1, $tenants) n;

INSERT INTO cameras (id, tenant_id, external_id, name, company, model,
                     serial_number, location, place, created_at)
SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
       t.id, 'ext-' || n, 'Camera ' || n, 'Axis', 'P3265-LV',
       'ACCC8E' || lpad(n::text, 6, '0'), 'Building ' || n % 7,
       'Entrance ' || n % 11, now() - interval '1 day' + n * interval '1 s'
FROM generate_series(1, $cameras) n
JOIN tenants t ON t.slug = 'bench-' || n % $tenants + 1
ORDER BY n;

INSERT INTO users (tenant_id, username, password_hash)
SELECT t.id, t.slug || '-' || n, '$hash'
FROM tenants t, generate_series(1, $users) n
WHERE t.slug LIKE 'bench-%';

INSERT INTO user_sessions (tenant_id, user_id, ttl_sec, expires_at)
SELECT tenant_id, id, 86400, now() + interval '1 day'
FROM users WHERE username LIKE 'bench-%';
END

    $t->psql({ user => 'postgres' }, 'VACUUM ANALYZE');
}

=item tokens($t)

Access tokens of those with a session, a list for each tenant's id.

=cut

sub tokens {
    my ($t) = @_;

    my %tokens;

    for ($t->sql('SELECT tenant_id, user_id, id FROM user_sessions')) {
        my ($tenant, $user, $sid) = split /\t/;
        push @{ $tokens{$tenant} }, $t->access_token(id => $user,
            tenant => $tenant, sid => $sid, role => 'viewer');
    }

    return %tokens;
}

=item request_files($t)

Writes the requests for single cameras and for pages of 50, each with the
access token of somebody who may see them, and answers the two paths.

=cut

sub request_files {
    my ($t) = @_;

    my %tokens = tokens($t);

    my @one = map {
        my ($id, $tenant) = split /\t/;
        my $of = $tokens{$tenant};
        "/api/v1/cameras/$id\t$of->[rand @$of]\n";
    } $t->sql('SELECT id, tenant_id FROM cameras');

    my @page = map { "/api/v1/cameras?limit=50\t$_\n" } map { @$_ }
        values %tokens;

    my @files = map { $t->dir . "/$_.requests" } qw(one page);
    $t->write_file($files[0], join '', shuffle @one);
    $t->write_file($files[1], join '', shuffle @page);

    return @files;
}

=item password

Of all users.

=cut

sub password { $password }

=back

=cut

1;
