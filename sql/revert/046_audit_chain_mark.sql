CREATE OR REPLACE FUNCTION audit_chain_next(p_most integer DEFAULT 1000) RETURNS integer
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
