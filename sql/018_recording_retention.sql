-- Retention: how long recordings are kept, by age and by bytes, of a camera or
-- else of its tenant; and what there is of them.
--
-- Deleting has two phases.  retention_mark() and the API put a recording into
-- the state deleting, which makes a task; the jobs remove its files and then
-- recording_forget() the row.  What is on hold or still recorded is never a
-- candidate.  "Now" is what the caller trusts: a clock that was put forward must
-- not make everything old.

ALTER TABLE tenants
    ADD COLUMN retention_days integer DEFAULT 30,
    ADD COLUMN retention_bytes bigint,
    ADD CONSTRAINT tenant_retention_is_positive
        CHECK (retention_days > 0 AND retention_bytes > 0);

ALTER TABLE cameras
    ADD COLUMN retention_days integer,
    ADD COLUMN retention_bytes bigint,
    ADD COLUMN delete_recordings boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT camera_retention_is_positive
        CHECK (retention_days > 0 AND retention_bytes > 0);

COMMENT ON COLUMN tenants.retention_days IS
    'Days that recordings are kept, NULL = while there is space';
COMMENT ON COLUMN tenants.retention_bytes IS
    'Bytes that all its recordings may take, NULL = any number';
COMMENT ON COLUMN cameras.retention_days IS
    'Days that its recordings are kept, NULL = what its tenant says';
COMMENT ON COLUMN cameras.retention_bytes IS
    'Bytes that its recordings may take, NULL = any number';
COMMENT ON COLUMN cameras.delete_recordings IS
    'Of a removed camera: its recordings go, too';

GRANT UPDATE (retention_days, retention_bytes) ON tenants TO camera_api;
GRANT INSERT (retention_days, retention_bytes),
    UPDATE (retention_days, retention_bytes, delete_recordings)
    ON cameras TO camera_api;

-- candidates

CREATE FUNCTION retention_excess(p_tenant uuid)
    RETURNS TABLE (
        tenant_id   uuid,
        camera_id   uuid,
        excess      bigint,
        why         text)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH camera AS (
        SELECT c.tenant_id, c.id,
               coalesce((SELECT sum(d.bytes) FROM recording_days d
                         WHERE d.camera_id = c.id), 0)
               - coalesce((SELECT sum(k.file_size) FROM recording_tasks k
                           WHERE k.camera_id = c.id AND k.task = 'remove'), 0)
                   AS bytes,
               c.retention_bytes
        FROM cameras c
        WHERE c.retention_bytes IS NOT NULL
          AND (p_tenant IS NULL OR c.tenant_id = p_tenant)
    ), tenant AS (
        SELECT t.id,
               coalesce((SELECT sum(d.bytes) FROM recording_days d
                         WHERE d.tenant_id = t.id), 0)
               - coalesce((SELECT sum(k.file_size) FROM recording_tasks k
                           WHERE k.tenant_id = t.id AND k.task = 'remove'), 0)
                   AS bytes,
               t.retention_bytes
        FROM tenants t
        WHERE t.retention_bytes IS NOT NULL
          AND (p_tenant IS NULL OR t.id = p_tenant)
    )
    SELECT tenant_id, id, (bytes - retention_bytes)::bigint, 'camera bytes'
    FROM camera
    WHERE bytes > retention_bytes
    UNION ALL
    SELECT id, NULL, (bytes - retention_bytes)::bigint, 'tenant bytes'
    FROM tenant
    WHERE bytes > retention_bytes;
END;

COMMENT ON FUNCTION retention_excess IS
    'Cameras and then tenants (camera NULL) that have more than they may';

