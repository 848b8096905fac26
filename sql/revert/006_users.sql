DROP FUNCTION api_user_for_login(text);
DROP TABLE users;
DROP TYPE user_role;
