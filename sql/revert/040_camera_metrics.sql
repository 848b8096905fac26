DROP VIEW api_dashboard;
DROP FUNCTION api_camera_days(uuid, date, date);
DROP FUNCTION api_camera_metrics(uuid, timestamptz, timestamptz, interval);
DROP FUNCTION api_metrics_add(uuid[], boolean[], float8[], bigint[], integer[],
    timestamptz);
DROP TABLE camera_metric_days, camera_metrics;
