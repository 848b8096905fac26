package Camera::Contract::Draw;

# Copyright (C) The nginx camera platform authors

# Requests for an operation of openapi.yaml, drawn from its schemas: good ones,
# and good ones with one thing broken.  The same seed draws the same again.

use strict;
use warnings;

use JSON::PP;
use List::Util qw(min max shuffle);

=head1 NAME

Camera::Contract::Draw - requests drawn from the contract

=head1 SYNOPSIS

    my $draw = Camera::Contract::Draw->new($contract, \&id_by_name);

    srand 42;
    my $good = $draw->request($op);
    my $bad = $draw->broken($op);

    print Camera::Contract::Draw::body($bad);

A request is a hash of C<query> (pairs), C<headers> (lines), C<data> (of a JSON
body) or C<bytes> (of any other), C<type> (of the body), C<id> (of a path, where
it is to be another one) and of a broken one C<why>, and C<refused>, 1 when
no server may take it.

=head1 METHODS

=over

=item new($contract, $id)

C<$id> is called with the name of a field that has a UUID and answers one.

=cut

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

sub new {
    my ($class, $contract, $id) = @_;

    return bless { contract => $contract, id => $id }, $class;
}

=item request($op)

=cut

sub request {
    my ($self, $op) = @_;

    my %request = (query => [], headers => [], type => 'application/json');

    for my $name (sort keys %{ $op->{query} }) {
        next if !$op->{required}{$name} && rand() < 0.6;
        my $value = !$op->{required}{$name} || rand() < 0.5
            ? $self->value($op->{query}{$name}, $name) : $op->{examples}{$name};
        push @{ $request{query} }, [ $name, word_of($value // '') ];
    }

    $request{data} = $self->body_of($op) if $op->{body};

    return \%request;
}

# the example with some fields drawn anew, or all of them drawn

sub body_of {
    my ($self, $op) = @_;

    my $schema = $op->{body};
    my $drawn = $self->value($schema, 'body');
    return $drawn if ref $drawn ne 'HASH' || ref $op->{example} ne 'HASH'
        || rand() < 0.5;

    my %body = %{ $op->{example} };
    $body{$_} = $drawn->{$_} for grep { rand() < 0.3 } sort keys %$drawn;

    return \%body;
}

=item value($schema, $name)

What the schema has nothing against.

=cut

sub value {
    my ($self, $schema, $name) = @_;

    $schema = $self->{contract}->resolve($schema);

    return pick(@{ $schema->{enum} }) if $schema->{enum};
    return $schema->{const} if exists $schema->{const};

    for (qw(oneOf anyOf)) {
        return $self->value(pick(@{ $schema->{$_} }), $name) if $schema->{$_};
    }

    my $type = $schema->{type} // 'object';
    $type = pick(@$type) if ref $type;

    return $type eq 'null' ? undef
        : $type eq 'boolean' ? pick(JSON::PP::true, JSON::PP::false)
        : $type eq 'integer' || $type eq 'number' ? number($schema)
        : $type eq 'string' ? $self->text($schema, $name)
        : $type eq 'array' ? $self->array($schema, $name)
        : $self->object($schema);
}

sub object {
    my ($self, $schema) = @_;

    my %required = map { ($_ => 1) } @{ $schema->{required} // [] };
    my $properties = $schema->{properties} // {};

    return { map { ($_ => $self->value($properties->{$_}, $_)) }
        grep { $required{$_} || rand() < 0.4 } sort keys %$properties };
}

sub array {
    my ($self, $schema, $name) = @_;

    my $least = $schema->{minItems} // 0;
    my $n = $least + int rand(1 + min(3, ($schema->{maxItems} // 9) - $least));

    return [ map { $self->value($schema->{items}, $name) } 1 .. $n ];
}

# at a bound as often as between

sub number {
    my ($schema) = @_;

    my $low = $schema->{minimum} // 0;
    my $high = $schema->{maximum} // $low + 1000;

    return pick($low, $high, $low + int rand($high - $low + 1));
}

sub text {
    my ($self, $schema, $name) = @_;

    my $format = $schema->{format} // '';
    my $pattern = $schema->{pattern} // '';

    return $self->{id}->($name) if $format eq 'uuid';
    return sprintf '2026-01-%02dT%02d:00:00Z', 1 + rand 28, rand 24
        if $format eq 'date-time';
    return sprintf 'w%d@example.org', rand 1e9 if $format eq 'email';
    return sprintf '%02d:%02d', rand 24, rand 60 if $pattern =~ /\[0-5\]/;
    return pick(@{ $schema->{examples} }) if $schema->{examples};

    my $low = $schema->{minLength} // 0;
    my $n = pick($low, $low + int rand 20, $schema->{maxLength} // 40);
    my @letters = $pattern || $format ? ('a' .. 'z') : ('a' .. 'z', ' ', '"',
        "\\", "'", '%', '<', "\n", "\x{e4}", "\x{20ac}", "\x{1f4f7}");

    return join '', map { pick(@letters) } 1 .. min($n, $schema->{maxLength} // $n);
}

=item broken($op)

A good one with one thing wrong.

=cut

my @ways = qw(field type bound json bytes content_type unknown_argument argument
    twice id header body);

sub broken {
    my ($self, $op) = @_;

    for my $way (shuffle(@ways)) {
        my $request = $self->request($op);
        my $break = "break_$way";

        $request->{why} = $way;
        return $request if $self->$break($op, $request);
    }
}

sub break_field {
    my ($self, $op, $request) = @_;

    return if ref $request->{data} ne 'HASH';
    $request->{data}{ pick('x', 'tenantId', '__proto__', '', "a\0b", 'n' x 300) }
        = pick(1, undef, 'x', {}, []);

    return $request->{refused} = 1;
}

# of a type that the schema does not have

sub break_type {
    my ($self, $op, $request) = @_;

    my ($name, $schema) = $self->one_field($op, $request) or return;
    my %has = map { ($_ => 1) } map { ref ? @$_ : $_ // () } $schema->{type};
    my %other = (object => { a => 1 }, array => [ [ [] ] ], integer => 7,
        boolean => JSON::PP::true, string => "\0", null => undef);
    delete $other{integer} if $has{number};

    my $type = pick(grep { !$has{$_} } sort keys %other);
    $request->{data}{$name} = $other{$type};
    $request->{refused} = 1 if %has;

    return 1;
}

sub break_bound {
    my ($self, $op, $request) = @_;

    my ($name, $schema) = $self->one_field($op, $request) or return;
    my @wrong = (
        defined $schema->{maxLength} ? 'x' x ($schema->{maxLength} + 1) : (),
        $schema->{minLength} ? '' : (),
        defined $schema->{maximum}
            ? ($schema->{maximum} + 1, 1e300, '12345678901234567890' + 0) : (),
        defined $schema->{minimum} ? ($schema->{minimum} - 1, -1e300) : (),
        $schema->{enum} ? ('none-of-them', undef) : (),
        defined $schema->{maxItems} && $schema->{maxItems} <= 1000
            ? [ ('x') x ($schema->{maxItems} + 1) ] : (),
        $schema->{format} ? "not a $schema->{format}\x{2028}" : (),
    );
    return unless @wrong;

    @wrong = grep { defined } @wrong;
    $request->{data}{$name} = pick(@wrong);

    return $request->{refused} = 1;
}

sub one_field {
    my ($self, $op, $request) = @_;

    my $properties = ($op->{body} // {})->{properties};
    return if ref $request->{data} ne 'HASH' || !$properties;

    my $name = pick(sort keys %$properties);
    return ($name, $self->{contract}->resolve($properties->{$name}));
}

# a body that is not JSON, or not of this world

sub break_json {
    my ($self, $op, $request) = @_;

    return unless $op->{body};
    my $good = body($request);
    $request->{bytes} = pick('{', '{"a":}', 'null', '[]', '"x"', '7', "\0",
        '{"a":1,}', '[' x 5000, '{"a":' x 2000 . '1' . '}' x 2000, $good x 2,
        substr($good, 0, length($good) / 2), "\xef\xbb\xbf$good",
        '{"a":1e999999}', '{"a":NaN}', '{"a":' . '9' x 1000 . '}',
        $good . ' ' x 270_000);

    return $request->{refused} = 1;
}

# bytes that are no UTF-8, escapes that are no characters

sub break_bytes {
    my ($self, $op, $request) = @_;

    return if ref $request->{data} ne 'HASH' || !%{ $request->{data} };
    my $name = pick(sort keys %{ $request->{data} });
    my $wrong = pick("\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xe2\x82", '\\u0000', '\\ud800', '\\x', "\x01");

    $request->{bytes} = $json->encode({ %{ $request->{data} }, $name => ':here' })
        =~ s/:here/a${wrong}b/r;

    return $request->{refused} = 1;
}

sub break_content_type {
    my ($self, $op, $request) = @_;

    return unless $op->{body};
    $request->{type} = pick('text/plain', 'application/jsonx', 'x', ';', '',
        'multipart/form-data; boundary=', 'application/json; charset=utf-7',
        'application/x-www-form-urlencoded', 'text/csv; header=absent');

    return 1;
}

sub break_unknown_argument {
    my ($self, $op, $request) = @_;

    push @{ $request->{query} }, [ pick('x', '', '%00', 'cursor%5B%5D',
        'n' x 300), pick('', '1', '%', '%zz', '%ff%fe') ];

    return 1;
}

sub break_argument {
    my ($self, $op, $request) = @_;

    my $name = pick(sort keys %{ $op->{query} }) // return;
    $request->{query} = [ [ $name, pick('', '-1', '%00', '%ff', '%', '%zz', 'x' x 2000,
        '9' x 40, '1e9', '0x10', 'null', '%7B%7D', "%27%20OR%201=1--",
        '2026-02-30T00:00:00Z', '2026-01-01', '0000-00-00T00:00:00Z',
        '9999-12-31T23:59:59.999Z', '%F0%9F%93%B7', '+1', 'true,false') ],
        grep { $_->[0] ne $name } @{ $request->{query} } ];

    return 1;
}

sub break_twice {
    my ($self, $op, $request) = @_;

    my $name = pick(sort keys %{ $op->{query} }) // return;
    push @{ $request->{query} }, map { [ $name,
        word_of($self->value($op->{query}{$name}, $name) // '') ] } 1, 2;

    return 1;
}

sub break_id {
    my ($self, $op, $request) = @_;

    return unless $op->{path} =~ /:/;
    $request->{id} = pick('x', '0', '-', '.', '..x', 'a' x 300, '%27', '%ff',
        '%C0%80', '%E2%82%AC', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A1', '%25',
        '00000000-0000-0000-0000-000000000000', '~', '%0A', '*', ';', '%2e');

    return 1;
}

sub break_header {
    my ($self, $op, $request) = @_;

    my $value = pick('', '"', '"0"', '*', 'W/"x"', 'x' x 255, 'x' x 300, "\xff\xfe",
        '"a", "b"', 'bytes=0-0,5-2', '-1', '9' x 30, ',,,', "\t");
    push @{ $request->{headers} }, pick('If-Match', 'If-None-Match',
        'Idempotency-Key', 'Range', 'If-Range', 'Accept', 'Accept-Encoding',
        'If-Modified-Since', 'If-Unmodified-Since', 'X-Request-Id', 'Origin',
        'X-Requested-With', 'Cookie', 'Last-Event-ID', 'X-Forwarded-For')
        . ": $value";

    return 1;
}

# one where there is none, or none where there is one

sub break_body {
    my ($self, $op, $request) = @_;

    $request->{bytes} = $op->{body} ? '' : pick('x', '{}', '[', "\0" x 100);

    return 1;
}

=item smaller($request)

The requests that have one thing less than this one.

=cut

sub smaller {
    my ($request) = @_;

    my @smaller;

    for my $list (qw(query headers)) {
        my @all = @{ $request->{$list} };
        push @smaller, map { my $i = $_; +{ %$request,
            $list => [ @all[grep { $_ != $i } 0 .. $#all] ] } } 0 .. $#all;
    }

    my $data = defined $request->{bytes} ? undef : $request->{data};
    push @smaller, map { my %less = %$data; delete $less{$_};
        +{ %$request, data => \%less } } sort keys %$data if ref $data eq 'HASH';

    my $bytes = $request->{bytes} // '';
    push @smaller, map { +{ %$request, bytes => $_ } }
        substr($bytes, 0, length($bytes) / 2), substr($bytes, length($bytes) / 2)
        if length $bytes > 1;

    return @smaller;
}

=item body($request), query($request)

As they are sent.

=cut

sub body {
    my ($request) = @_;

    return $request->{bytes} if defined $request->{bytes};
    return exists $request->{data} ? $json->encode($request->{data}) : undef;
}

sub query {
    my ($request) = @_;

    return join '&', map { "$_->[0]=$_->[1]" } @{ $request->{query} };
}

=back

=cut

sub pick { $_[rand @_] }

# of a value as an argument has it

sub word_of {
    my ($value) = @_;

    my $word = ref $value eq 'ARRAY' ? join ',', @$value : "$value";
    $word = $value ? 'true' : 'false' if JSON::PP::is_bool($value);
    utf8::encode($word);

    return $word =~ s/([^\w.~:-])/sprintf '%%%02X', ord $1/gear;
}

1;
