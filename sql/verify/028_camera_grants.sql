-- Who is granted one of two cameras sees that one, and the one they add.

INSERT INTO users (username, password_hash, role, camera_scope)
VALUES ('verify', '$2b$12$' || repeat('a', 53), 'operator', 'granted');

INSERT INTO cameras (name) VALUES ('verify 1'), ('verify 2');

SELECT 1 / cardinality(g.camera_ids)
FROM users u, cameras c, api_grants_put(u.id, ARRAY[c.id], '{}') g
WHERE u.username = 'verify' AND c.name = 'verify 1';

SELECT set_config('app.tenant', default_tenant() || ' ' || u.id, true)
FROM users u
WHERE u.username = 'verify';

SET LOCAL ROLE camera_api;

SELECT 1 / (string_agg(name, ',') = 'verify 1')::integer
FROM cameras
WHERE name LIKE 'verify%';

SELECT 1 / (outcome = 'created')::integer
FROM api_camera_create(gen_random_uuid(), 'verify', NULL, NULL, 'verify 3');

SELECT 1 / (count(*) = 2)::integer FROM cameras WHERE name LIKE 'verify%';

RESET ROLE;
