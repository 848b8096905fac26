-- The role camera_api stays: other databases of the cluster may use it.

GRANT EXECUTE ON FUNCTION bump_camera_of_stream_key TO PUBLIC;
GRANT EXECUTE ON FUNCTION create_first_stream_key TO PUBLIC;

ALTER FUNCTION bump_camera_of_stream_key()
    SECURITY INVOKER RESET search_path;
ALTER FUNCTION create_first_stream_key()
    SECURITY INVOKER RESET search_path;

REVOKE ALL ON tenants, cameras, stream_keys FROM camera_api;

DROP POLICY the_api_leaves_removed_cameras_alone ON cameras;
DROP POLICY the_api_sees_one_tenant ON stream_keys;
DROP POLICY the_api_sees_one_tenant ON cameras;
DROP POLICY the_api_sees_one_tenant ON tenants;
DROP POLICY the_media_plane_sees_all ON stream_keys;
DROP POLICY the_media_plane_sees_all ON cameras;
DROP POLICY the_media_plane_sees_all ON tenants;

ALTER TABLE stream_keys DISABLE ROW LEVEL SECURITY;
ALTER TABLE cameras DISABLE ROW LEVEL SECURITY;
ALTER TABLE tenants DISABLE ROW LEVEL SECURITY;

ALTER TABLE cameras ALTER COLUMN tenant_id SET DEFAULT default_tenant();

DROP FUNCTION current_tenant();
DROP FUNCTION session_tenant();
