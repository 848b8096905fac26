-- An encrypted recording's own key, wrapped, in its row, too: until now it stood in
-- the head of its index alone, and an index that was lost took the recording
-- along.  Who made a row without it may do so still: what is new comes last and
-- has a default, and a row without it is as good as before.
--
-- Without the file of keys it opens nothing, and the API has no use for it: what
-- that reads of recordings is named from now on.

ALTER TABLE recordings
    ADD COLUMN wrapped_kid text,
    ADD COLUMN wrapped_key text,
    ADD CONSTRAINT recording_keys_are_wrapped
        CHECK ((wrapped_kid IS NULL) = (wrapped_key IS NULL)
               AND wrapped_kid ~ '^[A-Za-z0-9_-]{1,15}$'
               AND wrapped_key ~ '^[A-Za-z0-9_-]{54}$');

COMMENT ON COLUMN recordings.wrapped_kid IS
    'The key of use "recording" that wrapped its own, NULL = it is plain, or '
    'was begun by an older release';
COMMENT ON COLUMN recordings.wrapped_key IS
    'The recording''s key, wrapped, as in the head of its index, base64url; '
    'fsck makes a lost index anew by it';

REVOKE SELECT ON recordings FROM camera_api;
GRANT SELECT (id, tenant_id, camera_id, volume_id, segment_number, filename,
        file_path, duration, usec, file_size, fragments, start_time,
        end_time, state, close_reason, codecs, width, height, storage_tier,
        is_archived, cloud_url, signed_url_expires_at, locked, locked_reason,
        probed_at, probe_error, created_at, updated_at)
    ON recordings TO camera_api;

-- as it was, but for the columns it reads

CREATE OR REPLACE FUNCTION api_recording_delete(p_id uuid)
    RETURNS TABLE (outcome text, camera_id uuid)
    LANGUAGE plpgsql
    SET plan_cache_mode = force_custom_plan AS
$$
#variable_conflict use_column
DECLARE
    found_row   record;
BEGIN
    SELECT r.camera_id, r.locked, r.state INTO found_row
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

-- a line that comes again fills in what an older release left out

DROP FUNCTION journal_open(uuid, uuid, uuid, text, timestamptz, text, integer,
                           integer, integer);

CREATE FUNCTION journal_open(p_volume uuid, p_id uuid, p_camera uuid,
                             p_path text, p_start timestamptz,
                             p_codecs text DEFAULT '',
                             p_width integer DEFAULT 0,
                             p_height integer DEFAULT 0,
                             p_length_sec integer DEFAULT 3600,
                             p_kid text DEFAULT NULL,
                             p_wrapped text DEFAULT NULL)
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

    INSERT INTO recordings AS r
                           (id, tenant_id, camera_id, volume_id,
                            segment_number, filename, file_path, start_time,
                            end_time, codecs, width, height, wrapped_kid,
                            wrapped_key)
    VALUES (p_id, tenant, p_camera, p_volume,
            floor(extract(epoch FROM p_start)
                  / greatest(coalesce(p_length_sec, 3600), 1)),
            right(regexp_replace(p_path, '^.*/', ''), 255), p_path, p_start,
            p_start, left(coalesce(p_codecs, ''), 64), coalesce(p_width, 0),
            coalesce(p_height, 0),
            CASE WHEN p_wrapped IS NOT NULL THEN p_kid END,
            CASE WHEN p_kid IS NOT NULL THEN p_wrapped END)
    ON CONFLICT ON CONSTRAINT recordings_have_one_row_each DO UPDATE
    SET wrapped_kid = excluded.wrapped_kid, wrapped_key = excluded.wrapped_key
    WHERE r.wrapped_key IS NULL AND excluded.wrapped_key IS NOT NULL;

    RETURN true;
END
$$;

COMMENT ON FUNCTION journal_open IS
    'A file was begun; false = it is garbage, for it has no camera, or its id '
    'or path are none';

REVOKE EXECUTE ON FUNCTION journal_open FROM PUBLIC;
GRANT EXECUTE ON FUNCTION journal_open TO camera_worker;
