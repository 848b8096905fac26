-- A request that is sent twice makes one bookmark; a timeline has its names.

INSERT INTO cameras (name) VALUES ('verify');

SELECT set_config('verify.bookmark', b.id::text, true)
FROM cameras c,
     api_bookmark_create_once(c.id, 'key', sha256('a'), c.id, now(), NULL,
                              'verify', NULL) b
WHERE c.name = 'verify';

SELECT 1 / (b.outcome = 'replayed' AND b.label = 'verify'
            AND b.id::text = current_setting('verify.bookmark'))::integer
FROM cameras c,
     api_bookmark_create_once(c.id, 'key', sha256('a'), c.id, now(), NULL,
                              'verify', NULL) b
WHERE c.name = 'verify';

SELECT 1 / (b.outcome = 'reused' AND b.id IS NULL)::integer
FROM cameras c,
     api_bookmark_create_once(c.id, 'key', sha256('b'), c.id, now(), NULL,
                              'verify', NULL) b
WHERE c.name = 'verify';

SELECT 1 / (t.markers->0->>'type' = 'bookmark'
            AND t.markers->0->>'time' IS NOT NULL)::integer
FROM cameras c,
     api_recording_timeline(c.id, now() - interval '1 hour',
                            now() + interval '1 hour') t
WHERE c.name = 'verify';
