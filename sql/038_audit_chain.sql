-- The audit log as a chain, for each tenant: each row's place in it, and a hash
-- over that of the place before and the row.  So no row can be changed, taken
-- away, put in between or moved without all that follows being wrong; and an
-- anchor, which is a place and its hash, signed with a key that the database
-- does not have, shows when all that follows was made anew, or cut off.
--
--     row_hash = SHA-256("camera-audit 1\n" and the row's fields)
--     hash     = SHA-256(hash of the place before || row_hash), 32 zero bytes
--                standing before the first
--
-- The jobs role of camera-worker chains rows some seconds after they were
-- written, one at a time of all nodes [audit_chain_next].  Ids are not given
-- out in the order of commits, so a row with a smaller id may appear late: rows
-- are looked for above low_id, and that moves up to mark_id when every
-- transaction is over that was not when mark_id was the newest id.
--
-- Rows stay for ever unless keep_months says otherwise [audit_expire]: then
-- whole months go, and their places stay.  A row says so, in the chain.

CREATE TABLE audit_chain (
    tenant_id       uuid         NOT NULL,
    position        bigint       NOT NULL,
    log_id          bigint       NOT NULL,
    log_at          timestamptz  NOT NULL,
    row_hash        bytea        NOT NULL,
    hash            bytea        NOT NULL,
    chained_at      timestamptz  NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT audit_places_follow_one_another
        PRIMARY KEY (tenant_id, position),
    CONSTRAINT audit_rows_have_one_place
        UNIQUE (log_id),
    CONSTRAINT audit_chain_belongs_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT audit_hashes_are_sha256
        CHECK (octet_length(row_hash) = 32 AND octet_length(hash) = 32)
);

COMMENT ON TABLE audit_chain IS
    'Rows of the audit log in their order, and the hash of all up to each';
COMMENT ON COLUMN audit_chain.position IS
    'From 1, without a hole';

CREATE TABLE audit_anchors (
    tenant_id       uuid         NOT NULL,
    position        bigint       NOT NULL,
    log_id          bigint       NOT NULL,
    hash            bytea        NOT NULL,
    at              timestamptz  NOT NULL,
    kid             text         NOT NULL,
    signature       text         NOT NULL,

    CONSTRAINT audit_anchors_are_of_one_place
        PRIMARY KEY (tenant_id, position),
    CONSTRAINT audit_anchors_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

COMMENT ON TABLE audit_anchors IS
    'Places of the chain, signed; what is kept elsewhere is worth more';

CREATE TABLE audit_state (
    only_one        boolean      NOT NULL DEFAULT true,
    low_id          bigint       NOT NULL DEFAULT 0,
    mark_id         bigint       NOT NULL DEFAULT 0,
    mark_xid        xid8         NOT NULL DEFAULT '0',
    keep_months     integer,

    CONSTRAINT audit_state_has_one_row
        PRIMARY KEY (only_one),
    CONSTRAINT audit_state_has_no_other_row
        CHECK (only_one),
    CONSTRAINT audit_is_kept_for_a_month
        CHECK (keep_months > 0)
);

COMMENT ON TABLE audit_state IS
    'How far the chain is, and how long the audit log is kept';
COMMENT ON COLUMN audit_state.low_id IS
    'All rows up to this one are in the chain; one that is not was put there';
COMMENT ON COLUMN audit_state.mark_xid IS
    'When all transactions before it are over, low_id may be mark_id';
COMMENT ON COLUMN audit_state.keep_months IS
    'Whole months after which rows go, NULL = never';

INSERT INTO audit_state DEFAULT VALUES;

ALTER TABLE audit_chain ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_anchors ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_state ENABLE ROW LEVEL SECURITY;

CREATE TRIGGER audit_chain_is_never_changed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_anchors_are_never_changed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_anchors
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- what is hashed of a row; docs/audit.md has it for who writes another one

CREATE FUNCTION audit_field(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(octet_length(convert_to(value, 'UTF8')) || ':' || value
                    || ',', '-,');

COMMENT ON FUNCTION audit_field IS
    'A text with its length in bytes, so that none can run into the next one';

CREATE FUNCTION audit_row_hash(line audit_log) RETURNS bytea
    LANGUAGE sql STABLE
    RETURN sha256(convert_to(
        E'camera-audit 1\n'
        || audit_field(line.tenant_id::text)
        || audit_field(line.id::text)
        || audit_field(to_char(line.at AT TIME ZONE 'UTC',
                               'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || audit_field(line.user_id::text)
        || audit_field(line.actor)
        || audit_field(line.credential)
        || audit_field(line.request_id)
        || audit_field(host(line.address))
        || audit_field(line.action)
        || audit_field(line.object_type)
        || audit_field(line.object_id)
        || audit_field(line.object_name)
        || audit_field(line.camera_id::text)
        || audit_field(line.result)
        || audit_field(line.code)
        || audit_field(line.old::text)
        || audit_field(line.new::text)
        || audit_field(line.details::text), 'UTF8'));

COMMENT ON FUNCTION audit_row_hash IS
    'SHA-256 of a row in its one form';

CREATE FUNCTION audit_chain_next(p_most integer DEFAULT 1000) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    state       audit_state;
    line        audit_log;
    tenant      uuid;
    place       bigint;
    last_hash   bytea;
    this_hash   bytea;
    newest      bigint;
    over        boolean;
    complete    boolean;
    highest     bigint = 0;
    n           integer = 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('audit_chain')) THEN
        RETURN 0;
    END IF;

    SELECT * INTO STRICT state FROM audit_state FOR UPDATE;
    SELECT last_value INTO newest FROM audit_log_id_seq;

    -- an id that this cluster never had is of one whose backup this is: all its
    -- transactions are over

    over = pg_snapshot_xmin(pg_current_snapshot()) >= state.mark_xid
           OR pg_snapshot_xmax(pg_current_snapshot()) < state.mark_xid;

    FOR line IN
        SELECT l.*
        FROM (SELECT a.*
              FROM audit_log a
              WHERE a.id > state.low_id
                AND NOT EXISTS (SELECT FROM audit_chain c
                                WHERE c.log_id = a.id)
              ORDER BY a.id
              LIMIT p_most) l
        ORDER BY l.tenant_id, l.id
    LOOP
        IF line.tenant_id IS DISTINCT FROM tenant THEN
            tenant = line.tenant_id;

            SELECT c.position, c.hash INTO place, last_hash
            FROM audit_chain c
            WHERE c.tenant_id = tenant
            ORDER BY c.position DESC
            LIMIT 1;

            IF NOT FOUND THEN
                place = 0;
                last_hash = decode(repeat('00', 32), 'hex');
            END IF;
        END IF;

        this_hash = audit_row_hash(line);
        last_hash = sha256(last_hash || this_hash);
        place = place + 1;

        INSERT INTO audit_chain (tenant_id, position, log_id, log_at, row_hash,
                                 hash)
        VALUES (tenant, place, line.id, line.at, this_hash, last_hash);

        highest = greatest(highest, line.id);
        n = n + 1;
    END LOOP;

    -- of a batch that is full, only what is below its highest id is known

    complete = n < p_most OR highest >= state.mark_id;

    IF over AND (NOT complete OR state.low_id <> newest) THEN
        UPDATE audit_state s
        SET low_id = CASE WHEN complete THEN s.mark_id ELSE highest END,
            mark_id = CASE WHEN complete THEN newest ELSE s.mark_id END,
            mark_xid = CASE WHEN complete
                            THEN pg_snapshot_xmax(pg_current_snapshot())
                            ELSE s.mark_xid END;
    END IF;

    RETURN n;
END
$$;

COMMENT ON FUNCTION audit_chain_next IS
    'Puts rows that have no place into the chain; answers how many.  0 is also '
    'for who comes while another one does it';

-- anchors

CREATE FUNCTION audit_heads(p_all boolean DEFAULT false)
    RETURNS TABLE (
        tenant_id   uuid,
        "position"  bigint,
        log_id      bigint,
        hash        text,
        at          text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
    SELECT t.id, c.position, c.log_id, encode(c.hash, 'hex'),
           json_time(clock_timestamp())
    FROM tenants t
    CROSS JOIN LATERAL (SELECT c.*
                        FROM audit_chain c
                        WHERE c.tenant_id = t.id
                        ORDER BY c.position DESC
                        LIMIT 1) c
    WHERE p_all OR NOT EXISTS (SELECT FROM audit_anchors a
                               WHERE a.tenant_id = t.id
                                 AND a.position = c.position)
    ORDER BY t.id;
$$;

COMMENT ON FUNCTION audit_heads IS
    'The last place of each tenant''s chain, of those that have no anchor yet';

CREATE FUNCTION audit_anchor_add(p_tenant uuid, p_position bigint,
                                 p_at timestamptz, p_kid text, p_signature text)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    INSERT INTO audit_anchors (tenant_id, position, log_id, hash, at, kid,
                               signature)
    SELECT c.tenant_id, c.position, c.log_id, c.hash, p_at, p_kid, p_signature
    FROM audit_chain c
    WHERE c.tenant_id = p_tenant AND c.position = p_position
    ON CONFLICT DO NOTHING;

    RETURN FOUND;
END
$$;

COMMENT ON FUNCTION audit_anchor_add IS
    'Keeps a place that was signed; false = it is there already';

-- the end of a month

CREATE FUNCTION audit_expire() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s' AS
$$
DECLARE
    state       audit_state;
    month       record;
    of_tenant   record;
    dropped     integer = 0;
    waiting     boolean;
BEGIN
    SELECT * INTO STRICT state FROM audit_state;

    FOR month IN
        SELECT c.relname AS name,
               (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month')
                   AT TIME ZONE 'UTC' AS ends_at
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'audit_log'::regclass
          AND c.relname ~ '^audit_log_[0-9]{6}$'
        ORDER BY c.relname
    LOOP
        CONTINUE WHEN state.keep_months IS NULL
            OR month.ends_at
               > clock_timestamp() - make_interval(months => state.keep_months);

        EXECUTE format('SELECT EXISTS (SELECT FROM %I a WHERE NOT EXISTS '
                       '(SELECT FROM audit_chain c WHERE c.log_id = a.id))',
                       month.name) INTO waiting;
        CONTINUE WHEN waiting;

        FOR of_tenant IN EXECUTE
            format('SELECT tenant_id AS id, count(*) AS n FROM %I GROUP BY 1',
                   month.name)
        LOOP
            PERFORM audit_add(of_tenant.id, 'audit.expire', 'audit', month.name,
                              NULL, NULL, NULL, NULL,
                              jsonb_build_object(
                                  'before', json_time(month.ends_at),
                                  'rows', of_tenant.n));
        END LOOP;

        EXECUTE format('DROP TABLE %I', month.name);
        DELETE FROM audit_repeats r WHERE r.log_at < month.ends_at
            AND NOT EXISTS (SELECT FROM audit_log a
                            WHERE a.id = r.log_id AND a.at = r.log_at);
        dropped = dropped + 1;
    END LOOP;

    RETURN dropped;
END
$$;

COMMENT ON FUNCTION audit_expire IS
    'Drops months whose time is over and whose rows are all in the chain, and '
    'says so in the log; answers how many';

REVOKE EXECUTE ON FUNCTION
    audit_field, audit_row_hash, audit_chain_next, audit_heads,
    audit_anchor_add, audit_expire
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    audit_chain_next, audit_heads, audit_anchor_add, audit_expire
    TO camera_worker;
