DROP TRIGGER cameras_wake_the_recorder_when_changed ON cameras;

CREATE TRIGGER cameras_wake_the_recorder_when_changed
    AFTER UPDATE ON cameras
    FOR EACH ROW
    WHEN ((OLD.is_recording, OLD.is_active, OLD.deleted_at)
          IS DISTINCT FROM (NEW.is_recording, NEW.is_active, NEW.deleted_at))
    EXECUTE FUNCTION notify_recording_changed();

DROP FUNCTION recording_wishes(timestamptz);

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

CREATE OR REPLACE FUNCTION journal_gap(p_camera uuid, p_start timestamptz,
                            p_end timestamptz, p_cause text)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    tenant      uuid;
BEGIN
    SELECT c.tenant_id INTO tenant FROM cameras c WHERE c.id = p_camera;

    IF tenant IS NULL OR p_start IS NULL THEN
        RETURN false;
    END IF;

    IF p_end <= p_start THEN            -- it was none
        DELETE FROM recording_gaps g
        WHERE g.camera_id = p_camera AND g.start_time = p_start;
        RETURN FOUND;
    END IF;

    -- whoever opens another one knows nothing of the one before any more

    UPDATE recording_gaps g
    SET end_time = p_start
    WHERE g.camera_id = p_camera AND g.end_time IS NULL
      AND g.start_time < p_start;

    INSERT INTO recording_gaps AS g (tenant_id, camera_id, start_time, end_time,
                                     cause)
    VALUES (tenant, p_camera, p_start, p_end,
            CASE WHEN p_cause IN ('network', 'restart', 'disk', 'shed',
                                  'schedule')
                 THEN p_cause ELSE 'camera' END)
    ON CONFLICT ON CONSTRAINT recording_gaps_start_once DO UPDATE
    SET end_time = coalesce(excluded.end_time, g.end_time),
        cause = excluded.cause
    WHERE g.end_time IS DISTINCT FROM coalesce(excluded.end_time, g.end_time)
       OR g.cause <> excluded.cause;

    RETURN true;
END
$$;

-- what is known of such gaps stays, under the name that is nearest

UPDATE recording_gaps SET cause = 'disk' WHERE cause = 'key';

ALTER TABLE recording_gaps
    DROP CONSTRAINT recording_gap_causes_are_known,
    ADD CONSTRAINT recording_gap_causes_are_known
        CHECK (cause IN ('network', 'camera', 'restart', 'disk', 'shed',
                         'schedule'));

COMMENT ON COLUMN recording_gaps.cause IS
    'network, camera (no usable frames), restart, disk, shed (overload), '
    'schedule (was not wanted after all)';

ALTER TABLE cameras DROP COLUMN recording_encrypted;

REVOKE EXECUTE ON FUNCTION recording_wishes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION recording_wishes TO camera_worker;
