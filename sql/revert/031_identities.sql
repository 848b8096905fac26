DROP FUNCTION api_identity_login(text, text, text, text, text, text);
DROP FUNCTION api_register(text, text, text, text, bytea, integer, text, text);
DROP FUNCTION slug_for_name(text);
DROP FUNCTION username_for_email(text);
DROP TABLE user_identities;
ALTER TABLE users DROP COLUMN name;
