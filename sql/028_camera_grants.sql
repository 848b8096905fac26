-- Which cameras somebody sees.  A user whose camera_scope is 'granted' sees those
-- that were granted, one by one or by a group they are in; admins always see all
-- that their tenant has.
--
-- It is enforced here and nowhere else: the API names such a user in the second
-- word of app.tenant, and on every table with rows of cameras a RESTRICTIVE
-- policy, grantees_see_what_is_granted, leaves out the others.  What they see of
-- a camera that is not granted is what they see of none.  A new table with a
-- camera_id that camera_api may read needs that policy; a test looks for it.

CREATE TYPE camera_scope AS ENUM ('all', 'granted');

COMMENT ON TYPE camera_scope IS
    'Whether a user sees all cameras of the tenant, or those that were granted';

ALTER TABLE users
    ADD COLUMN camera_scope camera_scope NOT NULL DEFAULT 'all',
    ADD CONSTRAINT admins_see_all_cameras
        CHECK (role <> 'admin' OR camera_scope = 'all');

COMMENT ON COLUMN users.camera_scope IS
    'granted = camera_grants say which cameras this user sees';

GRANT SELECT (camera_scope) ON users TO camera_api;

CREATE TABLE camera_groups (
    id              uuid         NOT NULL DEFAULT gen_random_uuid(),
    tenant_id       uuid         NOT NULL DEFAULT current_tenant(),
    name            varchar(100) NOT NULL,
    description     varchar(500) NOT NULL DEFAULT '',
    version         bigint       NOT NULL DEFAULT 1,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT camera_groups_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT camera_groups_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT camera_group_names_are_not_empty
        CHECK (name ~ '\S')
);

CREATE UNIQUE INDEX camera_groups_have_unique_names
    ON camera_groups (tenant_id, lower(name));

-- serves the lists of groups
CREATE INDEX camera_groups_by_tenant
    ON camera_groups (tenant_id, created_at, id);

COMMENT ON TABLE camera_groups IS
    'Cameras that are granted together';
COMMENT ON COLUMN camera_groups.version IS
    'The ETag: grows with every change of the row, not of its members';

