-- Recordings as the API shows and changes them: lists, timelines, deletion,
-- legal hold, bookmarks, and who did what with them.
--
-- All run with the rights of their caller.  What looks into recordings is
-- planned for its values each time, because then only partitions of the days
-- in question are opened, of hundreds; and bounds are variables, for the planner
-- knows no partition by an expression.

CREATE FUNCTION json_time(t timestamptz) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

COMMENT ON FUNCTION json_time IS
    'RFC 3339 with milliseconds, as the API writes times';

GRANT UPDATE (state, locked, locked_reason, signed_url_expires_at)
    ON recordings TO camera_api;

CREATE VIEW api_recordings WITH (security_invoker = true) AS
SELECT r.id,
       r.camera_id,
       r.volume_id,
       r.segment_number,
       r.filename::text         AS filename,
       r.file_path::text        AS file_path,
       r.duration,
       r.file_size,
       r.start_time,
       r.end_time,
       r.state,
       r.storage_tier::text     AS storage_tier,
       r.is_archived,
       r.cloud_url::text        AS cloud_url,
       r.locked                 AS is_locked,
       r.locked_reason::text    AS locked_reason,
       r.codecs::text           AS codecs,
       r.width,
       r.height,
       r.close_reason,
       r.probed_at,
       r.probe_error,
       r.signed_url_expires_at,
       r.created_at
FROM recordings r
WHERE r.state <> 'deleting';

COMMENT ON VIEW api_recordings IS
    'Recordings that are there, with the rights of who reads; of removed '
    'cameras, too';

GRANT SELECT ON api_recordings TO camera_api;

CREATE FUNCTION api_recording_get(p_id uuid) RETURNS SETOF api_recordings
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode = force_custom_plan AS
$$
BEGIN
    RETURN QUERY
    SELECT r.*
    FROM api_recordings r
    WHERE r.id = p_id AND r.start_time = recording_start(p_id);
END
$$;

COMMENT ON FUNCTION api_recording_get IS
    'One recording; no row = no such one';

-- A page is put together day by day, so that what comes later costs nothing.
-- The order of ids is that of start_time, and the last id is the cursor.

CREATE FUNCTION api_recording_list(
        p_limit         integer,
        p_camera        uuid        DEFAULT NULL,
        p_from          timestamptz DEFAULT NULL,
        p_to            timestamptz DEFAULT NULL,
        p_tier          text        DEFAULT NULL,
        p_is_archived   boolean     DEFAULT NULL,
        p_state         text        DEFAULT NULL,
        p_after         uuid        DEFAULT NULL,
        p_oldest_first  boolean     DEFAULT false)
    RETURNS SETOF api_recordings
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode = force_custom_plan AS
$$
DECLARE
    first       date = (p_from AT TIME ZONE 'UTC')::date - 1;
    last        date = (p_to AT TIME ZONE 'UTC')::date;
    today       date;
    day_start   timestamptz;
    day_end     timestamptz;
    n           integer;
