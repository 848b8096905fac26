-- A camera is recorded as is_recording, its schedule and its events say.

INSERT INTO cameras (name, is_recording) VALUES ('verify', true);

SELECT 1 / count(*)
FROM recording_wishes() w JOIN cameras c ON c.id = w.camera
WHERE c.name = 'verify' AND w.want AND w.until_time IS NULL;

INSERT INTO recording_schedules (camera_id, timezone, windows)
SELECT id, 'Europe/Berlin', '[]' FROM cameras WHERE name = 'verify';

SELECT 1 / count(*)
FROM recording_wishes() w JOIN cameras c ON c.id = w.camera
WHERE c.name = 'verify' AND NOT w.want AND w.why_not = 1;

SELECT 1 / count(*)
FROM cameras c, api_recording_start(c.id, 60, 5, 'verify') s
WHERE c.name = 'verify' AND s.outcome = 'event';

SELECT 1 / count(*)
FROM recording_wishes() w JOIN cameras c ON c.id = w.camera
WHERE c.name = 'verify' AND w.want AND w.from_time < now()
  AND w.until_time > now();
