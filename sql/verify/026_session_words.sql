-- Each word is read as what it is, and none is NULL.

SELECT set_config('app.tenant',
    '00000000-0000-4000-8000-000000000001 - '
    '00000000-0000-4000-8000-000000000002 session:s request 127.0.0.1', true);

SELECT 1 / (session_tenant() = '00000000-0000-4000-8000-000000000001'
            AND session_grantee() IS NULL)::integer;

SELECT 1 / (a.user_id = '00000000-0000-4000-8000-000000000002'
            AND a.credential = 'session:s' AND a.request_id = 'request'
            AND a.address = '127.0.0.1')::integer
FROM session_actor() a;

SELECT set_config('app.tenant', '', true);

SELECT 1 / (session_tenant() IS NULL AND session_word(6) IS NULL)::integer;
