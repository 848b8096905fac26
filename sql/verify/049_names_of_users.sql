-- The API tells the name of a user and whoever manages them sets it.

SELECT 1 / has_column_privilege('camera_api', 'api_users', 'name',
                                'SELECT')::integer;
SELECT 1 / (pronargs = 11)::integer FROM pg_proc WHERE proname = 'api_user_update';
