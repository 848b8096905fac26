-- A new camera has a key; a rotation keeps the one before for a while.

INSERT INTO cameras (name) VALUES ('verify');

SELECT 1 / (rotate_stream_key(id, 60) = 2)::integer
FROM cameras
WHERE name = 'verify';

SELECT 1 / count(*)
FROM stream_keys k JOIN cameras c ON c.id = k.camera_id
WHERE c.name = 'verify' AND k.generation = 1 AND k.valid_until > now();
