CREATE OR REPLACE FUNCTION add_recording_task() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    INSERT INTO recording_tasks (recording_id, tenant_id, camera_id, volume_id,
                                 file_path, file_size, task)
    VALUES (NEW.id, NEW.tenant_id, NEW.camera_id, NEW.volume_id, NEW.file_path,
            NEW.file_size,
            CASE WHEN NEW.state = 'deleting' THEN 'remove'
                 WHEN NEW.locked THEN 'hold'
                 ELSE 'release' END)
    ON CONFLICT ON CONSTRAINT recordings_have_one_task DO UPDATE
    SET task = excluded.task, file_size = excluded.file_size,
        created_at = excluded.created_at;

    PERFORM pg_notify('recording_changed', '');
    RETURN NULL;
END
$$;

ALTER TABLE recording_tasks DROP COLUMN released;
