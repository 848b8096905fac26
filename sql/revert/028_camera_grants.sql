DROP FUNCTION api_grants_put(uuid, uuid[], uuid[]);
DROP FUNCTION api_grants_get(uuid);
DROP FUNCTION api_camera_group_take(uuid, uuid);
DROP FUNCTION api_camera_group_put(uuid, uuid);
DROP FUNCTION api_camera_group_delete(uuid, bigint[]);
DROP FUNCTION api_camera_group_update(uuid, bigint[], text, text);
DROP FUNCTION api_camera_group_create_once(uuid, text, bytea, text, text);
DROP VIEW api_camera_groups;

DROP TRIGGER users_notify_when_changed ON users;

CREATE TRIGGER users_notify_when_changed
    AFTER UPDATE ON users
    FOR EACH ROW
    WHEN ((OLD.tenant_id, OLD.username, OLD.email, OLD.password_hash, OLD.role,
           OLD.is_active, OLD.must_change_password)
          IS DISTINCT FROM
          (NEW.tenant_id, NEW.username, NEW.email, NEW.password_hash, NEW.role,
           NEW.is_active, NEW.must_change_password))
    EXECUTE FUNCTION notify_user_changed();

-- recording_audit comes back without, when a later migration is reverted

DO $$
DECLARE
    name    text;
BEGIN
    FOREACH name IN ARRAY ARRAY['cameras', 'stream_keys', 'recordings',
        'recording_days', 'recording_gaps', 'recording_schedules',
        'recording_events', 'recording_audit', 'bookmarks', 'exports',
        'alerts']
    LOOP
        EXECUTE format('DROP POLICY IF EXISTS grantees_see_what_is_granted
                        ON %I', name);
    END LOOP;
END
$$;

DROP TRIGGER cameras_are_granted_to_who_adds_them ON cameras;
DROP FUNCTION grant_camera_to_grantee();
DROP FUNCTION camera_that_is_added();

CREATE OR REPLACE FUNCTION api_stream_key_rotate(camera uuid,
                                                 overlap_sec integer)
    RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    SELECT rotate_stream_key(c.id, api_stream_key_rotate.overlap_sec)
    FROM cameras c
    WHERE c.id = api_stream_key_rotate.camera
      AND c.tenant_id = session_tenant();
END;

CREATE OR REPLACE FUNCTION api_retention_preview(p_max integer DEFAULT 1000)
    RETURNS TABLE (
        id          uuid,
        camera_id   uuid,
        file_size   bigint,
        start_time  timestamptz,
        end_time    timestamptz,
        why         text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    SELECT r.id, r.camera_id, r.file_size, r.start_time, r.end_time, r.why
    FROM retention_candidates(p_max, clock_timestamp(), session_tenant()) r
    WHERE session_tenant() IS NOT NULL;
END;

CREATE OR REPLACE FUNCTION api_storage_usage()
    RETURNS TABLE (
        bytes           bigint,
        recordings      bigint,
        recorded_sec    bigint,
        bytes_total     bigint,
        bytes_free      bigint,
        growth_per_day  bigint,
        days_left       numeric(12, 1),
        tiers           json,
        cameras         json,
        days            json)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    WITH today AS (
        SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS day
    ), mine AS (
        SELECT d.* FROM recording_days d WHERE d.tenant_id = session_tenant()
    ), total AS (
        SELECT coalesce(sum(bytes), 0)::bigint AS bytes,
               coalesce(sum(recordings), 0)::bigint AS recordings,
               coalesce(sum(usec) / 1000000, 0)::bigint AS recorded_sec
        FROM mine
    ), space AS (
        SELECT coalesce(sum(v.bytes_total), 0)::bigint AS bytes_total,
               coalesce(sum(v.bytes_free), 0)::bigint AS bytes_free
        FROM volumes v
        WHERE v.state <> 'absent'
    ), week AS (
        SELECT coalesce(sum(d.bytes) FILTER (WHERE d.tenant_id
                                                   = session_tenant()), 0)
               / greatest(1, count(DISTINCT d.day) FILTER (
                     WHERE d.tenant_id = session_tenant())) AS mine,
               coalesce(sum(d.bytes), 0)
               / greatest(1, count(DISTINCT d.day)) AS of_all
        FROM recording_days d, today
        WHERE d.day >= today.day - 7 AND d.day < today.day
    )
    SELECT total.bytes, total.recordings, total.recorded_sec,
           space.bytes_total, space.bytes_free, week.mine::bigint,
           round(space.bytes_free / nullif(week.of_all, 0), 1),
           (SELECT coalesce(json_object_agg(m.storage_tier, m.bytes), '{}')
            FROM (SELECT storage_tier, sum(bytes)::bigint AS bytes
                  FROM mine
                  GROUP BY storage_tier) m),
           (SELECT coalesce(json_agg(json_build_object(
                       'cameraId', m.camera_id, 'name', m.name,
                       'bytes', m.bytes, 'recordings', m.recordings,
                       'recordedSeconds', m.recorded_sec,
                       'oldestDay', m.oldest)
                       ORDER BY m.bytes DESC, m.camera_id), '[]')
            FROM (SELECT n.camera_id, c.name, sum(n.bytes)::bigint AS bytes,
                         sum(n.recordings) AS recordings,
                         (sum(n.usec) / 1000000)::bigint AS recorded_sec,
                         min(n.day) AS oldest
                  FROM mine n JOIN cameras c ON c.id = n.camera_id
                  GROUP BY n.camera_id, c.name
                  ORDER BY 3 DESC
                  LIMIT 1000) m),
           (SELECT coalesce(json_agg(json_build_object(
                       'day', m.day, 'bytes', m.bytes,
                       'recordings', m.recordings) ORDER BY m.day), '[]')
            FROM (SELECT n.day, sum(n.bytes)::bigint AS bytes,
                         sum(n.recordings) AS recordings
                  FROM mine n, today
                  WHERE n.day > today.day - 31
                  GROUP BY n.day) m)
    FROM total, space, week;
END;

COMMENT ON FUNCTION api_storage_usage IS
    'What the tenant of app.tenant has, what the volumes have, and how long that '
    'lasts at the growth of the last seven full days (of all tenants)';

DROP FUNCTION api_session_check(uuid);

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

REVOKE EXECUTE ON FUNCTION api_session_check FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_session_check TO camera_api;

DROP TABLE camera_grants, camera_group_members, camera_groups;
DROP FUNCTION notify_camera_grants_changed();
DROP FUNCTION notify_camera_group_changed();
DROP FUNCTION granted_cameras();
DROP FUNCTION granted_camera_groups();

ALTER TABLE users DROP COLUMN camera_scope;
DROP TYPE camera_scope;
