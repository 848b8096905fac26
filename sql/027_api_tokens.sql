-- API tokens: what programs carry instead of logging in, and how many requests
-- a tenant may make.
--
-- A token belongs to a user, who may be one that never logs in (api_only).  It
-- may do what its list says and, but for api_only, what its owner's role allows
-- at that moment: a list is a limit, never a right of its own.  Of the token
-- only the SHA-256 is known here.
--
--     good    made [INSERT]; changed by PUT .../permissions
--     ended   revoked [is_active = false], or past expires_at; for good

CREATE TABLE api_tokens (
    id                  uuid         NOT NULL DEFAULT gen_random_uuid(),
    tenant_id           uuid         NOT NULL DEFAULT current_tenant(),
    user_id             uuid         NOT NULL,
    created_by          uuid,
    token_hash          varchar(255) NOT NULL,
    prefix              varchar(8)   NOT NULL,
    name                varchar(100) NOT NULL,
    remark              text,
    permissions         jsonb        NOT NULL,
    rate_limit          integer      NOT NULL DEFAULT 1000,
    rate_window_sec     integer      NOT NULL DEFAULT 3600,
    max_concurrent      integer,
    allowed_cidrs       cidr[]       NOT NULL DEFAULT '{}',
    expires_at          timestamptz,
    last_used_at        timestamptz,
    is_active           boolean      NOT NULL DEFAULT true,
    revoked_at          timestamptz,
    created_at          timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT api_tokens_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT api_tokens_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT api_tokens_belong_to_a_user
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT api_tokens_are_made_by_a_user
        FOREIGN KEY (created_by) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT api_token_hashes_are_sha256
        CHECK (token_hash ~ '^[0-9a-f]{64}$'),
    CONSTRAINT api_token_names_are_not_blank
        CHECK (btrim(name) <> ''),
    CONSTRAINT api_token_remarks_are_short
        CHECK (length(remark) <= 1000),
    CONSTRAINT api_token_permissions_are_a_list
        CHECK (jsonb_typeof(permissions) = 'array'
               AND jsonb_array_length(permissions) BETWEEN 1 AND 32),
    CONSTRAINT api_token_rates_are_positive
        CHECK (rate_limit BETWEEN 1 AND 1000000000),
    CONSTRAINT api_token_windows_are_an_hour_at_most
        CHECK (rate_window_sec BETWEEN 1 AND 3600),
    CONSTRAINT api_token_concurrency_is_positive
        CHECK (max_concurrent BETWEEN 1 AND 1000),
    CONSTRAINT api_token_networks_are_few
        CHECK (cardinality(allowed_cidrs) <= 10),
    CONSTRAINT api_tokens_that_are_revoked_say_when
        CHECK (is_active = (revoked_at IS NULL))
);

-- serves the look-up of a token that comes with a request
CREATE UNIQUE INDEX api_tokens_have_unique_hashes ON api_tokens (token_hash);

-- serves lists, newest first
CREATE INDEX api_tokens_by_tenant ON api_tokens (tenant_id, created_at, id);

-- serves the count of a user's tokens
CREATE INDEX api_tokens_that_are_active ON api_tokens (user_id)
    WHERE is_active;

COMMENT ON TABLE api_tokens IS
    'Credentials of programs; revoked ones stay, for their history';
COMMENT ON COLUMN api_tokens.user_id IS
    'Whose it is: it may do no more than they';
COMMENT ON COLUMN api_tokens.token_hash IS
    'SHA-256 of the token, in hexadecimal';
COMMENT ON COLUMN api_tokens.prefix IS
    'Its first characters, to know it again by';
COMMENT ON COLUMN api_tokens.permissions IS
    'Names as "cameras:read"; "*" is everything';
COMMENT ON COLUMN api_tokens.rate_limit IS
    'Requests in a window of rate_window_sec';
COMMENT ON COLUMN api_tokens.max_concurrent IS
    'Requests that run at once, NULL = as the server is set';
