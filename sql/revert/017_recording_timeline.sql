DROP FUNCTION api_recording_timeline(uuid, timestamptz, timestamptz, integer);
