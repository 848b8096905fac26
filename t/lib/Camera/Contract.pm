package Camera::Contract;

# Copyright (C) The nginx camera platform authors

# openapi.yaml, for tests that hold routes and answers against it.

use strict;
use warnings;

use JSON::Validator;
use YAML::XS;

=head1 NAME

Camera::Contract - the contract of the API

=head1 SYNOPSIS

    my $contract = Camera::Contract->new("$root/openapi.yaml");

    for my $op ($contract->operations) {
        print "$op->{method} $op->{path} needs $op->{needs}\n";
    }

    is_deeply([ $contract->complaints('getCamera', 200, $json) ], []);

=head1 METHODS

=over

=item new($file)

=cut

sub new {
    my ($class, $file) = @_;

    local $YAML::XS::Boolean = 'JSON::PP';

    return bless { doc => YAML::XS::LoadFile($file) }, $class;
}

=item operations

Each has C<id>, C<method>, C<path> (with C<:id> for C<{id}>), C<needs> (the
permission its description names, "" for none), C<public> ("public", "optional" or
""), C<interactive> (1: it says "Not with an API token"), C<query> (a hash of field
names to schemas), C<required> and C<examples> (of those), C<body> (its schema),
C<example> (of it), C<codes> that it answers, C<good> (the first that is no error)
and C<endless> (1: a stream of events).

=cut

sub operations {
    my ($self) = @_;

    my @found;
    my $paths = $self->{doc}{paths};

    for my $path (sort keys %$paths) {
        for my $method (grep { /^(?:get|post|put|patch|delete)$/ }
            sort keys %{ $paths->{$path} })
        {
            push @found, $self->_operation($path, $method);
        }
    }

    return @found;
}

sub _operation {
    my ($self, $path, $method) = @_;

    my $op = $self->{doc}{paths}{$path}{$method};
    my ($needs) = ($op->{description} // '') =~ /Needs\s+`([\w:]+)`/;
    my @query = grep { $_->{in} eq 'query' }
        map { $self->resolve($_) } @{ $op->{parameters} // [] };
    my $body = $op->{requestBody}{content}{'application/json'} // {};
    my @codes = sort keys %{ $op->{responses} };

    return {
        id     => $op->{operationId},
        method => uc $method,
        path   => $path =~ s/\{(\w+)\}/:$1/gr,
        needs  => $needs // '',
        public => _is_public($op->{security}),
        interactive => ($op->{description} // '')
            =~ /Not\s+with\s+an\s+API\s+token/ ? 1 : 0,
        query  => { map { $_->{name} => $self->resolve($_->{schema}) } @query },
        required => { map { $_->{name} => 1 } grep { $_->{required} } @query },
        examples => { map { ($_->{name} => $_->{example}) } @query },
        body   => $body->{schema} && $self->resolve($body->{schema}),
        example => $body->{example},
        codes  => \@codes,
        good   => (grep { $_ < 400 } @codes)[0],
        endless => (grep { ($_->{content} // {})->{'text/event-stream'} }
            values %{ $op->{responses} }) ? 1 : 0,
        raw    => $op,
    };
}

# without any credential: none is named, or an empty one beside others

sub _is_public {
    my ($security) = @_;

    return '' unless $security;
    return 'public' unless @$security;
    return (grep { !%$_ } @$security) ? 'optional' : '';
}

=item resolve($schema)

What a C<$ref> points to, or the schema itself.

=cut

sub resolve {
    my ($self, $schema) = @_;

    while (ref $schema eq 'HASH' && $schema->{'$ref'}) {
        my $at = $self->{doc};
        $at = $at->{$_} for split m{/}, $schema->{'$ref'} =~ s{^#/}{}r;
        $schema = $at;
    }

    return $schema;
}

=item answers($operation, $status)

Examples of what an operation (of C<operations>) answers as JSON with that status,
each a hash with C<name>, where it has one, and C<data>: those of the answer, or
else those of its schema.

=cut

sub answers {
    my ($self, $op, $status) = @_;

    my $response = $self->resolve($op->{raw}{responses}{$status});
    my $content = $response->{content}{'application/json'} or return;
    my $named = $content->{examples} // {};

    return { data => $content->{example} } if exists $content->{example};
    return map { { name => $_, data => $self->resolve($named->{$_})->{value} } }
        sort keys %$named if %$named;
    return map { { data => $_ } } $self->_examples($content->{schema});
}

# of an array those of its items, in one

sub _examples {
    my ($self, $schema) = @_;

    $schema = $self->resolve($schema);
    return @{ $schema->{examples} } if $schema->{examples};
    return unless $schema->{items};

    my @items = $self->_examples($schema->{items});
    return @items ? [@items] : ();
}

=item complaints($operation, $status, $data)

What is wrong with an answer: its status, or its body against the schema of
that status.  An empty list when nothing is.

=cut

sub complaints {
    my ($self, $id, $status, $data) = @_;

    my ($op) = grep { $_->{id} eq $id } $self->operations;
    return "there is no operation $id" unless $op;

    my $response = $self->resolve($op->{raw}{responses}{$status})
        or return "$id does not answer $status";
    my $schema = $response->{content}{'application/json'}{schema}
        or return;

    return map { "$_" } $self->_validator($schema)->validate($data);
}

=item schema_complaints($name, $data)

What is wrong with data that is to be as the schema of that name says.

=cut

sub schema_complaints {
    my ($self, $name, $data) = @_;

    return map { "$_" } $self->_validator(
        { '$ref' => "#/components/schemas/$name" })->validate($data);
}

# The schema with what it refers to beside it, as JSON Schema 2020-12, which is
# what OpenAPI 3.1 uses.

sub _validator {
    my ($self, $schema) = @_;

    my $key = $schema->{'$ref'} // "$schema";

    return $self->{validators}{$key} //= JSON::Validator->new->schema({
        '$schema'    => 'https://json-schema.org/draft/2020-12/schema',
        %$schema,
        components   => { schemas => $self->{doc}{components}{schemas} },
    })->schema;
}

=back

=cut

1;
