DROP INDEX exports_by_user;
DROP INDEX bookmarks_by_user;
DROP INDEX recording_events_by_user;
DROP INDEX alerts_by_user;
DROP INDEX api_tokens_by_maker;

CREATE INDEX api_tokens_that_are_active ON api_tokens (user_id)
    WHERE is_active;
DROP INDEX api_tokens_by_user;

DROP TRIGGER api_tokens_stay_revoked ON api_tokens;

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
            RAISE EXCEPTION 'dry run' USING ERRCODE = 'transaction_rollback';
        END IF;
    EXCEPTION
        WHEN transaction_rollback THEN
            ids = array_fill(NULL::uuid, ARRAY[cardinality(ids)]);
    END;

    RETURN QUERY
    SELECT u.n::integer, u.id, u.violated
    FROM unnest(ids, all_violated) WITH ORDINALITY u (id, violated, n);
END
$$;
