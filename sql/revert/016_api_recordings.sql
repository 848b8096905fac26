DROP FUNCTION api_recording_audit_add(uuid, uuid, uuid, uuid, text, timestamptz,
    timestamptz, text, text);
DROP VIEW api_recording_audit;
DROP TABLE recording_audit;
DROP FUNCTION refuse_change();

DROP FUNCTION api_bookmark_delete(uuid);
DROP FUNCTION api_bookmark_update(uuid, timestamptz, timestamptz, text, text);
DROP FUNCTION api_bookmark_create(uuid, timestamptz, timestamptz, text, text,
    uuid);
DROP VIEW api_bookmarks;
DROP TABLE bookmarks;

DROP FUNCTION api_recording_url_issued(uuid, timestamptz);
DROP FUNCTION api_recording_release(uuid);
DROP FUNCTION api_recording_hold(uuid, text);
DROP FUNCTION api_recording_delete(uuid);
DROP FUNCTION api_recording_list(integer, uuid, timestamptz, timestamptz, text,
    boolean, text, uuid, boolean);
DROP FUNCTION api_recording_get(uuid);
DROP VIEW api_recordings;

REVOKE UPDATE (state, locked, locked_reason, signed_url_expires_at)
    ON recordings FROM camera_api;

DROP FUNCTION json_time(timestamptz);
