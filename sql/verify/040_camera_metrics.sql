-- Two minutes are counted, the same one twice is not, and what is old goes.

INSERT INTO cameras (name) VALUES ('verify');

INSERT INTO camera_metrics
SELECT id, now() - interval '36 days', tenant_id, 1, 1, 1, 1, 1, 1
FROM cameras
WHERE name = 'verify';

SELECT 1 / (uptime = 60 AND bitrate = 1000000 AND viewers_peak = 2)::integer
FROM cameras c, api_metrics_add(ARRAY[c.id], '{true}', '{15}', '{1000}', '{2}',
                                now() - interval '1 min')
WHERE c.name = 'verify';

SELECT 1 / (count(*) = 0)::integer
FROM cameras c, api_metrics_add(ARRAY[c.id], '{true}', '{15}', '{1000}', '{2}',
                                now() - interval '59 s')
WHERE c.name = 'verify';

SELECT 1 / (sum(m.samples) = 1)::integer
FROM camera_metrics m
JOIN cameras c ON c.id = m.camera_id AND c.name = 'verify';

SELECT 1 / (count(*) = 3 AND sum(m.uptime) = 60 AND max(m.fps) = 15)::integer
FROM cameras c,
     api_camera_metrics(c.id, date_bin('5 min', now(), 'epoch')
         - interval '10 min', date_bin('5 min', now(), 'epoch')
         + interval '5 min', '5 min') m
WHERE c.name = 'verify';

SELECT 1 / (count(*) = 1)::integer FROM api_dashboard;
