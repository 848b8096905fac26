DROP FUNCTION rotate_stream_key(uuid, integer);
DROP TABLE stream_keys;
DROP FUNCTION bump_camera_of_stream_key();
DROP TRIGGER cameras_get_a_stream_key ON cameras;
DROP FUNCTION create_first_stream_key();
