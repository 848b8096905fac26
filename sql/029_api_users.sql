-- Users by the API, and its rules:
--
-- - A tenant that has an active admin keeps one, whatever its people do.  Two that
--   take each other's role at once wait for one another at the tenant's row, and
--   the second one is refused.  The operator of the machine, who names no tenant
--   in app.tenant, may leave a tenant without, and give it one again.
-- - Nobody deals with a user who may do more than they do, nor gives a role that
--   may: the API says which roles those are (p_roles), as it knows permissions.
-- - Nobody changes their own role, or takes themselves away.
--
-- Removal is real: names are free again, sessions, tokens and grants go with the
-- row, what was made by the user stays with nobody's name, and the audit log has
-- names of its own.
--
-- playback_ended "user:ID" is said to whom playback has to be ended of a user who
-- may see less than before; what else changes is principal_changed alone.

ALTER TABLE users
    ADD COLUMN version bigint NOT NULL DEFAULT 1,
    ADD CONSTRAINT user_versions_are_positive
        CHECK (version > 0);

COMMENT ON COLUMN users.version IS
    'The ETag: grows with every change that a client can see, but for logins';

GRANT SELECT (version) ON users TO camera_api;

CREATE TRIGGER users_count_versions
    BEFORE UPDATE ON users
    FOR EACH ROW
    WHEN ((OLD.username, OLD.email, OLD.role, OLD.is_active,
           OLD.must_change_password, OLD.camera_scope, OLD.password_hash)
          IS DISTINCT FROM
          (NEW.username, NEW.email, NEW.role, NEW.is_active,
           NEW.must_change_password, NEW.camera_scope, NEW.password_hash))
    EXECUTE FUNCTION count_camera_version();

-- the last admin

CREATE FUNCTION keep_an_admin() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    PERFORM FROM tenants t WHERE t.id = OLD.tenant_id FOR NO KEY UPDATE;

    IF NOT EXISTS (SELECT FROM users u
                   WHERE u.tenant_id = OLD.tenant_id AND u.role = 'admin'
                     AND u.is_active)
    THEN
        RAISE EXCEPTION 'the tenant would be without an active admin'
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'tenants_keep_an_admin';
    END IF;

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION keep_an_admin IS
    'Trigger: the last active admin of a tenant stays one';

CREATE TRIGGER users_leave_an_admin_when_changed
    AFTER UPDATE ON users
    FOR EACH ROW
    WHEN (session_tenant() IS NOT NULL
          AND OLD.role = 'admin' AND OLD.is_active
          AND (NEW.role <> 'admin' OR NOT NEW.is_active
               OR NEW.tenant_id <> OLD.tenant_id))
    EXECUTE FUNCTION keep_an_admin();

CREATE TRIGGER users_leave_an_admin_when_deleted
    AFTER DELETE ON users
    FOR EACH ROW
    WHEN (session_tenant() IS NOT NULL
          AND OLD.role = 'admin' AND OLD.is_active)
    EXECUTE FUNCTION keep_an_admin();

-- an admin sees all cameras, whoever becomes one, too

CREATE FUNCTION admins_see_all() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    NEW.camera_scope = 'all';
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION admins_see_all IS
    'Trigger: whoever becomes an admin is not limited by grants';

CREATE TRIGGER users_see_all_as_admins
    BEFORE UPDATE ON users
    FOR EACH ROW
    WHEN (OLD.role <> 'admin' AND NEW.role = 'admin'
          AND OLD.camera_scope = NEW.camera_scope)
    EXECUTE FUNCTION admins_see_all();

-- who may see less than before

CREATE FUNCTION end_playback_of_user() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('playback_ended', 'user:' || OLD.id);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION end_playback_of_user IS
    'Trigger: what plays by the user''s leave is asked for again';

CREATE TRIGGER users_end_playback_when_changed
    AFTER UPDATE ON users
    FOR EACH ROW
    WHEN (OLD.role <> NEW.role OR OLD.is_active AND NOT NEW.is_active
          OR OLD.camera_scope = 'all' AND NEW.camera_scope = 'granted')
    EXECUTE FUNCTION end_playback_of_user();

CREATE TRIGGER users_end_playback_when_deleted
    AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION end_playback_of_user();

CREATE FUNCTION end_playback_of_grantees() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('playback_ended', 'user:' || u.id)
    FROM (SELECT DISTINCT c.user_id FROM changed c) g
    JOIN users u ON u.id = g.user_id AND u.camera_scope = 'granted';

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION end_playback_of_grantees IS
    'Trigger: something was granted that is not any more';

CREATE TRIGGER camera_grants_end_playback_when_taken
    AFTER DELETE ON camera_grants
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION end_playback_of_grantees();

