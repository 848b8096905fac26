-- A camera needs nothing but a name, and camera_app may only report on it.

INSERT INTO cameras (name) VALUES ('verify');

SELECT 1 / count(*)
FROM cameras
WHERE name = 'verify'
  AND tenant_id = default_tenant()
  AND stream_status = 'offline'
  AND rev = pg_current_xact_id();

SELECT 1 / (has_column_privilege('camera_app', 'cameras', 'stream_status',
                                 'UPDATE')
            AND NOT has_column_privilege('camera_app', 'cameras', 'rtmp_key',
                                         'UPDATE')
            AND NOT has_table_privilege('camera_app', 'cameras',
                                        'INSERT, DELETE'))::integer;
