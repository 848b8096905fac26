CREATE OR REPLACE FUNCTION end_playback_of_group() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('playback_ended', 'user:' || u.id)
    FROM (SELECT DISTINCT c.group_id FROM changed c) m
    JOIN camera_grants g ON g.group_id = m.group_id
    JOIN users u ON u.id = g.user_id AND u.camera_scope = 'granted';

    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION end_playback_of_grantees() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('playback_ended', 'user:' || u.id)
    FROM (SELECT DISTINCT c.user_id FROM changed c) g
    JOIN users u ON u.id = g.user_id AND u.camera_scope = 'granted';

    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION end_playback_of_user() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('playback_ended', 'user:' || OLD.id);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION notify_api_token_changed() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('principal_changed', 'token:' || OLD.id);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION notify_session_ended() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('principal_changed', 'session:' || OLD.id);
    RETURN NULL;
END
$$;

GRANT EXECUTE ON FUNCTION
    notify_session_ended, notify_api_token_changed, end_playback_of_user,
    end_playback_of_grantees, end_playback_of_group
    TO PUBLIC;

DROP FUNCTION api_playback_ends(bigint);
DROP FUNCTION playback_end(text, text, uuid);
DROP TABLE playback_ends;
