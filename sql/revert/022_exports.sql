DROP FUNCTION api_export_delete(uuid);
DROP FUNCTION api_export_create(uuid, timestamptz, timestamptz, uuid, integer);
DROP VIEW api_exports;
DROP TABLE exports;
DROP FUNCTION notify_export_event();
DROP FUNCTION notify_export_changed();
