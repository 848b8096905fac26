-- Both say what a tenant may ask for, and what is seen.

INSERT INTO users (username, password_hash)
VALUES ('verify', '$2b$12$' || repeat('a', 53));

UPDATE tenants SET max_requests_per_hour = 7 WHERE id = default_tenant();

INSERT INTO api_tokens (user_id, token_hash, prefix, name, permissions)
SELECT id, encode(sha256('verify'), 'hex'), 'cam_abcd', 'verify', '["*"]'
FROM users
WHERE username = 'verify';

SELECT 1 / (tenant_requests = 7 AND NOT scoped)::integer
FROM api_token_check(encode(sha256('verify'), 'hex'));

SELECT 1 / (api_session_open(id, sha256('verify'), 60, 'verify', '::1')
            IS NOT NULL)::integer
FROM users
WHERE username = 'verify';

SELECT 1 / (tenant_requests = 7 AND NOT scoped)::integer
FROM user_sessions s JOIN users u ON u.id = s.user_id,
     api_session_check(s.id)
WHERE u.username = 'verify';
