DROP TRIGGER cameras_tell_their_status ON cameras;
DROP TRIGGER cameras_tell_when_deleted ON cameras;
DROP TRIGGER cameras_tell_when_updated ON cameras;
DROP TRIGGER cameras_tell_when_created ON cameras;
DROP FUNCTION notify_camera_event();

DROP TRIGGER tenants_notify_their_users ON tenants;
DROP FUNCTION notify_users_of_tenant();

DROP TRIGGER users_notify_when_deleted ON users;
DROP TRIGGER users_notify_when_changed ON users;
DROP FUNCTION notify_user_changed();

DROP TRIGGER user_sessions_notify_when_deleted ON user_sessions;
DROP TRIGGER user_sessions_notify_when_revoked ON user_sessions;
DROP FUNCTION notify_session_ended();