BEGIN
    IF p_after IS NOT NULL AND p_oldest_first THEN
        first = greatest(first, recording_day(p_after));
    ELSIF p_after IS NOT NULL THEN
        last = least(last, recording_day(p_after));
    END IF;

    WHILE p_limit > 0 LOOP
        IF p_oldest_first THEN
            SELECT d.day INTO today
            FROM recording_days d
            WHERE (p_camera IS NULL OR d.camera_id = p_camera)
              AND (first IS NULL OR d.day >= first)
              AND (last IS NULL OR d.day <= last)
            ORDER BY d.day
            LIMIT 1;
            first = today + 1;
        ELSE
            SELECT d.day INTO today
            FROM recording_days d
            WHERE (p_camera IS NULL OR d.camera_id = p_camera)
              AND (first IS NULL OR d.day >= first)
              AND (last IS NULL OR d.day <= last)
            ORDER BY d.day DESC
            LIMIT 1;
            last = today - 1;
        END IF;

        EXIT WHEN today IS NULL;
        day_start = today::timestamp AT TIME ZONE 'UTC';
        day_end = (today + 1)::timestamp AT TIME ZONE 'UTC';

        RETURN QUERY
        SELECT r.*
        FROM api_recordings r
        WHERE r.start_time >= day_start
          AND r.start_time < day_end
          AND (p_camera IS NULL OR r.camera_id = p_camera)
          AND (p_from IS NULL OR r.end_time > p_from)
          AND (p_to IS NULL OR r.start_time < p_to)
          AND (p_tier IS NULL OR r.storage_tier = p_tier)
          AND (p_is_archived IS NULL OR r.is_archived = p_is_archived)
          AND (p_state IS NULL OR r.state = p_state)
          AND (p_after IS NULL
               OR CASE WHEN p_oldest_first THEN r.id > p_after
                       ELSE r.id < p_after END)
        ORDER BY CASE WHEN p_oldest_first THEN r.id END,
                 CASE WHEN NOT p_oldest_first THEN r.id END DESC
        LIMIT p_limit;

        GET DIAGNOSTICS n = ROW_COUNT;
        p_limit = p_limit - n;
    END LOOP;
END
$$;

COMMENT ON FUNCTION api_recording_list IS
    'A page of recordings that reach into a range, newest first unless told '
    'otherwise; p_after is the id of the last row of the page before';

-- changing

CREATE FUNCTION api_recording_delete(p_id uuid)
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

COMMENT ON FUNCTION api_recording_delete IS
    'Has the files of a recording removed and then its row: deleted, locked, '
    'recording (still), no row = no such one';

CREATE FUNCTION api_recording_hold(p_id uuid, p_reason text)
    RETURNS SETOF api_recordings
    LANGUAGE plpgsql
    SET plan_cache_mode = force_custom_plan AS
$$
BEGIN
    UPDATE recordings r
    SET locked = true, locked_reason = left(coalesce(p_reason, ''), 500)
    WHERE r.id = p_id AND r.start_time = recording_start(p_id)
      AND r.state <> 'deleting';

    RETURN QUERY SELECT r.* FROM api_recording_get(p_id) r;
END
$$;

COMMENT ON FUNCTION api_recording_hold IS
    'Puts a recording on legal hold, or gives that another reason; no row = no '
    'such one';

CREATE FUNCTION api_recording_release(p_id uuid) RETURNS SETOF api_recordings
    LANGUAGE plpgsql
    SET plan_cache_mode = force_custom_plan AS
$$
BEGIN
    UPDATE recordings r
    SET locked = false, locked_reason = NULL
    WHERE r.id = p_id AND r.start_time = recording_start(p_id) AND r.locked;

    RETURN QUERY SELECT r.* FROM api_recording_get(p_id) r;
END
$$;

COMMENT ON FUNCTION api_recording_release IS
    'Ends a legal hold; no row = no such recording';

CREATE FUNCTION api_recording_url_issued(p_id uuid, p_expires_at timestamptz)
    RETURNS SETOF api_recordings
    LANGUAGE plpgsql
    SET plan_cache_mode = force_custom_plan AS
$$
BEGIN
    UPDATE recordings r
    SET signed_url_expires_at = greatest(r.signed_url_expires_at, p_expires_at)
    WHERE r.id = p_id AND r.start_time = recording_start(p_id);

    RETURN QUERY SELECT r.* FROM api_recording_get(p_id) r;
END
$$;

COMMENT ON FUNCTION api_recording_url_issued IS
    'Notes until when a signed URL is good, and answers what it is of';

-- bookmarks

