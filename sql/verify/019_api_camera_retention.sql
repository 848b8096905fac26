-- Retention is a part of cameras and counts in their version.

SELECT 1 / (outcome = 'created' AND retention_days = 7)::integer
FROM api_camera_create(NULL, NULL, NULL, NULL, 'verify', p_retention_days => 7);

SELECT 1 / (count(*) = 1)::integer
FROM api_cameras c, api_camera_update(c.id, 1, p_retention_days => 0,
                                      p_retention_bytes => 5) u
WHERE c.name = 'verify' AND u.version = 2 AND u.retention_days IS NULL
  AND u.retention_bytes = 5;

SELECT 1 / (count(*) = 1)::integer
FROM api_cameras c, api_camera_delete(c.id, 2, 'delete') d
WHERE c.name = 'verify' AND d.outcome = 'deleted';

SELECT 1 / count(*) FROM cameras WHERE name = 'verify' AND delete_recordings;
