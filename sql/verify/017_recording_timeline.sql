-- A timeline has what is recorded, what is missing, and what was marked.

INSERT INTO cameras (name) VALUES ('verify');

SELECT journal_open(default_tenant(), i.id, c.id, 'media/verify.mp4',
                    recording_start(i.id)),
       journal_advance(i.id, now(), 1, 1, 1),
       journal_gap(c.id, now() - interval '1 s', now(), 'network'),
       api_bookmark_create(c.id, now() - interval '1 s', NULL, 'verify')
FROM cameras c, recording_id(now() - interval '1 minute') i (id)
WHERE c.name = 'verify';

SELECT 1 / (json_array_length(t.segments) = 1
            AND json_array_length(t.gaps) = 1
            AND json_array_length(t.markers) = 1
            AND t.markers->0->>'type' = 'bookmark'
            AND t.markers->0->>'time' IS NOT NULL
            AND t.resolution = 0)::integer
FROM cameras c,
     api_recording_timeline(c.id, now() - interval '1 hour', now()) t
WHERE c.name = 'verify';
