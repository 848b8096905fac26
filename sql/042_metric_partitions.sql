-- How cameras did by five minutes: a partition for each day (UTC), as there is one
-- for each day of recordings.  Ten thousand cameras make three million rows a day;
-- what is older than 35 days goes with its partition, at no cost, where rows were
-- deleted one by one before, and left holes behind.
--
-- Partitions are made ahead each hour by camera-worker, or by the first row of a
-- day; the default one has what came when none could be made.  Rows that there
-- are move along.

ALTER TABLE camera_metrics RENAME TO camera_metrics_before;
ALTER TABLE camera_metrics_before
    RENAME CONSTRAINT camera_metrics_have_one_row_each
    TO camera_metrics_before_have_one_row_each;
DROP INDEX camera_metrics_by_age;

CREATE TABLE camera_metrics (
    camera_id       uuid         NOT NULL,
    bucket          timestamptz  NOT NULL,
    tenant_id       uuid         NOT NULL,
    samples         integer      NOT NULL,
    online          integer      NOT NULL,
    fps_sum         float8       NOT NULL,
    kbps_sum        bigint       NOT NULL,
    viewers_sum     bigint       NOT NULL,
    viewers_peak    integer      NOT NULL,

    CONSTRAINT camera_metrics_have_one_row_each
        PRIMARY KEY (camera_id, bucket)
) PARTITION BY RANGE (bucket);

COMMENT ON TABLE camera_metrics IS
    'Sums over samples of a camera, one row for five minutes';
COMMENT ON COLUMN camera_metrics.bucket IS
    'When the five minutes begin';
COMMENT ON COLUMN camera_metrics.samples IS
    'Minutes in which it published';
COMMENT ON COLUMN camera_metrics.online IS
    'Those of them with pictures, which fps_sum and kbps_sum are of';

ALTER TABLE camera_metrics ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_api_sees_one_tenant ON camera_metrics
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

CREATE POLICY grantees_see_what_is_granted ON camera_metrics
    AS RESTRICTIVE TO camera_api
    USING ((SELECT session_grantee()) IS NULL
           OR camera_id IN (SELECT granted_cameras()));

GRANT SELECT ON camera_metrics TO camera_api;

CREATE TABLE camera_metrics_default PARTITION OF camera_metrics DEFAULT;
ALTER TABLE camera_metrics_default ENABLE ROW LEVEL SECURITY;

-- serves the end of old ones
CREATE INDEX camera_metrics_default_by_age ON camera_metrics_default (bucket);

COMMENT ON TABLE camera_metrics_default IS
    'Metrics of days without a partition';

-- who cannot have a lock soon does without, for whoever waits makes others wait

CREATE FUNCTION make_metric_partition(day date) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '1s' AS
$$
DECLARE
    name        text = 'camera_metrics_' || to_char(day, 'YYYYMMDD');
    day_start   timestamptz = day::timestamp AT TIME ZONE 'UTC';
    day_end     timestamptz = (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass('public.' || name) IS NOT NULL
       OR EXISTS (SELECT FROM camera_metrics_default d
                  WHERE d.bucket >= day_start AND d.bucket < day_end)
       OR day < current_date - 35
       OR NOT pg_try_advisory_xact_lock(hashtext('metric_partitions'))
       OR to_regclass('public.' || name) IS NOT NULL
    THEN
        RETURN false;           -- rows of the default one stay where they are
    END IF;

    EXECUTE format('CREATE TABLE public.%I PARTITION OF camera_metrics '
                   'FOR VALUES FROM (%L) TO (%L)', name, day_start, day_end);
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('COMMENT ON TABLE public.%I IS %L', name,
                   'Metrics of ' || day || ' (UTC)');

    RETURN true;

EXCEPTION
    WHEN lock_not_available THEN
        RETURN false;
END
$$;

COMMENT ON FUNCTION make_metric_partition IS
    'Makes the partition of a day; false = it was there, its rows are in the '
    'default one, or somebody was in the way';

CREATE FUNCTION make_metric_partitions(days_ahead integer DEFAULT 3)
    RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    today   date = (clock_timestamp() AT TIME ZONE 'UTC')::date;
    made    integer = 0;
BEGIN
    FOR i IN 0 .. least(days_ahead, 366) LOOP
        made = made + make_metric_partition(today + i)::integer;
    END LOOP;

    RETURN made;
END
$$;

COMMENT ON FUNCTION make_metric_partitions IS
    'Makes the partitions of today and the days ahead; answers how many';

CREATE FUNCTION drop_old_metric_partitions() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '1s' AS
$$
DECLARE
    today       date = (clock_timestamp() AT TIME ZONE 'UTC')::date;
    name        text;
    dropped     integer = 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('metric_partitions'));

    FOR name IN
        SELECT c.relname
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'camera_metrics'::regclass
          AND c.relname ~ '^camera_metrics_[0-9]{8}$'
          AND to_date(right(c.relname, 8), 'YYYYMMDD') < today - 35
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE public.%I', name);
        dropped = dropped + 1;
    END LOOP;

    RETURN dropped;
