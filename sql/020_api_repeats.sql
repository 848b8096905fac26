-- Requests that are sent twice: adding a bookmark, asking for an export.
--
-- An Idempotency-Key is taken in the statement that makes something, like that
-- of a camera (009): what failed leaves none behind, and of two at once the
-- second waits for the first.

CREATE FUNCTION request_before(p_principal uuid, p_route text, p_key text,
                               p_request_hash bytea)
    RETURNS TABLE (outcome text, resource uuid, response jsonb)
    LANGUAGE plpgsql AS
$$
#variable_conflict use_column
BEGIN
    IF p_key IS NULL
       OR take_idempotency_key(p_principal, p_route, p_key, p_request_hash,
                               201)
    THEN
        RETURN QUERY SELECT 'new', NULL::uuid, NULL::jsonb;
        RETURN;
    END IF;

    RETURN QUERY
    SELECT CASE WHEN k.request_hash = p_request_hash
                THEN 'replayed' ELSE 'reused' END,
           k.resource, k.response
    FROM idempotency_keys k
    WHERE k.tenant_id = current_tenant() AND k.principal = p_principal
      AND k.route = p_route AND k.key = p_key;
END
$$;

COMMENT ON FUNCTION request_before IS
    'Whether a request came before: new, replayed (what it made, and how that '
    'was then), reused (its key had another body)';

CREATE FUNCTION request_made(p_principal uuid, p_route text, p_key text,
                             p_resource uuid, p_response jsonb)
    RETURNS void
    LANGUAGE sql
BEGIN ATOMIC
    UPDATE idempotency_keys k
    SET resource = p_resource, response = p_response
    WHERE k.tenant_id = current_tenant() AND k.principal = p_principal
      AND k.route = p_route AND k.key = p_key;
END;

COMMENT ON FUNCTION request_made IS
    'What a request with a key made, for the next one of its kind';

-- a camera that is not there takes no key: the statement fails

CREATE FUNCTION request_of_nothing() RETURNS void
    LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION 'there is no such camera'
        USING ERRCODE = 'foreign_key_violation',
              CONSTRAINT = 'requests_are_about_a_camera';
END
$$;

COMMENT ON FUNCTION request_of_nothing IS
    'Ends a request about a camera that there is not';

CREATE FUNCTION api_bookmark_create_once(
        p_principal     uuid,
        p_key           text,
        p_request_hash  bytea,
        p_camera        uuid,
        p_at            timestamptz,
        p_until         timestamptz,
        p_label         text,
        p_note          text)
    RETURNS TABLE (
        id              uuid,
        camera_id       uuid,
        at              timestamptz,
        until           timestamptz,
        label           text,
        note            text,
        created_by      text,
        created_at      timestamptz,
        updated_at      timestamptz,
        outcome         text)
    LANGUAGE plpgsql AS
$$
#variable_conflict use_column
DECLARE
    before      record;
    made        api_bookmarks;
BEGIN
    SELECT * INTO before
    FROM request_before(p_principal, 'POST /bookmarks', p_key,
                        p_request_hash);

    IF before.outcome = 'new' THEN
        SELECT * INTO made
        FROM api_bookmark_create(p_camera, p_at, p_until, p_label, p_note,
                                 p_principal);

        IF made.id IS NULL THEN
            PERFORM request_of_nothing();
        END IF;

        PERFORM request_made(p_principal, 'POST /bookmarks', p_key, made.id,
                             to_jsonb(made));
    ELSIF before.outcome = 'replayed' THEN
        made = jsonb_populate_record(NULL::api_bookmarks, before.response);
    END IF;

    RETURN QUERY SELECT made.*, before.outcome::text;
END
$$;

COMMENT ON FUNCTION api_bookmark_create_once IS
    'Adds a bookmark, or answers the one that the same request added: new, '
    'replayed, reused (all else is NULL)';

CREATE FUNCTION api_export_create_once(
        p_principal     uuid,
        p_key           text,
        p_request_hash  bytea,
        p_camera        uuid,
        p_from          timestamptz,
        p_to            timestamptz,
        p_session       uuid,
        p_address       text)
    RETURNS TABLE (
        id              uuid,
        outcome         text)
    LANGUAGE plpgsql AS
$$
#variable_conflict use_column
DECLARE
    before      record;
    made        record;
BEGIN
    SELECT * INTO before
    FROM request_before(p_principal, 'POST /exports', p_key, p_request_hash);

    IF before.outcome <> 'new' THEN
        RETURN QUERY SELECT before.resource, before.outcome::text;
        RETURN;
    END IF;

    IF NOT EXISTS (SELECT FROM cameras c WHERE c.id = p_camera) THEN
        PERFORM request_of_nothing();
    ELSIF NOT EXISTS (SELECT FROM api_recording_list(1, p_camera, p_from,
                                                     p_to)) THEN
        RAISE EXCEPTION 'nothing was recorded then'
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'exports_are_of_something';
    END IF;

    SELECT * INTO made
    FROM api_export_create(p_camera, p_from, p_to, p_principal);

    IF made.outcome = 'full' THEN
        RAISE EXCEPTION 'too many exports are waiting'
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'exports_are_few_at_a_time';
    END IF;

    PERFORM request_made(p_principal, 'POST /exports', p_key, made.id, NULL);
    PERFORM api_recording_audit_add(p_principal, p_session, p_camera, NULL,
                                    'export', p_from, p_to, p_address);

    RETURN QUERY SELECT made.id::uuid, 'new';
END
$$;

COMMENT ON FUNCTION api_export_create_once IS
    'Asks for an export and notes who did, or answers the one that the same '
    'request asked for: new, replayed, reused (no id)';

REVOKE EXECUTE ON FUNCTION
    request_before, request_made, request_of_nothing,
    api_bookmark_create_once, api_export_create_once
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    request_before, request_made, request_of_nothing,
    api_bookmark_create_once, api_export_create_once
    TO camera_api;
