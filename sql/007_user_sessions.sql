-- Sessions: a user who is logged in on one device, until logout, the end of
-- its life or a revocation.
--
-- States of a refresh token, of which only the SHA-256 is known here:
--   live    made by a login [api_session_open] or a rotation
--           [api_session_rotate]; good for one rotation
--   spent   a rotation has replaced it.  Shown again within 10 s of that
--           rotation it is an answer that was lost, or another window of the
--           same browser, and gets a live sister; shown later it was stolen,
--           or the later ones were, and the whole session ends
-- A spent token is remembered for as long as it would have lived, so a thief
-- does not get away with it by rotating often.
--
-- The functions work before the tenant is known, hence with their owner's
-- rights.  camera_api reads sessions, never the hashes.

CREATE TABLE user_sessions (
    id              uuid         NOT NULL DEFAULT gen_random_uuid(),
    tenant_id       uuid         NOT NULL,
    user_id         uuid         NOT NULL,
    ttl_sec         integer      NOT NULL,
    rotated_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_used_at    timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    expires_at      timestamptz  NOT NULL,
    revoked_at      timestamptz,
    revoked_reason  text,
    user_agent      varchar(200),
    address         inet,

    CONSTRAINT user_sessions_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT user_sessions_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT user_sessions_belong_to_a_user
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT user_session_lives_are_positive
        CHECK (ttl_sec > 0),
    CONSTRAINT user_sessions_end_after_90_days
        CHECK (expires_at <= created_at + interval '90 days'),
    CONSTRAINT user_sessions_are_revoked_for_a_reason
        CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);

-- serves the revocation of a user's sessions and the list of them
CREATE INDEX user_sessions_by_user ON user_sessions (user_id, created_at);

-- serves the removal of dead ones in api_session_open()
CREATE INDEX user_sessions_by_end ON user_sessions (expires_at);

COMMENT ON TABLE user_sessions IS
    'Users who are logged in; kept for 30 days after their end';
COMMENT ON COLUMN user_sessions.id IS
    'The sid of its access tokens';
COMMENT ON COLUMN user_sessions.ttl_sec IS
    'What a rotation adds to its life when it names nothing else';
COMMENT ON COLUMN user_sessions.rotated_at IS
    'When its newest token replaced a live one';
COMMENT ON COLUMN user_sessions.expires_at IS
    'Put off by rotations, up to 90 days after created_at';
COMMENT ON COLUMN user_sessions.revoked_reason IS
    'logout, reuse, password, deactivated, or what api_session_end() was told';

CREATE TABLE refresh_tokens (
    hash            bytea        NOT NULL,
    session_id      uuid         NOT NULL,
    tenant_id       uuid         NOT NULL,
    issued_at       timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    expires_at      timestamptz  NOT NULL,
    spent_at        timestamptz,

    CONSTRAINT refresh_tokens_have_unique_hashes
        PRIMARY KEY (hash),
    CONSTRAINT refresh_tokens_belong_to_a_session
        FOREIGN KEY (session_id) REFERENCES user_sessions (id)
        ON DELETE CASCADE,
    CONSTRAINT refresh_tokens_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT refresh_token_hashes_are_sha256
        CHECK (octet_length(hash) = 32)
);

-- serves the removal of forgotten ones by rotations, and of whole sessions
CREATE INDEX refresh_tokens_by_session
    ON refresh_tokens (session_id, expires_at);

-- serves rotations, which spend what is live
CREATE INDEX refresh_tokens_that_are_live
    ON refresh_tokens (session_id) WHERE spent_at IS NULL;

COMMENT ON TABLE refresh_tokens IS
    'Refresh tokens of each session, live and spent ones';
COMMENT ON COLUMN refresh_tokens.hash IS
    'SHA-256 of the token';
COMMENT ON COLUMN refresh_tokens.expires_at IS
    'End of the session when it was issued; then it is forgotten';
COMMENT ON COLUMN refresh_tokens.spent_at IS
    'When a rotation replaced it, NULL = live';

ALTER TABLE user_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_api_sees_one_tenant ON user_sessions
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

GRANT SELECT ON user_sessions TO camera_api;

-- opening

CREATE FUNCTION remove_dead_sessions() RETURNS void
    LANGUAGE sql
BEGIN ATOMIC
    DELETE FROM user_sessions
    WHERE id IN (SELECT s.id
                 FROM user_sessions s
                 WHERE s.expires_at < now() - interval '30 days'
                 ORDER BY s.expires_at
                 LIMIT 10
                 FOR UPDATE SKIP LOCKED);