CREATE TABLE camera_group_members (
    group_id        uuid         NOT NULL,
    camera_id       uuid         NOT NULL,
    tenant_id       uuid         NOT NULL DEFAULT current_tenant(),
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT cameras_are_once_in_a_group
        PRIMARY KEY (group_id, camera_id),
    CONSTRAINT camera_group_members_belong_to_a_group
        FOREIGN KEY (group_id) REFERENCES camera_groups (id)
        ON DELETE CASCADE,
    CONSTRAINT camera_group_members_are_cameras
        FOREIGN KEY (camera_id) REFERENCES cameras (id) ON DELETE CASCADE,
    CONSTRAINT camera_group_members_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

-- serves the end of a camera
CREATE INDEX camera_group_members_by_camera
    ON camera_group_members (camera_id);

COMMENT ON TABLE camera_group_members IS
    'Which cameras are in a group';

CREATE TABLE camera_grants (
    id              bigint       GENERATED ALWAYS AS IDENTITY,
    tenant_id       uuid         NOT NULL DEFAULT current_tenant(),
    user_id         uuid         NOT NULL,
    camera_id       uuid,
    group_id        uuid,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT camera_grants_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT camera_grants_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT camera_grants_are_given_to_a_user
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,

    -- that of a camera which a user adds is there before the camera is
    CONSTRAINT camera_grants_are_of_a_camera
        FOREIGN KEY (camera_id) REFERENCES cameras (id) ON DELETE CASCADE
        DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT camera_grants_are_of_a_group
        FOREIGN KEY (group_id) REFERENCES camera_groups (id)
        ON DELETE CASCADE,
    CONSTRAINT camera_grants_are_of_either
        CHECK (num_nonnulls(camera_id, group_id) = 1),
    CONSTRAINT cameras_are_granted_once
        UNIQUE (user_id, camera_id),
    CONSTRAINT camera_groups_are_granted_once
        UNIQUE (user_id, group_id)
);

-- serve the end of a camera and of a group, and the news of who is in one
CREATE INDEX camera_grants_by_camera ON camera_grants (camera_id)
    WHERE camera_id IS NOT NULL;
CREATE INDEX camera_grants_by_group ON camera_grants (group_id)
    WHERE group_id IS NOT NULL;

COMMENT ON TABLE camera_grants IS
    'Cameras and groups that a user may see whose camera_scope is granted';

-- what is granted to whom app.tenant names; plpgsql keeps its plans

CREATE FUNCTION granted_cameras() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    RETURN QUERY
    SELECT g.camera_id
    FROM camera_grants g
    WHERE g.user_id = session_grantee() AND g.camera_id IS NOT NULL
    UNION ALL
    SELECT m.camera_id
    FROM camera_grants g
    JOIN camera_group_members m ON m.group_id = g.group_id
    WHERE g.user_id = session_grantee();
END
$$;

COMMENT ON FUNCTION granted_cameras IS
    'Cameras that the grantee of app.tenant may see, some of them more than once';

CREATE FUNCTION granted_camera_groups() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10 SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    RETURN QUERY
    SELECT g.group_id
    FROM camera_grants g
    WHERE g.user_id = session_grantee() AND g.group_id IS NOT NULL;
END
$$;

COMMENT ON FUNCTION granted_camera_groups IS
    'Groups that were granted to the grantee of app.tenant';

-- A camera that a grantee adds is granted to them.  The policy is asked about
-- the new row before anybody can see the grant, hence the setting, which only
-- lasts for the transaction.

CREATE FUNCTION camera_that_is_added() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.camera_that_is_added', true), '')::uuid;

COMMENT ON FUNCTION camera_that_is_added IS
    'The camera that the grantee of app.tenant is just adding, NULL = none';

CREATE FUNCTION grant_camera_to_grantee() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    INSERT INTO camera_grants (tenant_id, user_id, camera_id)
    VALUES (NEW.tenant_id, session_grantee(), NEW.id);

    PERFORM set_config('app.camera_that_is_added', NEW.id::text, true);

    RETURN NEW;
END
$$;

COMMENT ON FUNCTION grant_camera_to_grantee IS
    'Trigger: whoever adds a camera may see it';

CREATE TRIGGER cameras_are_granted_to_who_adds_them
    BEFORE INSERT ON cameras
    FOR EACH ROW WHEN (session_grantee() IS NOT NULL)
    EXECUTE FUNCTION grant_camera_to_grantee();

-- who sees what

ALTER TABLE camera_groups ENABLE ROW LEVEL SECURITY;
ALTER TABLE camera_group_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE camera_grants ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_api_sees_one_tenant ON camera_groups
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));
CREATE POLICY the_api_sees_one_tenant ON camera_group_members
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));
CREATE POLICY the_api_sees_one_tenant ON camera_grants
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

CREATE POLICY grantees_see_what_is_granted ON cameras
    AS RESTRICTIVE TO camera_api
    USING ((SELECT session_grantee()) IS NULL
           OR id IN (SELECT granted_cameras())
           OR id = (SELECT camera_that_is_added()));
CREATE POLICY grantees_see_what_is_granted ON camera_groups
    AS RESTRICTIVE TO camera_api
    USING ((SELECT session_grantee()) IS NULL
           OR id IN (SELECT granted_camera_groups()));
CREATE POLICY grantees_see_what_is_granted ON camera_grants
    AS RESTRICTIVE TO camera_api
    USING ((SELECT session_grantee()) IS NULL
           OR user_id = (SELECT session_grantee()));

-- a row that is of no camera, as an alert of a node, is not theirs to see

DO $$
DECLARE
    name    text;
BEGIN
    FOREACH name IN ARRAY ARRAY['camera_group_members', 'stream_keys',
        'recordings', 'recording_days', 'recording_gaps',
        'recording_schedules', 'recording_events', 'recording_audit',
        'bookmarks', 'exports', 'alerts']
    LOOP
        EXECUTE format('CREATE POLICY grantees_see_what_is_granted ON %I
                        AS RESTRICTIVE TO camera_api
                        USING ((SELECT session_grantee()) IS NULL
                               OR camera_id IN (SELECT granted_cameras()))',
                       name);
    END LOOP;
END
$$;

GRANT SELECT, INSERT (name, description), UPDATE (name, description), DELETE
    ON camera_groups TO camera_api;
GRANT SELECT, INSERT (group_id, camera_id), DELETE
    ON camera_group_members TO camera_api;
