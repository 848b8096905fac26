-- The mark stays where it is for who has a transaction's id already, as this one.

SELECT audit_add(default_tenant(), 'verify.a', 'verify', '1');

CREATE TEMPORARY TABLE mark_before AS SELECT mark_id FROM audit_state;

SELECT 1 / (audit_chain_next(100000) >= 1)::integer;

SELECT 1 / (s.mark_id = m.mark_id)::integer
FROM audit_state s, mark_before m;

DROP TABLE mark_before;
