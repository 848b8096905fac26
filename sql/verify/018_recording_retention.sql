-- What is too old is a candidate, what is on hold is none, and what is marked
-- and removed is forgotten.

INSERT INTO tenants (slug, name) VALUES ('verify-018', 'verify');
INSERT INTO cameras (tenant_id, name, retention_days)
SELECT t.id, n, 1
FROM tenants t, unnest('{verify,held}'::text[]) n
WHERE t.slug = 'verify-018';

SELECT journal_open(default_tenant(), i.id, c.id, c.name || '.mp4',
                    recording_start(i.id)),
       journal_close(i.id, recording_start(i.id) + interval '1 s', 100, 1000000,
                     1, 'stop')
FROM cameras c, recording_id(c.created_at - interval '3 days') i (id)
WHERE c.name IN ('verify', 'held') AND c.retention_days = 1;

UPDATE recordings SET locked = true, locked_reason = 'verify'
WHERE file_path = 'held.mp4' AND start_time > now() - interval '4 days';

SELECT 1 / (count(*) = 1 AND min(r.why) = 'age')::integer
FROM tenants t, retention_candidates(9, now(), t.id) r
WHERE t.slug = 'verify-018';

SELECT 1 / (retention_mark(ARRAY[r.id]) = 1 AND recording_forget(r.id))::integer
FROM tenants t, retention_candidates(9, now(), t.id) r
WHERE t.slug = 'verify-018';

SELECT 1 / (count(*) = 1)::integer
FROM recording_days d JOIN tenants t ON t.id = d.tenant_id
WHERE t.slug = 'verify-018';

SELECT 1 / (count(*) = 1)::integer FROM api_storage_usage();
