-- People who come by themselves: who signs up with a tenant of their own, and
-- who is known to an identity provider.
--
-- An identity is what a provider calls somebody: the issuer and its subject,
-- which never change and are never given to another person there.  An address
-- that the provider has verified leads to a user once; from then on the
-- identity does, whatever becomes of the address.  A provider is that of one
-- tenant and leads to no user of another one, whoever has the address there.
--
-- The functions work before the tenant is known, hence with their owner's
-- rights.

ALTER TABLE users ADD COLUMN name varchar(100);

COMMENT ON COLUMN users.name IS
    'What the person is called, NULL = not told';

GRANT SELECT (name) ON users TO camera_api;

CREATE TABLE user_identities (
    issuer          varchar(255) NOT NULL,
    subject         varchar(255) NOT NULL,
    tenant_id       uuid         NOT NULL,
    user_id         uuid         NOT NULL,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_login_at   timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT user_identities_are_of_one_user
        PRIMARY KEY (issuer, subject),
    CONSTRAINT user_identities_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT user_identities_belong_to_a_user
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

-- serves the list of a user's identities, and their removal with the user
CREATE INDEX user_identities_by_user ON user_identities (user_id);

COMMENT ON TABLE user_identities IS
    'Users as identity providers (OpenID Connect) know them';
COMMENT ON COLUMN user_identities.issuer IS
    'The claim iss, which names the provider';
COMMENT ON COLUMN user_identities.subject IS
    'The claim sub, unique at the issuer and never given to somebody else';

ALTER TABLE user_identities ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_api_sees_one_tenant ON user_identities
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

GRANT SELECT ON user_identities TO camera_api;

-- names

CREATE FUNCTION username_for_email(email text) RETURNS text
    LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT CASE WHEN length(username_for_email.email) <= 50
                     AND username_for_email.email
                         ~ '^[A-Za-z0-9][A-Za-z0-9._@-]*$'
                THEN username_for_email.email
                ELSE coalesce(
                         nullif(left(regexp_replace(
                                         split_part(username_for_email.email,
                                                    '@', 1),
                                         '[^A-Za-z0-9]+', '', 'g'), 30), ''),
                         'user')
                     || '-' || left(gen_random_uuid()::text, 8) END;
END;

COMMENT ON FUNCTION username_for_email IS
    'A username for who has an address and no other: the address itself, or '
    'something like it where that is too long or has characters of its own';

CREATE FUNCTION slug_for_name(name text) RETURNS text
    LANGUAGE plpgsql VOLATILE AS
$$
DECLARE
    base    text = trim(BOTH '-' FROM left(trim(BOTH '-' FROM regexp_replace(
                       lower(name), '[^a-z0-9]+', '-', 'g')), 50));
BEGIN
    IF base = '' THEN
        base = 'tenant';
    END IF;

    IF NOT EXISTS (SELECT FROM tenants WHERE slug = base) THEN
        RETURN base;
    END IF;

    RETURN base || '-' || left(gen_random_uuid()::text, 8);
END
$$;

COMMENT ON FUNCTION slug_for_name IS
    'A slug that no tenant has, made of a name that people gave';

-- signing up

CREATE FUNCTION api_register(p_tenant_name text, p_email text,
                             p_password_hash text, p_name text,
                             p_refresh_hash bytea, p_ttl_sec integer,
                             p_user_agent text, p_address text)
    RETURNS TABLE (
        user_id     uuid,
        tenant_id   uuid,
        username    text,
        email       text,
        role        user_role,
        sid         uuid
    )
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
#variable_conflict use_column
BEGIN
    email = p_email;
    username = username_for_email(p_email);
    role = 'admin';

    -- of two tenants of one name at once, one comes again

    INSERT INTO tenants (slug, name)
    VALUES (slug_for_name(p_tenant_name), p_tenant_name)
    RETURNING id INTO tenant_id;

    INSERT INTO users (tenant_id, username, email, password_hash, role, name)
    VALUES (tenant_id, username, p_email, p_password_hash, role, p_name)
    RETURNING id INTO user_id;

    sid = api_session_open(user_id, p_refresh_hash, p_ttl_sec, p_user_agent,
                           p_address);
    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION api_register IS
    'A new tenant with its first user, who is its admin and logged in.  An '
    'address that somebody has is SQLSTATE 23505, users_have_unique_emails or '
    'users_have_unique_usernames';

-- logging in by an identity

CREATE FUNCTION api_identity_login(p_issuer text, p_subject text,
                                   p_email text, p_name text, p_tenant text,
                                   p_role text)
    RETURNS TABLE (
        user_id     uuid,
        tenant_id   uuid,
        username    text,
        email       text,
        role        user_role,
        outcome     text
    )
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
#variable_conflict use_column
DECLARE
    wanted  uuid;
BEGIN
    -- two windows of one person who comes for the first time

    PERFORM pg_advisory_xact_lock(hashtextextended(
                                      p_issuer || ' ' || p_subject, 31));

    SELECT t.id INTO wanted FROM tenants t WHERE t.slug = p_tenant;

    IF NOT FOUND THEN
        outcome = 'no tenant';
        RETURN NEXT;
        RETURN;
    END IF;

    UPDATE user_identities i
    SET last_login_at = now()
    WHERE i.issuer = p_issuer AND i.subject = p_subject
    RETURNING i.user_id INTO user_id;

    IF FOUND THEN
        outcome = 'known';

    ELSIF p_email IS NULL THEN
        outcome = 'unverified';
        RETURN NEXT;
        RETURN;

    ELSE
        SELECT u.id INTO user_id
        FROM users u
        WHERE lower(u.email) = lower(p_email);

        outcome = 'linked';

        IF NOT FOUND THEN
            IF p_role IS NULL THEN
                outcome = 'unknown';
                RETURN NEXT;
                RETURN;
            END IF;

            -- a hash that no password has

            INSERT INTO users (tenant_id, username, email, password_hash,
                               role, name)
            VALUES (wanted, username_for_email(p_email), p_email,
                    '$2b$12$' || repeat('.', 53), p_role::user_role, p_name)
            RETURNING id INTO user_id;

            outcome = 'created';
        END IF;
    END IF;

    SELECT u.tenant_id, u.username, u.email, u.role,
           CASE WHEN wanted <> u.tenant_id THEN 'foreign'
                WHEN u.is_active AND t.is_active AND u.role <> 'api_only'
                THEN outcome
                ELSE 'disabled' END
    INTO tenant_id, username, email, role, outcome
    FROM users u JOIN tenants t ON t.id = u.tenant_id
    WHERE u.id = user_id;

    IF outcome IN ('linked', 'created') THEN
        INSERT INTO user_identities (issuer, subject, tenant_id, user_id)
        VALUES (p_issuer, p_subject, tenant_id, user_id);
    END IF;

    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION api_identity_login IS
    'Whom the provider of a tenant has sent: known, linked (by p_email, which it '
    'verified, NULL = it did not), created (with p_role, NULL = never); or why '
    'not: unverified, unknown, foreign (a user of another tenant), disabled, no '
    'tenant';

REVOKE EXECUTE ON FUNCTION
    username_for_email, slug_for_name, api_register, api_identity_login
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_register, api_identity_login TO camera_api;
