-- What a node that does not listen must hear later: whose leave to play was taken,
-- each session and API token of principal_changed and each user of playback_ended.
--
-- Notifications reach who listens at that moment.  A node that was away from the
-- database, or did not run, asks for what was said meanwhile; nothing that plays
-- lasts longer than 12 hours, and no row is of use after 13.
--
-- Rows are only added, so that nobody waits for anybody.  They are of all tenants
-- and say nothing but ids; the API reads them by api_playback_ends() alone.

CREATE TABLE playback_ends (
    id          bigint      GENERATED ALWAYS AS IDENTITY,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    owner_id    uuid        NOT NULL,

    CONSTRAINT playback_ends_are_told_once PRIMARY KEY (id)
);

-- serves api_playback_ends(), and the end of old ones
CREATE INDEX playback_ends_by_age ON playback_ends (at);

COMMENT ON TABLE playback_ends IS
    'Users, sessions and API tokens by whose leave nothing plays any more';
COMMENT ON COLUMN playback_ends.owner_id IS
    'Of a user, a session or an API token, which may be gone';

ALTER TABLE playback_ends ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION playback_end(p_channel text, p_kind text, p_id uuid)
    RETURNS void
    LANGUAGE plpgsql AS
$$
BEGIN
    INSERT INTO playback_ends (owner_id) VALUES (p_id);
    PERFORM pg_notify(p_channel, p_kind || ':' || p_id);

    -- what is old goes in steps, each of more rows than are added

    DELETE FROM playback_ends e
    WHERE e.id IN (SELECT o.id
                   FROM playback_ends o
                   WHERE o.at < now() - interval '13 hours'
                   ORDER BY o.at
                   LIMIT 10
                   FOR UPDATE SKIP LOCKED);
END
$$;

COMMENT ON FUNCTION playback_end IS
    'Tells those who listen, and notes it for those who do not';

-- the triggers that tell it, now with the rights of who owns the table

CREATE OR REPLACE FUNCTION notify_session_ended() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    PERFORM playback_end('principal_changed', 'session', OLD.id);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION notify_api_token_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    PERFORM playback_end('principal_changed', 'token', OLD.id);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION end_playback_of_user() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    PERFORM playback_end('playback_ended', 'user', OLD.id);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION end_playback_of_grantees() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    PERFORM playback_end('playback_ended', 'user', u.id)
    FROM (SELECT DISTINCT c.user_id FROM changed c) g
    JOIN users u ON u.id = g.user_id AND u.camera_scope = 'granted';

    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION end_playback_of_group() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    PERFORM playback_end('playback_ended', 'user', u.id)
    FROM (SELECT DISTINCT c.group_id FROM changed c) m
    JOIN camera_grants g ON g.group_id = m.group_id
    JOIN users u ON u.id = g.user_id AND u.camera_scope = 'granted';

    RETURN NULL;
END
$$;

-- reading

CREATE FUNCTION api_playback_ends(p_sec bigint)
    RETURNS TABLE (
        owner_id    uuid,
        age_sec     bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    SELECT e.owner_id,
           greatest(floor(extract(epoch FROM clock_timestamp() - max(e.at))),
                    0)::bigint
    FROM playback_ends e
    WHERE e.at > now() - make_interval(secs => p_sec)
    GROUP BY e.owner_id
    ORDER BY e.owner_id;
END;

COMMENT ON FUNCTION api_playback_ends IS
    'Whose leave was taken in the last seconds, of all tenants, by id, and how '
    'long ago';

REVOKE EXECUTE ON FUNCTION
    playback_end, api_playback_ends, notify_session_ended,
    notify_api_token_changed, end_playback_of_user, end_playback_of_grantees,
    end_playback_of_group
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_playback_ends TO camera_api;
