-- Users: people who log in, by username or email, and what they may do.  Both
-- names are unique without regard to case and over all tenants, because who
-- logs in names no tenant.
--
-- Nobody but the owner reads password_hash.  The API gets the one it has to
-- check from api_user_for_login(), before it knows the tenant.

CREATE TYPE user_role AS ENUM ('admin', 'operator', 'viewer', 'api_only');

COMMENT ON TYPE user_role IS
    'What a user may do; api_only has tokens and never logs in';

CREATE TABLE users (
    id                      uuid         NOT NULL DEFAULT gen_random_uuid(),
    tenant_id               uuid         NOT NULL DEFAULT current_tenant(),
    username                varchar(50)  NOT NULL,
    email                   varchar(254),
    password_hash           varchar(255) NOT NULL,
    role                    user_role    NOT NULL DEFAULT 'viewer',
    is_active               boolean      NOT NULL DEFAULT true,
    must_change_password    boolean      NOT NULL DEFAULT false,
    password_changed_at     timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_login_at           timestamptz,
    created_at              timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at              timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT users_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT users_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT usernames_are_words
        CHECK (username ~ '^[A-Za-z0-9][A-Za-z0-9._@-]*$'),
    CONSTRAINT usernames_with_an_at_sign_are_the_email
        CHECK (username !~ '@'
               OR lower(username) IS NOT DISTINCT FROM lower(email)),
    CONSTRAINT user_emails_have_one_at_sign
        CHECK (email ~ '^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$'),
    CONSTRAINT user_password_hashes_are_bcrypt
        CHECK (password_hash
               ~ '^[$]2[by][$](0[4-9]|[12][0-9]|3[01])[$][A-Za-z0-9./]{53}$')
);

-- serve the login, by either name, and refuse a second one of a name

CREATE UNIQUE INDEX users_have_unique_usernames ON users (lower(username));
CREATE UNIQUE INDEX users_have_unique_emails ON users (lower(email));

-- serves the lists of users
CREATE INDEX users_by_tenant ON users (tenant_id, created_at, id);

COMMENT ON TABLE users IS
    'People who log in, and owners of API tokens';
COMMENT ON COLUMN users.username IS
    'Unique in any case; with an at sign only when it is the email, so that '
    'no name can be another user''s address';
COMMENT ON COLUMN users.email IS
    'Second name to log in with, NULL = none';
COMMENT ON COLUMN users.password_hash IS
    'bcrypt; readable by the owner alone';
COMMENT ON COLUMN users.is_active IS
    'When false, no login and no session of theirs is good';
COMMENT ON COLUMN users.must_change_password IS
    'Set for a password that somebody else chose';

CREATE TRIGGER users_stamp_changes
    BEFORE UPDATE ON users
    FOR EACH ROW
    WHEN (OLD.last_login_at IS NOT DISTINCT FROM NEW.last_login_at)
    EXECUTE FUNCTION touch_updated_at();

ALTER TABLE users ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_api_sees_one_tenant ON users
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

GRANT SELECT (id, tenant_id, username, email, role, is_active,
              must_change_password, password_changed_at, last_login_at,
              created_at, updated_at)
    ON users TO camera_api;

-- one row at most: a name with an at sign is one user's email, another is one
-- user's username

CREATE FUNCTION api_user_for_login(name text)
    RETURNS TABLE (
        user_id         uuid,
        tenant_id       uuid,
        username        text,
        email           text,
        role            user_role,
        password_hash   text,
        usable          boolean
    )
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    SELECT u.id, u.tenant_id, u.username, u.email, u.role, u.password_hash,
           u.is_active AND t.is_active AND u.role <> 'api_only'
    FROM users u JOIN tenants t ON t.id = u.tenant_id
    WHERE lower(u.username) = lower(api_user_for_login.name)
       OR lower(u.email) = lower(api_user_for_login.name);
END;

COMMENT ON FUNCTION api_user_for_login IS
    'Who has this username or email, in any case, and the hash to check; '
    'usable = may log in.  Asked before the tenant is known';

REVOKE EXECUTE ON FUNCTION api_user_for_login FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_user_for_login TO camera_api;
