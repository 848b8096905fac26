DROP FUNCTION session_actor();
DROP FUNCTION session_grantee();

CREATE OR REPLACE FUNCTION session_tenant() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.tenant', true), '')::uuid;

DROP FUNCTION session_word(integer);
