-- A range of a camera that is there can be asked for, and not any more.

SELECT set_config('app.tenant', default_tenant()::text, true);

INSERT INTO cameras (name) VALUES ('verify');

SELECT 1 / (count(*) = 1)::integer
FROM cameras c, api_export_create(c.id, now() - interval '1 hour', now()) e
WHERE c.name = 'verify' AND e.outcome = 'created';

SELECT 1 / (count(*) = 1)::integer
FROM cameras c, api_export_create(c.id, now() - interval '1 hour', now(), NULL,
                                  1) e
WHERE c.name = 'verify' AND e.outcome = 'full';

SELECT 1 / (count(*) = 1)::integer
FROM api_exports e JOIN cameras c ON c.id = e.camera_id
WHERE c.name = 'verify' AND e.state = 'queued' AND e.progress = 0;

SELECT 1 / (count(*) = 0)::integer
FROM api_export_create('00000000-0000-4000-8000-00000000dead', now(),
                       now() + interval '1 s');

SELECT 1 / bool_and(api_export_delete(e.id))::integer
FROM exports e JOIN cameras c ON c.id = e.camera_id
WHERE c.name = 'verify';
