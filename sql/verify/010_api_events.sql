-- Each of the tables that are told of has its triggers.

SELECT 1 / (count(*) = 9)::integer
FROM pg_trigger
WHERE NOT tgisinternal
  AND tgrelid IN ('cameras'::regclass, 'users'::regclass, 'tenants'::regclass,
                  'user_sessions'::regclass)
  AND tgfoid IN ('notify_camera_event'::regproc, 'notify_user_changed'::regproc,
                 'notify_users_of_tenant'::regproc,
                 'notify_session_ended'::regproc);
