DROP FUNCTION api_camera_create_bulk(jsonb, boolean);
