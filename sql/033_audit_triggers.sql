-- What is audited: changes of the tables that people change, sessions, keys,
-- and what is no change at all, such as watching or being refused.
--
-- recording_audit, which had what concerns recordings, is part of the log from
-- now on: rows of object_type recording, whose object_id is NULL where it was a
-- range of a camera.  What it is asked by, its view and its function, answers
-- as before.

-- tables

DO $$
BEGIN
    PERFORM audit_table('tenants', 'tenant',
        '{id,slug,name,is_active,max_cameras,max_publishers,max_viewers,'
        'max_egress_kbps,max_stored_bytes,max_requests_per_hour,'
        'retention_days,retention_bytes,gap_alert_sec}');
    PERFORM audit_table('users', 'user',
        '{id,username,email,role,is_active,must_change_password,camera_scope}',
        '{last_login_at,password_changed_at}', 'id', 'username');
    PERFORM audit_table('camera_groups', 'group', '{id,name,description}');
    PERFORM audit_table('camera_group_members', 'group_member',
        '{group_id,camera_id}', '{}', 'group_id', '');
    PERFORM audit_table('camera_grants', 'grant',
        '{user_id,camera_id,group_id}', '{id}', 'user_id', '');
    PERFORM audit_table('user_identities', 'identity',
        '{issuer,subject,user_id}', '{last_login_at}', 'user_id', 'issuer');
    PERFORM audit_table('api_tokens', 'token',
        '{id,user_id,created_by,prefix,name,remark,permissions,rate_limit,'
        'rate_window_sec,max_concurrent,allowed_cidrs,expires_at,is_active,'
        'revoked_at}',
        '{last_used_at}');
    PERFORM audit_table('cameras', 'camera',
        '{id,external_id,name,company,model,serial_number,location,place,'
        'rtmp_url,is_active,is_recording,allowed_cidrs,cut_at_expiry,'
        'play_epoch,deleted_at,retention_days,retention_bytes,'
        'delete_recordings,recording_encrypted,tags}',
        '{stream_status,assigned_node,key_generation}');
    PERFORM audit_table('recording_schedules', 'schedule',
        '{camera_id,timezone,windows}', '{}', 'camera_id');
    PERFORM audit_table('recording_events', 'recording_event',
        '{id,camera_id,start_time,until_time,reason,created_by}', '{}', 'id',
        'reason', 'INSERT OR UPDATE');
    PERFORM audit_table('bookmarks', 'bookmark',
        '{id,camera_id,at,until,label,note,created_by}', '{}', 'id', 'label');
    PERFORM audit_table('exports', 'export',
        '{id,camera_id,from_time,to_time,state,bytes,created_by}', '{}', 'id',
        '', 'DELETE');
END
$$;

CREATE TRIGGER rows_are_audited
    AFTER UPDATE ON alerts
    FOR EACH ROW WHEN (OLD.acknowledged <> NEW.acknowledged)
    EXECUTE FUNCTION audit_row('alert', 'id', 'title',
        '{acknowledged,acknowledged_by}', '{acknowledged_at}', 'acknowledge');

-- The first key comes with its camera.  Each other one is a rotation, or a
-- revocation when nothing is left of the key before; its opaque form belongs to
-- it unless that is made later.

CREATE FUNCTION audit_stream_key() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    before      timestamptz;
    name        text;
BEGIN
    SELECT k.valid_until INTO before
    FROM stream_keys k
    WHERE k.camera_id = NEW.camera_id AND k.generation = NEW.generation - 1;

    SELECT c.name INTO name FROM cameras c WHERE c.id = NEW.camera_id;

    PERFORM audit_add(
        NEW.tenant_id,
        'stream_key.' || CASE WHEN TG_OP = 'UPDATE' THEN 'update'
                              WHEN before <= clock_timestamp() THEN 'revoke'
                              ELSE 'rotate' END,
        'stream_key', NEW.camera_id::text, name, NEW.camera_id, NULL, NULL,
        jsonb_strip_nulls(jsonb_build_object(
            'generation', NEW.generation,
            'previousUntil', CASE WHEN TG_OP = 'INSERT'
                                  THEN json_time(before) END)));

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION audit_stream_key IS
    'Trigger: writes new keys into the audit log, and not what they are';

