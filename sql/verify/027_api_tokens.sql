-- A token is good until it is revoked, is counted by day, and nobody reads its
-- hash.

INSERT INTO users (username, password_hash, role)
VALUES ('verify', '$2b$12$' || repeat('a', 53), 'api_only');

INSERT INTO api_tokens (user_id, token_hash, prefix, name, permissions)
SELECT id, encode(sha256('verify'), 'hex'), 'cam_abcd', 'verify',
       '["cameras:read", "streams:view"]'
FROM users
WHERE username = 'verify';

SELECT 1 / (permissions = 'cameras:read streams:view'
            AND rate_limit = 1000)::integer
FROM api_token_check(encode(sha256('verify'), 'hex'));

SELECT api_tokens_used(ARRAY[id, id], ARRAY['2026-01-01', '2026-01-01']::date[],
                       '{2, 3}', '{0, 1}', ARRAY[now(), now()])
FROM api_tokens
WHERE name = 'verify';

SELECT 1 / (requests = 5 AND limited = 1)::integer
FROM api_token_usage u JOIN api_tokens t ON t.id = u.token_id
WHERE t.name = 'verify';

UPDATE api_tokens SET is_active = false, revoked_at = now()
WHERE name = 'verify';

SELECT 1 / (count(*) = 0)::integer
FROM api_token_check(encode(sha256('verify'), 'hex'));

SELECT 1 / (NOT has_column_privilege('camera_api', 'api_tokens', 'token_hash',
                                     'SELECT'))::integer;
