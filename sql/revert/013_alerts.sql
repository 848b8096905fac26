DROP FUNCTION api_alert_acknowledge(uuid, uuid);
DROP VIEW api_alerts;
DROP FUNCTION alert_tenants(uuid);
DROP FUNCTION alert_calm(uuid, uuid, text, timestamptz);
DROP FUNCTION alert_raise(uuid, uuid, text, text, text, jsonb, timestamptz);
DROP TABLE alerts;
