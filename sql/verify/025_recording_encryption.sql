-- Encryption is a part of cameras, counts in their version and is wished.

SELECT 1 / (outcome = 'created' AND recording_encrypted)::integer
FROM api_camera_create(NULL, NULL, NULL, NULL, 'verify',
                       p_is_recording => true, p_recording_encrypted => true);

SELECT 1 / (count(*) = 1)::integer
FROM cameras c, recording_wishes() w
WHERE c.name = 'verify' AND w.camera = c.id AND w.want AND w.encrypt;

SELECT 1 / (count(*) = 1)::integer
FROM api_cameras c, api_camera_update(c.id, 1, p_recording_encrypted => false) u
WHERE c.name = 'verify' AND u.version = 2 AND NOT u.recording_encrypted;

INSERT INTO recording_gaps (tenant_id, camera_id, start_time, cause)
SELECT c.tenant_id, c.id, now(), 'key'
FROM cameras c
WHERE c.name = 'verify';
