-- The default tenant is there, and camera_app is nobody special.

SELECT 1 / count(*) FROM tenants WHERE id = default_tenant() AND is_active;

SELECT 1 / (NOT rolsuper AND NOT rolcreaterole AND rolcanlogin)::integer
FROM pg_roles
WHERE rolname = 'camera_app';

SELECT 1 / (NOT has_table_privilege('camera_app', 'tenants',
                                    'UPDATE'))::integer;
