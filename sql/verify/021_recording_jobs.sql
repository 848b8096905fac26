-- A gap is worth an alert when it is long, once, and calm comes later.

INSERT INTO cameras (name, rtmp_url) VALUES ('verify 021', 'rtmp://verify');

SELECT 1 / (NOT recording_gap_alert(id, now() - interval '20 s', now(),
                                    'network'))::integer,
       1 / (NOT recording_gap_alert(id, now() - interval '1 h', now(),
                                    'schedule'))::integer,
       1 / recording_gap_alert(id, now() - interval '40 s', NULL,
                               'network')::integer
FROM cameras WHERE name = 'verify 021';

SELECT 1 / (NOT recording_gap_alert(id, now() - interval '40 s', now(),
                                    'network'))::integer
FROM cameras WHERE name = 'verify 021';

SELECT 1 / count(*)
FROM alerts a JOIN cameras c ON c.id = a.camera_id
WHERE c.name = 'verify 021' AND a.type = 'recording_gap' AND a.count = 1
  AND a.resolved_at IS NULL AND a.details->>'endTime' IS NOT NULL;

SELECT recording_gap_alerts(-1);

SELECT 1 / count(*)
FROM alerts a JOIN cameras c ON c.id = a.camera_id
WHERE c.name = 'verify 021' AND a.type = 'recording_gap'
  AND a.resolved_at IS NOT NULL;

SELECT recording_upkeep();