CREATE TABLE bookmarks (
    id              uuid         NOT NULL DEFAULT gen_random_uuid(),
    tenant_id       uuid         NOT NULL DEFAULT current_tenant(),
    camera_id       uuid         NOT NULL,
    at              timestamptz  NOT NULL,
    until           timestamptz,
    label           varchar(200) NOT NULL,
    note            varchar(2000) NOT NULL DEFAULT '',
    created_by      uuid,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT bookmarks_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT bookmarks_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT bookmarks_belong_to_a_camera
        FOREIGN KEY (camera_id) REFERENCES cameras (id) ON DELETE CASCADE,
    CONSTRAINT bookmarks_are_made_by_a_user
        FOREIGN KEY (created_by) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT bookmark_labels_are_not_empty
        CHECK (label ~ '\S'),
    CONSTRAINT bookmarks_end_after_they_start
        CHECK (until > at)
);

-- serve timelines and lists
CREATE INDEX bookmarks_by_camera ON bookmarks (camera_id, at);
CREATE INDEX bookmarks_by_tenant ON bookmarks (tenant_id, created_at, id);

COMMENT ON TABLE bookmarks IS
    'Moments and times that somebody marked in a camera''s recordings';
COMMENT ON COLUMN bookmarks.until IS
    'NULL = a moment';

CREATE TRIGGER bookmarks_stamp_changes
    BEFORE UPDATE ON bookmarks
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

ALTER TABLE bookmarks ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_api_sees_one_tenant ON bookmarks
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

GRANT SELECT, DELETE,
    INSERT (camera_id, at, until, label, note, created_by),
    UPDATE (at, until, label, note)
    ON bookmarks TO camera_api;

CREATE VIEW api_bookmarks WITH (security_invoker = true) AS
SELECT b.id,
       b.camera_id,
       b.at,
       b.until,
       b.label::text        AS label,
       b.note::text         AS note,
       u.username::text     AS created_by,
       b.created_at,
       b.updated_at
FROM bookmarks b
LEFT JOIN users u ON u.id = b.created_by;

COMMENT ON VIEW api_bookmarks IS
    'Bookmarks with the rights of who reads, and the name of who made them';

GRANT SELECT ON api_bookmarks TO camera_api;

CREATE FUNCTION api_bookmark_create(p_camera uuid, p_at timestamptz,
                                    p_until timestamptz, p_label text,
                                    p_note text DEFAULT NULL,
                                    p_user uuid DEFAULT NULL)
    RETURNS SETOF api_bookmarks
    LANGUAGE plpgsql AS
$$
DECLARE
    bookmark    uuid;
BEGIN
    INSERT INTO bookmarks (camera_id, at, until, label, note, created_by)
    SELECT c.id, p_at, p_until, p_label, coalesce(p_note, ''),
           (SELECT u.id FROM users u WHERE u.id = p_user)
    FROM cameras c
    WHERE c.id = p_camera
    RETURNING id INTO bookmark;

    RETURN QUERY SELECT b.* FROM api_bookmarks b WHERE b.id = bookmark;
END
$$;

COMMENT ON FUNCTION api_bookmark_create IS
    'Adds a bookmark; no row = no such camera';

CREATE FUNCTION api_bookmark_update(p_id uuid,
                                    p_at timestamptz DEFAULT NULL,
                                    p_until timestamptz DEFAULT NULL,
                                    p_label text DEFAULT NULL,
                                    p_note text DEFAULT NULL)
    RETURNS SETOF api_bookmarks
    LANGUAGE plpgsql AS
$$
BEGIN
    UPDATE bookmarks b
    SET at = coalesce(p_at, b.at),
        until = nullif(coalesce(p_until, b.until), 'infinity'),
        label = coalesce(p_label, b.label),
        note = coalesce(p_note, b.note)
    WHERE b.id = p_id;

    RETURN QUERY SELECT b.* FROM api_bookmarks b WHERE b.id = p_id;
END
$$;

COMMENT ON FUNCTION api_bookmark_update IS
    'Changes what is not NULL, the end ''infinity'' is none; no row = no such '
    'bookmark';

CREATE FUNCTION api_bookmark_delete(p_id uuid) RETURNS boolean
    LANGUAGE plpgsql AS
$$
BEGIN
    DELETE FROM bookmarks b WHERE b.id = p_id;
    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION api_bookmark_delete IS
    'Removes a bookmark; answers whether there was one';

