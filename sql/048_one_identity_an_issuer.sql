-- A user has one identity at an issuer.  An address that a provider gives to
-- somebody else does not lead to the user who had it before: an administrator
-- takes the old identity away first.

CREATE OR REPLACE FUNCTION api_identity_login(p_issuer text, p_subject text,
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

        ELSIF EXISTS (SELECT FROM user_identities i
                      WHERE i.user_id = api_identity_login.user_id
                        AND i.issuer = p_issuer)
        THEN
            outcome = 'taken';
            RETURN NEXT;
            RETURN;
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
    'not: unverified, unknown, taken (the user has another identity at this '
    'issuer), foreign (a user of another tenant), disabled, no tenant';