CREATE TRIGGER new_keys_are_audited
    AFTER INSERT ON stream_keys
    FOR EACH ROW WHEN (NEW.generation > 1)
    EXECUTE FUNCTION audit_stream_key();

CREATE TRIGGER new_opaque_forms_are_audited
    AFTER UPDATE ON stream_keys
    FOR EACH ROW WHEN (OLD.opaque_hash IS DISTINCT FROM NEW.opaque_hash
                       AND NEW.created_at <> CURRENT_TIMESTAMP)
    EXECUTE FUNCTION audit_stream_key();

-- Sessions.  Before one is there nobody is known, so it speaks for itself; and
-- so it does when it is ended by its own token.

CREATE FUNCTION audit_session() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    action      text = CASE WHEN TG_OP = 'INSERT' THEN 'auth.login'
                            WHEN NEW.revoked_reason = 'logout'
                                THEN 'auth.logout'
                            ELSE 'session.end' END;
    by_itself   boolean = TG_OP = 'INSERT'
                          OR NEW.revoked_reason IN ('logout', 'reuse');
    name        text;
BEGIN
    SELECT u.username INTO name FROM users u WHERE u.id = NEW.user_id;

    PERFORM audit_add(
        NEW.tenant_id, action, 'session', NEW.id::text, name, NULL, NULL, NULL,
        jsonb_strip_nulls(jsonb_build_object(
            'userId', NEW.user_id,
            'userAgent', CASE WHEN TG_OP = 'INSERT' THEN NEW.user_agent END,
            'reason', nullif(NEW.revoked_reason, 'logout'))),
        'ok', NULL, CASE WHEN by_itself THEN NEW.user_id END,
        CASE WHEN by_itself THEN 'session:' || NEW.id END,
        CASE WHEN TG_OP = 'INSERT' THEN NEW.address END);

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION audit_session IS
    'Trigger: writes logins, logouts and other ends of sessions into the log';

CREATE TRIGGER logins_are_audited
    AFTER INSERT ON user_sessions
    FOR EACH ROW EXECUTE FUNCTION audit_session();

CREATE TRIGGER ends_are_audited
    AFTER UPDATE ON user_sessions
    FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION audit_session();

-- recordings

INSERT INTO audit_log (tenant_id, at, user_id, actor, credential, address,
                       action, object_type, object_id, camera_id, result, code,
                       details)
SELECT a.tenant_id, a.at, a.user_id, coalesce(u.username, '-'),
       'session:' || a.session_id, a.address, 'recording.' || a.action,
       'recording', a.recording_id, a.camera_id,
       CASE WHEN a.result = 'ok' THEN 'ok' ELSE 'failed' END,
       nullif(a.result, 'ok'),
       nullif(jsonb_strip_nulls(jsonb_build_object(
           'from', json_time(a.from_time), 'to', json_time(a.to_time))), '{}')
FROM recording_audit a LEFT JOIN users u ON u.id = a.user_id
ORDER BY a.id;

DROP VIEW api_recording_audit;

CREATE VIEW api_recording_audit WITH (security_invoker = true) AS
SELECT a.id,
       a.at,
       a.user_id,
       a.actor                                              AS username,
       CASE split_part(a.credential, ':', 1)
           WHEN 'session' THEN split_part(a.credential, ':', 2) END::uuid
                                                            AS session_id,
       a.camera_id,
       c.name::text                                         AS camera_name,
       a.object_id::uuid                                    AS recording_id,
       split_part(a.action, '.', 2)                         AS action,
       coalesce(r.from_time, (a.details ->> 'from')::timestamptz)
                                                            AS from_time,
       coalesce(r.to_time, (a.details ->> 'to')::timestamptz)
                                                            AS to_time,
       host(a.address)                                      AS address,
       coalesce(a.code, 'ok')                               AS result,
       CASE split_part(a.credential, ':', 1)
           WHEN 'token' THEN split_part(a.credential, ':', 2) END::uuid
                                                            AS token_id,
       coalesce(r.last_at, a.at)                            AS last_at,
       coalesce(r.count, 1)                                 AS count
