-- A recording is listed, held and deleted; the audit stays.

INSERT INTO cameras (name) VALUES ('verify');

SELECT journal_open(default_tenant(), i.id, c.id, 'media/verify.mp4',
                    recording_start(i.id)),
       journal_close(i.id, recording_start(i.id), 100, 0, 0, 'stop')
FROM cameras c, recording_id(now()) i (id)
WHERE c.name = 'verify';

SELECT 1 / (count(*) = 1)::integer
FROM cameras c, api_recording_list(10, c.id) r, api_recording_get(r.id) g,
     api_recording_hold(g.id, 'verify') h, api_recording_delete(h.id) d
WHERE c.name = 'verify' AND d.outcome = 'locked';

SELECT 1 / (count(*) = 1)::integer
FROM cameras c, api_recording_list(10, c.id) r, api_recording_release(r.id) g,
     api_recording_delete(g.id) d
WHERE c.name = 'verify' AND d.outcome = 'deleted';

SELECT 1 / count(*)
FROM recording_tasks
WHERE file_path = 'media/verify.mp4' AND task = 'remove';

SELECT 1 / (api_recording_audit_add(NULL, NULL, id, NULL, 'watch') > 0)::integer
FROM cameras
WHERE name = 'verify';
