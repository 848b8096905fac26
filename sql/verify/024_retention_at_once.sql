-- Of two cameras that have too much the oldest recordings go, whosesoever they are.

INSERT INTO tenants (slug, name) VALUES ('verify-024', 'verify');
INSERT INTO cameras (tenant_id, name, retention_bytes)
SELECT t.id, n, 100
FROM tenants t, unnest('{one,other}'::text[]) n
WHERE t.slug = 'verify-024';

SELECT journal_open(default_tenant(), i.id, c.id, c.name || h || '.mp4',
                    recording_start(i.id)),
       journal_close(i.id, recording_start(i.id) + interval '1 s', 100, 1000000,
                     1, 'stop')
FROM cameras c, generate_series(1, 3) h,
     recording_id(c.created_at - (h || ' days')::interval) i (id)
WHERE c.retention_bytes = 100;

SELECT 1 / (string_agg(r.file_path, ' ')
            SIMILAR TO '(one3.mp4 other3.mp4|other3.mp4 one3.mp4)'
                       ' (one2.mp4 other2.mp4|other2.mp4 one2.mp4)')::integer
FROM tenants t, retention_candidates(9, now(), t.id) r
WHERE t.slug = 'verify-024';
