SELECT 1 / (prosrc LIKE '%taken%')::int
FROM pg_proc WHERE proname = 'api_identity_login';
