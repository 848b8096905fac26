-- How cameras did: each minute nginx tells of those that publish to it.  There is
-- one row for five minutes of a camera, kept for 35 days, and one for a day (UTC),
-- kept for 400.  A camera that was not there has no row.

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
        PRIMARY KEY (camera_id, bucket),
    CONSTRAINT camera_metrics_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT camera_metrics_belong_to_a_camera
        FOREIGN KEY (camera_id) REFERENCES cameras (id) ON DELETE CASCADE
);

-- serves the end of old ones
CREATE INDEX camera_metrics_by_age ON camera_metrics (bucket);

COMMENT ON TABLE camera_metrics IS
    'Sums over samples of a camera, one row for five minutes';
COMMENT ON COLUMN camera_metrics.bucket IS
    'When the five minutes begin';
COMMENT ON COLUMN camera_metrics.samples IS
    'Minutes in which it published';
COMMENT ON COLUMN camera_metrics.online IS
    'Those of them with pictures, which fps_sum and kbps_sum are of';

CREATE TABLE camera_metric_days (
    camera_id       uuid         NOT NULL,
    day             date         NOT NULL,
    tenant_id       uuid         NOT NULL,
    online          integer      NOT NULL,
    kbps_sum        bigint       NOT NULL,
    viewers_peak    integer      NOT NULL,
    sampled_at      timestamptz  NOT NULL,

    CONSTRAINT camera_metric_days_have_one_row_each
        PRIMARY KEY (camera_id, day),
    CONSTRAINT camera_metric_days_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT camera_metric_days_belong_to_a_camera
        FOREIGN KEY (camera_id) REFERENCES cameras (id) ON DELETE CASCADE
);

CREATE INDEX camera_metric_days_by_age ON camera_metric_days (day);

COMMENT ON TABLE camera_metric_days IS
    'The same sums of a day (UTC)';
COMMENT ON COLUMN camera_metric_days.sampled_at IS
    'The last sample; a minute is not counted twice';

ALTER TABLE camera_metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE camera_metric_days ENABLE ROW LEVEL SECURITY;

DO $$
DECLARE
    name    text;
BEGIN
    FOREACH name IN ARRAY ARRAY['camera_metrics', 'camera_metric_days']
    LOOP
        EXECUTE format('CREATE POLICY the_api_sees_one_tenant ON %I
                        TO camera_api
                        USING (tenant_id = (SELECT session_tenant()))
                        WITH CHECK (tenant_id = (SELECT session_tenant()))',
                       name);
        EXECUTE format('CREATE POLICY grantees_see_what_is_granted ON %I
                        AS RESTRICTIVE TO camera_api
                        USING ((SELECT session_grantee()) IS NULL
                               OR camera_id IN (SELECT granted_cameras()))',
                       name);
    END LOOP;
END
$$;

GRANT SELECT ON camera_metrics, camera_metric_days TO camera_api;

-- adding

CREATE FUNCTION api_metrics_add(
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
    -- what is old goes in steps, each of more rows than are added

    DELETE FROM camera_metrics m
    WHERE (m.camera_id, m.bucket) IN (
        SELECT o.camera_id, o.bucket
        FROM camera_metrics o
        WHERE o.bucket < now() - interval '35 days'
        ORDER BY o.bucket
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

COMMENT ON FUNCTION api_metrics_add IS
    'A minute of these cameras, of any tenant; answers what their day comes to';

-- reading

CREATE FUNCTION api_camera_metrics(p_camera uuid, p_from timestamptz,
                                   p_to timestamptz, p_step interval)
    RETURNS TABLE (
        at          timestamptz,
        uptime      bigint,
        fps         float8,
        bitrate     bigint,
        viewers     float8)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT g.at, m.uptime, m.fps, m.bitrate, m.viewers
    FROM cameras c
    CROSS JOIN generate_series(date_bin(p_step, p_from, 'epoch'),
                               p_to - interval '1 microsecond', p_step) g (at)
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(least(60 * b.online, 300)), 0)::bigint AS uptime,
               round((sum(b.fps_sum) / nullif(sum(b.online), 0))::numeric,
                     1)::float8 AS fps,
               (1000 * sum(b.kbps_sum) / nullif(sum(b.online), 0))::bigint
                   AS bitrate,
               round(coalesce(sum(b.viewers_sum)::numeric
                              / nullif(sum(b.samples), 0), 0), 1)::float8
                   AS viewers
        FROM camera_metrics b
        WHERE b.camera_id = c.id
          AND b.bucket >= g.at AND b.bucket < g.at + p_step
    ) m
    WHERE c.id = p_camera AND c.deleted_at IS NULL
    ORDER BY g.at;
