-- What is to be recorded, and when.  A camera with is_recording is recorded all
-- the time or, where it has a schedule, within its windows, which are times of
-- a week in a time zone; events are recorded whatever the schedule says, from
-- some seconds before they were reported.
--
-- recording_wishes() unites these times: windows that touch are one stretch, so
-- that nobody stops at midnight to start again.  NOTIFY recording_changed says
-- "read now"; jobs also read every 5 s.

-- true for what CHECK may take; a name is known when PostgreSQL takes it

CREATE FUNCTION time_zone_is_known(name text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT AS
$$
BEGIN
    PERFORM timestamptz 'epoch' AT TIME ZONE name;
    RETURN name ~ '^(UTC|[A-Za-z]+(/[A-Za-z0-9_+-]+)+)$';
EXCEPTION
    WHEN invalid_parameter_value THEN
        RETURN false;
END
$$;

CREATE FUNCTION schedule_windows_are_good(windows jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT AS
$$
DECLARE
    w       jsonb;
BEGIN
    IF jsonb_typeof(windows) <> 'array' OR jsonb_array_length(windows) > 100
    THEN
        RETURN false;
    END IF;

    FOR w IN SELECT jsonb_array_elements(windows) LOOP
        IF jsonb_typeof(w) <> 'object'
           OR (w - '{day,from,to}'::text[]) <> '{}'
           OR coalesce(w->>'day', '') !~ '^[0-6]$'
           OR jsonb_typeof(w->'day') <> 'number'
           OR coalesce(w->>'from', '') !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
           OR coalesce(w->>'to', '')
              !~ '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'
           OR w->>'from' COLLATE "C" >= w->>'to' COLLATE "C"
        THEN
            RETURN false;
        END IF;
    END LOOP;

    RETURN true;
END
$$;

COMMENT ON FUNCTION time_zone_is_known IS
    'Whether it is a time zone of the IANA database';
COMMENT ON FUNCTION schedule_windows_are_good IS
    'Whether each is {"day": 0-6, "from": "HH:MM", "to": "HH:MM" or "24:00"}, '
    'day 0 = Sunday, and ends after it starts';

CREATE TABLE recording_schedules (
    camera_id       uuid         NOT NULL,
    tenant_id       uuid         NOT NULL DEFAULT current_tenant(),
    timezone        text         NOT NULL,
    windows         jsonb        NOT NULL,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT schedules_are_of_one_camera
        PRIMARY KEY (camera_id),
    CONSTRAINT schedules_belong_to_a_camera
        FOREIGN KEY (camera_id) REFERENCES cameras (id) ON DELETE CASCADE,
    CONSTRAINT schedules_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT schedule_time_zones_are_known
        CHECK (time_zone_is_known(timezone)),
    CONSTRAINT schedule_windows_are_times_of_a_week
        CHECK (schedule_windows_are_good(windows))
);

COMMENT ON TABLE recording_schedules IS
    'When a camera with is_recording is recorded; one without a row always is';
COMMENT ON COLUMN recording_schedules.windows IS
    '[{"day": 0-6, "from": "HH:MM", "to": "HH:MM" or "24:00"}], 0 = Sunday, '
    'local times of timezone';

CREATE TRIGGER recording_schedules_stamp_changes
    BEFORE UPDATE ON recording_schedules
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE recording_events (
    id              uuid         NOT NULL DEFAULT gen_random_uuid(),
    tenant_id       uuid         NOT NULL DEFAULT current_tenant(),
    camera_id       uuid         NOT NULL,
    start_time      timestamptz  NOT NULL,
    until_time      timestamptz  NOT NULL,
    reason          varchar(200) NOT NULL DEFAULT '',
    created_by      uuid,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT recording_events_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT recording_events_belong_to_a_camera
        FOREIGN KEY (camera_id) REFERENCES cameras (id) ON DELETE CASCADE,
    CONSTRAINT recording_events_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT recording_events_are_reported_by_a_user
        FOREIGN KEY (created_by) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT recording_events_end_within_a_day
        CHECK (until_time > start_time
               AND until_time <= start_time + interval '25 hours')
);

-- serves timelines
CREATE INDEX recording_events_by_camera
    ON recording_events (camera_id, start_time);

-- serves recording_wishes()
CREATE INDEX recording_events_by_end ON recording_events (until_time);

COMMENT ON TABLE recording_events IS
    'Times that are recorded because something happened';
COMMENT ON COLUMN recording_events.start_time IS
    'With the seconds before it that the live store still has';

ALTER TABLE recording_schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE recording_events ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_worker_sees_all ON recording_schedules
    TO camera_worker USING (true) WITH CHECK (true);
CREATE POLICY the_worker_sees_all ON recording_events
    TO camera_worker USING (true) WITH CHECK (true);
CREATE POLICY the_api_sees_one_tenant ON recording_schedules
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));
CREATE POLICY the_api_sees_one_tenant ON recording_events
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

