DROP FUNCTION recording_upkeep();
DROP FUNCTION recording_keep(uuid);
DROP INDEX recordings_to_be_probed;
DROP TABLE retention_clocks;
DROP FUNCTION recording_gap_alerts(integer);
DROP FUNCTION recording_gap_alert(uuid, timestamptz, timestamptz, text);
ALTER TABLE tenants DROP COLUMN gap_alert_sec;
