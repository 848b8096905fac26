SELECT 1 / (strpos(prosrc, 'INSERT') < strpos(prosrc, 'DELETE'))::integer
FROM pg_proc WHERE proname = 'api_grants_put';

SELECT 1 / (count(*) = 1)::integer
FROM pg_index WHERE indexrelid = 'audit_log_by_type'::regclass AND indisvalid;
