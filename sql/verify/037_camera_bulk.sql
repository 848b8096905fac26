-- Of two with one serial number the first is added, and none by a dry run.

SELECT set_config('app.tenant', default_tenant()::text, true);

SELECT 1 / (array_agg(violated ORDER BY n)
            = ARRAY[NULL, 'cameras_have_unique_serial_numbers', NULL]
            AND count(id) = 0)::integer
FROM api_camera_create_bulk('[{"name": "a", "serialNumber": "verify-1"},
    {"name": "b", "serialNumber": "verify-1"},
    {"name": "c", "allowedCidrs": ["10.0.0.0/8"], "isActive": false}]', true);

SELECT 1 / (count(*) = 0)::integer
FROM cameras
WHERE serial_number = 'verify-1';

SELECT 1 / (count(id) = 1 AND count(violated) = 1)::integer
FROM api_camera_create_bulk('[{"name": "a", "serialNumber": "verify-1"},
    {"name": "b", "serialNumber": "verify-1"}]', false);
