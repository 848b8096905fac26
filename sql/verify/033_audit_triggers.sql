-- Each kind of change leaves its row.

INSERT INTO cameras (name) VALUES ('verify');
UPDATE cameras SET name = 'verified' WHERE name = 'verify';
SELECT rotate_stream_key(id, 60) FROM cameras WHERE name = 'verified';
SELECT rotate_stream_key(id, 0) FROM cameras WHERE name = 'verified';
UPDATE cameras SET deleted_at = now() WHERE name = 'verified';

SELECT 1 / (string_agg(a.action, ' ' ORDER BY a.id)
            = 'camera.create camera.update stream_key.rotate stream_key.revoke '
              'camera.delete')::integer
FROM audit_log a JOIN cameras c ON c.id = a.camera_id
WHERE c.name = 'verified';

SELECT set_config('app.tenant', default_tenant()::text, true);

SELECT 1 / (api_recording_audit_add(NULL, NULL, id, NULL, 'watch') > 0)::integer
FROM cameras
WHERE name = 'verified';

SELECT 1 / (count(*) = 1)::integer
FROM api_recording_audit
WHERE camera_name = 'verified' AND action = 'watch';
