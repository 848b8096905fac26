-- Quotas of tenants: how many cameras they may have, how many may publish and
-- be watched at once, what may be sent to viewers and what may be kept.  0 is
-- any number, as it is for max_publishers.

ALTER TABLE tenants
    ADD COLUMN max_cameras integer NOT NULL DEFAULT 0,
    ADD COLUMN max_viewers integer NOT NULL DEFAULT 0,
    ADD COLUMN max_egress_kbps integer NOT NULL DEFAULT 0,
    ADD COLUMN max_stored_bytes bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT tenant_quotas_of_all_kinds_are_not_negative
        CHECK (max_cameras >= 0 AND max_viewers >= 0
               AND max_egress_kbps >= 0 AND max_stored_bytes >= 0);

COMMENT ON COLUMN tenants.max_cameras IS
    'Cameras that it may have, 0 = any number';
COMMENT ON COLUMN tenants.max_viewers IS
    'Sessions that may play at once on a node, 0 = any number';
COMMENT ON COLUMN tenants.max_egress_kbps IS
    'Kilobits a second to viewers of a node beyond which no session starts, '
    '0 = any number';
COMMENT ON COLUMN tenants.max_stored_bytes IS
    'Upper bound of retention_bytes, 0 = none';

-- cameras: one at a time, so that two at once cannot both be the last one

CREATE FUNCTION tenant_has_room_for_camera() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    most    integer;
BEGIN
    SELECT t.max_cameras INTO most
    FROM tenants t
    WHERE t.id = NEW.tenant_id;

    IF most > 0 THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(NEW.tenant_id::text,
                                                       30));

        IF (SELECT count(*) FROM cameras c
            WHERE c.tenant_id = NEW.tenant_id AND c.deleted_at IS NULL) >= most
        THEN
            RAISE EXCEPTION 'the tenant has all the cameras that it may have'
                USING ERRCODE = 'check_violation',
                      CONSTRAINT = 'tenants_have_so_many_cameras';
        END IF;
    END IF;

    RETURN NEW;
END
$$;

COMMENT ON FUNCTION tenant_has_room_for_camera IS
    'Trigger: a camera beyond the quota is refused';

REVOKE EXECUTE ON FUNCTION tenant_has_room_for_camera FROM PUBLIC;

CREATE TRIGGER cameras_have_room_in_their_tenant
    BEFORE INSERT ON cameras
    FOR EACH ROW EXECUTE FUNCTION tenant_has_room_for_camera();

-- storage: retention keeps what it is told, so the quota bounds what it is told

CREATE FUNCTION bound_retention_by_quota() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    NEW.retention_bytes = least(NEW.retention_bytes, NEW.max_stored_bytes);
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION bound_retention_by_quota IS
    'Trigger: no tenant keeps more than it may, and none without a limit';

CREATE TRIGGER tenants_keep_what_they_may
    BEFORE INSERT OR UPDATE ON tenants
    FOR EACH ROW WHEN (NEW.max_stored_bytes > 0)
    EXECUTE FUNCTION bound_retention_by_quota();

-- publishers and viewers: decided by each node, which has them with its cameras

CREATE OR REPLACE VIEW feeder_cameras AS
SELECT c.id                                         AS camera,
       c.tenant_id                                  AS tenant,
       c.rtmp_key                                   AS key,
       c.is_active AND t.is_active                  AS active,
       c.cut_at_expiry,
       now_k.generation                             AS key_generation,
       coalesce(prev_k.generation, 0)               AS prev_generation,
       coalesce(floor(extract(epoch FROM prev_k.valid_until)), 0)::bigint
                                                    AS prev_until,
       now_k.opaque_hash                            AS opaque_hash,
       prev_k.opaque_hash                           AS prev_opaque_hash,
       c.play_epoch,
       t.max_publishers,
       array_to_string(c.allowed_cidrs, ' ')        AS cidrs,
       c.stream_status,
       c.deleted_at IS NOT NULL                     AS removed,
       c.rev,
       t.max_viewers,
       t.max_egress_kbps
FROM cameras c
JOIN tenants t ON t.id = c.tenant_id
CROSS JOIN LATERAL (
    SELECT generation, opaque_hash
    FROM stream_keys
    WHERE camera_id = c.id
    ORDER BY generation DESC
    LIMIT 1
) now_k
LEFT JOIN stream_keys prev_k
    ON prev_k.camera_id = c.id
   AND prev_k.generation = now_k.generation - 1
   AND prev_k.valid_until > CURRENT_TIMESTAMP;

DROP TRIGGER tenants_bump_their_cameras ON tenants;

CREATE TRIGGER tenants_bump_their_cameras
    AFTER UPDATE ON tenants
    FOR EACH ROW
    WHEN ((OLD.is_active, OLD.max_publishers, OLD.max_viewers,
           OLD.max_egress_kbps)
          IS DISTINCT FROM
          (NEW.is_active, NEW.max_publishers, NEW.max_viewers,
           NEW.max_egress_kbps))
    EXECUTE FUNCTION bump_cameras_of_tenant();

-- what a tenant sees of itself

CREATE VIEW api_tenant WITH (security_invoker = true) AS
SELECT t.id,
       t.slug::text                         AS slug,
       t.name::text                         AS name,
       nullif(t.max_cameras, 0)             AS max_cameras,
       nullif(t.max_publishers, 0)          AS max_publishers,
       nullif(t.max_viewers, 0)             AS max_viewers,
       nullif(t.max_egress_kbps, 0)         AS max_egress_kbps,
       nullif(t.max_stored_bytes, 0)        AS max_stored_bytes,
       t.max_requests_per_hour,
       c.cameras,
       c.publishers,
       (SELECT coalesce(sum(d.bytes), 0)::bigint
        FROM recording_days d
        WHERE d.tenant_id = t.id)           AS stored_bytes,
       t.created_at
FROM tenants t
CROSS JOIN LATERAL (
    SELECT count(*)::integer                AS cameras,
           (count(*) FILTER (WHERE c.stream_status
                             IN ('online', 'connecting')))::integer
                                            AS publishers
    FROM cameras c
    WHERE c.tenant_id = t.id AND c.deleted_at IS NULL
) c;

COMMENT ON VIEW api_tenant IS
    'The tenant of app.tenant: its quotas, NULL = any number, and what it has';

GRANT SELECT ON api_tenant TO camera_api;
GRANT UPDATE (name) ON tenants TO camera_api;
