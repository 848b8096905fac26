-- A camera beyond the quota is refused, and retention is bounded by it.

INSERT INTO tenants (slug, name, max_cameras, max_stored_bytes,
                     retention_bytes)
VALUES ('verify', 'verify', 1, 1000, NULL);

SELECT 1 / (retention_bytes = 1000)::integer
FROM tenants
WHERE slug = 'verify';

INSERT INTO cameras (tenant_id, name)
SELECT id, 'one' FROM tenants WHERE slug = 'verify';

DO $$
BEGIN
    INSERT INTO cameras (tenant_id, name)
    SELECT id, 'two' FROM tenants WHERE slug = 'verify';
    RAISE division_by_zero;
EXCEPTION
    WHEN check_violation THEN
        NULL;
END
$$;
