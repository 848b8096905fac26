-- What the API needs besides: timelines under the names that its contract has,
-- with alerts among the markers, and requests that are sent twice.
--
-- An Idempotency-Key is taken in the statement that makes something, like that
-- of a camera (009): what failed leaves none behind, and of two at once the
-- second waits for the first.

CREATE OR REPLACE FUNCTION api_recording_timeline(p_camera uuid, p_from timestamptz,
                                       p_to timestamptz,
                                       p_resolution integer DEFAULT NULL)
    RETURNS TABLE (
        segments    json,
        gaps        json,
        markers     json,
        resolution  integer)
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode = force_custom_plan AS
$$
DECLARE
    step        interval;
    day_before  timestamptz = p_from - interval '25 hours';
BEGIN
    PERFORM FROM cameras c WHERE c.id = p_camera;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    IF p_to <= p_from OR p_to > p_from + interval '366 days' THEN
        RAISE EXCEPTION 'a timeline is of at most 366 days'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    resolution = coalesce(p_resolution,
        CASE WHEN p_to - p_from <= interval '2 days' THEN 0
             ELSE ceil(extract(epoch FROM p_to - p_from) / 720) END);
    step = make_interval(secs => resolution);

    WITH r AS (
        SELECT r.id, r.start_time, r.end_time, r.state, r.duration,
               r.file_size,
               lag(r.end_time) OVER (ORDER BY r.start_time) AS before
        FROM recordings r
        WHERE r.camera_id = p_camera
          AND r.start_time >= day_before
          AND r.start_time < p_to AND r.end_time > p_from
          AND r.state <> 'deleting'
    ), numbered AS (
        SELECT r.*, count(*) FILTER (WHERE resolution = 0 OR before IS NULL
                                           OR start_time >= before + step)
                    OVER (ORDER BY start_time) AS n
        FROM r
    ), stretch AS (
        SELECT min(start_time) AS start_time, max(end_time) AS end_time,
               sum(duration) AS duration, sum(file_size) AS file_size,
               count(*) AS count, min(id::text) AS id,
               CASE WHEN bool_or(state = 'recording') THEN 'recording'
                    WHEN bool_or(state = 'damaged') THEN 'damaged'
                    ELSE 'complete' END AS state
        FROM numbered
        GROUP BY n
    )
    SELECT coalesce(json_agg(json_build_object(
               'id', id, 'start', json_time(start_time),
               'end', json_time(end_time), 'duration', duration,
               'fileSize', file_size, 'state', state, 'count', count)
               ORDER BY start_time), '[]')
    INTO segments
    FROM stretch;

    WITH g AS (
        SELECT g.start_time, g.end_time, g.cause
        FROM recording_gaps g
        WHERE g.camera_id = p_camera
          AND g.start_time >= p_from AND g.start_time < p_to
        UNION ALL
        (SELECT g.start_time, g.end_time, g.cause
         FROM recording_gaps g
         WHERE g.camera_id = p_camera AND g.start_time < p_from
         ORDER BY g.start_time DESC
         LIMIT 1)
    ), touching AS (
        SELECT g.*, coalesce(end_time, least(clock_timestamp(), p_to)) AS ends,
               lag(coalesce(end_time, p_to))
                   OVER (PARTITION BY cause ORDER BY start_time) AS before
        FROM g
        WHERE end_time IS NULL OR end_time > p_from
    ), numbered AS (
        SELECT t.*, count(*) FILTER (WHERE resolution = 0 OR before IS NULL
                                           OR start_time >= before + step)
                    OVER (PARTITION BY cause ORDER BY start_time) AS n
        FROM touching t
    ), stretch AS (
        SELECT cause, min(start_time) AS start_time, count(*) AS count,
               CASE WHEN bool_and(end_time IS NOT NULL)
                    THEN max(end_time) END AS end_time,
               sum(extract(epoch FROM greatest(ends - start_time,
                                               '0')))::numeric(12, 3)
                   AS duration
        FROM numbered
        GROUP BY cause, n
    )
    SELECT coalesce(json_agg(json_build_object(
               'start', json_time(start_time),
               'end', json_time(end_time), 'cause', cause,
               'duration', duration, 'count', count)
               ORDER BY start_time), '[]')
    INTO gaps
    FROM stretch;

    WITH m AS (
        SELECT b.id, 'bookmark' AS type, b.at AS start_time,
               b.until AS end_time, b.label
        FROM bookmarks b
        WHERE b.camera_id = p_camera AND b.at < p_to
          AND coalesce(b.until, b.at) >= p_from
        UNION ALL
        SELECT v.id, 'event', v.start_time, v.until_time, v.reason
        FROM recording_events v
        WHERE v.camera_id = p_camera
          AND v.start_time >= day_before
          AND v.start_time < p_to AND v.until_time > p_from
        UNION ALL
        SELECT a.id, 'alert', a.created_at, a.resolved_at,
               coalesce(nullif(a.title, ''), left(a.message, 200))
        FROM alerts a
        WHERE a.camera_id = p_camera
          AND a.created_at >= p_from AND a.created_at < p_to
        ORDER BY start_time
        LIMIT 1000
    )
    SELECT coalesce(json_agg(json_build_object(
               'type', type, 'id', id, 'time', json_time(start_time),
               'until', json_time(end_time), 'label', label)
               ORDER BY start_time), '[]')
    INTO markers
    FROM m;

    RETURN NEXT;
END
$$;

-- requests that are sent twice

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
