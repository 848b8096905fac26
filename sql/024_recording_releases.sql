-- A recording that is released and removed before the jobs got to either has one
-- task, to be removed.  The mark of its hold still lies beside its file, where
-- it was taken for somebody's hold: the recording stayed.

ALTER TABLE recording_tasks ADD COLUMN released boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN recording_tasks.released IS
    'To be removed, with the mark of a hold that was released just before';

CREATE OR REPLACE FUNCTION add_recording_task() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    INSERT INTO recording_tasks AS t (recording_id, tenant_id, camera_id,
                                      volume_id, file_path, file_size, task)
    VALUES (NEW.id, NEW.tenant_id, NEW.camera_id, NEW.volume_id, NEW.file_path,
            NEW.file_size,
            CASE WHEN NEW.state = 'deleting' THEN 'remove'
                 WHEN NEW.locked THEN 'hold'
                 ELSE 'release' END)
    ON CONFLICT ON CONSTRAINT recordings_have_one_task DO UPDATE
    SET task = excluded.task, file_size = excluded.file_size,
        created_at = excluded.created_at,
        released = excluded.task = 'remove'
                   AND (t.task = 'release' OR t.released);

    PERFORM pg_notify('recording_changed', '');
    RETURN NULL;
END
$$;
