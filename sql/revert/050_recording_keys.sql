DROP FUNCTION journal_open(uuid, uuid, uuid, text, timestamptz, text, integer,
                           integer, integer, text, text);

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

REVOKE EXECUTE ON FUNCTION journal_open FROM PUBLIC;
GRANT EXECUTE ON FUNCTION journal_open TO camera_worker;

CREATE OR REPLACE FUNCTION api_recording_delete(p_id uuid)
    RETURNS TABLE (outcome text, camera_id uuid)
    LANGUAGE plpgsql
    SET plan_cache_mode = force_custom_plan AS
$$
#variable_conflict use_column
DECLARE
    found_row   recordings;
BEGIN
    SELECT r.* INTO found_row
    FROM recordings r
    WHERE r.id = p_id AND r.start_time = recording_start(p_id)
      AND r.state <> 'deleting'
    FOR NO KEY UPDATE;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    IF found_row.locked THEN
        RETURN QUERY SELECT 'locked', found_row.camera_id;
    ELSIF found_row.state = 'recording' THEN
        RETURN QUERY SELECT 'recording', found_row.camera_id;
    ELSE
        UPDATE recordings r
        SET state = 'deleting'
        WHERE r.id = p_id AND r.start_time = recording_start(p_id);

        RETURN QUERY SELECT 'deleted', found_row.camera_id;
    END IF;
END
$$;

REVOKE SELECT ON recordings FROM camera_api;
GRANT SELECT ON recordings TO camera_api;

ALTER TABLE recordings
    DROP CONSTRAINT recording_keys_are_wrapped,
    DROP COLUMN wrapped_kid,
    DROP COLUMN wrapped_key;
