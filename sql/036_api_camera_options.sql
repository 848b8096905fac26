-- What else the API shows and changes of cameras: whether they are recorded
-- encrypted, and tags, which are words that people find them by.  What was
-- called as in 019 may be called so still: what is new comes last and has a
-- default.

CREATE FUNCTION tags_are_words(tags text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN cardinality(tags) <= 20
           AND (SELECT coalesce(bool_and(t ~ '^[^[:space:][:cntrl:]]{1,50}$'),
                                true)
                FROM unnest(tags) t);

COMMENT ON FUNCTION tags_are_words IS
    'Twenty at most, without blanks, of 50 characters at most';

ALTER TABLE cameras
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT camera_tags_are_words CHECK (tags_are_words(tags));

COMMENT ON COLUMN cameras.tags IS
    'Words that people find it by';

GRANT INSERT (tags), UPDATE (tags) ON cameras TO camera_api;

DROP TRIGGER cameras_count_versions ON cameras;

CREATE TRIGGER cameras_count_versions
    BEFORE UPDATE ON cameras
    FOR EACH ROW
    WHEN ((OLD.external_id, OLD.name, OLD.company, OLD.model,
           OLD.serial_number, OLD.location, OLD.place, OLD.rtmp_url,
           OLD.rtmp_key, OLD.is_active, OLD.is_recording, OLD.allowed_cidrs,
           OLD.cut_at_expiry, OLD.key_generation, OLD.deleted_at,
           OLD.retention_days, OLD.retention_bytes,
           OLD.recording_encrypted, OLD.tags)
          IS DISTINCT FROM
          (NEW.external_id, NEW.name, NEW.company, NEW.model,
           NEW.serial_number, NEW.location, NEW.place, NEW.rtmp_url,
           NEW.rtmp_key, NEW.is_active, NEW.is_recording, NEW.allowed_cidrs,
           NEW.cut_at_expiry, NEW.key_generation, NEW.deleted_at,
           NEW.retention_days, NEW.retention_bytes,
           NEW.recording_encrypted, NEW.tags))
    EXECUTE FUNCTION count_camera_version();

CREATE OR REPLACE VIEW api_cameras WITH (security_invoker = true) AS
SELECT c.id,
       c.external_id,
       c.name,
       c.company,
       c.model,
       c.serial_number,
       c.location,
       c.place,
       c.rtmp_url,
       c.rtmp_key,
       c.is_active,
       c.is_recording,
       c.stream_status::text                    AS stream_status,
       c.assigned_node,
       array_to_string(c.allowed_cidrs, ',')    AS allowed_cidrs,
       c.cut_at_expiry,
       c.key_generation,
       c.version,
       c.created_at,
       c.updated_at,
       c.retention_days,
       c.retention_bytes,
       c.recording_encrypted,
       c.tags
FROM cameras c
WHERE c.deleted_at IS NULL;

ALTER TYPE api_camera_result
    ADD ATTRIBUTE recording_encrypted boolean,
    ADD ATTRIBUTE tags text[];

DROP FUNCTION api_camera_update(uuid, bigint, text, text, text, text, text,
    text, text, boolean, boolean, text[], boolean, integer, bigint);
DROP FUNCTION api_camera_create(uuid, text, text, bytea, text, text, text, text,
    text, text, text, boolean, boolean, text[], boolean, text, integer, bigint);

CREATE FUNCTION api_camera_update(
        p_id                uuid,
        p_if_version        bigint  DEFAULT NULL,
        p_name              text    DEFAULT NULL,
        p_company           text    DEFAULT NULL,
        p_model             text    DEFAULT NULL,
        p_serial_number     text    DEFAULT NULL,
        p_location          text    DEFAULT NULL,
        p_place             text    DEFAULT NULL,
        p_external_id       text    DEFAULT NULL,
        p_is_active         boolean DEFAULT NULL,
        p_is_recording      boolean DEFAULT NULL,
        p_allowed_cidrs     text[]  DEFAULT NULL,
        p_cut_at_expiry     boolean DEFAULT NULL,
        p_retention_days    integer DEFAULT NULL,
        p_retention_bytes   bigint  DEFAULT NULL,
        p_recording_encrypted boolean DEFAULT NULL,
        p_tags              text[]  DEFAULT NULL)
    RETURNS SETOF api_camera_result
    LANGUAGE plpgsql AS
$$
DECLARE
    found_version   bigint;
    what            text = 'updated';
BEGIN
    SELECT c.version INTO found_version
    FROM cameras c
    WHERE c.id = p_id AND c.deleted_at IS NULL
    FOR NO KEY UPDATE;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    IF p_if_version <> found_version THEN
        what = 'stale';
    ELSE
        UPDATE cameras c
        SET name = coalesce(p_name, c.name),
            company = coalesce(p_company, c.company),
            model = coalesce(p_model, c.model),
            serial_number = coalesce(p_serial_number, c.serial_number),
            location = coalesce(p_location, c.location),
            place = coalesce(p_place, c.place),
            external_id = nullif(coalesce(p_external_id, c.external_id), ''),
            is_active = coalesce(p_is_active, c.is_active),
            is_recording = coalesce(p_is_recording, c.is_recording),
            allowed_cidrs = coalesce(p_allowed_cidrs::cidr[], c.allowed_cidrs),
            cut_at_expiry = coalesce(p_cut_at_expiry, c.cut_at_expiry),
            retention_days = nullif(coalesce(p_retention_days,
                                             c.retention_days), 0),
            retention_bytes = nullif(coalesce(p_retention_bytes,
                                              c.retention_bytes), 0),
            recording_encrypted = coalesce(p_recording_encrypted,
                                           c.recording_encrypted),
            tags = coalesce(p_tags, c.tags)
        WHERE c.id = p_id;
    END IF;

    RETURN QUERY SELECT what, c.* FROM api_cameras c WHERE c.id = p_id;
END
$$;

COMMENT ON FUNCTION api_camera_update IS
    'Changes what is not NULL: updated, stale (the version is another one; '
    'nothing was changed), no row = no such camera.  The external id '''' and '
    'a retention of 0 are none';

CREATE FUNCTION api_camera_create(
        p_principal         uuid,
        p_route             text,
        p_key               text,
        p_request_hash      bytea,
        p_name              text,
        p_company           text    DEFAULT NULL,
        p_model             text    DEFAULT NULL,
        p_serial_number     text    DEFAULT NULL,
        p_location          text    DEFAULT NULL,
        p_place             text    DEFAULT NULL,
        p_external_id       text    DEFAULT NULL,
        p_is_active         boolean DEFAULT NULL,
        p_is_recording      boolean DEFAULT NULL,
        p_allowed_cidrs     text[]  DEFAULT NULL,
        p_cut_at_expiry     boolean DEFAULT NULL,
        p_rtmp_url          text    DEFAULT NULL,
        p_retention_days    integer DEFAULT NULL,
        p_retention_bytes   bigint  DEFAULT NULL,
        p_recording_encrypted boolean DEFAULT NULL,
        p_tags              text[]  DEFAULT NULL)
    RETURNS SETOF api_camera_result
    LANGUAGE plpgsql AS
$$
DECLARE
    earlier     idempotency_keys;
    camera      uuid;
BEGIN
    IF p_key IS NOT NULL
       AND NOT take_idempotency_key(p_principal, p_route, p_key,
                                    p_request_hash, 201)
    THEN
        SELECT k.* INTO STRICT earlier
        FROM idempotency_keys k
        WHERE k.tenant_id = current_tenant() AND k.principal = p_principal
          AND k.route = p_route AND k.key = p_key;

        RETURN QUERY
        SELECT CASE WHEN earlier.request_hash = p_request_hash
                    THEN 'replayed' ELSE 'reused' END, c.*
        FROM jsonb_populate_record(NULL::api_cameras,
                 CASE WHEN earlier.request_hash = p_request_hash
                      THEN '{"recording_encrypted": false, "tags": []}'
                           || earlier.response ELSE '{}' END) c;
        RETURN;
    END IF;

    INSERT INTO cameras (name, company, model, serial_number, location, place,
                         external_id, is_active, is_recording, allowed_cidrs,
                         cut_at_expiry, rtmp_url, retention_days,
                         retention_bytes, recording_encrypted, tags)
    VALUES (p_name, coalesce(p_company, ''), coalesce(p_model, ''),
            coalesce(p_serial_number, gen_random_uuid()::text),
            coalesce(p_location, ''), coalesce(p_place, ''), p_external_id,
            coalesce(p_is_active, true), coalesce(p_is_recording, false),
            coalesce(p_allowed_cidrs::cidr[], '{}'),
            coalesce(p_cut_at_expiry, false), coalesce(p_rtmp_url, ''),
            nullif(p_retention_days, 0), nullif(p_retention_bytes, 0),
            coalesce(p_recording_encrypted, false), coalesce(p_tags, '{}'))
    RETURNING id INTO camera;

    IF p_key IS NOT NULL THEN
        UPDATE idempotency_keys k
        SET resource = camera,
            response = (SELECT to_jsonb(c) FROM api_cameras c
                        WHERE c.id = camera)
        WHERE k.tenant_id = current_tenant() AND k.principal = p_principal
          AND k.route = p_route AND k.key = p_key;
    END IF;

    RETURN QUERY SELECT 'created', c.* FROM api_cameras c WHERE c.id = camera;
END
$$;

COMMENT ON FUNCTION api_camera_create IS
    'Adds a camera, NULL = the column''s default: created, replayed (the camera '
    'as it was then), reused (this key had another body; nothing else is told)';

REVOKE EXECUTE ON FUNCTION api_camera_update, api_camera_create FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_camera_update, api_camera_create TO camera_api;
