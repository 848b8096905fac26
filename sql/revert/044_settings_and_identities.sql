DROP FUNCTION api_user_identity_unlink(text[], uuid, uuid);

DO $$
BEGIN
    PERFORM audit_table('user_identities', 'identity',
        '{issuer,subject,user_id}', '{last_login_at}', 'user_id', 'issuer');
END
$$;

ALTER TABLE user_identities DROP COLUMN id;

REVOKE UPDATE (gap_alert_sec) ON tenants FROM camera_api;
