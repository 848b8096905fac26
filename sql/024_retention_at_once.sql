-- What is to go when many cameras have much more than they may: each day is read
-- once for all of them, instead of once for each, and what was chosen is known by
-- a hash.  So a hundred cameras take as long as one, and a preview of a hundred
-- thousand recordings seconds instead of hours.  Among cameras the oldest goes first.
--
-- Sums are changed with every recording, and never a column of an index: with
-- room in its pages the table of sums stays as small as it is.

ALTER TABLE recording_days SET (
    fillfactor = 50,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0);

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
    owners      uuid[];                 -- who has too much, and how much
    excess      bigint[];
    today       date;
    day_start   timestamptz;
    day_end     timestamptz;
    reason      text;
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

    -- by bytes, of cameras before their tenants: what goes for one reason counts
    -- for the next

    FOREACH reason IN ARRAY '{camera bytes,tenant bytes}'::text[] LOOP

        SELECT array_agg(coalesce(e.camera_id, e.tenant_id)),
               array_agg(e.excess - coalesce(g.size, 0))
        INTO owners, excess
        FROM retention_excess(p_tenant) e
        LEFT JOIN (SELECT CASE reason WHEN 'camera bytes' THEN c.camera
                                      ELSE c.tenant END AS owner,
                          sum(c.size) AS size
                   FROM unnest(sizes, cameras, tenants)
                       c (size, camera, tenant)
                   GROUP BY 1) g
            ON g.owner = coalesce(e.camera_id, e.tenant_id)
        WHERE e.why = reason;

        FOR today IN
            SELECT DISTINCT d.day
            FROM recording_days d
            WHERE CASE reason WHEN 'camera bytes' THEN d.camera_id
                              ELSE d.tenant_id END = ANY (owners)
            ORDER BY d.day
        LOOP
            EXIT WHEN cardinality(chosen) >= p_max OR 0 >= ALL (excess);
            day_start = today::timestamp AT TIME ZONE 'UTC';
            day_end = (today + 1)::timestamp AT TIME ZONE 'UTC';

            FOR r IN
                SELECT s.*
                FROM (SELECT r.*, o.n, o.excess,
                             sum(r.file_size) OVER (PARTITION BY o.n
                                                    ORDER BY r.id)
                             - r.file_size AS before
                      FROM recordings r
                      JOIN unnest(owners, excess) WITH ORDINALITY
                          o (owner, excess, n)
                          ON o.owner = CASE reason
                                       WHEN 'camera bytes' THEN r.camera_id
                                       ELSE r.tenant_id END
                      WHERE r.start_time >= day_start AND r.start_time < day_end
                        AND o.excess > 0
                        AND r.state IN ('complete', 'damaged') AND NOT r.locked
                        AND r.id <> ALL (chosen)) s
                WHERE s.before < s.excess
                ORDER BY s.id
                LIMIT p_max - cardinality(chosen)
            LOOP
                excess[r.n] = excess[r.n] - r.file_size;
                chosen = chosen || r.id;
                sizes = sizes || r.file_size;
                cameras = cameras || r.camera_id;
                tenants = tenants || r.tenant_id;

                RETURN QUERY SELECT r.id, r.tenant_id, r.camera_id,
                    r.volume_id, r.file_path::text, r.file_size, r.start_time,
                    r.end_time, reason;
            END LOOP;
        END LOOP;
    END LOOP;
END
$$;

COMMENT ON FUNCTION retention_candidates IS
    'What is to go next: camera removed, age, camera bytes, tenant bytes, and of '
    'each the oldest first; changes nothing';
