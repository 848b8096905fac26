-- What is asked of every principal, in one statement each: of a session, how
-- much its tenant may ask for, and of an API token, whether its owner sees only
-- what is granted to them.

DROP FUNCTION api_session_check(uuid);

CREATE FUNCTION api_session_check(sid uuid)
    RETURNS TABLE (
        user_id                 uuid,
        tenant_id               uuid,
        username                text,
        email                   text,
        role                    user_role,
        expires_at              timestamptz,
        scoped                  boolean,
        must_change_password    boolean,
        tenant_requests         integer
    )
    LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT u.id, u.tenant_id, u.username::text, u.email::text, u.role,
           s.expires_at, u.camera_scope = 'granted', u.must_change_password,
           t.max_requests_per_hour
    FROM user_sessions s
    JOIN users u ON u.id = s.user_id
    JOIN tenants t ON t.id = u.tenant_id
    WHERE s.id = api_session_check.sid
      AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
      AND u.is_active AND t.is_active AND u.role <> 'api_only';
END
$$;

COMMENT ON FUNCTION api_session_check IS
    'Whose session this is; no row unless session, user and tenant are good.  '
    'scoped = sees what is granted';

REVOKE EXECUTE ON FUNCTION api_session_check FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_session_check TO camera_api;

DROP FUNCTION api_token_check(text);

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
        tenant_requests integer,
        scoped          boolean
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
           t.max_requests_per_hour, u.camera_scope = 'granted'
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
    'Asked before the tenant is known.  scoped = sees what is granted';

REVOKE EXECUTE ON FUNCTION api_token_check FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_token_check TO camera_api;
