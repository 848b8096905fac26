DROP FUNCTION api_audit_login_failed(uuid);
DROP FUNCTION api_audit_denied(text, text, text);
DROP FUNCTION api_audit_watch(uuid);

DROP TRIGGER ends_are_audited ON user_sessions;
DROP TRIGGER logins_are_audited ON user_sessions;
DROP FUNCTION audit_session();

DROP TRIGGER new_opaque_forms_are_audited ON stream_keys;
DROP TRIGGER new_keys_are_audited ON stream_keys;
DROP FUNCTION audit_stream_key();

DO $$
DECLARE
    audited     regclass;
BEGIN
    FOR audited IN SELECT tgrelid FROM pg_trigger
                   WHERE tgfoid = 'audit_row'::regproc
    LOOP
        EXECUTE format('DROP TRIGGER rows_are_audited ON %s', audited);
    END LOOP;
END
$$;

-- what concerns recordings goes back to a table of its own

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

INSERT INTO recording_audit (tenant_id, at, user_id, session_id, camera_id,
                             recording_id, action, from_time, to_time, address,
                             result)
SELECT l.tenant_id, a.at, a.user_id, a.session_id, a.camera_id, a.recording_id,
       a.action, a.from_time, a.to_time, a.address::inet, a.result
FROM api_recording_audit a JOIN audit_log l ON l.id = a.id
ORDER BY a.id;

DROP VIEW api_recording_audit;

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

CREATE OR REPLACE FUNCTION api_recording_audit_add(
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
