ALTER TABLE camera_metrics RENAME TO camera_metrics_before;
ALTER TABLE camera_metrics_before
    RENAME CONSTRAINT camera_metrics_have_one_row_each
    TO camera_metrics_before_have_one_row_each;

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

CREATE INDEX camera_metrics_by_age ON camera_metrics (bucket);

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

INSERT INTO camera_metrics SELECT * FROM camera_metrics_before;

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

DROP TABLE camera_metrics_before;
DROP FUNCTION drop_old_metric_partitions();
DROP FUNCTION make_metric_partitions(integer);
DROP FUNCTION make_metric_partition(date);
