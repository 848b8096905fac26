-- What the recorder wrote into its journal, applied: one function for each kind
-- of line.  The jobs of the camera-worker call them in the order of the lines
-- and journal_position() in the same transaction, so that a line counts once;
-- and a line that comes twice all the same changes nothing the second time.
--
-- The journal never stops for a line that makes no sense here.  The file of a
-- camera that nobody knows is noted as garbage, other lines are passed over;
-- the answer says whether a line found what it is about.

CREATE TABLE record_journal (
    volume_id       uuid         NOT NULL,
    file            text         NOT NULL,
    position        bigint       NOT NULL,
    updated_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT journals_have_one_position
        PRIMARY KEY (volume_id),
    CONSTRAINT journals_are_on_a_volume
        FOREIGN KEY (volume_id) REFERENCES volumes (id),
    CONSTRAINT journal_positions_are_not_negative
        CHECK (position >= 0)
);

COMMENT ON TABLE record_journal IS
    'How far the journal of each volume has been applied';
COMMENT ON COLUMN record_journal.file IS
    'Name of the journal file, whose order is that of names';
COMMENT ON COLUMN record_journal.position IS
    'Bytes of it that were applied; files before it were wholly';

ALTER TABLE record_journal ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_worker_sees_all ON record_journal
    TO camera_worker USING (true) WITH CHECK (true);

GRANT SELECT ON record_journal TO camera_worker;

-- volumes

CREATE FUNCTION volume_report(p_id uuid, p_node text, p_path text, p_state text,
                              p_bytes_total bigint, p_bytes_free bigint)
    RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    INSERT INTO volumes (id, node, path, state, bytes_total, bytes_free)
    VALUES (p_id, p_node, p_path, p_state, p_bytes_total, p_bytes_free)
    ON CONFLICT ON CONSTRAINT volumes_have_one_row_each DO UPDATE
    SET node = excluded.node, path = excluded.path, state = excluded.state,
        bytes_total = excluded.bytes_total, bytes_free = excluded.bytes_free,
        updated_at = now();
END;

COMMENT ON FUNCTION volume_report IS
    'What a node sees of a volume';

CREATE FUNCTION journal_position(p_volume uuid, p_file text, p_position bigint)
    RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    INSERT INTO volumes (id) VALUES (p_volume)
    ON CONFLICT ON CONSTRAINT volumes_have_one_row_each DO NOTHING;

    INSERT INTO record_journal (volume_id, file, position)
    VALUES (p_volume, p_file, p_position)
    ON CONFLICT ON CONSTRAINT journals_have_one_position DO UPDATE
    SET file = excluded.file, position = excluded.position, updated_at = now();
END;

COMMENT ON FUNCTION journal_position IS
    'All lines of the volume''s journal before this place were applied';

-- recordings

CREATE FUNCTION recording_garbage_add(p_volume uuid, p_path text, p_why text)
    RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    INSERT INTO recording_garbage (volume_id, path, why)
    VALUES (p_volume, left(p_path, 500), p_why)
    ON CONFLICT ON CONSTRAINT garbage_is_listed_once DO NOTHING;
END;

COMMENT ON FUNCTION recording_garbage_add IS
    'Notes a file that belongs to nobody';

CREATE FUNCTION journal_open(p_volume uuid, p_id uuid, p_camera uuid,
                             p_path text, p_start timestamptz,
                             p_codecs text DEFAULT '',
                             p_width integer DEFAULT 0,
                             p_height integer DEFAULT 0,
                             p_length_sec integer DEFAULT 3600)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    tenant      uuid;
    why         text;
BEGIN
    INSERT INTO volumes (id) VALUES (p_volume)
    ON CONFLICT ON CONSTRAINT volumes_have_one_row_each DO NOTHING;

    SELECT c.tenant_id INTO tenant FROM cameras c WHERE c.id = p_camera;

    IF tenant IS NULL THEN
        why = 'camera';
    ELSIF p_start IS DISTINCT FROM recording_start(p_id) THEN
        why = 'id';
    ELSIF p_path ~ '(^/|(^|/)[.][.](/|$))' OR length(p_path) > 500 THEN
        why = 'path';
    END IF;

    IF why IS NOT NULL THEN
        PERFORM recording_garbage_add(p_volume, p_path, why);
        RETURN false;
    END IF;

    PERFORM make_recording_partition(recording_day(p_id));

    INSERT INTO recordings (id, tenant_id, camera_id, volume_id,
                            segment_number, filename, file_path, start_time,
                            end_time, codecs, width, height)
    VALUES (p_id, tenant, p_camera, p_volume,
            floor(extract(epoch FROM p_start)
                  / greatest(coalesce(p_length_sec, 3600), 1)),
            right(regexp_replace(p_path, '^.*/', ''), 255), p_path, p_start,
            p_start, left(coalesce(p_codecs, ''), 64), coalesce(p_width, 0),
            coalesce(p_height, 0))
    ON CONFLICT ON CONSTRAINT recordings_have_one_row_each DO NOTHING;

    RETURN true;
END
$$;

COMMENT ON FUNCTION journal_open IS
    'A file was begun; false = it is garbage, for it has no camera, or its id '
    'or path are none';