FROM audit_log a
LEFT JOIN audit_repeats r ON r.log_id = a.id
LEFT JOIN cameras c ON c.id = a.camera_id
WHERE a.object_type = 'recording';

COMMENT ON VIEW api_recording_audit IS
    'What the audit log has of recordings, with the rights of who reads, and '
    'the cameras'' names of today';

GRANT SELECT ON api_recording_audit TO camera_api;

-- who watched something for half an hour, or asked for it again

CREATE OR REPLACE FUNCTION api_recording_audit_add(
        p_user          uuid,
        p_session       uuid,
        p_camera        uuid,
        p_recording     uuid,
        p_action        text,
        p_from          timestamptz DEFAULT NULL,
        p_to            timestamptz DEFAULT NULL,
        p_address       text        DEFAULT NULL,
        p_result        text        DEFAULT 'ok')
    RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    credential  text;
    name        text;
    tenant      uuid;
BEGIN
    SELECT coalesce(a.credential, 'session:' || p_session) INTO credential
    FROM session_actor() a;

    SELECT c.name, c.tenant_id INTO name, tenant
    FROM cameras c
    WHERE c.id = p_camera
      AND CASE WHEN session_tenant() IS NULL THEN audit_role() <> 'camera_api'
               ELSE c.tenant_id = session_tenant() END;

    IF p_action IN ('watch', 'download') THEN
        RETURN audit_note(tenant, '30 min', 'recording.' || p_action,
                          'recording', p_recording::text, name, p_camera,
                          p_from, p_to, 'ok', NULL, p_user, credential,
                          inet_or_null(p_address));
    END IF;

    RETURN audit_add(tenant, 'recording.' || p_action, 'recording',
                     p_recording::text, name, p_camera, NULL, NULL,
                     nullif(jsonb_strip_nulls(jsonb_build_object(
                         'from', json_time(p_from), 'to', json_time(p_to))),
                         '{}'),
                     CASE WHEN coalesce(p_result, 'ok') = 'ok' THEN 'ok'
                          ELSE 'failed' END,
                     nullif(p_result, 'ok'), p_user, credential,
                     inet_or_null(p_address));
END
$$;

COMMENT ON FUNCTION api_recording_audit_add IS
    'Notes who did what with recordings; answers the number of the entry, '
    'which is an earlier one for who watches or downloads on';

DROP TABLE recording_audit;

-- what is no change

CREATE FUNCTION api_audit_watch(p_camera uuid) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
    SELECT audit_note(c.tenant_id, '30 min', 'stream.watch', 'stream',
                      c.id::text, c.name, c.id)
    FROM cameras c
    WHERE c.id = p_camera AND c.tenant_id = session_tenant();
$$;

COMMENT ON FUNCTION api_audit_watch IS
    'Notes who is given an address to watch a camera live, once for as long as '
    'they go on';

CREATE FUNCTION api_audit_denied(p_route text, p_object text, p_code text)
    RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
    SELECT audit_note(session_tenant(), '1 h', 'api.request', 'route',
                      p_route, p_object, NULL, NULL, NULL, 'denied', p_code);
$$;

COMMENT ON FUNCTION api_audit_denied IS
    'Notes who tried to change something that they may not';

-- under the tenant of that user, for nobody else is known; of a name that is
-- nobody's there is no trace, and the name that was given is none of ours to
-- keep: it may be a password

CREATE FUNCTION api_audit_login_failed(p_user uuid) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
    SELECT audit_note(u.tenant_id, '15 min', 'auth.login_failed', 'user',
                      u.id::text, u.username, NULL, NULL, NULL, 'failed',
                      'AUTH_CREDENTIALS_INVALID', NULL, 'none')
    FROM users u
    WHERE u.id = p_user;
$$;

COMMENT ON FUNCTION api_audit_login_failed IS
    'Notes that somebody had a wrong password for a user, from where';

REVOKE EXECUTE ON FUNCTION
    audit_stream_key, audit_session, api_audit_watch, api_audit_denied,
    api_audit_login_failed
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    api_audit_watch, api_audit_denied, api_audit_login_failed
    TO camera_api;
