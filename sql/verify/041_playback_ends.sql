-- What a user loses is told later, too, and what is old goes.

INSERT INTO playback_ends (at, owner_id)
VALUES (now() - interval '14 hours', '00000000-0000-4000-8000-000000000001');

INSERT INTO users (username, password_hash)
VALUES ('verify', '$2b$12$' || repeat('a', 53));
UPDATE users SET camera_scope = 'granted' WHERE username = 'verify';

SELECT 1 / (count(*) = 1)::integer
FROM api_playback_ends(60) e
JOIN users u ON u.id = e.owner_id AND u.username = 'verify'
WHERE e.age_sec = 0;

SELECT 1 / (count(*) = 0)::integer
FROM playback_ends
WHERE at < now() - interval '13 hours';