COMMENT ON COLUMN api_tokens.allowed_cidrs IS
    'Where it may be used from, empty = everywhere';
COMMENT ON COLUMN api_tokens.expires_at IS
    'NULL = never';
COMMENT ON COLUMN api_tokens.last_used_at IS
    'Right to a minute';

CREATE TABLE api_token_usage (
    token_id        uuid         NOT NULL,
    tenant_id       uuid         NOT NULL,
    day             date         NOT NULL,
    requests        bigint       NOT NULL DEFAULT 0,
    limited         bigint       NOT NULL DEFAULT 0,

    CONSTRAINT api_token_usage_has_one_row_a_day
        PRIMARY KEY (token_id, day),
    CONSTRAINT api_token_usage_is_of_a_token
        FOREIGN KEY (token_id) REFERENCES api_tokens (id) ON DELETE CASCADE,
    CONSTRAINT api_token_usage_belongs_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

COMMENT ON TABLE api_token_usage IS
    'How much each token was used, by day of UTC';
COMMENT ON COLUMN api_token_usage.limited IS
    'Of requests: those that were too many, and refused';

ALTER TABLE api_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_token_usage ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_api_sees_one_tenant ON api_tokens
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));
CREATE POLICY the_api_sees_one_tenant ON api_token_usage
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

GRANT SELECT (id, tenant_id, user_id, created_by, prefix, name, remark,
              permissions, rate_limit, rate_window_sec, max_concurrent,
              allowed_cidrs, expires_at, last_used_at, is_active, revoked_at,
              created_at),
    INSERT (user_id, created_by, token_hash, prefix, name, remark, permissions,
            rate_limit, rate_window_sec, max_concurrent, allowed_cidrs,
            expires_at),
    UPDATE (permissions, is_active, revoked_at)
    ON api_tokens TO camera_api;
GRANT SELECT ON api_token_usage TO camera_api;

-- making: few for each user, and of a user of the same tenant

CREATE FUNCTION check_new_api_token() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    PERFORM FROM users u                -- one token of a user at a time
    WHERE u.id = NEW.user_id AND u.tenant_id = NEW.tenant_id
    FOR NO KEY UPDATE;

    IF NOT FOUND THEN
        RAISE EXCEPTION 'the user is of another tenant'
            USING ERRCODE = 'foreign_key_violation',
                  CONSTRAINT = 'api_tokens_belong_to_a_user';
    END IF;

    IF (SELECT count(*) FROM api_tokens t
        WHERE t.user_id = NEW.user_id AND t.is_active
          AND (t.expires_at IS NULL OR t.expires_at > now())) >= 50
    THEN
        RAISE EXCEPTION 'the user has 50 tokens'
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'api_tokens_of_a_user_are_few';
    END IF;

    RETURN NEW;
END
$$;

COMMENT ON FUNCTION check_new_api_token IS
    'Trigger: the owner is of this tenant, and has fewer than 50 tokens';

REVOKE EXECUTE ON FUNCTION check_new_api_token FROM PUBLIC;

CREATE TRIGGER api_tokens_are_checked_when_made
    BEFORE INSERT ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION check_new_api_token();

-- news

CREATE FUNCTION notify_api_token_changed() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('principal_changed', 'token:' || OLD.id);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_api_token_changed IS
    'Trigger: what is remembered of a token is out of date';

CREATE TRIGGER api_tokens_notify_when_changed
    AFTER UPDATE ON api_tokens
    FOR EACH ROW
    WHEN ((OLD.user_id, OLD.permissions, OLD.rate_limit, OLD.rate_window_sec,
           OLD.max_concurrent, OLD.allowed_cidrs, OLD.expires_at,
           OLD.is_active)
          IS DISTINCT FROM
          (NEW.user_id, NEW.permissions, NEW.rate_limit, NEW.rate_window_sec,
           NEW.max_concurrent, NEW.allowed_cidrs, NEW.expires_at,
           NEW.is_active))
    EXECUTE FUNCTION notify_api_token_changed();

