-- Idempotency keys: a client that does not know whether its POST arrived sends
-- it again with the same key, and gets the answer of the first one.  A key
-- belongs to a principal and a route.  It is written in the statement that does
-- the work: what failed leaves no key behind, and of two at once the second
-- waits for the first.

CREATE TABLE idempotency_keys (
    tenant_id       uuid         NOT NULL DEFAULT current_tenant(),
    principal       uuid         NOT NULL,
    route           text         NOT NULL,
    key             varchar(255) NOT NULL,
    request_hash    bytea        NOT NULL,
    status          integer      NOT NULL,
    resource        uuid,
    response        jsonb,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT idempotency_keys_belong_to_a_principal_and_a_route
        PRIMARY KEY (tenant_id, principal, route, key),
    CONSTRAINT idempotency_keys_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT idempotency_keys_are_not_empty
        CHECK (key <> '')
);

-- serves the removal of old ones in api_camera_create()
CREATE INDEX idempotency_keys_by_age
    ON idempotency_keys (tenant_id, created_at);

COMMENT ON TABLE idempotency_keys IS
    'Idempotency-Key of requests that succeeded, kept for 24 hours or more';
COMMENT ON COLUMN idempotency_keys.principal IS
    'The user or API token that sent it';
COMMENT ON COLUMN idempotency_keys.request_hash IS
    'Of the request''s body: with another one the key is refused';
COMMENT ON COLUMN idempotency_keys.resource IS
    'What was made';
COMMENT ON COLUMN idempotency_keys.response IS
    'The row as it was then, under its columns'' names';

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_api_sees_one_tenant ON idempotency_keys
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

GRANT SELECT, DELETE ON idempotency_keys TO camera_api;
GRANT INSERT (principal, route, key, request_hash, status)
    ON idempotency_keys TO camera_api;
GRANT UPDATE (request_hash, status, resource, response, created_at)
    ON idempotency_keys TO camera_api;

CREATE FUNCTION take_idempotency_key(p_principal uuid, p_route text, p_key text,
                                     p_request_hash bytea, p_status integer)
    RETURNS boolean
    LANGUAGE plpgsql AS
$$
BEGIN
    DELETE FROM idempotency_keys
    WHERE ctid = ANY (ARRAY(SELECT k.ctid
                            FROM idempotency_keys k
                            WHERE k.tenant_id = current_tenant()
                              AND k.created_at < now() - interval '24 hours'
                            ORDER BY k.created_at
                            LIMIT 10
                            FOR UPDATE SKIP LOCKED));

    -- waits for whoever is at work with the same key

    INSERT INTO idempotency_keys AS k (principal, route, key, request_hash,
                                       status)
    VALUES (p_principal, p_route, p_key, p_request_hash, p_status)
    ON CONFLICT ON CONSTRAINT
        idempotency_keys_belong_to_a_principal_and_a_route
    DO UPDATE
    SET request_hash = excluded.request_hash, status = excluded.status,
        resource = NULL, response = NULL, created_at = now()
    WHERE k.created_at < now() - interval '24 hours';

    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION take_idempotency_key IS
    'True when the key is new, or too old to count; removes some old ones, '
    'more than it adds';

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
        p_rtmp_url          text    DEFAULT NULL)
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
                      THEN earlier.response ELSE '{}' END) c;
        RETURN;
    END IF;

    INSERT INTO cameras (name, company, model, serial_number, location, place,
                         external_id, is_active, is_recording, allowed_cidrs,
                         cut_at_expiry, rtmp_url)
    VALUES (p_name, coalesce(p_company, ''), coalesce(p_model, ''),
            coalesce(p_serial_number, gen_random_uuid()::text),
            coalesce(p_location, ''), coalesce(p_place, ''), p_external_id,
            coalesce(p_is_active, true), coalesce(p_is_recording, false),
            coalesce(p_allowed_cidrs::cidr[], '{}'),
            coalesce(p_cut_at_expiry, false), coalesce(p_rtmp_url, ''))
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

REVOKE EXECUTE ON FUNCTION take_idempotency_key, api_camera_create FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_idempotency_key, api_camera_create
    TO camera_api;
