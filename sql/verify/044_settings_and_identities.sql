-- The API changes what makes a gap an alert; identities have ids, and are taken
-- away only of users whose role is known.

SELECT 1 / has_column_privilege('camera_api', 'tenants', 'gap_alert_sec',
                                'UPDATE')::integer;

SELECT 1 / (outcome = 'created')::integer
FROM api_identity_login('https://verify', '44', 'verify44@example.org', NULL,
                        'default', 'viewer');

SELECT set_config('app.tenant', default_tenant()::text, true);

SELECT 1 / (outcome = 'unlinked')::integer
FROM user_identities i,
     api_user_identity_unlink('{viewer}', i.user_id, i.id)
WHERE i.issuer = 'https://verify' AND i.subject = '44';

SELECT 1 / (count(*) = 0)::integer
FROM user_identities
WHERE issuer = 'https://verify' AND subject = '44';
