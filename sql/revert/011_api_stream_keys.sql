DROP FUNCTION api_stream_key_create(uuid, integer, bytea);
