-- A key makes one camera, and answers it again.

SELECT 1 / (outcome = 'created')::integer
FROM api_camera_create(gen_random_uuid(), 'verify', NULL, NULL, 'verify');

SELECT 1 / (string_agg(c.outcome, ' ' ORDER BY n.n)
            = 'created replayed reused')::integer
FROM (VALUES (1, 'body'), (2, 'body'), (3, 'other')) n (n, body),
     api_camera_create(default_tenant(), 'verify', 'key',
                       sha256(n.body::bytea), 'verify', p_place => n.body) c;

SELECT 1 / (count(*) = 2)::integer FROM api_cameras WHERE name = 'verify';