-- Who did what.  Rows outlive the users, cameras and recordings they name, and
-- nobody changes them, not even the owner by mistake.

CREATE TABLE recording_audit (
    id              bigint       GENERATED ALWAYS AS IDENTITY,
    tenant_id       uuid         NOT NULL DEFAULT current_tenant(),
    at              timestamptz  NOT NULL DEFAULT clock_timestamp(),
    user_id         uuid,
    session_id      uuid,
    camera_id       uuid,
    recording_id    uuid,
    action          text         NOT NULL,
    from_time       timestamptz,
    to_time         timestamptz,
    address         inet,
    result          text         NOT NULL DEFAULT 'ok',

    CONSTRAINT recording_audit_has_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT recording_audit_belongs_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT recording_audit_actions_are_known
        CHECK (action IN ('watch', 'download', 'export', 'delete', 'hold',
                          'release'))
);

-- serve lists, newest first, of a tenant and of a camera
CREATE INDEX recording_audit_by_tenant ON recording_audit (tenant_id, id);
CREATE INDEX recording_audit_by_camera ON recording_audit (camera_id, id);

COMMENT ON TABLE recording_audit IS
    'Who watched, downloaded, exported, deleted or held recordings; append-only';
COMMENT ON COLUMN recording_audit.recording_id IS
    'NULL = a range of times';
COMMENT ON COLUMN recording_audit.result IS
    'ok, or the code of the error that it was refused with';

CREATE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'object_not_in_prerequisite_state';
END
$$;

COMMENT ON FUNCTION refuse_change IS
    'Trigger: what was written stays';

CREATE TRIGGER recording_audit_is_never_changed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON recording_audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE recording_audit ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_api_sees_one_tenant ON recording_audit
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

GRANT SELECT,
    INSERT (user_id, session_id, camera_id, recording_id, action, from_time,
            to_time, address, result)
    ON recording_audit TO camera_api;

CREATE VIEW api_recording_audit WITH (security_invoker = true) AS
SELECT a.id,
       a.at,
       a.user_id,
       u.username::text     AS username,
       a.session_id,
       a.camera_id,
       c.name::text         AS camera_name,
       a.recording_id,
       a.action,
       a.from_time,
       a.to_time,
       host(a.address)      AS address,
       a.result
FROM recording_audit a
LEFT JOIN users u ON u.id = a.user_id
LEFT JOIN cameras c ON c.id = a.camera_id;

COMMENT ON VIEW api_recording_audit IS
    'The audit with the rights of who reads, and the names of today';

GRANT SELECT ON api_recording_audit TO camera_api;

CREATE FUNCTION api_recording_audit_add(
        p_user          uuid,
        p_session       uuid,
        p_camera        uuid,
        p_recording     uuid,
        p_action        text,
        p_from          timestamptz DEFAULT NULL,
        p_to            timestamptz DEFAULT NULL,
        p_address       text        DEFAULT NULL,
        p_result        text        DEFAULT 'ok')
    RETURNS bigint
    LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO recording_audit (user_id, session_id, camera_id, recording_id,
                                 action, from_time, to_time, address, result)
    VALUES (p_user, p_session, p_camera, p_recording, p_action, p_from, p_to,
            inet_or_null(p_address), coalesce(p_result, 'ok'))
    RETURNING id;
END;

COMMENT ON FUNCTION api_recording_audit_add IS
    'Notes who did what with recordings; answers the number of the entry';

REVOKE EXECUTE ON FUNCTION
    api_recording_get, api_recording_list, api_recording_delete,
    api_recording_hold, api_recording_release, api_recording_url_issued,
    api_bookmark_create, api_bookmark_update, api_bookmark_delete,
    api_recording_audit_add
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    api_recording_get, api_recording_list, api_recording_delete,
    api_recording_hold, api_recording_release, api_recording_url_issued,
    api_bookmark_create, api_bookmark_update, api_bookmark_delete,
    api_recording_audit_add
    TO camera_api;
