DROP FUNCTION api_stream_key_rotate(uuid, integer);
DROP FUNCTION api_camera_delete(uuid, bigint);
DROP FUNCTION api_camera_update(uuid, bigint, text, text, text, text, text,
    text, text, boolean, boolean, text[], boolean);
DROP TYPE api_camera_result;
DROP FUNCTION api_camera_id(text);
DROP VIEW api_cameras;

DROP TRIGGER stream_keys_keep_their_camera_up_to_date ON stream_keys;
DROP FUNCTION keep_camera_key_generation();

DROP TRIGGER cameras_count_versions ON cameras;
DROP FUNCTION count_camera_version();

CREATE TRIGGER cameras_stamp_changes
    BEFORE UPDATE ON cameras
    FOR EACH ROW WHEN (OLD.stream_status = NEW.stream_status)
    EXECUTE FUNCTION touch_updated_at();

ALTER TABLE cameras DROP COLUMN version, DROP COLUMN key_generation;