CREATE FUNCTION retention_candidates(
        p_max       integer,
        p_now       timestamptz DEFAULT clock_timestamp(),
        p_tenant    uuid        DEFAULT NULL)
    RETURNS TABLE (
        id          uuid,
        tenant_id   uuid,
        camera_id   uuid,
        volume_id   uuid,
        file_path   text,
        file_size   bigint,
        start_time  timestamptz,
        end_time    timestamptz,
        why         text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan AS
$$
#variable_conflict use_column
DECLARE
    chosen      uuid[] = '{}';
    sizes       bigint[] = '{}';        -- of each, and whose it is
    cameras     uuid[] = '{}';
    tenants     uuid[] = '{}';
    today       date;
    day_start   timestamptz;
    day_end     timestamptz;
    limits      record;
    r           record;
BEGIN
    -- by age, and all of cameras that were removed with what they had

    FOR today IN
        SELECT DISTINCT d.day
        FROM recording_days d
        JOIN cameras c ON c.id = d.camera_id
        JOIN tenants t ON t.id = d.tenant_id
        WHERE (p_tenant IS NULL OR d.tenant_id = p_tenant)
          AND (c.delete_recordings AND c.deleted_at IS NOT NULL
               OR d.day <= (p_now AT TIME ZONE 'UTC')::date
                           - coalesce(c.retention_days, t.retention_days))
        ORDER BY d.day
    LOOP
        EXIT WHEN cardinality(chosen) >= p_max;
        day_start = today::timestamp AT TIME ZONE 'UTC';
        day_end = (today + 1)::timestamp AT TIME ZONE 'UTC';

        FOR r IN
            SELECT r.*,
                   CASE WHEN c.delete_recordings AND c.deleted_at IS NOT NULL
                        THEN 'camera removed' ELSE 'age' END AS why
            FROM recordings r
            JOIN cameras c ON c.id = r.camera_id
            JOIN tenants t ON t.id = r.tenant_id
            WHERE r.start_time >= day_start AND r.start_time < day_end
              AND (p_tenant IS NULL OR r.tenant_id = p_tenant)
              AND r.state IN ('complete', 'damaged') AND NOT r.locked
              AND (c.delete_recordings AND c.deleted_at IS NOT NULL
                   OR r.end_time < p_now - make_interval(days =>
                          coalesce(c.retention_days, t.retention_days)))
            ORDER BY r.id
            LIMIT p_max - cardinality(chosen)
        LOOP
            chosen = chosen || r.id;
            sizes = sizes || r.file_size;
            cameras = cameras || r.camera_id;
            tenants = tenants || r.tenant_id;

            RETURN QUERY SELECT r.id, r.tenant_id, r.camera_id, r.volume_id,
                r.file_path::text, r.file_size, r.start_time, r.end_time,
                r.why;
        END LOOP;
    END LOOP;

    -- by bytes, of each camera before its tenant: what goes for one reason
    -- counts for the next

    FOR limits IN
        SELECT e.* FROM retention_excess(p_tenant) e
    LOOP
        SELECT limits.excess - coalesce(sum(c.size), 0) INTO limits.excess
        FROM unnest(sizes, cameras, tenants) c (size, camera, tenant)
        WHERE c.tenant = limits.tenant_id
          AND (limits.camera_id IS NULL OR c.camera = limits.camera_id);

        FOR today IN
            SELECT DISTINCT d.day
            FROM recording_days d
            WHERE d.tenant_id = limits.tenant_id
              AND (limits.camera_id IS NULL OR d.camera_id = limits.camera_id)
            ORDER BY d.day
        LOOP
            EXIT WHEN limits.excess <= 0 OR cardinality(chosen) >= p_max;
            day_start = today::timestamp AT TIME ZONE 'UTC';
            day_end = (today + 1)::timestamp AT TIME ZONE 'UTC';

            FOR r IN
                SELECT r.*
                FROM recordings r
                WHERE r.start_time >= day_start AND r.start_time < day_end
                  AND r.tenant_id = limits.tenant_id
                  AND (limits.camera_id IS NULL
                       OR r.camera_id = limits.camera_id)
                  AND r.state IN ('complete', 'damaged') AND NOT r.locked
                ORDER BY r.id
            LOOP
                EXIT WHEN limits.excess <= 0 OR cardinality(chosen) >= p_max;
                CONTINUE WHEN r.id = ANY (chosen);

                limits.excess = limits.excess - r.file_size;
                chosen = chosen || r.id;
                sizes = sizes || r.file_size;
                cameras = cameras || r.camera_id;
                tenants = tenants || r.tenant_id;

                RETURN QUERY SELECT r.id, r.tenant_id, r.camera_id,
                    r.volume_id, r.file_path::text, r.file_size, r.start_time,
                    r.end_time, limits.why;
            END LOOP;
        END LOOP;
    END LOOP;
END
$$;

COMMENT ON FUNCTION retention_candidates IS
    'What is to go next, the oldest first: camera removed, age, camera bytes, '
    'tenant bytes; changes nothing';

CREATE FUNCTION retention_mark(p_ids uuid[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan AS
$$
DECLARE
    marked      integer = 0;
    one         uuid;
BEGIN
    FOREACH one IN ARRAY p_ids LOOP
        UPDATE recordings r
        SET state = 'deleting'
        WHERE r.id = one AND r.start_time = recording_start(one)
          AND r.state IN ('complete', 'damaged') AND NOT r.locked;

        marked = marked + FOUND::integer;
    END LOOP;

    RETURN marked;
END
$$;

COMMENT ON FUNCTION retention_mark IS
    'Has the files of recordings removed, but for those put on hold meanwhile; '
    'answers how many';

CREATE FUNCTION recording_forget(p_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan AS
$$
BEGIN
    DELETE FROM recording_tasks k
    WHERE k.recording_id = p_id AND k.task = 'remove';

    DELETE FROM recordings r
    WHERE r.id = p_id AND r.start_time = recording_start(p_id)
      AND r.state = 'deleting';

    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION recording_forget IS
    'The files of a recording that was marked are gone';

CREATE FUNCTION recording_task_done(p_id uuid, p_task text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    DELETE FROM recording_tasks k
    WHERE k.recording_id = p_id AND k.task = p_task AND k.task <> 'remove';

    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION recording_task_done IS
    'The mark of a hold was set (hold) or taken away (release)';

CREATE FUNCTION retention_forget_gaps(
        p_now timestamptz DEFAULT clock_timestamp())
    RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    forgotten   integer;
BEGIN
    DELETE FROM recording_events v
    USING cameras c JOIN tenants t ON t.id = c.tenant_id
    WHERE c.id = v.camera_id
      AND v.until_time < p_now - make_interval(
              days => coalesce(c.retention_days, t.retention_days));

    DELETE FROM recording_gaps g
    USING cameras c JOIN tenants t ON t.id = c.tenant_id
    WHERE c.id = g.camera_id
      AND g.end_time < p_now - make_interval(
              days => coalesce(c.retention_days, t.retention_days));

    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;

COMMENT ON FUNCTION retention_forget_gaps IS
    'Gaps and events are kept as long as recordings; answers how many gaps went';

REVOKE EXECUTE ON FUNCTION
    retention_excess, retention_candidates, retention_mark, recording_forget,
    recording_task_done, retention_forget_gaps
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    retention_candidates, retention_mark, recording_forget,
    recording_task_done, retention_forget_gaps
    TO camera_worker;

CREATE FUNCTION api_retention_preview(p_max integer DEFAULT 1000)
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

COMMENT ON FUNCTION api_retention_preview IS
    'What retention would remove now, of the tenant of app.tenant';

-- what the tenant says

CREATE VIEW api_recording_settings WITH (security_invoker = true) AS
SELECT t.retention_days, t.retention_bytes
FROM tenants t;

COMMENT ON VIEW api_recording_settings IS
    'The row of the tenant of app.tenant';

GRANT SELECT ON api_recording_settings TO camera_api;

CREATE FUNCTION api_recording_settings_set(p_days integer DEFAULT NULL,
                                           p_bytes bigint DEFAULT NULL)
    RETURNS SETOF api_recording_settings
    LANGUAGE plpgsql AS
$$
BEGIN
    UPDATE tenants t
    SET retention_days = nullif(coalesce(p_days, t.retention_days), 0),
        retention_bytes = nullif(coalesce(p_bytes, t.retention_bytes), 0)
    WHERE t.id = session_tenant();

    RETURN QUERY SELECT s.* FROM api_recording_settings s;
END
$$;

COMMENT ON FUNCTION api_recording_settings_set IS
    'Changes what is not NULL; 0 = no limit';

-- what there is

CREATE FUNCTION recording_coverage(p_camera uuid, p_from date, p_to date)
    RETURNS TABLE (
        day             date,
        wanted_sec      integer,
        recorded_sec    integer,
        percent         numeric(5, 2))
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH days AS (
        SELECT s::date AS day,
               s AT TIME ZONE 'UTC' AS starts,
               (s + interval '1 day') AT TIME ZONE 'UTC' AS ends
        FROM generate_series(p_from::timestamp,
                             least(p_to, p_from + 366)::timestamp,
                             interval '1 day') s
    ), sums AS (
        SELECT days.day,
               least(86400, coalesce((
                   SELECT sum(d.usec) / 1000000
                   FROM recording_days d
                   WHERE d.camera_id = p_camera AND d.day = days.day), 0))
                   AS recorded,
               coalesce((
                   SELECT sum(extract(epoch FROM
                              least(coalesce(g.end_time, clock_timestamp()),
                                    days.ends)
                              - greatest(g.start_time, days.starts)))
                   FROM recording_gaps g
                   WHERE g.camera_id = p_camera AND g.cause <> 'schedule'
                     AND g.start_time < days.ends
                     AND coalesce(g.end_time, clock_timestamp())
                         > greatest(g.start_time, days.starts)), 0) AS missing
        FROM days
    )
    SELECT day, least(86400, round(recorded + missing))::integer,
           round(recorded)::integer,
           round(100 * recorded / nullif(recorded + missing, 0), 2)
    FROM sums;
END;

COMMENT ON FUNCTION recording_coverage IS
    'Of each day (UTC) the seconds that were wanted, which are those recorded '
    'and those in gaps, and the share that is there; NULL = nothing wanted';

CREATE FUNCTION api_storage_usage()
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

REVOKE EXECUTE ON FUNCTION
    api_retention_preview, api_recording_settings_set, recording_coverage,
    api_storage_usage
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    api_retention_preview, api_recording_settings_set, recording_coverage,
    api_storage_usage
    TO camera_api;
GRANT EXECUTE ON FUNCTION recording_coverage TO camera_worker;
