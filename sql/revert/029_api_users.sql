DROP FUNCTION api_user_session_end(uuid, uuid, text);
DROP VIEW api_user_sessions;
DROP FUNCTION api_user_password_reset(uuid, text[], uuid, text);
DROP FUNCTION api_user_delete(uuid, text[], uuid, bigint[]);
DROP FUNCTION api_user_update(uuid, text[], uuid, bigint[], text, text, text,
    boolean, boolean, text);
DROP FUNCTION user_to_change(text[], uuid);
DROP FUNCTION api_user_create_once(uuid, text, bytea, text[], text, text, text,
    text, text);
DROP FUNCTION refuse_oneself();
DROP FUNCTION refuse_role();
DROP VIEW api_users;

DROP TRIGGER camera_group_members_end_playback_when_removed
    ON camera_group_members;
DROP FUNCTION end_playback_of_group();
DROP TRIGGER camera_grants_end_playback_when_taken ON camera_grants;
DROP FUNCTION end_playback_of_grantees();
DROP TRIGGER users_end_playback_when_deleted ON users;
DROP TRIGGER users_end_playback_when_changed ON users;
DROP FUNCTION end_playback_of_user();

DROP TRIGGER users_see_all_as_admins ON users;
DROP FUNCTION admins_see_all();
DROP TRIGGER users_leave_an_admin_when_deleted ON users;
DROP TRIGGER users_leave_an_admin_when_changed ON users;
DROP FUNCTION keep_an_admin();
DROP TRIGGER users_count_versions ON users;

ALTER TABLE users DROP COLUMN version;
