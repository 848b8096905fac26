-- A session lives from login to logout, and nobody reads its hashes.

INSERT INTO users (username, password_hash)
VALUES ('verify', '$2b$12$' || repeat('a', 53));

SELECT 1 / (api_session_open(id, sha256('one'), 60, 'verify', '::1')
            IS NOT NULL)::integer
FROM users
WHERE username = 'verify';

SELECT 1 / (outcome = 'rotated')::integer
FROM api_session_rotate(sha256('one'), sha256('two'), 60);

SELECT 1 / count(*)
FROM user_sessions s, api_session_check(s.id) c
WHERE c.username = 'verify';

SELECT 1 / api_session_close(sha256('two'))::integer;

SELECT 1 / (outcome = 'unknown')::integer
FROM api_session_rotate(sha256('two'), sha256('three'), 60);

SELECT 1 / (NOT has_any_column_privilege('camera_api', 'refresh_tokens',
                                         'SELECT'))::integer;