END;

COMMENT ON FUNCTION api_camera_metrics IS
    'How a camera did, step by step; no row = no such camera';

CREATE FUNCTION api_camera_days(p_camera uuid, p_from date, p_to date)
    RETURNS TABLE (
        day             text,
        uptime          bigint,
        bitrate         bigint,
        viewers_peak    integer,
        bytes           bigint)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT to_char(g.day, 'YYYY-MM-DD'),
           least(60 * coalesce(d.online, 0), 86400)::bigint,
           1000 * d.kbps_sum / nullif(d.online, 0),
           coalesce(d.viewers_peak, 0),
           (SELECT coalesce(sum(r.bytes), 0)::bigint
            FROM recording_days r
            WHERE r.camera_id = c.id AND r.day = g.day::date)
    FROM cameras c
    CROSS JOIN generate_series(p_from::timestamp, p_to::timestamp,
                               interval '1 day') g (day)
    LEFT JOIN camera_metric_days d
        ON d.camera_id = c.id AND d.day = g.day::date
    WHERE c.id = p_camera AND c.deleted_at IS NULL
    ORDER BY g.day;
END;

COMMENT ON FUNCTION api_camera_days IS
    'How a camera did, day by day (UTC); no row = no such camera';

-- a recording is an hour long at most; one that is older and not closed is of a
-- recorder that died

CREATE VIEW api_dashboard WITH (security_invoker = true) AS
SELECT (SELECT json_build_object(
            'total', count(*),
            'online', count(*) FILTER (WHERE c.stream_status = 'online'),
            'connecting', count(*) FILTER (WHERE c.stream_status
                                           = 'connecting'),
            'offline', count(*) FILTER (WHERE c.stream_status = 'offline'),
            'error', count(*) FILTER (WHERE c.stream_status = 'error'),
            'recording', count(r.id))
        FROM cameras c
        LEFT JOIN LATERAL (
            SELECT o.id
            FROM recordings o
            WHERE o.camera_id = c.id
              AND o.start_time > now() - interval '2 hours'
              AND o.state = 'recording'
            LIMIT 1) r ON true
        WHERE c.deleted_at IS NULL)         AS cameras,
       (SELECT json_build_object(
            'open', count(*),
            'bySeverity', json_build_object(
                'low', count(*) FILTER (WHERE a.severity = 'low'),
                'medium', count(*) FILTER (WHERE a.severity = 'medium'),
                'high', count(*) FILTER (WHERE a.severity = 'high'),
                'critical', count(*) FILTER (WHERE a.severity = 'critical')))
        FROM alerts a
        WHERE a.resolved_at IS NULL)        AS alerts,
       d.hours,
       d.bytes                              AS stored_bytes
FROM (SELECT json_build_object(
                 'today', round(coalesce(sum(r.usec) FILTER (
                     WHERE r.day = t.today), 0) / 3600000000.0, 2),
                 'last7Days', round(coalesce(sum(r.usec) FILTER (
                     WHERE r.day > t.today - 7), 0) / 3600000000.0, 2))
                                            AS hours,
             coalesce(sum(r.bytes), 0)::bigint AS bytes
      FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) t
      LEFT JOIN recording_days r ON true) d;

COMMENT ON VIEW api_dashboard IS
    'Cameras, alerts and recordings that whoever reads may see, at a glance';

GRANT SELECT ON api_dashboard TO camera_api;

REVOKE EXECUTE ON FUNCTION
    api_metrics_add, api_camera_metrics, api_camera_days
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    api_metrics_add, api_camera_metrics, api_camera_days
    TO camera_api;
