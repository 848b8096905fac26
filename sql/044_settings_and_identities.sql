-- What an administrator could not reach by the API: after how long a gap in a
-- recording is an alert, and by which identities people log in.
--
-- Taking an identity away ends no session, and keeps nobody out whose verified
-- address is still that of a user: the next login links it anew.

GRANT UPDATE (gap_alert_sec) ON tenants TO camera_api;

-- issuer and subject are the identity; addresses of the API want a short name

ALTER TABLE user_identities
    ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD CONSTRAINT user_identities_have_unique_ids UNIQUE (id);

COMMENT ON COLUMN user_identities.id IS
    'Its name in addresses of the API';

DO $$
BEGIN
    PERFORM audit_table('user_identities', 'identity',
        '{id,issuer,subject,user_id}', '{last_login_at}', 'user_id', 'issuer');
END
$$;

CREATE FUNCTION api_user_identity_unlink(p_roles text[], p_user uuid, p_id uuid)
    RETURNS TABLE (outcome text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    IF NOT EXISTS (SELECT FROM user_identities i
                   WHERE i.id = p_id AND i.user_id = p_user
                     AND i.tenant_id = session_tenant())
    THEN
        RETURN;
    END IF;

    PERFORM user_to_change(p_roles, p_user);

    DELETE FROM user_identities i WHERE i.id = p_id;

    outcome = 'unlinked';
    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION api_user_identity_unlink IS
    'Takes an identity from a user: unlinked; no row = there is no such one.  '
    'Fails for a user whose role is not among p_roles';

REVOKE EXECUTE ON FUNCTION api_user_identity_unlink FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_user_identity_unlink TO camera_api;
