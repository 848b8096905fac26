-- New keys by the API: rotation and, in the same transaction, the opaque form
-- of the new key, so that no generation is ever current without the form that
-- its owner was shown.  Keys are the owner's, so the function has its rights
-- and looks at the tenant itself.

CREATE FUNCTION api_stream_key_create(p_camera uuid, p_overlap_sec integer,
                                      p_opaque_hash bytea DEFAULT NULL)
    RETURNS TABLE (
        camera_id       uuid,
        generation      integer,
        rtmp_url        text,
        rtmp_key        text,
        previous_until  timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    newest      integer;
BEGIN
    newest = api_stream_key_rotate(p_camera, p_overlap_sec);

    IF newest IS NULL THEN
        RETURN;
    END IF;

    IF p_opaque_hash IS NOT NULL THEN
        UPDATE stream_keys k
        SET opaque_hash = p_opaque_hash
        WHERE k.camera_id = p_camera AND k.generation = newest;
    END IF;

    RETURN QUERY
    SELECT c.id, newest, c.rtmp_url::text, c.rtmp_key::text, k.valid_until
    FROM cameras c
    JOIN stream_keys k ON k.camera_id = c.id AND k.generation = newest - 1
    WHERE c.id = p_camera;
END
$$;

COMMENT ON FUNCTION api_stream_key_create IS
    'Gives a camera of the tenant of app.tenant a new key and the one before '
    'so many seconds more; no row = no such camera';

REVOKE EXECUTE ON FUNCTION api_stream_key_create FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_stream_key_create TO camera_api;
