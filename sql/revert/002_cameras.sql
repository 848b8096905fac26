DROP TRIGGER tenants_bump_their_cameras ON tenants;
DROP TABLE cameras;
DROP FUNCTION bump_cameras_of_tenant();
DROP FUNCTION notify_camera_changed();
DROP FUNCTION bump_camera_rev();
DROP TYPE stream_status;
