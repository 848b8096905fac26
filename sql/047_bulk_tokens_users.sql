-- Three promises that were not quite kept.
--
-- A dry run of many cameras ended itself by a condition that is also the name of
-- a class, and a deadlock is of that class: adding in earnest then answered as if
-- all was well, and had added nothing.
--
-- An API token that was revoked stays so, whatever the API may write there.
--
-- Who removes a user waits for no table to be read: what refers to users has an
-- index that finds it.

CREATE OR REPLACE FUNCTION api_camera_create_bulk(p_rows jsonb, p_dry_run boolean)
    RETURNS TABLE (
        n           integer,
        id          uuid,
        violated    text)
    LANGUAGE plpgsql AS
$$
#variable_conflict use_column
DECLARE
    item        record;
    ids         uuid[]  = '{}';
    all_violated text[] = '{}';
    made        uuid;
    what        text;
BEGIN
    BEGIN
        FOR item IN SELECT r.value AS camera
                    FROM jsonb_array_elements(p_rows) r
        LOOP
            made = NULL;
            what = NULL;

            BEGIN
                SELECT c.id INTO made
                FROM api_camera_create(
                    p_principal => NULL, p_route => NULL, p_key => NULL,
                    p_request_hash => NULL,
                    p_name => item.camera ->> 'name',
                    p_company => item.camera ->> 'company',
                    p_model => item.camera ->> 'model',
                    p_serial_number => item.camera ->> 'serialNumber',
                    p_location => item.camera ->> 'location',
                    p_place => item.camera ->> 'place',
                    p_external_id => item.camera ->> 'externalId',
                    p_is_active => (item.camera -> 'isActive')::boolean,
                    p_is_recording => (item.camera -> 'isRecording')::boolean,
                    p_allowed_cidrs => (
                        SELECT array_agg(a.value)
                        FROM jsonb_array_elements_text(
                                 item.camera -> 'allowedCidrs') a),
                    p_cut_at_expiry =>
                        (item.camera -> 'cutAtExpiry')::boolean,
                    p_retention_days =>
                        (item.camera ->> 'retentionDays')::integer,
                    p_retention_bytes =>
                        (item.camera ->> 'retentionBytes')::bigint,
                    p_recording_encrypted =>
                        (item.camera -> 'recordingEncrypted')::boolean,
                    p_tags => (
                        SELECT array_agg(a.value)
                        FROM jsonb_array_elements_text(
                                 item.camera -> 'tags') a)) c;
            EXCEPTION
                WHEN integrity_constraint_violation THEN
                    GET STACKED DIAGNOSTICS what = CONSTRAINT_NAME;
            END;

            ids = ids || made;
            all_violated = all_violated || what;
        END LOOP;

        IF p_dry_run THEN
            RAISE EXCEPTION 'dry run' USING ERRCODE = 'DRY00';
        END IF;
    EXCEPTION
        WHEN SQLSTATE 'DRY00' THEN
            ids = array_fill(NULL::uuid, ARRAY[cardinality(ids)]);
    END;

    RETURN QUERY
    SELECT u.n::integer, u.id, u.violated
    FROM unnest(ids, all_violated) WITH ORDINALITY u (id, violated, n);
END
$$;

CREATE TRIGGER api_tokens_stay_revoked
    BEFORE UPDATE ON api_tokens
    FOR EACH ROW WHEN (session_tenant() IS NOT NULL
                       AND NOT OLD.is_active AND NEW.is_active)
    EXECUTE FUNCTION refuse_change();

-- serves the count of a user's tokens, too

CREATE INDEX api_tokens_by_user ON api_tokens (user_id);
DROP INDEX api_tokens_that_are_active;

-- serve the end of a user

CREATE INDEX api_tokens_by_maker ON api_tokens (created_by)
    WHERE created_by IS NOT NULL;
CREATE INDEX alerts_by_user ON alerts (acknowledged_by)
    WHERE acknowledged_by IS NOT NULL;
CREATE INDEX recording_events_by_user ON recording_events (created_by)
    WHERE created_by IS NOT NULL;
CREATE INDEX bookmarks_by_user ON bookmarks (created_by)
    WHERE created_by IS NOT NULL;
CREATE INDEX exports_by_user ON exports (created_by)
    WHERE created_by IS NOT NULL;
