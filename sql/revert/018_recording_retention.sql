DROP FUNCTION api_storage_usage();
DROP FUNCTION recording_coverage(uuid, date, date);
DROP FUNCTION api_recording_settings_set(integer, bigint);
DROP VIEW api_recording_settings;
DROP FUNCTION api_retention_preview(integer);
DROP FUNCTION retention_forget_gaps(timestamptz);
DROP FUNCTION recording_task_done(uuid, text);
DROP FUNCTION recording_forget(uuid);
DROP FUNCTION retention_mark(uuid[]);
DROP FUNCTION retention_candidates(integer, timestamptz, uuid);
DROP FUNCTION retention_excess(uuid);

CREATE OR REPLACE FUNCTION add_recording_task() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    INSERT INTO recording_tasks (recording_id, tenant_id, camera_id, volume_id,
                                 file_path, task)
    VALUES (NEW.id, NEW.tenant_id, NEW.camera_id, NEW.volume_id, NEW.file_path,
            CASE WHEN NEW.state = 'deleting' THEN 'remove'
                 WHEN NEW.locked THEN 'hold'
                 ELSE 'release' END)
    ON CONFLICT ON CONSTRAINT recordings_have_one_task DO UPDATE
    SET task = excluded.task, created_at = excluded.created_at;

    PERFORM pg_notify('recording_changed', '');
    RETURN NULL;
END
$$;

ALTER TABLE recording_tasks DROP COLUMN file_size;
ALTER TABLE cameras
    DROP COLUMN delete_recordings,
    DROP COLUMN retention_bytes,
    DROP COLUMN retention_days;
ALTER TABLE tenants
    DROP COLUMN retention_bytes,
    DROP COLUMN retention_days;
