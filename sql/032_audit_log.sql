-- The audit log: who did what to which object, from where, with which result,
-- and what was there before and after.  Rows outlive what they name, and nobody
-- changes or removes one: triggers refuse it, and no role of ours may.
--
-- A change and its row are one transaction: audit_table() gives a table the
-- trigger audit_row(), which writes what differs between the two forms of a
-- row.  Values of columns that it was not told to show are "(hidden)", so that
-- a column that is added later, or a secret, is not shown by oversight.  What
-- is no change of a row, such as watching, is added by audit_note(), which
-- counts what is repeated in audit_repeats instead of writing it again.
--
-- Partitions are months (UTC), made ahead; the default one catches the rest.

CREATE TABLE audit_log (
    id              bigint       GENERATED ALWAYS AS IDENTITY,
    tenant_id       uuid         NOT NULL,
    at              timestamptz  NOT NULL DEFAULT clock_timestamp(),
    user_id         uuid,
    actor           text         NOT NULL,
    credential      text,
    request_id      text,
    address         inet,
    action          text         NOT NULL,
    object_type     text         NOT NULL,
    object_id       text,
    object_name     text,
    camera_id       uuid,
    result          text         NOT NULL DEFAULT 'ok',
    code            text,
    old             jsonb,
    new             jsonb,
    details         jsonb,

    CONSTRAINT audit_log_has_one_row_each
        PRIMARY KEY (id, at),
    CONSTRAINT audit_log_belongs_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT audit_actions_are_an_object_and_a_verb
        CHECK (action ~ '^[a-z_]+[.][a-z_]+$'),
    CONSTRAINT audit_results_are_known
        CHECK (result IN ('ok', 'denied', 'failed')),
    CONSTRAINT audit_codes_say_why_it_was_not_done
        CHECK (result <> 'ok' OR code IS NULL)
) PARTITION BY RANGE (at);

-- serve lists, newest first: of a tenant, an object, a camera, a user, an
-- action, of what was refused, and of recordings
CREATE INDEX audit_log_by_time ON audit_log (tenant_id, at, id);
CREATE INDEX audit_log_by_object ON audit_log (object_id, at, id);
CREATE INDEX audit_log_by_camera ON audit_log (camera_id, at, id)
    WHERE camera_id IS NOT NULL;
CREATE INDEX audit_log_by_user ON audit_log (user_id, at, id);
CREATE INDEX audit_log_by_action ON audit_log (tenant_id, action, at, id);
CREATE INDEX audit_log_by_refusal ON audit_log (tenant_id, at, id)
    WHERE result <> 'ok';
CREATE INDEX audit_log_of_recordings ON audit_log (tenant_id, at, id)
    WHERE object_type = 'recording';

COMMENT ON TABLE audit_log IS
    'Who did what to which object, from where and with which result; '
    'append-only';
COMMENT ON COLUMN audit_log.actor IS
    'The user''s name at that time; of a change without one the role of the '
    'database';
COMMENT ON COLUMN audit_log.credential IS
    'session:ID or token:ID, none of who showed none; database:ROLE where it '
    'was not the API';
COMMENT ON COLUMN audit_log.object_id IS
    'As text, because not everything is named by a UUID';
COMMENT ON COLUMN audit_log.object_name IS
    'At that time';
COMMENT ON COLUMN audit_log.camera_id IS
    'The camera that it was about, NULL = none';
COMMENT ON COLUMN audit_log.code IS
    'Of the error it was refused or failed with';
COMMENT ON COLUMN audit_log.old IS
    'Columns that were changed, as they were; NULL = it was not there';
COMMENT ON COLUMN audit_log.new IS
    'The same afterwards; NULL = it was removed';
COMMENT ON COLUMN audit_log.details IS
    'What else there is to say: the range that was watched, say';

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_api_sees_one_tenant ON audit_log
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

CREATE POLICY whoever_has_grants_sees_no_audit ON audit_log
    AS RESTRICTIVE TO camera_api
    USING ((SELECT session_grantee()) IS NULL);

GRANT SELECT ON audit_log TO camera_api;

-- what is repeated

