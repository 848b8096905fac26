-- What is taken away while somebody refers to it.  Functions that write lock in
-- one order, what is referred to before what refers to it, as the removal of a
-- user, a group or a token does; rows of one table in the order of their ids.
-- Otherwise two of them wait for one another until one is ended as a deadlock.
--
-- And a list that took long: the audit log by a type of object that is rare.

-- grants: what is given names the user, and locks them, before what is taken away
-- is locked

CREATE OR REPLACE FUNCTION api_grants_put(p_user uuid, p_cameras uuid[],
                                          p_groups uuid[])
    RETURNS TABLE (
        user_id         uuid,
        camera_scope    text,
        camera_ids      text[],
        group_ids       text[],
        outcome         text)
    LANGUAGE plpgsql AS
$$
#variable_conflict use_column
DECLARE
    what        text = 'put';
BEGIN
    -- one at a time, for the last of two to be the one that counts

    PERFORM pg_advisory_xact_lock(hashtextextended('grants ' || p_user, 0))
    FROM users u
    WHERE u.id = p_user;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    PERFORM FROM camera_groups g
    WHERE g.id = ANY (p_groups)
    ORDER BY g.id
    FOR KEY SHARE;

    IF EXISTS (SELECT FROM unnest(p_cameras) w (id)
               WHERE NOT EXISTS (SELECT FROM cameras c
                                 WHERE c.id = w.id AND c.deleted_at IS NULL))
    THEN
        what = 'unknown camera';

    ELSIF EXISTS (SELECT FROM unnest(p_groups) w (id)
                  WHERE NOT EXISTS (SELECT FROM camera_groups g
                                    WHERE g.id = w.id))
    THEN
        what = 'unknown group';

    ELSE
        INSERT INTO camera_grants (user_id, camera_id)
        SELECT p_user, w.id FROM unnest(p_cameras) w (id)
        ON CONFLICT DO NOTHING;

        INSERT INTO camera_grants (user_id, group_id)
        SELECT p_user, w.id FROM unnest(p_groups) w (id)
        ON CONFLICT DO NOTHING;

        DELETE FROM camera_grants g
        WHERE g.user_id = p_user
          AND (g.camera_id IS NULL OR g.camera_id <> ALL (p_cameras))
          AND (g.group_id IS NULL OR g.group_id <> ALL (p_groups));
    END IF;

    RETURN QUERY SELECT g.*, what FROM api_grants_get(p_user) g;
END
$$;

CREATE OR REPLACE FUNCTION api_camera_group_put(p_id uuid, p_camera uuid)
    RETURNS TABLE (outcome text)
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM FROM camera_groups g
    WHERE g.id = p_id
    FOR KEY SHARE;

    IF FOUND AND EXISTS (SELECT FROM cameras c
                         WHERE c.id = p_camera AND c.deleted_at IS NULL)
    THEN
        INSERT INTO camera_group_members (group_id, camera_id)
        VALUES (p_id, p_camera)
        ON CONFLICT DO NOTHING;

        outcome = 'put';
        RETURN NEXT;
    END IF;
END
$$;

-- sessions: dead ones, of anybody, behind the user who logs in

CREATE OR REPLACE FUNCTION api_session_open(
        user_id uuid, refresh_hash bytea, ttl_sec integer, user_agent text,
        address text)
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
    UPDATE users u
    SET last_login_at = now()
    FROM tenants t
    WHERE u.id = api_session_open.user_id AND t.id = u.tenant_id
      AND u.is_active AND t.is_active AND u.role <> 'api_only'
    RETURNING u.tenant_id INTO tenant;

    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    PERFORM remove_dead_sessions();

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

-- API tokens: each before its usage

CREATE OR REPLACE FUNCTION api_tokens_used(
        tokens uuid[], days date[], requests bigint[], limited bigint[],
        used_at timestamptz[])
    RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    SELECT t.id
    FROM api_tokens t
    WHERE t.id = ANY (tokens)
    ORDER BY t.id
    FOR NO KEY UPDATE;

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

-- the audit log by a type of object, newest first; that of recordings is one

CREATE INDEX audit_log_by_type ON audit_log (tenant_id, object_type, at, id);
DROP INDEX audit_log_of_recordings;
