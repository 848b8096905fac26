-- The API's role and row-level security.  ngx_camera_api connects as
-- camera_api, which owns nothing, gets each grant by name and sees the rows of
-- one tenant: the one that the setting app.tenant of its session names, and no
-- row while it names none.
--
-- Tables have their policies ENABLEd, not FORCEd: their owner, as whom
-- deploy/migrate and bin/camera connect, goes on seeing everything, and so does
-- the view feeder_cameras, which reads with its owner's rights.  The media
-- plane's role sees all tenants by a policy of its own.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'camera_api') THEN
        CREATE ROLE camera_api LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE
            NOBYPASSRLS;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;                   -- another database of this cluster was faster
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'role camera_api does not exist'
            USING HINT = 'As a superuser: CREATE ROLE camera_api LOGIN';
END
$$;

-- with this the owner's connection string serves the API, too, by
-- options='-c role=camera_api'

DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'camera_api', 'MEMBER') THEN
        GRANT camera_api TO CURRENT_USER;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        NULL;                   -- it logs in by itself, then
END
$$;

CREATE FUNCTION session_tenant() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.tenant', true), '')::uuid;

COMMENT ON FUNCTION session_tenant IS
    'The tenant that app.tenant names, NULL = none, which sees no rows';

CREATE FUNCTION current_tenant() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(session_tenant(),
                    CASE WHEN current_user <> 'camera_api'
                         THEN default_tenant() END);

COMMENT ON FUNCTION current_tenant IS
    'The tenant of rows that name none; of the API''s, never the default one';

ALTER TABLE cameras ALTER COLUMN tenant_id SET DEFAULT current_tenant();

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE cameras ENABLE ROW LEVEL SECURITY;
ALTER TABLE stream_keys ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_media_plane_sees_all ON tenants
    TO camera_app
    USING (true) WITH CHECK (true);
CREATE POLICY the_media_plane_sees_all ON cameras
    TO camera_app
    USING (true) WITH CHECK (true);
CREATE POLICY the_media_plane_sees_all ON stream_keys
    TO camera_app
    USING (true) WITH CHECK (true);

-- a sub-select is run once for a statement, not once for a row

CREATE POLICY the_api_sees_one_tenant ON tenants
    TO camera_api
    USING (id = (SELECT session_tenant()))
    WITH CHECK (id = (SELECT session_tenant()));
CREATE POLICY the_api_sees_one_tenant ON cameras
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));
CREATE POLICY the_api_sees_one_tenant ON stream_keys
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

CREATE POLICY the_api_leaves_removed_cameras_alone ON cameras
    AS RESTRICTIVE FOR UPDATE TO camera_api
    USING (deleted_at IS NULL) WITH CHECK (true);

-- What a client may never set is not granted: id, tenant_id, rtmp_key,
-- stream_status, play_epoch, rev, times.

GRANT SELECT ON tenants, cameras TO camera_api;
GRANT SELECT (camera_id, generation, tenant_id, valid_until, created_at)
    ON stream_keys TO camera_api;
GRANT INSERT (external_id, name, company, model, serial_number, location, place,
              rtmp_url, is_active, is_recording, allowed_cidrs, cut_at_expiry)
    ON cameras TO camera_api;
GRANT UPDATE (external_id, name, company, model, serial_number, location, place,
              is_active, is_recording, allowed_cidrs, cut_at_expiry, deleted_at)
    ON cameras TO camera_api;

-- what follows from a change is done with the owner's rights, whoever made it

ALTER FUNCTION create_first_stream_key()
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION bump_camera_of_stream_key()
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp;

REVOKE EXECUTE ON FUNCTION create_first_stream_key FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION bump_camera_of_stream_key FROM PUBLIC;
