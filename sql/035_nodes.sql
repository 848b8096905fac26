-- Nodes: the servers that take in cameras, as each says of itself every ten
-- seconds.  They are nobody's: every tenant may know where its cameras are,
-- and counts no one else's.

CREATE TABLE nodes (
    id              varchar(100) NOT NULL,
    host            varchar(255),
    rtmps_port      integer,
    https_base      varchar(300),
    region          varchar(100),
    capacity        integer      NOT NULL,
    started_at      timestamptz  NOT NULL,
    heartbeat_at    timestamptz  NOT NULL,

    CONSTRAINT nodes_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT node_ports_are_ports
        CHECK (rtmps_port BETWEEN 1 AND 65535),
    CONSTRAINT node_capacities_are_positive
        CHECK (capacity > 0)
);

COMMENT ON TABLE nodes IS
    'Servers that take in cameras; a silent one is forgotten after 30 days';
COMMENT ON COLUMN nodes.id IS
    'Its name in nginx.conf, and in cameras.assigned_node';
COMMENT ON COLUMN nodes.host IS
    'Where cameras push to';
COMMENT ON COLUMN nodes.https_base IS
    'Where it is reached by people, NULL = by the name that they know it by';
COMMENT ON COLUMN nodes.capacity IS
    'Cameras that it has room for';

ALTER TABLE nodes ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_api_sees_all ON nodes FOR SELECT TO camera_api USING (true);

GRANT SELECT ON nodes TO camera_api;

-- serves the sum over a tenant's cameras, and those of a node

CREATE INDEX cameras_by_node ON cameras (tenant_id, assigned_node)
    WHERE deleted_at IS NULL AND stream_status IN ('online', 'connecting');

CREATE VIEW api_nodes WITH (security_invoker = true) AS
SELECT n.id::text                               AS id,
       n.host::text                             AS host,
       n.rtmps_port,
       n.https_base::text                       AS https_base,
       n.region::text                           AS region,
       n.capacity,
       (SELECT count(*)::integer
        FROM cameras c
        WHERE c.assigned_node = n.id
          AND c.stream_status IN ('online', 'connecting')
          AND c.deleted_at IS NULL)             AS active_streams,
       CASE WHEN n.heartbeat_at > now() - interval '30 s'
            THEN 'healthy' ELSE 'silent' END    AS health,
       n.started_at,
       n.heartbeat_at
FROM nodes n;

COMMENT ON VIEW api_nodes IS
    'Nodes, with the number of cameras there that whoever reads may see';

GRANT SELECT ON api_nodes TO camera_api;

CREATE FUNCTION api_node_heartbeat(
        p_node          text,
        p_publish_url   text,
        p_public_url    text,
        p_region        text,
        p_capacity      integer,
        p_started_at    timestamptz)
    RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    DELETE FROM nodes WHERE heartbeat_at < now() - interval '30 days';

    INSERT INTO nodes (id, host, rtmps_port, https_base, region, capacity,
                       started_at, heartbeat_at)
    SELECT left(p_node, 100), u.parts[1],
           CASE WHEN u.parts[2]::integer BETWEEN 1 AND 65535
                THEN u.parts[2]::integer ELSE 1935 END,
           nullif(p_public_url, ''), nullif(p_region, ''), p_capacity,
           p_started_at, now()
    FROM (SELECT regexp_match(p_publish_url,
              '^[a-z]+://([^/:\[\]]+|\[[0-9a-fA-F:.]+\])(?::([0-9]{1,5}))?(?:/|$)')
              AS parts) u
    ON CONFLICT (id) DO UPDATE
    SET host = excluded.host, rtmps_port = excluded.rtmps_port,
        https_base = excluded.https_base, region = excluded.region,
        capacity = excluded.capacity, started_at = excluded.started_at,
        heartbeat_at = excluded.heartbeat_at;
END;

COMMENT ON FUNCTION api_node_heartbeat IS
    'What a node says of itself; of its publish URL host and port are kept, '
    'that of RTMP where it names none';

REVOKE EXECUTE ON FUNCTION api_node_heartbeat FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_node_heartbeat TO camera_api;
