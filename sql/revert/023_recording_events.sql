DROP TRIGGER alerts_tell_when_acknowledged ON alerts;
DROP TRIGGER alerts_tell_when_updated ON alerts;
DROP TRIGGER alerts_tell_when_created ON alerts;
DROP FUNCTION notify_alert_event();

DROP FUNCTION recording_gaps_tell(integer);
DROP TRIGGER recording_gaps_tell_when_over ON recording_gaps;
DROP TRIGGER recording_gaps_tell_when_inserted ON recording_gaps;
DROP FUNCTION notify_gap_event();
ALTER TABLE recording_gaps DROP COLUMN told_at;

DROP TRIGGER recordings_tell_when_deleted ON recordings;
DROP TRIGGER recordings_tell_when_finished ON recordings;
DROP TRIGGER recordings_tell_when_started ON recordings;
DROP FUNCTION notify_recording_event();

DROP FUNCTION api_event(text, uuid, uuid, json);
