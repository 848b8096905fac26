-- A request that is sent twice makes one bookmark.

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
