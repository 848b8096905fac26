-- Who signs up is the admin of a tenant of their own; an identity leads to one
-- user, of one tenant.

SELECT 1 / (r.role = 'admin' AND r.sid IS NOT NULL
            AND r.tenant_id <> default_tenant()
            AND r.username = 'verify@example.org')::integer
FROM api_register('Verify & Sons', 'verify@example.org',
                  '$2b$12$' || repeat('a', 53), 'Verify', sha256('one'), 60,
                  'verify', '::1') r;

SELECT 1 / (slug = 'verify-sons')::integer
FROM tenants
WHERE name = 'Verify & Sons';

SELECT 1 / (outcome = 'foreign')::integer
FROM api_identity_login('https://verify', '1', 'verify@example.org', NULL,
                        'default', 'viewer');
SELECT 1 / (outcome = 'unverified')::integer
FROM api_identity_login('https://verify', '1', NULL, NULL, 'default', 'viewer');
SELECT 1 / (outcome = 'linked')::integer
FROM api_identity_login('https://verify', '1', 'VERIFY@example.org', NULL,
                        'verify-sons', NULL);
SELECT 1 / (outcome = 'known')::integer
FROM api_identity_login('https://verify', '1', NULL, NULL, 'verify-sons', NULL);
SELECT 1 / (outcome = 'unknown')::integer
FROM api_identity_login('https://verify', '2', 'other@example.org', NULL,
                        'default', NULL);
SELECT 1 / (outcome = 'created' AND role = 'viewer'
            AND tenant_id = default_tenant())::integer
FROM api_identity_login('https://verify', '2', 'other@example.org', 'Other',
                        'default', 'viewer');
