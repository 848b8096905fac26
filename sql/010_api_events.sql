-- What the API has to know at once, by NOTIFY, when a transaction commits.
--
-- principal_changed: session:ID or user:ID; who has a copy of that session or
-- user forgets it and asks again.
-- api_event: a JSON object for the clients that follow what happens.  Neither
-- says anything that a client with cameras:read may not know.

CREATE FUNCTION notify_session_ended() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('principal_changed', 'session:' || OLD.id);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_session_ended IS
    'Trigger: nobody may go on by this session';

CREATE TRIGGER user_sessions_notify_when_revoked
    AFTER UPDATE ON user_sessions
    FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION notify_session_ended();

CREATE TRIGGER user_sessions_notify_when_deleted
    AFTER DELETE ON user_sessions
    FOR EACH ROW WHEN (OLD.revoked_at IS NULL)
    EXECUTE FUNCTION notify_session_ended();

CREATE FUNCTION notify_user_changed() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('principal_changed', 'user:' || OLD.id);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_user_changed IS
    'Trigger: what is remembered of a user is out of date';

CREATE TRIGGER users_notify_when_changed
    AFTER UPDATE ON users
    FOR EACH ROW
    WHEN ((OLD.tenant_id, OLD.username, OLD.email, OLD.password_hash, OLD.role,
           OLD.is_active, OLD.must_change_password)
          IS DISTINCT FROM
          (NEW.tenant_id, NEW.username, NEW.email, NEW.password_hash, NEW.role,
           NEW.is_active, NEW.must_change_password))
    EXECUTE FUNCTION notify_user_changed();

CREATE TRIGGER users_notify_when_deleted
    AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION notify_user_changed();

CREATE FUNCTION notify_users_of_tenant() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('principal_changed', 'user:' || u.id)
    FROM users u
    WHERE u.tenant_id = NEW.id;

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_users_of_tenant IS
    'Trigger: a tenant''s state is part of each of its users';

CREATE TRIGGER tenants_notify_their_users
    AFTER UPDATE ON tenants
    FOR EACH ROW WHEN (OLD.is_active <> NEW.is_active)
    EXECUTE FUNCTION notify_users_of_tenant();

-- events of cameras; a payload stays far below the 8000 bytes that NOTIFY takes

CREATE FUNCTION notify_camera_event() RETURNS trigger
    LANGUAGE plpgsql AS
$$
DECLARE
    data    json;
BEGIN
    IF TG_ARGV[0] = 'stream.status' THEN
        data = json_build_object('streamStatus', NEW.stream_status);
    ELSE
        data = json_build_object('version', NEW.version, 'name', NEW.name);
    END IF;

    PERFORM pg_notify('api_event', json_build_object(
        'type', TG_ARGV[0],
        'tenantId', NEW.tenant_id,
        'cameraId', NEW.id,
        'at', to_char(clock_timestamp() AT TIME ZONE 'UTC',
                      'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'data', data)::text);

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_camera_event IS
    'Trigger: tells those who follow events, of the type in its argument';

CREATE TRIGGER cameras_tell_when_created
    AFTER INSERT ON cameras
    FOR EACH ROW WHEN (NEW.deleted_at IS NULL)
    EXECUTE FUNCTION notify_camera_event('camera.created');

CREATE TRIGGER cameras_tell_when_updated
    AFTER UPDATE ON cameras
    FOR EACH ROW WHEN (NEW.version > OLD.version AND NEW.deleted_at IS NULL)
    EXECUTE FUNCTION notify_camera_event('camera.updated');

CREATE TRIGGER cameras_tell_when_deleted
    AFTER UPDATE ON cameras
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION notify_camera_event('camera.deleted');

-- what becomes of the stream of a removed camera is no news

CREATE TRIGGER cameras_tell_their_status
    AFTER UPDATE ON cameras
    FOR EACH ROW
    WHEN (OLD.stream_status <> NEW.stream_status AND NEW.deleted_at IS NULL)
    EXECUTE FUNCTION notify_camera_event('stream.status');
