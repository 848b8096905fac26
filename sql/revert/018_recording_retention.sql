DROP FUNCTION api_storage_usage();
DROP FUNCTION recording_coverage(uuid, date, date);
DROP FUNCTION api_recording_settings_set(integer, bigint);
DROP VIEW api_recording_settings;
DROP FUNCTION api_retention_preview(integer);
DROP FUNCTION retention_forget_gaps(timestamptz);
DROP FUNCTION recording_task_done(uuid, text);
DROP FUNCTION recording_forget(uuid);
DROP FUNCTION retention_mark(uuid[]);
DROP FUNCTION retention_candidates(integer, timestamptz, uuid);
DROP FUNCTION retention_excess(uuid);

ALTER TABLE cameras
    DROP COLUMN delete_recordings,
    DROP COLUMN retention_bytes,
    DROP COLUMN retention_days;
ALTER TABLE tenants
    DROP COLUMN retention_bytes,
    DROP COLUMN retention_days;
