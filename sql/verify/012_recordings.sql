-- A recording is found by its id alone, and is counted; camera_worker is nobody
-- special.

SELECT 1 / (NOT rolsuper AND NOT rolcreaterole AND NOT rolbypassrls
            AND rolcanlogin)::integer
FROM pg_roles
WHERE rolname = 'camera_worker';

SELECT 1 / (recording_start(recording_id('2026-01-01T00:00:00.123Z'))
            = '2026-01-01T00:00:00.123Z')::integer;

INSERT INTO cameras (name) VALUES ('verify');
INSERT INTO volumes (id) VALUES (default_tenant())
ON CONFLICT DO NOTHING;
SELECT make_recording_partitions(1);

INSERT INTO recordings (id, tenant_id, camera_id, volume_id, segment_number,
                        filename, file_path, file_size, start_time, end_time)
SELECT i.id, c.tenant_id, c.id, default_tenant(), 1, 'f', 'media/f', 5,
       recording_start(i.id), recording_start(i.id)
FROM cameras c, recording_id(now()) i (id)
WHERE c.name = 'verify';

SELECT 1 / count(*)
FROM recording_days d JOIN cameras c ON c.id = d.camera_id
WHERE c.name = 'verify' AND d.recordings = 1 AND d.bytes = 5;

SELECT 1 / (NOT has_table_privilege('camera_worker', 'recordings',
                                    'INSERT, UPDATE, DELETE')
            AND NOT has_table_privilege('camera_api', 'recordings',
                                        'INSERT, DELETE'))::integer;
