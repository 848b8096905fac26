DROP FUNCTION api_export_create_once(uuid, text, bytea, uuid, timestamptz,
    timestamptz, uuid, text);
DROP FUNCTION api_bookmark_create_once(uuid, text, bytea, uuid, timestamptz,
    timestamptz, text, text);
DROP FUNCTION request_of_nothing();
DROP FUNCTION request_made(uuid, text, text, uuid, jsonb);
DROP FUNCTION request_before(uuid, text, text, bytea);