CREATE TRIGGER api_tokens_notify_when_deleted
    AFTER DELETE ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION notify_api_token_changed();

-- how much a tenant may ask for

ALTER TABLE tenants
    ADD COLUMN max_requests_per_hour integer,
    ADD CONSTRAINT tenant_requests_are_positive
        CHECK (max_requests_per_hour > 0);

COMMENT ON COLUMN tenants.max_requests_per_hour IS
    'Requests to the API, NULL = as the server is set';

CREATE FUNCTION notify_tenant_changed() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('principal_changed', 'tenant:' || NEW.id);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_tenant_changed IS
    'Trigger: what is remembered of all users of a tenant is out of date';

CREATE TRIGGER tenants_notify_when_limits_change
    AFTER UPDATE ON tenants
    FOR EACH ROW
    WHEN (OLD.max_requests_per_hour IS DISTINCT FROM
          NEW.max_requests_per_hour)
    EXECUTE FUNCTION notify_tenant_changed();

-- asking

CREATE FUNCTION api_token_check(token_hash text)
    RETURNS TABLE (
        token_id        uuid,
        user_id         uuid,
        tenant_id       uuid,
        username        text,
        role            user_role,
        permissions     text,
        rate_limit      integer,
        rate_window_sec integer,
        max_concurrent  integer,
        allowed_cidrs   text,
        expires_at      timestamptz,
        tenant_requests integer
    )
    LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT a.id, u.id, u.tenant_id, u.username::text, u.role,
           (SELECT string_agg(p, ' ')
            FROM jsonb_array_elements_text(a.permissions) p),
           a.rate_limit, a.rate_window_sec, a.max_concurrent,
           array_to_string(a.allowed_cidrs, ' '), a.expires_at,
           t.max_requests_per_hour
    FROM api_tokens a
    JOIN users u ON u.id = a.user_id AND u.tenant_id = a.tenant_id
    JOIN tenants t ON t.id = u.tenant_id
    WHERE a.token_hash = api_token_check.token_hash
      AND a.is_active
      AND (a.expires_at IS NULL OR a.expires_at > clock_timestamp())
      AND u.is_active AND t.is_active;
END
$$;

COMMENT ON FUNCTION api_token_check IS
    'Whose token this is; no row unless token, user and tenant are good.  '
    'Asked before the tenant is known';

REVOKE EXECUTE ON FUNCTION api_token_check FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_token_check TO camera_api;

-- counting: what a worker gathered of several tokens, of any tenants

CREATE FUNCTION api_tokens_used(tokens uuid[], days date[], requests bigint[],
                                limited bigint[], used_at timestamptz[])
    RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    INSERT INTO api_token_usage AS u
        (token_id, tenant_id, day, requests, limited)
    SELECT n.token, t.tenant_id, n.day, sum(n.requests), sum(n.limited)
    FROM unnest(tokens, days, requests, limited)
         AS n (token, day, requests, limited)
    JOIN api_tokens t ON t.id = n.token
    GROUP BY n.token, t.tenant_id, n.day
    ORDER BY n.token, n.day
    ON CONFLICT (token_id, day) DO UPDATE
    SET requests = u.requests + excluded.requests,
        limited = u.limited + excluded.limited;

    UPDATE api_tokens t
    SET last_used_at = n.used_at
    FROM (SELECT token, max(used_at) AS used_at
          FROM unnest(tokens, used_at) AS n (token, used_at)
          GROUP BY token) n
    WHERE t.id = n.token
      AND (t.last_used_at IS NULL
           OR t.last_used_at < n.used_at - interval '1 minute');
END;

COMMENT ON FUNCTION api_tokens_used IS
    'Adds to the usage of these days; a token that is gone is left out';

REVOKE EXECUTE ON FUNCTION api_tokens_used FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_tokens_used TO camera_api;