CREATE FUNCTION end_playback_of_group() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('playback_ended', 'user:' || u.id)
    FROM (SELECT DISTINCT c.group_id FROM changed c) m
    JOIN camera_grants g ON g.group_id = m.group_id
    JOIN users u ON u.id = g.user_id AND u.camera_scope = 'granted';

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION end_playback_of_group IS
    'Trigger: a camera is no longer in a group that is granted';

CREATE TRIGGER camera_group_members_end_playback_when_removed
    AFTER DELETE ON camera_group_members
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION end_playback_of_group();

-- reading, with the rights of who does

CREATE VIEW api_users WITH (security_invoker = true) AS
SELECT u.id,
       u.username::text         AS username,
       u.email::text            AS email,
       u.role::text             AS role,
       u.is_active,
       u.must_change_password,
       u.camera_scope::text     AS camera_scope,
       u.last_login_at,
       u.created_at,
       u.updated_at,
       u.version
FROM users u;

COMMENT ON VIEW api_users IS
    'Users with the rights of who reads';

GRANT SELECT ON api_users TO camera_api;

-- changing, with the owner's rights, who alone has to do with passwords

CREATE FUNCTION refuse_role() RETURNS void
    LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION 'this role may do more than you'
        USING ERRCODE = 'check_violation',
              CONSTRAINT = 'nobody_gives_what_they_lack';
END
$$;

COMMENT ON FUNCTION refuse_role IS
    'Ends a change of a user who may do more, or would';

CREATE FUNCTION refuse_oneself() RETURNS void
    LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION 'somebody else has to do this'
        USING ERRCODE = 'check_violation',
              CONSTRAINT = 'nobody_changes_their_own_role';
END
$$;

COMMENT ON FUNCTION refuse_oneself IS
    'Ends a change that nobody makes of themselves';

