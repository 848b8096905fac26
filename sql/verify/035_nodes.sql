-- A node is read out of what it says, whatever form its URL has.

SELECT api_node_heartbeat('verify-1', 'rtmps://camera.example:1936/live', '',
    '', 100, now());
SELECT api_node_heartbeat('verify-2', 'rtmps://[::1]/live',
    'https://camera.example', 'north', 100, now());

SELECT 1 / (host = 'camera.example' AND rtmps_port = 1936
            AND https_base IS NULL AND region IS NULL
            AND health = 'healthy')::integer
FROM api_nodes
WHERE id = 'verify-1';

SELECT 1 / (host = '[::1]' AND rtmps_port = 1935
            AND https_base = 'https://camera.example'
            AND region = 'north')::integer
FROM api_nodes
WHERE id = 'verify-2';
