-- A new key comes with its opaque form; of another tenant's camera there is none.

INSERT INTO cameras (name) VALUES ('verify');

SELECT 1 / (count(*) = 0)::integer
FROM cameras c, api_stream_key_create(c.id, 60) WHERE c.name = 'verify';

SELECT set_config('app.tenant', default_tenant()::text, true);

SELECT 1 / (count(*) = 1 AND max(k.generation) = 2)::integer
FROM cameras c, api_stream_key_create(c.id, 60, sha256('key')) k
WHERE c.name = 'verify';

SELECT 1 / (count(*) = 1)::integer
FROM stream_keys WHERE opaque_hash = sha256('key') AND generation = 2;
