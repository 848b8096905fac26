-- Encryption is a part of cameras, and is wished.

INSERT INTO cameras (name, is_recording, recording_encrypted)
VALUES ('verify', true, true);

SELECT 1 / (count(*) = 1)::integer
FROM cameras c, recording_wishes() w
WHERE c.name = 'verify' AND w.camera = c.id AND w.want AND w.encrypt;

INSERT INTO recording_gaps (tenant_id, camera_id, start_time, cause)
SELECT c.tenant_id, c.id, now(), 'key'
FROM cameras c
WHERE c.name = 'verify';
