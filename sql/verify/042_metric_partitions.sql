-- A sample lies in the partition of its day, which goes when its time is over.

INSERT INTO cameras (name) VALUES ('verify');

SELECT api_metrics_add(ARRAY[id], '{true}', '{15}', '{1000}', '{2}')
FROM cameras
WHERE name = 'verify';

SELECT 1 / (m.tableoid::regclass::text = 'camera_metrics_'
            || to_char(m.bucket AT TIME ZONE 'UTC', 'YYYYMMDD'))::integer
FROM camera_metrics m
JOIN cameras c ON c.id = m.camera_id AND c.name = 'verify';

CREATE TABLE camera_metrics_20000101 PARTITION OF camera_metrics
    FOR VALUES FROM ('2000-01-01Z') TO ('2000-01-02Z');

SELECT 1 / (drop_old_metric_partitions() > 0)::integer;

SELECT 1 / (to_regclass('camera_metrics_20000101') IS NULL)::integer;