GRANT SELECT ON recording_schedules, recording_events
    TO camera_worker, camera_api;
GRANT INSERT (camera_id, timezone, windows), UPDATE (timezone, windows), DELETE
    ON recording_schedules TO camera_api;
GRANT INSERT (camera_id, start_time, until_time, reason, created_by),
    UPDATE (until_time) ON recording_events TO camera_api;

-- the times of a schedule from yesterday on, a week ahead; where a clock is
-- put forward a window may be none

CREATE FUNCTION schedule_times(p_timezone text, p_windows jsonb,
                               p_now timestamptz)
    RETURNS tstzmultirange
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(range_agg(tstzrange(s.starts, greatest(s.starts, s.ends))),
                    '{}')
    FROM generate_series(-1, 8) d (n)
    CROSS JOIN LATERAL (
        SELECT (p_now AT TIME ZONE p_timezone)::date + d.n AS day
    ) l
    JOIN jsonb_array_elements(p_windows) w (w)
        ON (w.w->>'day')::integer = extract(dow FROM l.day)
    CROSS JOIN LATERAL (
        SELECT (l.day + (w.w->>'from')::interval) AT TIME ZONE p_timezone
                   AS starts,
               (l.day + (w.w->>'to')::interval) AT TIME ZONE p_timezone AS ends
    ) s;
END;

COMMENT ON FUNCTION schedule_times IS
    'When a schedule records, from yesterday until a week from now';

