-- The timeline of a camera: what is recorded, what is missing and why, and what
-- was marked, in one answer.  Exact up to two days; beyond, recordings that lie
-- less than the resolution apart are one, and so are gaps of one cause, so that
-- there are never more of them than steps of the resolution.
--
-- An hour file is never longer than a day, and gaps of a camera do not overlap,
-- which bounds the look back for what began before the range.  The bound is a
-- variable because the planner knows no partition by an expression that depends
-- on the session, as all do that add an interval to a time.

CREATE FUNCTION api_recording_timeline(p_camera uuid, p_from timestamptz,
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

COMMENT ON FUNCTION api_recording_timeline IS
    'What a camera has of a range, as JSON arrays; resolution in seconds, 0 = '
    'exact, NULL = fit for the range.  No row = no such camera, not even a '
    'removed one';

REVOKE EXECUTE ON FUNCTION api_recording_timeline FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_recording_timeline TO camera_api;