CREATE FUNCTION journal_advance(p_id uuid, p_end timestamptz, p_bytes bigint,
                                p_usec bigint, p_fragments integer)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan AS
$$
BEGIN
    UPDATE recordings r
    SET end_time = greatest(r.end_time, p_end),
        file_size = greatest(r.file_size, p_bytes),
        usec = greatest(r.usec, p_usec),
        duration = round(greatest(r.usec, p_usec) / 1000000.0),
        fragments = greatest(r.fragments, p_fragments)
    WHERE r.id = p_id AND r.start_time = recording_start(p_id)
      AND r.state = 'recording';

    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION journal_advance IS
    'A file has grown';

CREATE FUNCTION journal_close(p_id uuid, p_end timestamptz, p_bytes bigint,
                              p_usec bigint, p_fragments integer, p_why text)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan AS
$$
BEGIN
    UPDATE recordings r
    SET end_time = greatest(r.start_time, p_end), file_size = p_bytes,
        usec = p_usec, duration = round(p_usec / 1000000.0),
        fragments = p_fragments, state = 'complete', close_reason = p_why
    WHERE r.id = p_id AND r.start_time = recording_start(p_id)
      AND r.state = 'recording';

    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION journal_close IS
    'A file is finished, with what it has in the end';

CREATE FUNCTION journal_removed(p_id uuid, p_why text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan AS
$$
BEGIN
    UPDATE recordings r
    SET state = 'damaged', probed_at = now(),
        probe_error = 'its file is gone: ' || p_why
    WHERE r.id = p_id AND r.start_time = recording_start(p_id) AND r.locked;

    IF FOUND THEN
        RETURN true;            -- what is on hold is not forgotten
    END IF;

    DELETE FROM recordings r
    WHERE r.id = p_id AND r.start_time = recording_start(p_id);

    IF NOT FOUND THEN
        RETURN false;
    END IF;

    DELETE FROM recording_tasks t WHERE t.recording_id = p_id;
    RETURN true;
END
$$;

COMMENT ON FUNCTION journal_removed IS
    'A file is gone; its row goes, but for one on hold, which is damaged';

-- gaps

CREATE FUNCTION journal_gap(p_camera uuid, p_start timestamptz,
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

COMMENT ON FUNCTION journal_gap IS
    'A gap was opened (without an end) or has ended; the same start is the same '
    'gap';

-- alerts

CREATE FUNCTION journal_alert(p_type text, p_severity text, p_camera uuid,
                              p_message text, p_at timestamptz DEFAULT now(),
                              p_details jsonb DEFAULT '{}')
    RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    SELECT count(alert_raise(t.tenant, p_camera, p_type, p_severity, p_message,
                             p_details, p_at))::integer
    FROM alert_tenants(p_camera) t (tenant);
END;

COMMENT ON FUNCTION journal_alert IS
    'Raises an alert of a camera or, without one, of the node; answers how many '
    'tenants it was raised for';

CREATE FUNCTION journal_calm(p_type text, p_camera uuid,
                             p_at timestamptz DEFAULT now())
    RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    calmed      integer;
BEGIN
    UPDATE alerts a
    SET resolved_at = greatest(p_at, a.created_at)
    WHERE a.type = p_type AND a.camera_id IS NOT DISTINCT FROM p_camera
      AND a.resolved_at IS NULL;

    GET DIAGNOSTICS calmed = ROW_COUNT;
    RETURN calmed;
END
$$;

COMMENT ON FUNCTION journal_calm IS
    'It is over, for all tenants it was raised for';

-- finished files

CREATE FUNCTION recording_probed(p_id uuid, p_error text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan AS
$$
BEGIN
    UPDATE recordings r
    SET probed_at = now(), probe_error = p_error,
        state = CASE WHEN p_error IS NULL THEN 'complete' ELSE 'damaged' END
    WHERE r.id = p_id AND r.start_time = recording_start(p_id)
      AND r.state IN ('complete', 'damaged');

    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION recording_probed IS
    'Notes what the check of a finished file found, NULL = nothing wrong';

-- the bound is a variable, because by an expression that depends on the session
-- the planner knows no partition, and opens all

CREATE FUNCTION recordings_to_probe(p_max integer, p_days integer DEFAULT 2,
                                    p_volume uuid DEFAULT NULL)
    RETURNS SETOF recordings
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan AS
$$
DECLARE
    since       timestamptz = now() - make_interval(days => p_days);
BEGIN
    RETURN QUERY
    SELECT r.*
    FROM recordings r
    WHERE r.start_time > since
      AND r.state = 'complete' AND r.probed_at IS NULL
      AND (p_volume IS NULL OR r.volume_id = p_volume)
    ORDER BY r.start_time
    LIMIT p_max;
END
$$;

COMMENT ON FUNCTION recordings_to_probe IS
    'Finished files of the last days that nobody has checked, on a volume or all';

REVOKE EXECUTE ON FUNCTION
    volume_report, journal_position, recording_garbage_add, journal_open,
    journal_advance, journal_close, journal_removed, journal_gap,
    journal_alert, journal_calm, recording_probed, recordings_to_probe
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    volume_report, journal_position, recording_garbage_add, journal_open,
    journal_advance, journal_close, journal_removed, journal_gap,
    journal_alert, journal_calm, recording_probed, recordings_to_probe
    TO camera_worker;
