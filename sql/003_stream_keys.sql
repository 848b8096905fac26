-- Stream keys: what lets a camera publish.  A key is a generation of a camera.
-- Its JWTs name the generation and are stored nowhere; an opaque key is
-- stored as its SHA-256.  The newest generation is current; rotation makes
-- another one and gives the one before a last moment (valid_until), which
-- revocation sets to now.

CREATE TABLE stream_keys (
    camera_id       uuid         NOT NULL,
    generation      integer      NOT NULL DEFAULT 1,
    tenant_id       uuid         NOT NULL,
    opaque_hash     bytea,
    valid_until     timestamptz,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT stream_keys_are_generations_of_a_camera
        PRIMARY KEY (camera_id, generation),
    CONSTRAINT stream_keys_belong_to_a_camera
        FOREIGN KEY (camera_id) REFERENCES cameras (id) ON DELETE CASCADE,
    CONSTRAINT stream_keys_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT stream_keys_have_unique_opaque_hashes
        UNIQUE (opaque_hash),
    CONSTRAINT stream_key_generations_are_positive
        CHECK (generation > 0),
    CONSTRAINT stream_key_opaque_hashes_are_sha256
        CHECK (octet_length(opaque_hash) = 32)
);

COMMENT ON TABLE stream_keys IS
    'Generations of each camera''s publish credential; the newest is current';
COMMENT ON COLUMN stream_keys.opaque_hash IS
    'SHA-256 of its opaque form, NULL = none was made';
COMMENT ON COLUMN stream_keys.valid_until IS
    'End of the overlap after a rotation, NULL = current';

CREATE FUNCTION create_first_stream_key() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    INSERT INTO stream_keys (camera_id, tenant_id)
    VALUES (NEW.id, NEW.tenant_id);

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION create_first_stream_key IS
    'Trigger: no camera is without a key';

CREATE TRIGGER cameras_get_a_stream_key
    AFTER INSERT ON cameras
    FOR EACH ROW EXECUTE FUNCTION create_first_stream_key();

INSERT INTO stream_keys (camera_id, tenant_id)
SELECT id, tenant_id FROM cameras;

CREATE FUNCTION bump_camera_of_stream_key() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    UPDATE cameras
    SET rev = pg_current_xact_id()
    WHERE id = coalesce(NEW.camera_id, OLD.camera_id)
      AND rev <> pg_current_xact_id();

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION bump_camera_of_stream_key IS
    'Trigger: a camera''s keys are part of it for the feeders';

CREATE TRIGGER stream_keys_bump_their_camera
    AFTER INSERT OR UPDATE OR DELETE ON stream_keys
    FOR EACH ROW EXECUTE FUNCTION bump_camera_of_stream_key();

CREATE FUNCTION rotate_stream_key(camera uuid, overlap_sec integer)
    RETURNS integer
    LANGUAGE plpgsql AS
$$
DECLARE
    newest      integer;
    tenant      uuid;
    ends_at     timestamptz;
BEGIN
    IF overlap_sec IS NULL OR overlap_sec < 0 THEN
        RAISE EXCEPTION 'overlap must be 0 or more seconds'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    SELECT tenant_id INTO tenant
    FROM cameras
    WHERE id = camera AND deleted_at IS NULL
    FOR NO KEY UPDATE;                  -- one rotation of a camera at a time

    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    ends_at = clock_timestamp() + make_interval(secs => overlap_sec);

    UPDATE stream_keys
    SET valid_until = ends_at
    WHERE camera_id = camera
      AND (valid_until IS NULL OR valid_until > ends_at);

    SELECT max(generation) + 1 INTO newest
    FROM stream_keys
    WHERE camera_id = camera;

    INSERT INTO stream_keys (camera_id, generation, tenant_id)
    VALUES (camera, newest, tenant);

    RETURN newest;
END
$$;

COMMENT ON FUNCTION rotate_stream_key IS
    'Makes a new current key, the one before lives for overlap_sec more; '
    'an overlap of 0 revokes.  Answers the generation, NULL without a camera';

REVOKE EXECUTE ON FUNCTION rotate_stream_key FROM PUBLIC;
GRANT SELECT ON stream_keys TO camera_app;