CREATE FUNCTION api_user_create_once(
        p_principal     uuid,
        p_key           text,
        p_request_hash  bytea,
        p_roles         text[],
        p_password_hash text,
        p_username      text,
        p_email         text,
        p_role          text,
        p_camera_scope  text)
    RETURNS TABLE (
        id                      uuid,
        username                text,
        email                   text,
        role                    text,
        is_active               boolean,
        must_change_password    boolean,
        camera_scope            text,
        last_login_at           timestamptz,
        created_at              timestamptz,
        updated_at              timestamptz,
        version                 bigint,
        outcome                 text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
#variable_conflict use_column
DECLARE
    before      record;
    made        api_users;
    made_id     uuid;
BEGIN
    IF coalesce(p_role, 'viewer') <> ALL (p_roles) THEN
        PERFORM refuse_role();
    END IF;

    SELECT * INTO before
    FROM request_before(p_principal, 'POST /users', p_key, p_request_hash);

    IF before.outcome = 'new' THEN
        INSERT INTO users AS u (tenant_id, username, email, password_hash,
                                role, camera_scope, must_change_password)
        VALUES (session_tenant(), p_username, p_email, p_password_hash,
                coalesce(p_role, 'viewer')::user_role,
                coalesce(p_camera_scope, 'all')::camera_scope, true)
        RETURNING u.id INTO made_id;

        SELECT * INTO made FROM api_users u WHERE u.id = made_id;

        PERFORM request_made(p_principal, 'POST /users', p_key, made_id,
                             to_jsonb(made));
    ELSIF before.outcome = 'replayed' THEN
        made = jsonb_populate_record(NULL::api_users, before.response);
    END IF;

    RETURN QUERY SELECT made.*, before.outcome::text;
END
$$;

COMMENT ON FUNCTION api_user_create_once IS
    'Adds a user, who has to change the password, or answers the one that the '
    'same request added: new, replayed, reused (all else is NULL)';

-- a user whom the API may change: their role, NULL for none; locks the row

CREATE FUNCTION user_to_change(p_roles text[], p_id uuid)
    RETURNS users
    LANGUAGE plpgsql AS
$$
DECLARE
    found_user  users;
BEGIN
    SELECT u.* INTO found_user
    FROM users u
    WHERE u.id = p_id AND u.tenant_id = session_tenant()
    FOR NO KEY UPDATE;

    IF FOUND AND found_user.role::text <> ALL (p_roles) THEN
        PERFORM refuse_role();
    END IF;

    RETURN found_user;
END
$$;

COMMENT ON FUNCTION user_to_change IS
    'A user of the tenant of app.tenant with one of these roles, locked';

CREATE FUNCTION api_user_update(
        p_self          uuid,
        p_roles         text[],
        p_id            uuid,
        p_versions      bigint[],
        p_username      text,
        p_email         text,
        p_role          text,
        p_is_active     boolean,
        p_must_change   boolean,
        p_camera_scope  text)
    RETURNS TABLE (
        id                      uuid,
        username                text,
        email                   text,
        role                    text,
        is_active               boolean,
        must_change_password    boolean,
        camera_scope            text,
        last_login_at           timestamptz,
        created_at              timestamptz,
        updated_at              timestamptz,
        version                 bigint,
        outcome                 text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
#variable_conflict use_column
DECLARE
    found_user  users;
    what        text = 'updated';
BEGIN
    found_user = user_to_change(p_roles, p_id);

    IF found_user.id IS NULL THEN
        RETURN;
    END IF;

    IF p_role <> ALL (p_roles) THEN
        PERFORM refuse_role();
    END IF;

    IF p_id = p_self
       AND (p_role <> found_user.role::text OR NOT p_is_active
            OR p_camera_scope <> found_user.camera_scope::text)
    THEN
        PERFORM refuse_oneself();
    END IF;

    IF found_user.version <> ALL (p_versions) THEN
        what = 'stale';
    ELSE
        UPDATE users u
        SET username = coalesce(p_username, u.username),
            email = nullif(coalesce(p_email, u.email), ''),
            role = coalesce(p_role::user_role, u.role),
            is_active = coalesce(p_is_active, u.is_active),
            must_change_password = coalesce(p_must_change,
                                            u.must_change_password),
            camera_scope = coalesce(p_camera_scope::camera_scope,
                                    u.camera_scope)
        WHERE u.id = p_id;
    END IF;

    RETURN QUERY SELECT u.*, what FROM api_users u WHERE u.id = p_id;
END
$$;

COMMENT ON FUNCTION api_user_update IS
    'Changes what is not NULL, the email '''' is none: updated, stale; no row = '
    'no such user.  Fails for a role that is not among p_roles, one''s own role, '
    'and the last admin';

CREATE FUNCTION api_user_delete(p_self uuid, p_roles text[], p_id uuid,
                                p_versions bigint[])
    RETURNS TABLE (outcome text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    found_user  users;
BEGIN
    found_user = user_to_change(p_roles, p_id);

    IF found_user.id IS NULL THEN
        RETURN;
    END IF;

    IF p_id = p_self THEN
        PERFORM refuse_oneself();
    END IF;

    outcome = 'stale';

    IF p_versions IS NULL OR found_user.version = ANY (p_versions) THEN
        DELETE FROM users u WHERE u.id = p_id;
        outcome = 'deleted';
    END IF;

    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION api_user_delete IS
    'Removes a user: deleted, stale; no row = no such user.  Fails as '
    'api_user_update() does';

CREATE FUNCTION api_user_password_reset(p_self uuid, p_roles text[], p_id uuid,
                                        p_password_hash text)
    RETURNS TABLE (outcome text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    found_user  users;
BEGIN
    found_user = user_to_change(p_roles, p_id);

    IF found_user.id IS NULL THEN
        RETURN;
    END IF;

    IF p_id = p_self THEN
        PERFORM refuse_oneself();
    END IF;

    PERFORM api_password_set(p_id, p_password_hash, NULL);

    UPDATE users u SET must_change_password = true WHERE u.id = p_id;

    outcome = 'reset';
    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION api_user_password_reset IS
    'A password that somebody else chose: it has to be changed, and all sessions '
    'of the user end; no row = no such user';

-- sessions

CREATE VIEW api_user_sessions WITH (security_invoker = true) AS
SELECT s.id,
       s.user_id,
       s.user_agent::text   AS device,
       host(s.address)      AS address,
       s.created_at,
       s.last_used_at,
       s.expires_at
FROM user_sessions s
WHERE s.revoked_at IS NULL AND s.expires_at > now();

COMMENT ON VIEW api_user_sessions IS
    'Sessions that go on';

GRANT SELECT ON api_user_sessions TO camera_api;

CREATE FUNCTION api_user_session_end(p_user uuid, p_sid uuid, p_reason text)
    RETURNS TABLE (outcome text)
    LANGUAGE plpgsql AS
$$
BEGIN
    IF EXISTS (SELECT FROM api_user_sessions s
               WHERE s.id = p_sid AND s.user_id = p_user)
       AND api_session_end(p_sid, p_reason)
    THEN
        outcome = 'ended';
        RETURN NEXT;
    END IF;
END
$$;

COMMENT ON FUNCTION api_user_session_end IS
    'Ends a session of a user: ended; no row = there is no such one';

REVOKE EXECUTE ON FUNCTION
    keep_an_admin, refuse_role, refuse_oneself, user_to_change,
    api_user_create_once, api_user_update, api_user_delete,
    api_user_password_reset, api_user_session_end
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    api_user_create_once, api_user_update, api_user_delete,
    api_user_password_reset, api_user_session_end
    TO camera_api;