CREATE TABLE audit_repeats (
    log_id          bigint       NOT NULL,
    log_at          timestamptz  NOT NULL,
    tenant_id       uuid         NOT NULL,
    key             text         NOT NULL,
    last_at         timestamptz  NOT NULL,
    count           bigint       NOT NULL DEFAULT 1,
    from_time       timestamptz,
    to_time         timestamptz,
    is_open         boolean      NOT NULL DEFAULT true,

    CONSTRAINT audit_repeats_have_one_row_each
        PRIMARY KEY (log_id),
    CONSTRAINT audit_repeats_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

-- finds the open one in audit_note()
CREATE UNIQUE INDEX audit_repeats_are_open_once
    ON audit_repeats (tenant_id, key) WHERE is_open;

COMMENT ON TABLE audit_repeats IS
    'How often what a row of the audit log says was done, until when, and over '
    'which range; closed ones are never changed';
COMMENT ON COLUMN audit_repeats.key IS
    'Who did what to which object, as one text';
COMMENT ON COLUMN audit_repeats.from_time IS
    'Begin of all that was watched; to_time is its end';

ALTER TABLE audit_repeats ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_api_sees_one_tenant ON audit_repeats
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

CREATE POLICY whoever_has_grants_sees_no_audit ON audit_repeats
    AS RESTRICTIVE TO camera_api
    USING ((SELECT session_grantee()) IS NULL);

GRANT SELECT ON audit_repeats TO camera_api;

-- What was written stays.  A trigger for statements is not inherited, so each
-- partition has its own and cannot be changed by its name either.

CREATE TRIGGER audit_log_is_never_changed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION keep_audit_repeats() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    IF EXISTS (SELECT FROM audit_log a
               WHERE a.id = OLD.log_id AND a.at = OLD.log_at)
    THEN
        RAISE EXCEPTION '% goes with its row only', TG_TABLE_NAME
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;

    RETURN OLD;
END
$$;

COMMENT ON FUNCTION keep_audit_repeats IS
    'Trigger: a count stays for as long as the row that it counts';

CREATE TRIGGER audit_repeats_stay_with_their_row
    BEFORE DELETE ON audit_repeats
    FOR EACH ROW EXECUTE FUNCTION keep_audit_repeats();

CREATE TRIGGER audit_repeats_are_never_removed
    BEFORE TRUNCATE ON audit_repeats
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_repeats_stay_closed
    BEFORE UPDATE ON audit_repeats
    FOR EACH ROW WHEN (NOT OLD.is_open) EXECUTE FUNCTION refuse_change();

CREATE FUNCTION guard_audit_partition(name text, what text) RETURNS void
    LANGUAGE plpgsql AS
$$
BEGIN
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('COMMENT ON TABLE public.%I IS %L', name, what);
    EXECUTE format('CREATE TRIGGER audit_log_is_never_changed '
                   'BEFORE UPDATE OR DELETE OR TRUNCATE ON public.%I '
                   'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                   name);
END
$$;

COMMENT ON FUNCTION guard_audit_partition IS
    'Gives a partition of the audit log what it does not inherit';

CREATE FUNCTION make_audit_partition(month date) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s' AS
$$
DECLARE
    first       date = date_trunc('month', month);
    name        text = 'audit_log_' || to_char(month, 'YYYYMM');
    starts_at   timestamptz = first::timestamp AT TIME ZONE 'UTC';
    ends_at     timestamptz = (first + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit_partitions'));

    IF to_regclass('public.' || name) IS NOT NULL
       OR EXISTS (SELECT FROM audit_log_default
                  WHERE at >= starts_at AND at < ends_at)
    THEN
        RETURN false;           -- rows of the default one stay where they are
    END IF;

    EXECUTE format('CREATE TABLE public.%I PARTITION OF audit_log '
                   'FOR VALUES FROM (%L) TO (%L)', name, starts_at, ends_at);
    PERFORM guard_audit_partition(name, 'Audit of '
                                        || to_char(month, 'YYYY-MM')
                                        || ' (UTC)');

    RETURN true;
END
$$;

COMMENT ON FUNCTION make_audit_partition IS
    'Makes the partition of a month; false = it was there, or rows of that '
    'month are in the default one';

CREATE FUNCTION make_audit_partitions(months_ahead integer DEFAULT 2)
    RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    today   date = (clock_timestamp() AT TIME ZONE 'UTC')::date;
    made    integer = 0;
BEGIN
    FOR i IN 0 .. least(months_ahead, 24) LOOP
        made = made + make_audit_partition(
            (date_trunc('month', today) + make_interval(months => i))::date
        )::integer;
    END LOOP;

    RETURN made;
END
$$;

COMMENT ON FUNCTION make_audit_partitions IS
    'Makes the partitions of this month and those ahead; answers how many';

CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;

DO $$
BEGIN
    PERFORM guard_audit_partition('audit_log_default',
                                  'Audit of months without a partition');
    PERFORM make_audit_partitions();
END
$$;

-- Writing.  The transaction's id is taken before the row's, so that whoever
-- knows that a transaction is over knows it of all rows with smaller ids.

CREATE FUNCTION audit_role() RETURNS text
    LANGUAGE sql STABLE
    RETURN coalesce(nullif(current_setting('role'), 'none'), session_user);

COMMENT ON FUNCTION audit_role IS
    'As whom the database is used, also within a function of its owner';

CREATE FUNCTION audit_add(
        p_tenant        uuid,
        p_action        text,
        p_object_type   text,
        p_object_id     text,
        p_object_name   text    DEFAULT NULL,
        p_camera        uuid    DEFAULT NULL,
        p_old           jsonb   DEFAULT NULL,
        p_new           jsonb   DEFAULT NULL,
        p_details       jsonb   DEFAULT NULL,
        p_result        text    DEFAULT 'ok',
        p_code          text    DEFAULT NULL,
        p_user          uuid    DEFAULT NULL,
        p_credential    text    DEFAULT NULL,
        p_address       inet    DEFAULT NULL,
        p_request_id    text    DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql AS
$$
DECLARE
    who         record;
    name        text;
    added       bigint;
BEGIN
    PERFORM pg_current_xact_id();

    SELECT coalesce(p_user, a.user_id) AS user_id,
           coalesce(p_credential, a.credential) AS credential,
           coalesce(p_request_id, a.request_id) AS request_id,
           coalesce(p_address, a.address) AS address
    INTO who
    FROM session_actor() a;

    SELECT u.username INTO name FROM users u WHERE u.id = who.user_id;

    INSERT INTO audit_log (tenant_id, user_id, actor, credential, request_id,
                           address, action, object_type, object_id, object_name,
                           camera_id, result, code, old, new, details)
    VALUES (p_tenant, who.user_id,
            coalesce(name, CASE who.credential WHEN 'none' THEN 'nobody'
                           ELSE audit_role() END),
            coalesce(who.credential, 'database:' || audit_role()),
            left(who.request_id, 128), who.address, p_action, p_object_type,
            left(p_object_id, 200), left(p_object_name, 200), p_camera,
            p_result, p_code, p_old, p_new, p_details)
    RETURNING id INTO added;

    RETURN added;
END
$$;

COMMENT ON FUNCTION audit_add IS
    'Adds a row; who did it is in session_actor(), where nothing else is said';

CREATE FUNCTION audit_shown(line jsonb, columns text[], shown text[])
    RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN (SELECT jsonb_object_agg(c.key,
                       CASE WHEN c.key = ANY (shown) OR c.value = 'null'
                            THEN c.value ELSE '"(hidden)"' END)
            FROM jsonb_each(line) c
            WHERE c.key = ANY (columns));

COMMENT ON FUNCTION audit_shown IS
    'Of a row these columns, with the values of those that may be shown';

CREATE FUNCTION audit_columns(was jsonb, becomes jsonb, quiet text[])
    RETURNS text[]
    LANGUAGE sql IMMUTABLE
    RETURN (SELECT array_agg(c.key)
            FROM jsonb_each(coalesce(becomes, was)) c
            WHERE c.key <> ALL (quiet)
              AND CASE WHEN was IS NULL OR becomes IS NULL
                       THEN c.value <> 'null'
                       ELSE was -> c.key IS DISTINCT FROM c.value END);

COMMENT ON FUNCTION audit_columns IS
    'What there is to tell of a change: columns that differ, or have a value';

CREATE FUNCTION audit_verb(was jsonb, becomes jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE
        WHEN was IS NULL THEN 'create'
        WHEN becomes IS NULL THEN 'delete'
        WHEN was ->> 'deleted_at' IS NULL
             AND becomes ->> 'deleted_at' IS NOT NULL THEN 'delete'
        WHEN was ->> 'revoked_at' IS NULL
             AND becomes ->> 'revoked_at' IS NOT NULL THEN 'revoke'
        WHEN was -> 'password_hash' <> becomes -> 'password_hash'
            THEN 'password'
        WHEN was -> 'is_active' = 'true' AND becomes -> 'is_active' = 'false'
            THEN 'disable'
        WHEN was -> 'is_active' = 'false' AND becomes -> 'is_active' = 'true'
            THEN 'enable'
        ELSE 'update' END;

COMMENT ON FUNCTION audit_verb IS
    'What a change of a row is called';

-- TG_ARGV: the object's type, its columns of id and name, those that are shown
-- and those whose changes are no news, and a verb where it is always the same

CREATE FUNCTION audit_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    was         jsonb = CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    becomes     jsonb = CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    line        jsonb = coalesce(becomes, was);
    columns     text[];
BEGIN
    columns = audit_columns(was, becomes, TG_ARGV[4]::text[]);

    IF columns IS NULL THEN
        RETURN NULL;
    END IF;

    PERFORM audit_add(
        coalesce(line ->> 'tenant_id', line ->> 'id')::uuid,
        TG_ARGV[0] || '.' || coalesce(TG_ARGV[5], audit_verb(was, becomes)),
        TG_ARGV[0], line ->> TG_ARGV[1], line ->> TG_ARGV[2],
        CASE WHEN TG_ARGV[0] = 'camera' THEN line ->> 'id'
             ELSE line ->> 'camera_id' END::uuid,
        audit_shown(was, columns, TG_ARGV[3]::text[]),
        audit_shown(becomes, columns, TG_ARGV[3]::text[]));

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION audit_row IS
    'Trigger: writes a change into the audit log, as audit_table() says';

CREATE FUNCTION audit_table(
        p_table     regclass,
        p_object    text,
        p_shown     text[],
        p_quiet     text[]  DEFAULT '{}',
        p_id        text    DEFAULT 'id',
        p_name      text    DEFAULT 'name',
        p_events    text    DEFAULT 'INSERT OR UPDATE OR DELETE')
    RETURNS void
    LANGUAGE plpgsql AS
$$
BEGIN
    EXECUTE format('CREATE OR REPLACE TRIGGER rows_are_audited AFTER %s ON %s '
                   'FOR EACH ROW EXECUTE FUNCTION audit_row(%L, %L, %L, %L, %L)',
                   p_events, p_table, p_object, p_id, p_name, p_shown,
                   p_quiet || '{created_at,updated_at,rev,version}');
END
$$;

COMMENT ON FUNCTION audit_table IS
    'Has each change of a table written into the audit log: as what, which '
    'columns with their values, and which changes are no news at all.  The '
    'table has a tenant_id, or is that of the tenants';

-- A note is a row for the first time, and for the same thing done again within
-- p_within of the last time, and a day of the first, one more in its count.

CREATE FUNCTION audit_note(
        p_tenant        uuid,
        p_within        interval,
        p_action        text,
        p_object_type   text,
        p_object_id     text,
        p_object_name   text        DEFAULT NULL,
        p_camera        uuid        DEFAULT NULL,
        p_from          timestamptz DEFAULT NULL,
        p_to            timestamptz DEFAULT NULL,
        p_result        text        DEFAULT 'ok',
        p_code          text        DEFAULT NULL,
        p_user          uuid        DEFAULT NULL,
        p_credential    text        DEFAULT NULL,
        p_address       inet        DEFAULT NULL,
        p_request_id    text        DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql AS
$$
DECLARE
    p_key       text;
    noted       bigint;
    moment      timestamptz;
BEGIN
    SELECT concat_ws(' ', coalesce(p_credential, a.credential),
                     coalesce(p_user, a.user_id),
                     coalesce(p_address, a.address), p_action, p_object_type, p_object_id, p_camera, p_result,
                     p_code)
    INTO p_key
    FROM session_actor() a;

    PERFORM pg_advisory_xact_lock(hashtextextended(p_tenant || p_key, 0));

    moment = clock_timestamp();

    UPDATE audit_repeats r
    SET count = r.count + 1, last_at = moment,
        from_time = least(r.from_time, p_from),
        to_time = greatest(r.to_time, p_to)
    WHERE r.tenant_id = p_tenant AND r.key = p_key AND r.is_open
      AND r.last_at > moment - p_within
      AND r.log_at > moment - interval '1 day'
    RETURNING r.log_id INTO noted;

    IF FOUND THEN
        RETURN noted;
    END IF;

    UPDATE audit_repeats r
    SET is_open = false
    WHERE r.tenant_id = p_tenant AND r.key = p_key AND r.is_open;

    noted = audit_add(p_tenant, p_action, p_object_type, p_object_id,
                      p_object_name, p_camera, NULL, NULL,
                      nullif(jsonb_strip_nulls(jsonb_build_object(
                          'from', json_time(p_from), 'to', json_time(p_to))),
                          '{}'),
                      p_result, p_code, p_user, p_credential, p_address,
                      p_request_id);

    INSERT INTO audit_repeats (log_id, log_at, tenant_id, key, last_at,
                               from_time, to_time)
    SELECT a.id, a.at, p_tenant, p_key, a.at, p_from, p_to
    FROM audit_log a
    WHERE a.id = noted AND a.at >= moment;

    RETURN noted;
END
$$;

COMMENT ON FUNCTION audit_note IS
    'Adds a row for what was done, or counts it where that was done lately; '
    'answers the number of the row';

-- reading

CREATE VIEW api_audit WITH (security_invoker = true) AS
SELECT a.id,
       a.at,
       a.user_id,
       a.actor,
       split_part(a.credential, ':', 1)                     AS credential_type,
       nullif(split_part(a.credential, ':', 2), '')         AS credential_id,
       a.request_id,
       host(a.address)                                      AS address,
       a.action,
       a.object_type,
       a.object_id,
       a.object_name,
       a.camera_id,
       a.result,
       a.code,
       a.old,
       a.new,
       CASE WHEN r.count > 1
            THEN a.details || jsonb_strip_nulls(jsonb_build_object(
                     'from', json_time(r.from_time),
                     'to', json_time(r.to_time)))
            ELSE a.details END                              AS details,
       coalesce(r.last_at, a.at)                            AS last_at,
       coalesce(r.count, 1)                                 AS count
FROM audit_log a
LEFT JOIN audit_repeats r ON r.log_id = a.id;

COMMENT ON VIEW api_audit IS
    'The audit log with the rights of who reads, and how often each was done';

GRANT SELECT ON api_audit TO camera_api;

CREATE FUNCTION api_audit_list(
        p_limit         integer,
        p_from          timestamptz DEFAULT NULL,
        p_to            timestamptz DEFAULT NULL,
        p_user          uuid        DEFAULT NULL,
        p_object_type   text        DEFAULT NULL,
        p_object_id     text        DEFAULT NULL,
        p_action        text        DEFAULT NULL,
        p_result        text        DEFAULT NULL,
        p_before_at     timestamptz DEFAULT NULL,
        p_before_id     bigint      DEFAULT NULL)
    RETURNS SETOF api_audit
    LANGUAGE plpgsql STABLE
    SET plan_cache_mode = force_custom_plan AS
$$
BEGIN
    RETURN QUERY
    SELECT a.*
    FROM api_audit a
    WHERE (p_from IS NULL OR a.at >= p_from)
      AND (p_to IS NULL OR a.at < p_to)
      AND (p_user IS NULL OR a.user_id = p_user)
      AND (p_object_type IS NULL OR a.object_type = p_object_type)
      AND (p_object_id IS NULL OR a.object_id = p_object_id)
      AND (p_action IS NULL OR a.action = p_action)
      AND (p_result IS NULL OR a.result = p_result)
      AND (p_before_at IS NULL OR (a.at, a.id) < (p_before_at, p_before_id))
    ORDER BY a.at DESC, a.id DESC
    LIMIT p_limit;
END
$$;

COMMENT ON FUNCTION api_audit_list IS
    'A page of the audit log, newest first; p_before_at and p_before_id are of '
    'the last row of the page before.  Planned for what it is given, because '
    'each filter has an index of its own';

REVOKE EXECUTE ON FUNCTION
    keep_audit_repeats, guard_audit_partition, make_audit_partition, make_audit_partitions,
    audit_role, audit_add, audit_shown, audit_columns, audit_verb, audit_row,
    audit_table, audit_note, api_audit_list
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_audit_partitions TO camera_worker;
GRANT EXECUTE ON FUNCTION api_audit_list TO camera_api;
