-- A file is opened, grows and is closed; of a camera that nobody knows it is
-- garbage.

INSERT INTO cameras (name) VALUES ('verify');

SELECT 1 / (journal_open(default_tenant(), i.id, c.id, 'media/verify.mp4',
                         recording_start(i.id))
            AND journal_advance(i.id, recording_start(i.id) + interval '9 s',
                                90, 9000000, 9)
            AND journal_close(i.id, recording_start(i.id) + interval '10 s',
                              100, 10000000, 10, 'stop'))::integer
FROM cameras c, recording_id(now()) i (id)
WHERE c.name = 'verify';

SELECT 1 / count(*)
FROM recordings r JOIN cameras c ON c.id = r.camera_id
WHERE c.name = 'verify' AND r.state = 'complete' AND r.duration = 10
  AND r.filename = 'verify.mp4';

SELECT 1 / (NOT journal_open(default_tenant(), i.id, gen_random_uuid(),
                             'media/none.mp4', recording_start(i.id)))::integer
FROM recording_id(now()) i (id);

SELECT 1 / count(*) FROM recording_garbage WHERE path = 'media/none.mp4';

SELECT 1 / (journal_gap(c.id, now(), NULL, 'network')
            AND journal_gap(c.id, now(), now() + interval '1 s',
                            'network'))::integer
FROM cameras c
WHERE c.name = 'verify';
