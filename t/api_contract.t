#!/usr/bin/perl

# Copyright (C) The nginx camera platform authors

# Tests for openapi.yaml: it has every route of the sources and none besides,
# with the permission, the fields and the bounds that the tables have, and what
# API tokens may not do at all.

use strict;
use warnings;

use Camera::Contract;
use Camera::Test;
use Test::More;

my $t = Camera::Test->new;
my $contract = Camera::Contract->new($t->root . '/openapi.yaml');
my $code = join "\n", map { $t->read_file($_) }
    map { sort glob $t->root . "/$_" } qw(common/*.h ngx_camera_api/*.[ch]);

# comments may hold anything

$code =~ s{/\*.*?\*/}{}gs;

my %permission = map { s/^CAM_PERMIT_//r => lc(s/^CAM_PERMIT_//r) =~ s/_/:/r }
    $code =~ /\b(CAM_PERMIT_[A-Z_]+)\b/g;
my %route = map { ("$_->{method} $_->{path}" => $_) } routes();
my %operation = map { ("$_->{method} $_->{path}" => $_) }
    $contract->operations;

###############################################################################

cmp_ok(scalar keys %route, '>', 8, 'routes were found in the sources');
is_deeply([ sort keys %route ], [ sort keys %operation ],
    'routes and operations');

for my $name (sort grep { $operation{$_} } keys %route) {
    my ($r, $op) = ($route{$name}, $operation{$name});

    is($r->{needs}, $op->{public} ? 'public' : $op->{needs},
        "$name needs what it says");
    is($r->{interactive}, $op->{interactive}, "$name: is it for people alone");
    is_deeply(fields_of_code($r->{query}), fields_of_query($op),
        "$name: fields of the query");
    is_deeply(fields_of_code($r->{body}), fields_of_body($op->{body}),
        "$name: fields of the body");
}

my @ids = map { $_->{id} } values %operation;
my %seen;
is(scalar(grep { $seen{$_}++ } @ids), 0, 'operationIds are unique');

# but those that lead a browser to a page with the code

for my $op (grep { !grep { $_ eq '302' } @{ $_->{codes} } }
    values %operation)
{
    my @missing = grep { my $c = $_; !grep { $_ eq $c } @{ $op->{codes} } }
        qw(400 429 503), $op->{public} ? () : 401, $op->{needs} ? 403 : (),
        $op->{body} ? (413, 415) : (),
        $op->{path} =~ /:id/ ? 404 : ();
    is("@missing", '', "$op->{id} tells its errors");
}

$t->done_testing;

###############################################################################

# rows of the tables of routes; needs is a permission, "public" or ""

sub routes {
    my @found;

    while ($code =~ /\{\s*\.method\s*=\s*NGX_HTTP_(\w+),
                     \s*\.path\s*=\s*"([^"]+)"(.*?)\}\s*,/xsg)
    {
        my ($method, $path, $rest) = ($1, $2, $3);
        my ($needs) = $rest =~ /\.needs\s*=\s*(\w+)/;
        my ($query) = $rest =~ /\.query\s*=\s*(\w+)/;
        my ($body) = $rest =~ /\.body\s*=\s*(\w+)/;

        $needs //= '';
        $needs = $needs =~ /^CAM_PERMIT_(\w+)/ ? $permission{$1}
            : $needs =~ /PUBLIC|OPTIONAL/ ? 'public' : '';

        push @found, { method => $method, path => $path, needs => $needs,
            interactive => $rest =~ /NGX_CAMERA_API_INTERACTIVE/ ? 1 : 0,
            query => $query, body => $body };
    }

    return @found;
}

# a table of fields, as { name => [ required, minimum, maximum ] }

sub fields_of_code {
    my ($table) = @_;

    return {} unless $table;

    my ($rows) = $code =~ /\bcam_field_t\s+$table\[\]\s*=\s*\{(.*?)\n\};/s
        or return { "no table $table" => [] };
    my %field;

    $rows =~ s/\b([A-Z_]+)\((\w+)\)/expanded($1, $2)/ge;

    while ($rows =~ /\{\s*"(\w+)",\s*CAM_FIELD_(\w+),\s*([^,]+),
                     \s*([^,]+),\s*([^,]+),/xg)
    {
        my ($name, $type, $flags, @bounds) = ($1, $2, $3, $4, $5);
        @bounds = map { number($_) } @bounds;
        @bounds = (undef, undef)
            unless $type =~ /^(?:TEXT|INT|LIMIT|TEXTS|UUIDS|OBJECTS)$/;
        $field{$name} = [ $flags =~ /REQUIRED/ ? 1 : 0, @bounds ];
    }

    return \%field;
}

# a macro that stands for rows

sub expanded {
    my ($name, $value) = @_;

    my ($arg, $text) = $code =~ /#define\s+$name\((\w+)\)((?:.*\\\n)*.*)/
        or return "no macro $name";

    return $text =~ s/\\\n/\n/gr =~ s/\b$arg\b/$value/gr;
}

# a number or a macro for one

sub number {
    my ($text) = @_;

    for (1 .. 3) {
        return 0 + eval $text if $text =~ /^[\d\s*()+-]+$/;
        my $name = $text =~ s/^\s+|\s+$//gr;
        ($text) = $code =~ /#define\s+\Q$name\E\s+(.*)/ or last;
    }

    return "no number $text";
}

sub fields_of_query {
    my ($op) = @_;

    my ($query, $required) = @$op{qw(query required)};

    return { map { ($_ => bounds($_, $query->{$_}, $required->{$_} ? 1 : 0)) }
        keys %$query };
}

sub fields_of_body {
    my ($body) = @_;

    return {} unless $body;

    my %required = map { ($_ => 1) } @{ $body->{required} // [] };
    my $fields = $body->{properties};

    return { map { ($_ => bounds($_, $contract->resolve($fields->{$_}),
        $required{$_} ? 1 : 0)) } keys %$fields };
}

sub bounds {
    my ($name, $schema, $required) = @_;

    my $type = ref $schema->{type} ? $schema->{type}[0] : $schema->{type};

    return [ $required, undef, undef ]
        if $type eq 'boolean' || $schema->{enum} || $name eq 'cursor'
            || ($schema->{format} // '') =~ /^(?:uuid|date-time)$/
            || $type eq 'array' && $name =~ /Cidrs$/;

    return [ $required, $schema->{minItems} // 0, $schema->{maxItems} ]
        if $type eq 'array';

    return [ $required, $schema->{minimum}, $schema->{maximum} ]
        if $type eq 'integer';

    return [ $required, $schema->{minLength} // 0, $schema->{maxLength} ];
}
