-- What people are called, by whom manages them, beside how they log in.  What was
-- called without a name may be called so still.

DROP TRIGGER users_count_versions ON users;

CREATE TRIGGER users_count_versions
    BEFORE UPDATE ON users
    FOR EACH ROW
    WHEN ((OLD.username, OLD.email, OLD.role, OLD.is_active,
           OLD.must_change_password, OLD.camera_scope, OLD.password_hash,
           OLD.name)
          IS DISTINCT FROM
          (NEW.username, NEW.email, NEW.role, NEW.is_active,
           NEW.must_change_password, NEW.camera_scope, NEW.password_hash,
           NEW.name))
    EXECUTE FUNCTION count_camera_version();

CREATE OR REPLACE VIEW api_users WITH (security_invoker = true) AS
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
       u.version,
       u.name::text             AS name
FROM users u;

DROP FUNCTION api_user_create_once(
    uuid, text, bytea, text[], text, text, text, text, text);
DROP FUNCTION api_user_update(
    uuid, text[], uuid, bigint[], text, text, text, boolean, boolean, text);

CREATE FUNCTION api_user_create_once(
        p_principal     uuid,
        p_key           text,
        p_request_hash  bytea,
        p_roles         text[],
        p_password_hash text,
        p_username      text,
        p_email         text,
        p_role          text,
        p_camera_scope  text,
        p_name          text DEFAULT NULL)
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
        name                    text,
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
                                role, camera_scope, must_change_password,
                                name)
        VALUES (session_tenant(), p_username, p_email, p_password_hash,
                coalesce(p_role, 'viewer')::user_role,
                coalesce(p_camera_scope, 'all')::camera_scope, true,
                p_name)
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
        p_camera_scope  text,
        p_name          text DEFAULT NULL)
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
        name                    text,
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
                                    u.camera_scope),
            name = nullif(coalesce(p_name, u.name), '')
        WHERE u.id = p_id;
    END IF;

    RETURN QUERY SELECT u.*, what FROM api_users u WHERE u.id = p_id;
END
$$;

COMMENT ON FUNCTION api_user_update IS
    'Changes what is not NULL, the email and the name '''' are none: updated, '
    'stale; no row = no such user.  Fails for a role that is not among p_roles, '
    'one''s own role, and the last admin';

REVOKE EXECUTE ON FUNCTION api_user_create_once, api_user_update FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_user_create_once, api_user_update TO camera_api;

DO $$
BEGIN
    PERFORM audit_table('users', 'user',
        '{id,username,email,name,role,is_active,must_change_password,camera_scope}',
        '{last_login_at,password_changed_at}', 'id', 'username');
END
$$;
