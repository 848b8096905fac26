CREATE OR REPLACE FUNCTION retention_candidates(
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

ALTER TABLE recording_days RESET (
    fillfactor,
    autovacuum_vacuum_threshold,
    autovacuum_vacuum_scale_factor);
