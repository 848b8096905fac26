-- What the jobs of the camera-worker keep in the database beside recordings:
-- when a gap is worth an alert, which clock retention believes, and the way
-- back for a file that says by itself that it is on hold.

-- gaps

ALTER TABLE tenants
    ADD COLUMN gap_alert_sec integer NOT NULL DEFAULT 30,
    ADD CONSTRAINT gap_alerts_come_within_a_day
        CHECK (gap_alert_sec BETWEEN 1 AND 86400);

COMMENT ON COLUMN tenants.gap_alert_sec IS
    'Seconds without recording that are worth an alert';

CREATE FUNCTION recording_gap_alert(p_camera uuid, p_start timestamptz,
                                    p_end timestamptz, p_cause text)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    tenant      tenants;
    until       timestamptz = coalesce(p_end, clock_timestamp());
    seconds     integer = extract(epoch FROM until - p_start);
    message     text;
    news        jsonb;
BEGIN
    SELECT t.* INTO tenant
    FROM cameras c JOIN tenants t ON t.id = c.tenant_id
    WHERE c.id = p_camera;

    IF NOT FOUND OR p_cause = 'schedule' OR seconds < tenant.gap_alert_sec THEN
        RETURN false;
    END IF;

    message = CASE WHEN p_end IS NULL THEN 'Not recorded since '
                   ELSE 'Not recorded for ' || seconds || ' s from ' END
              || to_char(p_start AT TIME ZONE 'UTC',
                         'YYYY-MM-DD"T"HH24:MI:SS"Z"')
              || ', cause: ' || p_cause;

    news = jsonb_build_object('startTime', p_start, 'endTime', p_end,
                              'cause', p_cause);

    -- the gap that the open alert is about already: it has grown, or ended

    UPDATE alerts a
    SET last_seen_at = clock_timestamp(), message = news.message,
        title = news.message, details = a.details || news.details
    FROM (SELECT message, news AS details) news
    WHERE a.tenant_id = tenant.id AND a.camera_id = p_camera
      AND a.type = 'recording_gap' AND a.resolved_at IS NULL
      AND (a.details->>'startTime')::timestamptz = p_start
      AND a.message <> news.message;

    IF FOUND OR EXISTS (SELECT FROM alerts a
                        WHERE a.tenant_id = tenant.id
                          AND a.camera_id = p_camera
                          AND a.type = 'recording_gap'
                          AND (a.details->>'startTime')::timestamptz = p_start)
    THEN
        RETURN false;
    END IF;

    PERFORM alert_raise(tenant.id, p_camera, 'recording_gap', 'medium',
                        message, news);
    RETURN true;
END
$$;

COMMENT ON FUNCTION recording_gap_alert IS
    'Raises an alert about a gap that is long enough, once; true = now';

CREATE FUNCTION recording_gap_alerts(p_calm_sec integer DEFAULT 60)
    RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    raised      integer;
BEGIN
    SELECT count(*) FILTER (WHERE recording_gap_alert(g.camera_id, g.start_time,
                                                      NULL, g.cause))
    INTO raised
    FROM recording_gaps g
    WHERE g.end_time IS NULL;

    -- one that flaps is one alert that counts

    UPDATE alerts a
    SET resolved_at = clock_timestamp()
    WHERE a.type = 'recording_gap' AND a.resolved_at IS NULL
      AND a.last_seen_at < clock_timestamp()
                           - make_interval(secs => p_calm_sec)
      AND NOT EXISTS (SELECT FROM recording_gaps g
                      WHERE g.camera_id = a.camera_id AND g.end_time IS NULL
                        AND g.cause <> 'schedule');

    RETURN raised;
END
$$;

COMMENT ON FUNCTION recording_gap_alerts IS
    'Raises alerts about gaps that last, calms those of cameras that are '
    'recorded again for some time; answers how many were raised';

-- the clock

CREATE TABLE retention_clocks (
    node            text         NOT NULL,
    seen_at         timestamptz  NOT NULL,
    boot_id         text         NOT NULL,
    boot_msec       bigint       NOT NULL,
    ahead_msec      bigint       NOT NULL DEFAULT 0,
    confirmed       boolean      NOT NULL DEFAULT false,
    run_at          timestamptz,
    updated_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT nodes_have_one_clock
        PRIMARY KEY (node)
);

COMMENT ON TABLE retention_clocks IS
    'The last time of each node that retention believed';
COMMENT ON COLUMN retention_clocks.seen_at IS
    'What the clock said then';
COMMENT ON COLUMN retention_clocks.boot_msec IS
    'The time since boot_id then, which nobody can set';
COMMENT ON COLUMN retention_clocks.ahead_msec IS
    'So far ahead is the clock now of what is believed; 0 = it is believed';
COMMENT ON COLUMN retention_clocks.confirmed IS
    'An operator says that the clock is right';
COMMENT ON COLUMN retention_clocks.run_at IS
    'When retention ran last';

ALTER TABLE retention_clocks ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_worker_sees_all ON retention_clocks
    TO camera_worker USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE ON retention_clocks TO camera_worker;

-- files

-- finds finished recordings that nobody has checked
CREATE INDEX recordings_to_be_probed ON recordings (start_time)
    WHERE state = 'complete' AND probed_at IS NULL;

CREATE FUNCTION recording_keep(p_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan AS
$$
BEGIN
    UPDATE recordings r
    SET state = CASE WHEN r.probe_error IS NULL THEN 'complete'
                     ELSE 'damaged' END,
        locked = true, locked_reason = 'a hold lies beside its file'
    WHERE r.id = p_id AND r.start_time = recording_start(p_id)
      AND r.state = 'deleting';

    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION recording_keep IS
    'Its file is on hold, which nobody had told the row';

-- upkeep

CREATE FUNCTION recording_upkeep() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    DELETE FROM idempotency_keys k
    WHERE k.created_at < now() - interval '24 hours';

    UPDATE alerts a
    SET resolved_at = now()
    WHERE a.type = 'journal_damaged' AND a.resolved_at IS NULL
      AND a.last_seen_at < now() - interval '1 day';

    UPDATE alerts a
    SET resolved_at = now()
    WHERE a.type = 'recording_damaged' AND a.resolved_at IS NULL
      AND NOT EXISTS (SELECT FROM recordings r
                      WHERE r.camera_id = a.camera_id AND r.state = 'damaged');
END
$$;

COMMENT ON FUNCTION recording_upkeep IS
    'Takes away what nobody needs any more, now and then';

REVOKE EXECUTE ON FUNCTION
    recording_gap_alert, recording_gap_alerts, recording_keep,
    recording_upkeep
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    recording_gap_alert, recording_gap_alerts, recording_keep,
    recording_upkeep
    TO camera_worker;
