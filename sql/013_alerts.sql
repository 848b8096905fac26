-- Alerts: what an operator has to know.  A trouble that lasts is one row that
-- counts how often it was seen, from its first time [alert_raise] until it is
-- over [alert_calm]; the next time it is another row.  To acknowledge one says
-- that somebody has read it, whether or not it is over.
--
-- Types are an open set.  Alerts of a node, such as a full volume, have no
-- camera and are raised for each tenant that has something to record.

CREATE TABLE alerts (
    id              uuid         NOT NULL DEFAULT gen_random_uuid(),
    tenant_id       uuid         NOT NULL DEFAULT current_tenant(),
    camera_id       uuid,
    type            varchar(64)  NOT NULL,
    severity        text         NOT NULL,
    title           varchar(200) NOT NULL DEFAULT '',
    message         varchar(1000) NOT NULL DEFAULT '',
    details         jsonb        NOT NULL DEFAULT '{}',
    clip_path       varchar(500),
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_seen_at    timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    count           integer      NOT NULL DEFAULT 1,
    acknowledged    boolean      NOT NULL DEFAULT false,
    acknowledged_by uuid,
    acknowledged_at timestamptz,
    resolved_at     timestamptz,

    CONSTRAINT alerts_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT alerts_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT alerts_belong_to_a_camera
        FOREIGN KEY (camera_id) REFERENCES cameras (id),
    CONSTRAINT alerts_are_acknowledged_by_a_user
        FOREIGN KEY (acknowledged_by) REFERENCES users (id)
        ON DELETE SET NULL,
    CONSTRAINT alert_types_are_words
        CHECK (type ~ '^[a-z][a-z0-9_]*$'),
    CONSTRAINT alert_severities_are_known
        CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    CONSTRAINT alerts_are_acknowledged_at_a_time
        CHECK (acknowledged = (acknowledged_at IS NOT NULL))
);

-- finds the open one in alert_raise() and alert_calm()
CREATE UNIQUE INDEX alerts_are_open_once
    ON alerts (tenant_id, camera_id, type) NULLS NOT DISTINCT
    WHERE resolved_at IS NULL;

-- serve lists, newest first, of a tenant and of a camera
CREATE INDEX alerts_by_tenant ON alerts (tenant_id, created_at, id);
CREATE INDEX alerts_by_camera ON alerts (camera_id, created_at);

COMMENT ON TABLE alerts IS
    'What an operator has to know, one row for each time of trouble';
COMMENT ON COLUMN alerts.camera_id IS
    'NULL = of a node, or of the tenant';
COMMENT ON COLUMN alerts.type IS
    'Such as recording_failed, storage_full, recording_gap, recording_damaged, '
    'volume_away, camera_quarantined, clock_jump, export_failed';
COMMENT ON COLUMN alerts.title IS
    'In a few words; the message where none was given';
COMMENT ON COLUMN alerts.clip_path IS
    'Recording of it, NULL = none';
COMMENT ON COLUMN alerts.count IS
    'How often it was seen, last at last_seen_at';
COMMENT ON COLUMN alerts.resolved_at IS
    'When it was over, NULL = it lasts';

ALTER TABLE alerts ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_worker_sees_all ON alerts
    TO camera_worker USING (true) WITH CHECK (true);
CREATE POLICY the_api_sees_one_tenant ON alerts
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

GRANT SELECT ON alerts TO camera_worker, camera_api;
GRANT UPDATE (acknowledged, acknowledged_by, acknowledged_at)
    ON alerts TO camera_api;

-- raising

CREATE FUNCTION alert_raise(p_tenant uuid, p_camera uuid, p_type text,
                            p_severity text, p_message text,
                            p_details jsonb DEFAULT '{}',
                            p_at timestamptz DEFAULT clock_timestamp())
    RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    raised      uuid;
    message     text = left(p_message, 1000);
BEGIN
    INSERT INTO alerts AS a (tenant_id, camera_id, type, severity, title,
                             message, details, created_at, last_seen_at)
    VALUES (p_tenant, p_camera, p_type, p_severity, left(message, 200),
            message, coalesce(p_details, '{}'), p_at, p_at)
    ON CONFLICT (tenant_id, camera_id, type) WHERE resolved_at IS NULL
    DO UPDATE
    SET severity = excluded.severity, title = excluded.title,
        message = excluded.message, details = a.details || excluded.details,
        last_seen_at = greatest(a.last_seen_at, excluded.last_seen_at),
        count = a.count + 1
    RETURNING id INTO raised;

    RETURN raised;
END
$$;

COMMENT ON FUNCTION alert_raise IS
    'Raises an alert, or counts one that is open of the same tenant, camera and '
    'type; answers its id';

CREATE FUNCTION alert_calm(p_tenant uuid, p_camera uuid, p_type text,
                           p_at timestamptz DEFAULT clock_timestamp())
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    UPDATE alerts a
    SET resolved_at = greatest(p_at, a.created_at)
    WHERE a.tenant_id = p_tenant AND a.type = p_type
      AND a.camera_id IS NOT DISTINCT FROM p_camera
      AND a.resolved_at IS NULL;

    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION alert_calm IS
    'It is over; answers whether such an alert was open';

-- of a camera or, without one, of the node, whose tenants are told

CREATE FUNCTION alert_tenants(p_camera uuid) RETURNS SETOF uuid
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.tenant_id
    FROM cameras c
    WHERE c.id = p_camera
    UNION
    SELECT c.tenant_id
    FROM cameras c
    WHERE p_camera IS NULL AND c.is_recording AND c.deleted_at IS NULL;
END;

COMMENT ON FUNCTION alert_tenants IS
    'Who is told of an alert: the camera''s tenant, or all that record';

REVOKE EXECUTE ON FUNCTION alert_raise, alert_calm, alert_tenants FROM PUBLIC;
GRANT EXECUTE ON FUNCTION alert_raise, alert_calm TO camera_worker;

-- reading and acknowledging, with the rights of who does

CREATE VIEW api_alerts WITH (security_invoker = true) AS
SELECT a.id,
       a.camera_id,
       a.type::text             AS type,
       a.severity,
       coalesce(nullif(a.title, ''), left(a.message, 200))::text AS title,
       coalesce(nullif(a.message, ''), a.title)::text            AS message,
       a.details,
       a.clip_path,
       a.created_at,
       a.last_seen_at,
       a.count,
       a.acknowledged,
       u.username::text         AS acknowledged_by,
       a.acknowledged_at,
       a.resolved_at
FROM alerts a
LEFT JOIN users u ON u.id = a.acknowledged_by;

COMMENT ON VIEW api_alerts IS
    'Alerts with the rights of who reads; title and message stand in for one '
    'another';

GRANT SELECT ON api_alerts TO camera_api;

CREATE FUNCTION api_alert_acknowledge(p_id uuid, p_user uuid)
    RETURNS SETOF api_alerts
    LANGUAGE plpgsql AS
$$
BEGIN
    UPDATE alerts a
    SET acknowledged = true, acknowledged_at = now(),
        acknowledged_by = (SELECT u.id FROM users u WHERE u.id = p_user)
    WHERE a.id = p_id AND NOT a.acknowledged;

    RETURN QUERY SELECT * FROM api_alerts a WHERE a.id = p_id;
END
$$;

COMMENT ON FUNCTION api_alert_acknowledge IS
    'Notes who has read an alert, the first time; answers it as api_alerts '
    'does, no row = no such alert';

REVOKE EXECUTE ON FUNCTION api_alert_acknowledge FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_alert_acknowledge TO camera_api;
