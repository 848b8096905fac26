-- A camera appears with its key, and stays visible when it is removed.

INSERT INTO cameras (name) VALUES ('verify');

SELECT 1 / count(*)
FROM feeder_cameras f JOIN cameras c ON c.id = f.camera
WHERE c.name = 'verify' AND f.active AND NOT f.removed
  AND f.key_generation = 1 AND f.prev_generation = 0;

UPDATE cameras SET deleted_at = now() WHERE name = 'verify';

SELECT 1 / count(*)
FROM feeder_cameras f JOIN cameras c ON c.id = f.camera
WHERE c.name = 'verify' AND f.removed;
