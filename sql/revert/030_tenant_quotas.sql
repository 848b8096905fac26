REVOKE UPDATE (name) ON tenants FROM camera_api;
DROP VIEW api_tenant;

DROP TRIGGER tenants_bump_their_cameras ON tenants;

CREATE TRIGGER tenants_bump_their_cameras
    AFTER UPDATE ON tenants
    FOR EACH ROW
    WHEN (OLD.is_active <> NEW.is_active
          OR OLD.max_publishers <> NEW.max_publishers)
    EXECUTE FUNCTION bump_cameras_of_tenant();

DROP VIEW feeder_cameras;

CREATE VIEW feeder_cameras AS
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
       c.rev
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

COMMENT ON VIEW feeder_cameras IS
    'Cameras as the registry of each node holds them, removed ones included';
COMMENT ON COLUMN feeder_cameras.prev_until IS
    'Unix seconds until which the generation before is valid';

GRANT SELECT ON feeder_cameras TO camera_app;

DROP TRIGGER tenants_keep_what_they_may ON tenants;
DROP FUNCTION bound_retention_by_quota();
DROP TRIGGER cameras_have_room_in_their_tenant ON cameras;
DROP FUNCTION tenant_has_room_for_camera();

ALTER TABLE tenants
    DROP COLUMN max_stored_bytes,
    DROP COLUMN max_egress_kbps,
    DROP COLUMN max_viewers,
    DROP COLUMN max_cameras;
