-- A change and a rotation are new versions, a status is none.

INSERT INTO cameras (name) VALUES ('verify');

UPDATE cameras SET stream_status = 'online' WHERE name = 'verify';

SELECT 1 / count(*)
FROM api_cameras
WHERE name = 'verify' AND version = 1 AND stream_status = 'online';

SELECT rotate_stream_key(id, 60) FROM cameras WHERE name = 'verify';

SELECT 1 / count(*)
FROM api_cameras c, api_camera_update(c.id, 2, p_place => 'gate') u
WHERE c.name = 'verify' AND u.outcome = 'updated'
  AND u.key_generation = 2 AND u.version = 3;

SELECT 1 / count(*)
FROM cameras c, api_camera_delete(c.id, 2) d
WHERE c.name = 'verify' AND d.outcome = 'stale';

SELECT 1 / (NOT has_function_privilege('camera_api',
                'rotate_stream_key(uuid, integer)', 'EXECUTE'))::integer;
