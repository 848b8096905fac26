-- The worker keeps the wrapped key of a recording, and the API cannot read it.

INSERT INTO cameras (name) VALUES ('verify');

SELECT 1 / journal_open(default_tenant(), i.id, c.id, 'media/f',
                        recording_start(i.id), '', 0, 0, 3600, 'r1',
                        repeat('A', 54))::integer
FROM cameras c, recording_id(now()) i (id)
WHERE c.name = 'verify';

SELECT 1 / (count(*) = 1)::integer
FROM recordings r JOIN cameras c ON c.id = r.camera_id
WHERE c.name = 'verify' AND r.wrapped_kid = 'r1';

SELECT 1 / (NOT has_column_privilege('camera_api', 'recordings',
                                     'wrapped_key', 'SELECT')
            AND NOT has_column_privilege('camera_api', 'recordings',
                                         'wrapped_kid', 'SELECT')
            AND has_column_privilege('camera_api', 'recordings', 'usec',
                                     'SELECT'))::integer;