END;

COMMENT ON FUNCTION remove_dead_sessions IS
    'Called by each login: some more than it adds, so no job is needed';

CREATE FUNCTION inet_or_null(address text) RETURNS inet
    LANGUAGE plpgsql IMMUTABLE AS
$$
BEGIN
    RETURN address::inet;
EXCEPTION
    WHEN invalid_text_representation THEN
        RETURN NULL;                    -- a peer on a unix socket has none
END
$$;

COMMENT ON FUNCTION inet_or_null IS
    'The address, NULL when it is none';

CREATE FUNCTION api_session_open(user_id uuid, refresh_hash bytea,
                                 ttl_sec integer, user_agent text, address text)
    RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
#variable_conflict use_column
DECLARE
    tenant      uuid;
    sid         uuid;
    ends_at     timestamptz = now()
                    + make_interval(secs => api_session_open.ttl_sec);
BEGIN
    PERFORM remove_dead_sessions();

    UPDATE users u
    SET last_login_at = now()
    FROM tenants t
    WHERE u.id = api_session_open.user_id AND t.id = u.tenant_id
      AND u.is_active AND t.is_active AND u.role <> 'api_only'
    RETURNING u.tenant_id INTO tenant;

    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    INSERT INTO user_sessions (tenant_id, user_id, ttl_sec, expires_at,
                               user_agent, address)
    VALUES (tenant, api_session_open.user_id, api_session_open.ttl_sec,
            ends_at, left(api_session_open.user_agent, 200),
            inet_or_null(api_session_open.address))
    RETURNING id INTO sid;

    INSERT INTO refresh_tokens (hash, session_id, tenant_id, expires_at)
    VALUES (api_session_open.refresh_hash, sid, tenant, ends_at);

    RETURN sid;
END
$$;

COMMENT ON FUNCTION api_session_open IS
    'Begins a session after the password was found right; answers its id, '
    'NULL when this user may not log in';

-- asking, for every session of somebody who works: plpgsql keeps its plan, and
-- a function in SQL would be planned for each call

CREATE FUNCTION api_session_check(sid uuid)
    RETURNS TABLE (
        user_id     uuid,
        tenant_id   uuid,
        username    text,
        email       text,
        role        user_role,
        expires_at  timestamptz
    )
    LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT u.id, u.tenant_id, u.username::text, u.email::text, u.role,
           s.expires_at
    FROM user_sessions s
    JOIN users u ON u.id = s.user_id
    JOIN tenants t ON t.id = u.tenant_id
    WHERE s.id = api_session_check.sid
      AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
      AND u.is_active AND t.is_active AND u.role <> 'api_only';
END
$$;

COMMENT ON FUNCTION api_session_check IS
    'Whose session this is; no row unless session, user and tenant are good';

-- rotating

CREATE FUNCTION api_session_rotate(old_hash bytea, new_hash bytea,
                                   ttl_sec integer)
    RETURNS TABLE (
        outcome     text,
        sid         uuid,
        user_id     uuid,
        tenant_id   uuid,
        username    text,
        email       text,
        role        user_role,
        expires_at  timestamptz
    )
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
#variable_conflict use_column
DECLARE
    session     user_sessions;
    who         record;
    spent       timestamptz;
    moment      timestamptz;
    ends_at     timestamptz;
BEGIN
    SELECT s.* INTO session
    FROM refresh_tokens r JOIN user_sessions s ON s.id = r.session_id
    WHERE r.hash = old_hash
    FOR UPDATE OF s;                    -- one rotation of a session at a time

    SELECT c.* INTO who FROM api_session_check(session.id) c;

    IF NOT FOUND THEN
        outcome = 'unknown';
        RETURN NEXT;
        RETURN;
    END IF;

    outcome = 'rotated';
    sid = session.id;
    user_id = who.user_id;
    tenant_id = who.tenant_id;
    username = who.username;
    email = who.email;
    role = who.role;

    moment = clock_timestamp();

    SELECT r.spent_at INTO spent        -- by whoever held the lock before
    FROM refresh_tokens r
    WHERE r.hash = old_hash;

    IF spent < session.rotated_at
       OR spent IS NOT NULL AND moment > session.rotated_at + interval '10 s'
    THEN
        UPDATE user_sessions s
        SET revoked_at = moment, revoked_reason = 'reuse'
        WHERE s.id = session.id;

        outcome = 'reused';
        RETURN NEXT;
        RETURN;
    END IF;

    IF spent IS NULL THEN
        UPDATE refresh_tokens r
        SET spent_at = moment
        WHERE r.session_id = session.id AND r.spent_at IS NULL;

        session.rotated_at = moment;
    END IF;

    ends_at = least(moment + make_interval(
                        secs => coalesce(api_session_rotate.ttl_sec,
                                         session.ttl_sec)),
                    session.created_at + interval '90 days');

    INSERT INTO refresh_tokens (hash, session_id, tenant_id, expires_at)
    VALUES (new_hash, session.id, session.tenant_id, ends_at);

    UPDATE user_sessions s
    SET rotated_at = session.rotated_at, last_used_at = moment,
        expires_at = ends_at
    WHERE s.id = session.id;

    DELETE FROM refresh_tokens r
    WHERE r.session_id = session.id AND r.expires_at < moment;

    expires_at = ends_at;
    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION api_session_rotate IS
    'Replaces a refresh token: rotated, reused (the session was ended), or '
    'unknown.  Without ttl_sec the session lives on for what it was opened for';

