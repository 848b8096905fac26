DROP FUNCTION api_schedule_delete(uuid);
DROP FUNCTION api_schedule_put(uuid, text, jsonb);
DROP FUNCTION api_recording_stop(uuid);
DROP FUNCTION api_recording_start(uuid, integer, integer, text, uuid);

DROP TRIGGER tenants_wake_the_recorder ON tenants;
DROP TRIGGER cameras_wake_the_recorder_when_changed ON cameras;
DROP TRIGGER cameras_wake_the_recorder_when_inserted ON cameras;

DROP FUNCTION recording_wishes(timestamptz);
DROP FUNCTION schedule_times(text, jsonb, timestamptz);
DROP TABLE recording_events;
DROP TABLE recording_schedules;
DROP FUNCTION notify_recording_changed();
DROP FUNCTION schedule_windows_are_good(jsonb);
DROP FUNCTION time_zone_is_known(text);
