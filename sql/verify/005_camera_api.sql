-- camera_api is nobody special and sees one tenant; the owner sees all.

SELECT 1 / (NOT rolsuper AND NOT rolcreaterole AND NOT rolbypassrls
            AND rolcanlogin)::integer
FROM pg_roles
WHERE rolname = 'camera_api';

SELECT 1 / (count(*) = 3)::integer
FROM pg_class
WHERE relname IN ('tenants', 'cameras', 'stream_keys')
  AND relnamespace = 'public'::regnamespace
  AND relrowsecurity;

SELECT 1 / (NOT has_table_privilege('camera_api', 'feeder_cameras', 'SELECT')
            AND NOT has_column_privilege('camera_api', 'stream_keys',
                                         'opaque_hash', 'SELECT')
            AND NOT has_column_privilege('camera_api', 'cameras', 'tenant_id',
                                         'INSERT, UPDATE'))::integer;

INSERT INTO cameras (name) VALUES ('verify');

SELECT 1 / count(*)
FROM cameras
WHERE name = 'verify' AND tenant_id = default_tenant();