END
$$;

COMMENT ON FUNCTION drop_old_metric_partitions IS
    'Drops the partitions of days that are over for more than 35 days; answers '
    'how many';

REVOKE EXECUTE ON FUNCTION
    make_metric_partition, make_metric_partitions, drop_old_metric_partitions
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    make_metric_partitions, drop_old_metric_partitions
    TO camera_worker;

-- what was there before; what is too old stays behind

DO $$
BEGIN
    PERFORM make_metric_partition(d.day)
    FROM (SELECT DISTINCT (b.bucket AT TIME ZONE 'UTC')::date AS day
          FROM camera_metrics_before b) d;
    PERFORM make_metric_partitions();
END
$$;

INSERT INTO camera_metrics
SELECT * FROM camera_metrics_before
WHERE bucket >= now() - interval '35 days';

-- looked at once, for all of them

ALTER TABLE camera_metrics
    ADD CONSTRAINT camera_metrics_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    ADD CONSTRAINT camera_metrics_belong_to_a_camera
        FOREIGN KEY (camera_id) REFERENCES cameras (id) ON DELETE CASCADE;

-- adding; and reading in one scan of the days of a range, not one for each step

CREATE OR REPLACE FUNCTION api_metrics_add(
        p_cameras       uuid[],
        p_online        boolean[],
        p_fps           float8[],
        p_kbps          bigint[],
        p_viewers       integer[],
        p_at            timestamptz DEFAULT now())
    RETURNS TABLE (
        camera_id       uuid,
        day             text,
        uptime          bigint,
        bitrate         bigint,
        viewers_peak    integer,
        bytes           bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
#variable_conflict use_column
BEGIN
    PERFORM make_metric_partition((p_at AT TIME ZONE 'UTC')::date);

    -- what is old and in no partition of its own goes in steps, each of more rows
    -- than are added

    DELETE FROM camera_metrics_default m
    WHERE (m.camera_id, m.bucket) IN (
        SELECT o.camera_id, o.bucket
        FROM camera_metrics_default o
        WHERE o.bucket < now() - interval '35 days'
        LIMIT 500
        FOR UPDATE SKIP LOCKED);

    DELETE FROM camera_metric_days m
    WHERE (m.camera_id, m.day) IN (
        SELECT o.camera_id, o.day
        FROM camera_metric_days o
        WHERE o.day < current_date - 400
        ORDER BY o.day
        LIMIT 500
        FOR UPDATE SKIP LOCKED);

    RETURN QUERY
    WITH given AS (
        SELECT c.id, c.tenant_id, g.online, g.fps, g.kbps, g.viewers
        FROM unnest(p_cameras, p_online, p_fps, p_kbps, p_viewers)
             g (camera, online, fps, kbps, viewers)
        JOIN cameras c ON c.id = g.camera AND c.deleted_at IS NULL
        ORDER BY c.id
    ), days AS (
        INSERT INTO camera_metric_days AS d (camera_id, day, tenant_id, online,
                                             kbps_sum, viewers_peak, sampled_at)
        SELECT g.id, (p_at AT TIME ZONE 'UTC')::date, g.tenant_id,
               g.online::integer, CASE WHEN g.online THEN g.kbps ELSE 0 END,
               g.viewers, p_at
        FROM given g
        ON CONFLICT (camera_id, day) DO UPDATE
        SET online = d.online + excluded.online,
            kbps_sum = d.kbps_sum + excluded.kbps_sum,
            viewers_peak = greatest(d.viewers_peak, excluded.viewers_peak),
            sampled_at = excluded.sampled_at
        WHERE d.sampled_at < excluded.sampled_at - interval '30 s'
        RETURNING d.*
    ), buckets AS (
        INSERT INTO camera_metrics AS m (camera_id, bucket, tenant_id, samples,
                                         online, fps_sum, kbps_sum, viewers_sum,
                                         viewers_peak)
        SELECT g.id, date_bin('5 min', p_at, 'epoch'), g.tenant_id, 1,
               g.online::integer, CASE WHEN g.online THEN g.fps ELSE 0 END,
               CASE WHEN g.online THEN g.kbps ELSE 0 END, g.viewers, g.viewers
        FROM given g
        JOIN days d ON d.camera_id = g.id
        ON CONFLICT (camera_id, bucket) DO UPDATE
        SET samples = m.samples + 1,
            online = m.online + excluded.online,
            fps_sum = m.fps_sum + excluded.fps_sum,
            kbps_sum = m.kbps_sum + excluded.kbps_sum,
            viewers_sum = m.viewers_sum + excluded.viewers_sum,
            viewers_peak = greatest(m.viewers_peak, excluded.viewers_peak)
    )
    SELECT d.camera_id, to_char(d.day, 'YYYY-MM-DD'),
           least(60 * d.online, 86400)::bigint,
           coalesce(1000 * d.kbps_sum / nullif(d.online, 0), 0),
           d.viewers_peak,
           (SELECT coalesce(sum(r.bytes), 0)::bigint
            FROM recording_days r
            WHERE r.camera_id = d.camera_id AND r.day = d.day)
    FROM days d;
END
$$;

CREATE OR REPLACE FUNCTION api_camera_metrics(p_camera uuid, p_from timestamptz,
                                   p_to timestamptz, p_step interval)
    RETURNS TABLE (
        at          timestamptz,
        uptime      bigint,
        fps         float8,
        bitrate     bigint,
        viewers     float8)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH steps AS (
        SELECT date_bin(p_step, b.bucket, 'epoch') AS at,
               sum(least(60 * b.online, 300))::bigint AS uptime,
               round((sum(b.fps_sum) / nullif(sum(b.online), 0))::numeric,
                     1)::float8 AS fps,
               (1000 * sum(b.kbps_sum) / nullif(sum(b.online), 0))::bigint
                   AS bitrate,
               round(coalesce(sum(b.viewers_sum)::numeric
                              / nullif(sum(b.samples), 0), 0), 1)::float8
                   AS viewers
        FROM camera_metrics b
        WHERE b.camera_id = p_camera
          AND b.bucket >= date_bin(p_step, p_from, 'epoch')
          AND b.bucket < date_bin(p_step, p_to, 'epoch') + p_step
        GROUP BY 1
    )
    SELECT g.at, coalesce(s.uptime, 0), s.fps, s.bitrate,
           coalesce(s.viewers, 0)
    FROM cameras c
    CROSS JOIN generate_series(date_bin(p_step, p_from, 'epoch'),
                               p_to - interval '1 microsecond', p_step) g (at)
    LEFT JOIN steps s ON s.at = g.at
    WHERE c.id = p_camera AND c.deleted_at IS NULL
    ORDER BY g.at;
END;

DROP TABLE camera_metrics_before;
