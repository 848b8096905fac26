-- The setting app.tenant in words, separated by one blank, "-" for none:
--
--     {tenant} [{grantee} [{user} {credential} {request id} {address}]]
--
-- The API sends the last four with what changes something.  They are one
-- setting, so that a connection of a pool is set by one statement and no word
-- of one request is ever beside those of another.

CREATE FUNCTION session_word(n integer) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(nullif(split_part(current_setting('app.tenant', true), ' ',
                                    session_word.n), ''), '-');

COMMENT ON FUNCTION session_word IS
    'That word of app.tenant, counted from 1, NULL = none';

CREATE OR REPLACE FUNCTION session_tenant() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN session_word(1)::uuid;

CREATE FUNCTION session_grantee() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN session_word(2)::uuid;

COMMENT ON FUNCTION session_grantee IS
    'The user whose grants limit what is seen, NULL = all that the tenant has';

CREATE FUNCTION session_actor(
        OUT user_id     uuid,
        OUT credential  text,
        OUT request_id  text,
        OUT address     inet)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT session_word(3)::uuid, session_word(4), session_word(5),
           inet_or_null(session_word(6));
END;

COMMENT ON FUNCTION session_actor IS
    'Who changes something, by which credential (session:ID, token:ID), in '
    'which request and from where; NULLs where it is not the API';
