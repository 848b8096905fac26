-- Exports: a range of one camera as one file.  The API adds a row and may
-- delete it, which cancels the job or removes its file; the export role of the
-- camera-worker does everything else:
--
--     queued ──► running ──► done ──► expired (its file is gone)
--                   └──────► failed (error says why)
--
-- A worker that dies leaves a row running, and begins it again when it is back.

CREATE TABLE exports (
    id              uuid         NOT NULL DEFAULT gen_random_uuid(),
    tenant_id       uuid         NOT NULL DEFAULT current_tenant(),
    camera_id       uuid         NOT NULL,
    from_time       timestamptz  NOT NULL,
    to_time         timestamptz  NOT NULL,
    state           text         NOT NULL DEFAULT 'queued',
    progress        real         NOT NULL DEFAULT 0,
    start_time      timestamptz,
    end_time        timestamptz,
    gaps            integer,
    bytes           bigint,
    sha256          text,
    path            varchar(500),
    volume_id       uuid,
    node            text,
    error           text,
    created_by      uuid,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    started_at      timestamptz,
    finished_at     timestamptz,
    expires_at      timestamptz  NOT NULL
                    DEFAULT CURRENT_TIMESTAMP + interval '7 days',

    CONSTRAINT exports_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT exports_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT exports_belong_to_a_camera
        FOREIGN KEY (camera_id) REFERENCES cameras (id),
    CONSTRAINT exports_are_asked_for_by_a_user
        FOREIGN KEY (created_by) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT exports_lie_on_a_volume
        FOREIGN KEY (volume_id) REFERENCES volumes (id),
    CONSTRAINT exports_end_after_they_start
        CHECK (to_time > from_time),
    CONSTRAINT exports_are_not_longer_than_a_day
        CHECK (to_time <= from_time + interval '1 day'),
    CONSTRAINT export_states_are_known
        CHECK (state IN ('queued', 'running', 'done', 'failed', 'expired')),
    CONSTRAINT export_progress_is_a_share
        CHECK (progress BETWEEN 0 AND 1),
    CONSTRAINT exports_that_are_done_have_a_file
        CHECK (state <> 'done' OR (bytes > 0 AND sha256 IS NOT NULL
                                   AND path IS NOT NULL
                                   AND volume_id IS NOT NULL)),
    CONSTRAINT exports_that_failed_say_why
        CHECK (state <> 'failed' OR error IS NOT NULL)
);

-- serves lists, newest first
CREATE INDEX exports_by_tenant ON exports (tenant_id, created_at, id);

-- serves the worker that looks for work
CREATE INDEX exports_that_wait ON exports (created_at)
    WHERE state IN ('queued', 'running');

COMMENT ON TABLE exports IS
    'Ranges of one camera, written into one file each';
COMMENT ON COLUMN exports.start_time IS
    'Of its first frame: the key frame at or before from_time';
COMMENT ON COLUMN exports.end_time IS
    'Of the end of its last frame';
COMMENT ON COLUMN exports.gaps IS
    'Times in the range that were not recorded; the manifest names them';
COMMENT ON COLUMN exports.path IS
    'Below the volume''s directory; the manifest lies beside it, as .json';
COMMENT ON COLUMN exports.node IS
    'Host whose camera-worker works on it, or did';
COMMENT ON COLUMN exports.error IS
    'A word: nothing_recorded, no_space, no_volume, no_key, damaged, too_long, '
    'write_failed; and after a colon what it is about';
COMMENT ON COLUMN exports.expires_at IS
    'When its file goes';

ALTER TABLE exports ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_worker_sees_all ON exports
    TO camera_worker USING (true) WITH CHECK (true);
CREATE POLICY the_api_sees_one_tenant ON exports
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

GRANT SELECT,
    UPDATE (state, progress, start_time, end_time, gaps, bytes, sha256, path,
            volume_id, node, error, started_at, finished_at)
    ON exports TO camera_worker;
GRANT SELECT, INSERT (camera_id, from_time, to_time, created_by), DELETE
    ON exports TO camera_api;

-- news

CREATE FUNCTION notify_export_changed() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('export_changed', '');
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_export_changed IS
    'Trigger: there is work, or some is not wanted any more';

CREATE TRIGGER exports_notify_when_they_come_and_go
    AFTER INSERT OR DELETE ON exports
    FOR EACH STATEMENT EXECUTE FUNCTION notify_export_changed();

CREATE FUNCTION notify_export_event() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('api_event', json_build_object(
        'type', TG_ARGV[0],
        'tenantId', NEW.tenant_id,
        'cameraId', NEW.camera_id,
        'at', to_char(clock_timestamp() AT TIME ZONE 'UTC',
                      'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'data', json_build_object(
            'exportId', NEW.id,
            'state', NEW.state,
            'progress', round(NEW.progress::numeric, 3),
            'bytes', NEW.bytes,
            'error', NEW.error))::text);

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_export_event IS
    'Trigger: tells those who follow events, of the type in its argument';

CREATE TRIGGER exports_tell_how_far_they_are
    AFTER UPDATE ON exports
    FOR EACH ROW
    WHEN (NEW.state IN ('queued', 'running')
          AND (OLD.state, OLD.progress) <> (NEW.state, NEW.progress))
    EXECUTE FUNCTION notify_export_event('export.progress');

CREATE TRIGGER exports_tell_when_they_end
    AFTER UPDATE ON exports
    FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND NEW.state IN ('done', 'failed'))
    EXECUTE FUNCTION notify_export_event('export.finished');

-- the API

CREATE VIEW api_exports WITH (security_invoker = true) AS
SELECT e.id,
       e.tenant_id,
       e.camera_id,
       e.from_time,
       e.to_time,
       e.state,
       e.progress,
       e.start_time,
       e.end_time,
       e.gaps,
       e.bytes,
       e.sha256,
       e.path,
       e.volume_id,
       e.error,
       e.created_by,
       e.created_at,
       e.started_at,
       e.finished_at,
       e.expires_at
FROM exports e;

COMMENT ON VIEW api_exports IS
    'Exports with the rights of who reads';

GRANT SELECT ON api_exports TO camera_api;

CREATE FUNCTION api_export_create(p_camera uuid, p_from timestamptz,
                                  p_to timestamptz, p_user uuid DEFAULT NULL,
                                  p_most integer DEFAULT 20)
    RETURNS TABLE (outcome text, id uuid)
    LANGUAGE plpgsql AS
$$
DECLARE
    waiting     integer;
BEGIN
    SELECT count(*) INTO waiting
    FROM exports e
    WHERE e.tenant_id = (SELECT session_tenant())
      AND e.state IN ('queued', 'running');

    IF waiting >= p_most THEN
        RETURN QUERY SELECT 'full', NULL::uuid;
        RETURN;
    END IF;

    RETURN QUERY
    INSERT INTO exports AS e (camera_id, from_time, to_time, created_by)
    SELECT c.id, p_from, p_to, (SELECT u.id FROM users u WHERE u.id = p_user)
    FROM cameras c
    WHERE c.id = p_camera
    RETURNING 'created', e.id;
END
$$;

COMMENT ON FUNCTION api_export_create IS
    'Asks for an export: created, or full when so many wait; no row = no such '
    'camera';

CREATE FUNCTION api_export_delete(p_id uuid) RETURNS boolean
    LANGUAGE plpgsql AS
$$
BEGIN
    DELETE FROM exports e WHERE e.id = p_id;
    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION api_export_delete IS
    'Cancels an export, or has its file removed; answers whether there was one';

REVOKE EXECUTE ON FUNCTION api_export_create, api_export_delete FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_export_create, api_export_delete TO camera_api;