-- ending

CREATE FUNCTION api_session_close(refresh_hash bytea) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    WITH ended AS (
        UPDATE user_sessions s
        SET revoked_at = now(), revoked_reason = 'logout'
        FROM refresh_tokens r
        WHERE r.hash = api_session_close.refresh_hash AND s.id = r.session_id
          AND s.revoked_at IS NULL AND s.expires_at > now()
        RETURNING s.id
    )
    SELECT EXISTS (SELECT FROM ended);
END;

COMMENT ON FUNCTION api_session_close IS
    'Logs out by refresh token; answers whether a session ended';

CREATE FUNCTION api_session_end(sid uuid, reason text) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    WITH ended AS (
        UPDATE user_sessions s
        SET revoked_at = now(), revoked_reason = api_session_end.reason
        WHERE s.id = api_session_end.sid
          AND s.tenant_id = coalesce(session_tenant(), s.tenant_id)
          AND s.revoked_at IS NULL AND s.expires_at > now()
        RETURNING s.id
    )
    SELECT EXISTS (SELECT FROM ended);
END;

COMMENT ON FUNCTION api_session_end IS
    'Ends a session, of the tenant of app.tenant where that names one; answers '
    'whether one ended';

CREATE FUNCTION end_sessions_of_user(user_id uuid, reason text, keep_sid uuid)
    RETURNS integer
    LANGUAGE sql
BEGIN ATOMIC
    WITH ended AS (
        UPDATE user_sessions s
        SET revoked_at = now(), revoked_reason = end_sessions_of_user.reason
        WHERE s.user_id = end_sessions_of_user.user_id
          AND s.id IS DISTINCT FROM end_sessions_of_user.keep_sid
          AND s.revoked_at IS NULL AND s.expires_at > now()
        RETURNING s.id
    )
    SELECT count(*)::integer FROM ended;
END;

COMMENT ON FUNCTION end_sessions_of_user IS
    'Ends all sessions of a user but one (NULL = not even that)';

CREATE FUNCTION api_password_set(user_id uuid, password_hash text,
                                 keep_sid uuid)
    RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
#variable_conflict use_column
BEGIN
    UPDATE users u
    SET password_hash = api_password_set.password_hash,
        password_changed_at = now(),
        must_change_password = false
    WHERE u.id = api_password_set.user_id
      AND u.tenant_id = coalesce(session_tenant(), u.tenant_id);

    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    RETURN end_sessions_of_user(api_password_set.user_id, 'password',
                                api_password_set.keep_sid);
END
$$;

COMMENT ON FUNCTION api_password_set IS
    'Sets a password and ends the user''s other sessions; answers how many, '
    'NULL without such a user in the tenant of app.tenant, where that names one';

CREATE FUNCTION end_sessions_of_deactivated_user() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    PERFORM end_sessions_of_user(NEW.id, 'deactivated', NULL);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION end_sessions_of_deactivated_user IS
    'Trigger: who is made active again logs in again';

CREATE TRIGGER users_lose_their_sessions
    AFTER UPDATE ON users
    FOR EACH ROW WHEN (OLD.is_active AND NOT NEW.is_active)
    EXECUTE FUNCTION end_sessions_of_deactivated_user();

REVOKE EXECUTE ON FUNCTION
    remove_dead_sessions, api_session_open, api_session_check,
    api_session_rotate, api_session_close, api_session_end,
    end_sessions_of_user, api_password_set, end_sessions_of_deactivated_user
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    api_session_open, api_session_check, api_session_rotate,
    api_session_close, api_session_end, api_password_set
    TO camera_api;
