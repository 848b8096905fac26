DROP FUNCTION api_camera_create(uuid, text, text, bytea, text, text, text, text,
    text, text, text, boolean, boolean, text[], boolean, text);
DROP FUNCTION take_idempotency_key(uuid, text, text, bytea, integer);
DROP TABLE idempotency_keys;
