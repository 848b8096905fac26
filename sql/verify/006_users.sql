-- A user is found by either name in any case; the hash is for the owner.

INSERT INTO users (username, email, password_hash)
VALUES ('verify', 'Verify@example.org', '$2b$12$' || repeat('a', 53));

SELECT 1 / (count(*) = 2)::integer
FROM unnest(ARRAY['VERIFY', 'verify@EXAMPLE.org']) AS n (name),
     api_user_for_login(n.name) f
WHERE f.usable AND f.role = 'viewer' AND f.tenant_id = default_tenant();

SELECT 1 / (NOT has_column_privilege('camera_api', 'users', 'password_hash',
                                     'SELECT')
            AND NOT has_any_column_privilege('camera_app', 'users',
                                             'SELECT'))::integer;
