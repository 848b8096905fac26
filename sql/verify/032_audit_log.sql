-- A change of a table that is audited leaves a row, without what is hidden,
-- and what is done again is counted.

CREATE TABLE verify_audit (id integer, tenant_id uuid, name text, secret text);
SELECT audit_table('verify_audit', 'verify', '{id,name}');
INSERT INTO verify_audit VALUES (1, default_tenant(), 'a', 'psst');
UPDATE verify_audit SET name = 'b';

SELECT 1 / (count(*) = 1)::integer
FROM audit_log
WHERE action = 'verify.create' AND new ->> 'name' = 'a'
  AND new ->> 'secret' = '(hidden)';

SELECT 1 / (count(*) = 1)::integer
FROM audit_log
WHERE action = 'verify.update' AND old = '{"name": "a"}'
  AND new = '{"name": "b"}';

SELECT audit_note(default_tenant(), '1 h', 'verify.watch', 'verify', '1'),
       audit_note(default_tenant(), '1 h', 'verify.watch', 'verify', '1');

SELECT 1 / (count(*) = 1)::integer
FROM api_audit
WHERE action = 'verify.watch' AND count = 2;