GRANT SELECT, INSERT (user_id, camera_id, group_id), DELETE
    ON camera_grants TO camera_api;

REVOKE EXECUTE ON FUNCTION
    granted_cameras, granted_camera_groups, grant_camera_to_grantee
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION granted_cameras, granted_camera_groups
    TO camera_api;

-- what works with its owner's rights looks for itself

CREATE OR REPLACE FUNCTION api_stream_key_rotate(camera uuid,
                                                 overlap_sec integer)
    RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    SELECT rotate_stream_key(c.id, api_stream_key_rotate.overlap_sec)
    FROM cameras c
    WHERE c.id = api_stream_key_rotate.camera
      AND c.tenant_id = session_tenant()
      AND (session_grantee() IS NULL OR c.id IN (SELECT granted_cameras()));
END;

CREATE OR REPLACE FUNCTION api_retention_preview(p_max integer DEFAULT 1000)
    RETURNS TABLE (
        id          uuid,
        camera_id   uuid,
        file_size   bigint,
        start_time  timestamptz,
        end_time    timestamptz,
        why         text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    SELECT r.id, r.camera_id, r.file_size, r.start_time, r.end_time, r.why
    FROM retention_candidates(p_max, clock_timestamp(), session_tenant()) r
    WHERE session_tenant() IS NOT NULL
      AND (session_grantee() IS NULL
           OR r.camera_id IN (SELECT granted_cameras()));
END;

CREATE OR REPLACE FUNCTION api_storage_usage()
    RETURNS TABLE (
        bytes           bigint,
        recordings      bigint,
        recorded_sec    bigint,
        bytes_total     bigint,
        bytes_free      bigint,
        growth_per_day  bigint,
        days_left       numeric(12, 1),
        tiers           json,
        cameras         json,
        days            json)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    WITH today AS (
        SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS day
    ), mine AS (
        SELECT d.*
        FROM recording_days d
        WHERE d.tenant_id = session_tenant()
          AND (session_grantee() IS NULL
               OR d.camera_id IN (SELECT granted_cameras()))
    ), total AS (
        SELECT coalesce(sum(bytes), 0)::bigint AS bytes,
               coalesce(sum(recordings), 0)::bigint AS recordings,
               coalesce(sum(usec) / 1000000, 0)::bigint AS recorded_sec
        FROM mine
    ), space AS (
        SELECT coalesce(sum(v.bytes_total), 0)::bigint AS bytes_total,
               coalesce(sum(v.bytes_free), 0)::bigint AS bytes_free
        FROM volumes v
        WHERE v.state <> 'absent'
    ), week AS (
        SELECT (SELECT coalesce(sum(m.bytes), 0)
                       / greatest(1, count(DISTINCT m.day))
                FROM mine m, today
                WHERE m.day >= today.day - 7 AND m.day < today.day) AS mine,
               coalesce(sum(d.bytes), 0)
               / greatest(1, count(DISTINCT d.day)) AS of_all
        FROM recording_days d, today
        WHERE d.day >= today.day - 7 AND d.day < today.day
    )
    SELECT total.bytes, total.recordings, total.recorded_sec,
           space.bytes_total, space.bytes_free, week.mine::bigint,
           round(space.bytes_free / nullif(week.of_all, 0), 1),
           (SELECT coalesce(json_object_agg(m.storage_tier, m.bytes), '{}')
            FROM (SELECT storage_tier, sum(bytes)::bigint AS bytes
                  FROM mine
                  GROUP BY storage_tier) m),
           (SELECT coalesce(json_agg(json_build_object(
                       'cameraId', m.camera_id, 'name', m.name,
                       'bytes', m.bytes, 'recordings', m.recordings,
                       'recordedSeconds', m.recorded_sec,
                       'oldestDay', m.oldest)
                       ORDER BY m.bytes DESC, m.camera_id), '[]')
            FROM (SELECT n.camera_id, c.name, sum(n.bytes)::bigint AS bytes,
                         sum(n.recordings) AS recordings,
                         (sum(n.usec) / 1000000)::bigint AS recorded_sec,
                         min(n.day) AS oldest
                  FROM mine n JOIN cameras c ON c.id = n.camera_id
                  GROUP BY n.camera_id, c.name
                  ORDER BY 3 DESC
                  LIMIT 1000) m),
           (SELECT coalesce(json_agg(json_build_object(
                       'day', m.day, 'bytes', m.bytes,
                       'recordings', m.recordings) ORDER BY m.day), '[]')
            FROM (SELECT n.day, sum(n.bytes)::bigint AS bytes,
                         sum(n.recordings) AS recordings
                  FROM mine n, today
                  WHERE n.day > today.day - 31
                  GROUP BY n.day) m)
    FROM total, space, week;
END;

COMMENT ON FUNCTION api_storage_usage IS
    'What the tenant of app.tenant has, of cameras that its grantee sees, what '
    'the volumes have, and how long that lasts at the growth of the last seven '
    'full days (of all tenants)';

-- who asks: what a session's principal has to know besides its role

DROP FUNCTION api_session_check(uuid);

CREATE FUNCTION api_session_check(sid uuid)
    RETURNS TABLE (
        user_id                 uuid,
        tenant_id               uuid,
        username                text,
        email                   text,
        role                    user_role,
        expires_at              timestamptz,
        scoped                  boolean,
        must_change_password    boolean
    )
    LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT u.id, u.tenant_id, u.username::text, u.email::text, u.role,
           s.expires_at, u.camera_scope = 'granted', u.must_change_password
    FROM user_sessions s
    JOIN users u ON u.id = s.user_id
    JOIN tenants t ON t.id = u.tenant_id
    WHERE s.id = api_session_check.sid
      AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
      AND u.is_active AND t.is_active AND u.role <> 'api_only';
END
$$;

COMMENT ON FUNCTION api_session_check IS
    'Whose session this is; no row unless session, user and tenant are good.  '
    'scoped = sees what is granted';

REVOKE EXECUTE ON FUNCTION api_session_check FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_session_check TO camera_api;

-- news: whoever remembers what a user may see asks again

DROP TRIGGER users_notify_when_changed ON users;

CREATE TRIGGER users_notify_when_changed
    AFTER UPDATE ON users
    FOR EACH ROW
    WHEN ((OLD.tenant_id, OLD.username, OLD.email, OLD.password_hash, OLD.role,
           OLD.is_active, OLD.must_change_password, OLD.camera_scope)
          IS DISTINCT FROM
          (NEW.tenant_id, NEW.username, NEW.email, NEW.password_hash, NEW.role,
           NEW.is_active, NEW.must_change_password, NEW.camera_scope))
    EXECUTE FUNCTION notify_user_changed();

CREATE FUNCTION notify_camera_grants_changed() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('principal_changed', 'user:' || g.user_id)
    FROM (SELECT DISTINCT c.user_id FROM changed c) g
    JOIN users u ON u.id = g.user_id AND u.camera_scope = 'granted';

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_camera_grants_changed IS
    'Trigger: what these users see is another set of cameras';

CREATE TRIGGER camera_grants_notify_when_given
    AFTER INSERT ON camera_grants
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION notify_camera_grants_changed();

CREATE TRIGGER camera_grants_notify_when_taken
    AFTER DELETE ON camera_grants
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION notify_camera_grants_changed();

CREATE FUNCTION notify_camera_group_changed() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('principal_changed', 'user:' || u.id)
    FROM (SELECT DISTINCT c.group_id FROM changed c) m
    JOIN camera_grants g ON g.group_id = m.group_id
    JOIN users u ON u.id = g.user_id AND u.camera_scope = 'granted';

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_camera_group_changed IS
    'Trigger: what those see to whom the group is granted is another set';

CREATE TRIGGER camera_group_members_notify_when_added
    AFTER INSERT ON camera_group_members
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION notify_camera_group_changed();

CREATE TRIGGER camera_group_members_notify_when_removed
    AFTER DELETE ON camera_group_members
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION notify_camera_group_changed();

-- groups: reading and changing, with the rights of who does

CREATE TRIGGER camera_groups_count_versions
    BEFORE UPDATE ON camera_groups
    FOR EACH ROW
    WHEN ((OLD.name, OLD.description)
          IS DISTINCT FROM (NEW.name, NEW.description))
    EXECUTE FUNCTION count_camera_version();

CREATE VIEW api_camera_groups WITH (security_invoker = true) AS
SELECT g.id,
       g.name::text             AS name,
       g.description::text      AS description,
       (SELECT count(*)
        FROM camera_group_members m
        JOIN cameras c ON c.id = m.camera_id
        WHERE m.group_id = g.id AND c.deleted_at IS NULL) AS cameras,
       g.created_at,
       g.updated_at,
       g.version
FROM camera_groups g;

COMMENT ON VIEW api_camera_groups IS
    'Groups of cameras with the rights of who reads';

GRANT SELECT ON api_camera_groups TO camera_api;

CREATE FUNCTION api_camera_group_create_once(
        p_principal     uuid,
        p_key           text,
        p_request_hash  bytea,
        p_name          text,
        p_description   text)
    RETURNS TABLE (
        id          uuid,
        name        text,
        description text,
        cameras     bigint,
        created_at  timestamptz,
        updated_at  timestamptz,
        version     bigint,
        outcome     text)
    LANGUAGE plpgsql AS
$$
#variable_conflict use_column
DECLARE
    before      record;
    made        api_camera_groups;
    made_id     uuid;
BEGIN
    SELECT * INTO before
    FROM request_before(p_principal, 'POST /camera-groups', p_key,
                        p_request_hash);

    IF before.outcome = 'new' THEN
        INSERT INTO camera_groups AS g (name, description)
        VALUES (p_name, coalesce(p_description, ''))
        RETURNING g.id INTO made_id;

        SELECT * INTO made FROM api_camera_groups g WHERE g.id = made_id;

        PERFORM request_made(p_principal, 'POST /camera-groups', p_key,
                             made_id, to_jsonb(made));
    ELSIF before.outcome = 'replayed' THEN
        made = jsonb_populate_record(NULL::api_camera_groups,
                                     before.response);
    END IF;

    RETURN QUERY SELECT made.*, before.outcome::text;
END
$$;

COMMENT ON FUNCTION api_camera_group_create_once IS
    'Adds a group, or answers the one that the same request added: new, '
    'replayed, reused (all else is NULL)';

CREATE FUNCTION api_camera_group_update(p_id uuid, p_versions bigint[],
                                        p_name text DEFAULT NULL,
                                        p_description text DEFAULT NULL)
    RETURNS TABLE (
        id          uuid,
        name        text,
        description text,
        cameras     bigint,
        created_at  timestamptz,
        updated_at  timestamptz,
        version     bigint,
        outcome     text)
    LANGUAGE plpgsql AS
$$
#variable_conflict use_column
DECLARE
    found_version   bigint;
    what            text = 'updated';
BEGIN
    SELECT g.version INTO found_version
    FROM camera_groups g
    WHERE g.id = p_id
    FOR NO KEY UPDATE;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    IF found_version <> ALL (p_versions) THEN
        what = 'stale';
    ELSE
        UPDATE camera_groups g
        SET name = coalesce(p_name, g.name),
            description = coalesce(p_description, g.description)
        WHERE g.id = p_id;
    END IF;

    RETURN QUERY SELECT g.*, what FROM api_camera_groups g WHERE g.id = p_id;
END
$$;

COMMENT ON FUNCTION api_camera_group_update IS
    'Changes what is not NULL: updated, stale (its version is none of those); '
    'no row = no such group';

CREATE FUNCTION api_camera_group_delete(p_id uuid, p_versions bigint[])
    RETURNS TABLE (outcome text)
    LANGUAGE plpgsql AS
$$
DECLARE
    found_version   bigint;
BEGIN
    SELECT g.version INTO found_version
    FROM camera_groups g
    WHERE g.id = p_id
    FOR NO KEY UPDATE;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    outcome = 'stale';

    IF p_versions IS NULL OR found_version = ANY (p_versions) THEN
        DELETE FROM camera_groups g WHERE g.id = p_id;
        outcome = 'deleted';
    END IF;

    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION api_camera_group_delete IS
    'Removes a group, and with it its grants: deleted, stale; no row = no such '
    'group';

CREATE FUNCTION api_camera_group_put(p_id uuid, p_camera uuid)
    RETURNS TABLE (outcome text)
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM FROM camera_groups g, cameras c
    WHERE g.id = p_id AND c.id = p_camera AND c.deleted_at IS NULL;

    IF FOUND THEN
        INSERT INTO camera_group_members (group_id, camera_id)
        VALUES (p_id, p_camera)
        ON CONFLICT DO NOTHING;

        outcome = 'put';
        RETURN NEXT;
    END IF;
END
$$;

COMMENT ON FUNCTION api_camera_group_put IS
    'Puts a camera into a group, where it may be already; no row = there is no '
    'such group, or no such camera';

CREATE FUNCTION api_camera_group_take(p_id uuid, p_camera uuid)
    RETURNS TABLE (outcome text)
    LANGUAGE plpgsql AS
$$
BEGIN
    DELETE FROM camera_group_members m
    WHERE m.group_id = p_id AND m.camera_id = p_camera;

    IF FOUND THEN
        outcome = 'taken';
        RETURN NEXT;
    END IF;
END
$$;

COMMENT ON FUNCTION api_camera_group_take IS
    'Takes a camera out of a group; no row = it was in none';

-- grants: all of a user at once

CREATE FUNCTION api_grants_get(p_user uuid)
    RETURNS TABLE (
        user_id         uuid,
        camera_scope    text,
        camera_ids      text[],
        group_ids       text[])
    LANGUAGE plpgsql STABLE AS
$$
BEGIN
    RETURN QUERY
    SELECT u.id, u.camera_scope::text,
           ARRAY(SELECT g.camera_id::text
                 FROM camera_grants g
                 JOIN cameras c ON c.id = g.camera_id
                 WHERE g.user_id = u.id AND c.deleted_at IS NULL
                 ORDER BY g.id),
           ARRAY(SELECT g.group_id::text
                 FROM camera_grants g
                 WHERE g.user_id = u.id AND g.group_id IS NOT NULL
                 ORDER BY g.id)
    FROM users u
    WHERE u.id = p_user;
END
$$;

COMMENT ON FUNCTION api_grants_get IS
    'What is granted to a user; no row = no such user';

CREATE FUNCTION api_grants_put(p_user uuid, p_cameras uuid[], p_groups uuid[])
    RETURNS TABLE (
        user_id         uuid,
        camera_scope    text,
        camera_ids      text[],
        group_ids       text[],
        outcome         text)
    LANGUAGE plpgsql AS
$$
#variable_conflict use_column
DECLARE
    what        text = 'put';
BEGIN
    -- one at a time, for the last of two to be the one that counts

    PERFORM pg_advisory_xact_lock(hashtextextended('grants ' || p_user, 0))
    FROM users u
    WHERE u.id = p_user;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    IF EXISTS (SELECT FROM unnest(p_cameras) w (id)
               WHERE NOT EXISTS (SELECT FROM cameras c
                                 WHERE c.id = w.id AND c.deleted_at IS NULL))
    THEN
        what = 'unknown camera';

    ELSIF EXISTS (SELECT FROM unnest(p_groups) w (id)
                  WHERE NOT EXISTS (SELECT FROM camera_groups g
                                    WHERE g.id = w.id))
    THEN
        what = 'unknown group';

    ELSE
        DELETE FROM camera_grants g
        WHERE g.user_id = p_user
          AND (g.camera_id IS NULL OR g.camera_id <> ALL (p_cameras))
          AND (g.group_id IS NULL OR g.group_id <> ALL (p_groups));

        INSERT INTO camera_grants (user_id, camera_id)
        SELECT p_user, w.id FROM unnest(p_cameras) w (id)
        ON CONFLICT DO NOTHING;

        INSERT INTO camera_grants (user_id, group_id)
        SELECT p_user, w.id FROM unnest(p_groups) w (id)
        ON CONFLICT DO NOTHING;
    END IF;

    RETURN QUERY SELECT g.*, what FROM api_grants_get(p_user) g;
END
$$;

COMMENT ON FUNCTION api_grants_put IS
    'Grants a user these cameras and groups and no others: put, unknown camera, '
    'unknown group (nothing was changed); no row = no such user';

REVOKE EXECUTE ON FUNCTION
    api_camera_group_create_once, api_camera_group_update,
    api_camera_group_delete, api_camera_group_put, api_camera_group_take,
    api_grants_get, api_grants_put
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    api_camera_group_create_once, api_camera_group_update,
    api_camera_group_delete, api_camera_group_put, api_camera_group_take,
    api_grants_get, api_grants_put
    TO camera_api;