CREATE FUNCTION recording_wishes(p_now timestamptz DEFAULT clock_timestamp())
    RETURNS TABLE (
        camera      uuid,
        want        boolean,
        why_not     integer,
        from_time   timestamptz,
        until_time  timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    SELECT c.id,
           coalesce(c.is_recording AND s.camera_id IS NULL
                    OR stretch.times IS NOT NULL, false),
           CASE WHEN c.is_recording AND s.camera_id IS NOT NULL
                     AND stretch.times IS NULL
                THEN 1 ELSE 0 END,
           CASE WHEN c.is_recording AND s.camera_id IS NULL
                THEN e.first_start ELSE lower(stretch.times) END,
           CASE WHEN (s.camera_id IS NOT NULL OR NOT c.is_recording)
                     AND upper(stretch.times) < p_now + interval '6 days'
                THEN upper(stretch.times) END
    FROM cameras c
    JOIN tenants t ON t.id = c.tenant_id AND t.is_active
    LEFT JOIN recording_schedules s ON s.camera_id = c.id AND c.is_recording
    LEFT JOIN LATERAL (
        SELECT min(v.start_time) FILTER (WHERE v.start_time <= p_now)
                   AS first_start,
               range_agg(tstzrange(v.start_time, v.until_time)) AS times
        FROM recording_events v
        WHERE v.camera_id = c.id AND v.until_time > p_now
    ) e ON true
    LEFT JOIN LATERAL (
        SELECT u.times
        FROM unnest(coalesce(e.times, '{}')
                    + CASE WHEN s.camera_id IS NULL THEN '{}'
                           ELSE schedule_times(s.timezone, s.windows, p_now)
                      END) u (times)
        WHERE u.times @> p_now
    ) stretch ON true
    WHERE c.deleted_at IS NULL AND c.is_active
      AND (c.is_recording OR e.times IS NOT NULL);
END;

COMMENT ON FUNCTION recording_wishes IS
    'What is to be recorded now; cameras without a row are off.  why_not: 0 off, '
    '1 schedule; from_time NULL = now, until_time NULL = no end in sight';

REVOKE EXECUTE ON FUNCTION schedule_times, recording_wishes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION recording_wishes TO camera_worker;

-- news

CREATE FUNCTION notify_recording_changed() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('recording_changed', '');
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_recording_changed IS
    'Trigger: wakes the jobs of camera-worker, once for each transaction';

CREATE TRIGGER cameras_wake_the_recorder_when_inserted
    AFTER INSERT ON cameras
    FOR EACH ROW WHEN (NEW.is_recording)
    EXECUTE FUNCTION notify_recording_changed();

CREATE TRIGGER cameras_wake_the_recorder_when_changed
    AFTER UPDATE ON cameras
    FOR EACH ROW
    WHEN ((OLD.is_recording, OLD.is_active, OLD.deleted_at)
          IS DISTINCT FROM (NEW.is_recording, NEW.is_active, NEW.deleted_at))
    EXECUTE FUNCTION notify_recording_changed();

CREATE TRIGGER tenants_wake_the_recorder
    AFTER UPDATE ON tenants
    FOR EACH ROW WHEN (OLD.is_active <> NEW.is_active)
    EXECUTE FUNCTION notify_recording_changed();

CREATE TRIGGER recording_schedules_wake_the_recorder
    AFTER INSERT OR UPDATE OR DELETE ON recording_schedules
    FOR EACH STATEMENT EXECUTE FUNCTION notify_recording_changed();

CREATE TRIGGER recording_events_wake_the_recorder
    AFTER INSERT OR UPDATE OR DELETE ON recording_events
    FOR EACH STATEMENT EXECUTE FUNCTION notify_recording_changed();

-- what the API does, with the rights of its caller

CREATE FUNCTION api_recording_start(p_camera uuid,
                                    p_duration_sec integer DEFAULT NULL,
                                    p_pre_roll_sec integer DEFAULT NULL,
                                    p_reason text DEFAULT NULL,
                                    p_user uuid DEFAULT NULL)
    RETURNS TABLE (
        outcome     text,
        event_id    uuid,
        start_time  timestamptz,
        until_time  timestamptz)
    LANGUAGE plpgsql AS
$$
#variable_conflict use_column
DECLARE
    moment      timestamptz = clock_timestamp();
BEGIN
    PERFORM FROM cameras c
    WHERE c.id = p_camera AND c.deleted_at IS NULL
    FOR NO KEY UPDATE;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    IF p_duration_sec IS NULL THEN
        UPDATE cameras c SET is_recording = true
        WHERE c.id = p_camera AND NOT c.is_recording;
        RETURN QUERY SELECT 'continuous', NULL::uuid, moment,
                            NULL::timestamptz;
        RETURN;
    END IF;

    RETURN QUERY
    INSERT INTO recording_events AS v (camera_id, start_time, until_time,
                                       reason, created_by)
    VALUES (p_camera,
            moment - make_interval(secs => coalesce(p_pre_roll_sec, 0)),
            moment + make_interval(secs => p_duration_sec),
            coalesce(p_reason, ''),
            (SELECT u.id FROM users u WHERE u.id = p_user))
    RETURNING 'event', v.id, v.start_time, v.until_time;
END
$$;

COMMENT ON FUNCTION api_recording_start IS
    'Records all the time (continuous) or, with a duration, an event; no row = '
    'no such camera';

CREATE FUNCTION api_recording_stop(p_camera uuid)
    RETURNS TABLE (outcome text)
    LANGUAGE plpgsql AS
$$
DECLARE
    moment      timestamptz = clock_timestamp();
BEGIN
    PERFORM FROM cameras c
    WHERE c.id = p_camera AND c.deleted_at IS NULL
    FOR NO KEY UPDATE;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    UPDATE cameras c SET is_recording = false
    WHERE c.id = p_camera AND c.is_recording;

    UPDATE recording_events v SET until_time = moment
    WHERE v.camera_id = p_camera AND v.until_time > moment
      AND v.start_time < moment;

    outcome = 'stopped';
    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION api_recording_stop IS
    'Ends recording, of events, too; no row = no such camera';

CREATE FUNCTION api_schedule_put(p_camera uuid, p_timezone text,
                                 p_windows jsonb)
    RETURNS SETOF recording_schedules
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM FROM cameras c
    WHERE c.id = p_camera AND c.deleted_at IS NULL;

    IF FOUND THEN
        RETURN QUERY
        INSERT INTO recording_schedules AS s (camera_id, timezone, windows)
        VALUES (p_camera, p_timezone, p_windows)
        ON CONFLICT ON CONSTRAINT schedules_are_of_one_camera DO UPDATE
        SET timezone = excluded.timezone, windows = excluded.windows
        RETURNING s.*;
    END IF;
END
$$;

COMMENT ON FUNCTION api_schedule_put IS
    'Gives a camera a schedule; no row = no such camera';

CREATE FUNCTION api_schedule_delete(p_camera uuid) RETURNS boolean
    LANGUAGE plpgsql AS
$$
BEGIN
    DELETE FROM recording_schedules s WHERE s.camera_id = p_camera;
    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION api_schedule_delete IS
    'Takes a camera''s schedule away; answers whether it had one';

REVOKE EXECUTE ON FUNCTION
    api_recording_start, api_recording_stop, api_schedule_put,
    api_schedule_delete
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    api_recording_start, api_recording_stop, api_schedule_put,
    api_schedule_delete
    TO camera_api;
