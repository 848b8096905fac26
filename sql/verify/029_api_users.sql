-- A user is added, changed and removed; the last admin stays.

SELECT set_config('app.tenant', default_tenant()::text, true);

INSERT INTO users (username, password_hash, role)
VALUES ('verify-admin', '$2b$12$' || repeat('a', 53), 'admin');

SELECT 1 / (outcome = 'new' AND must_change_password)::integer
FROM api_user_create_once(gen_random_uuid(), NULL, NULL, '{viewer}',
    '$2b$12$' || repeat('a', 53), 'verify', NULL, 'viewer', NULL);

SELECT 1 / (u.outcome = 'updated' AND u.version = 2)::integer
FROM users v, api_user_update(NULL, '{viewer}', v.id, '{1}', NULL,
    'verify@example.org', NULL, NULL, NULL, 'granted') u
WHERE v.username = 'verify';

SELECT 1 / (d.outcome = 'deleted')::integer
FROM users v, api_user_delete(NULL, '{viewer}', v.id, NULL) d
WHERE v.username = 'verify';
