-- Two rows have two places, one hash follows from the other, and a place can be
-- signed once.

SELECT audit_add(default_tenant(), 'verify.a', 'verify', '1'),
       audit_add(default_tenant(), 'verify.b', 'verify', '1');

SELECT 1 / (audit_chain_next(100000) >= 2)::integer;

SELECT 1 / (b.hash = sha256(a.hash || b.row_hash))::integer
FROM audit_chain a
JOIN audit_chain b ON b.tenant_id = a.tenant_id AND b.position = a.position + 1
JOIN audit_log l ON l.id = b.log_id AND l.action = 'verify.b';

SELECT 1 / audit_anchor_add(h.tenant_id, h.position, now(), 'k', 's')::integer
FROM audit_heads() h
WHERE h.tenant_id = default_tenant();

SELECT 1 / (count(*) = 0)::integer
FROM audit_heads() h
WHERE h.tenant_id = default_tenant();
