-- What clients that follow events are told of recordings, gaps and alerts, by
-- NOTIFY api_event as in 010.  What the journal brings an hour late is no news,
-- and neither is what fsck finds on a disk.

CREATE FUNCTION api_event(p_type text, p_tenant uuid, p_camera uuid, p_data json)
    RETURNS void
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('api_event', json_build_object(
        'type', p_type,
        'tenantId', p_tenant,
        'cameraId', p_camera,
        'at', json_time(clock_timestamp()),
        'data', p_data)::text);
END
$$;

COMMENT ON FUNCTION api_event IS
    'Tells those who follow events of a tenant';

-- recordings

CREATE FUNCTION notify_recording_event() RETURNS trigger
    LANGUAGE plpgsql AS
$$
DECLARE
    r       recordings;
BEGIN
    r = CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;

    PERFORM api_event(TG_ARGV[0], r.tenant_id, r.camera_id,
        CASE TG_ARGV[0]
        WHEN 'recording.started' THEN
            json_build_object('recordingId', r.id,
                              'startTime', json_time(r.start_time))
        WHEN 'recording.finished' THEN
            json_build_object('recordingId', r.id,
                              'startTime', json_time(r.start_time),
                              'endTime', json_time(r.end_time),
                              'fileSize', r.file_size)
        ELSE
            json_build_object('recordingId', r.id)
        END);

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_recording_event IS
    'Trigger: tells those who follow events, of the type in its argument';

CREATE TRIGGER recordings_tell_when_started
    AFTER INSERT ON recordings
    FOR EACH ROW
    WHEN (NEW.state = 'recording'
          AND NEW.start_time > CURRENT_TIMESTAMP - interval '1 hour')
    EXECUTE FUNCTION notify_recording_event('recording.started');

CREATE TRIGGER recordings_tell_when_finished
    AFTER UPDATE ON recordings
    FOR EACH ROW
    WHEN (OLD.state = 'recording' AND NEW.state = 'complete'
          AND NEW.end_time > CURRENT_TIMESTAMP - interval '1 hour')
    EXECUTE FUNCTION notify_recording_event('recording.finished');

CREATE TRIGGER recordings_tell_when_deleted
    AFTER DELETE ON recordings
    FOR EACH ROW EXECUTE FUNCTION notify_recording_event('recording.deleted');

-- gaps: when they are over, or have lasted for some time, which nobody but a
-- clock can tell

ALTER TABLE recording_gaps ADD COLUMN told_at timestamptz;

COMMENT ON COLUMN recording_gaps.told_at IS
    'When those who follow events were told that it lasts';

CREATE FUNCTION notify_gap_event() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM api_event('recording.gap', NEW.tenant_id, NEW.camera_id,
        json_build_object('startTime', json_time(NEW.start_time),
                          'endTime', json_time(NEW.end_time),
                          'cause', NEW.cause));
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_gap_event IS
    'Trigger: tells those who follow events of a gap';

CREATE TRIGGER recording_gaps_tell_when_inserted
    AFTER INSERT ON recording_gaps
    FOR EACH ROW WHEN (NEW.end_time > CURRENT_TIMESTAMP - interval '1 hour')
    EXECUTE FUNCTION notify_gap_event();

CREATE TRIGGER recording_gaps_tell_when_over
    AFTER UPDATE ON recording_gaps
    FOR EACH ROW
    WHEN (OLD.end_time IS NULL AND NEW.end_time IS NOT NULL
          AND NEW.end_time > CURRENT_TIMESTAMP - interval '1 hour'
          OR OLD.told_at IS NULL AND NEW.told_at IS NOT NULL)
    EXECUTE FUNCTION notify_gap_event();

CREATE FUNCTION recording_gaps_tell(p_after_sec integer DEFAULT 10)
    RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    told        integer;
BEGIN
    UPDATE recording_gaps g
    SET told_at = clock_timestamp()
    WHERE g.end_time IS NULL AND g.told_at IS NULL
      AND g.start_time < clock_timestamp()
                         - make_interval(secs => p_after_sec);

    GET DIAGNOSTICS told = ROW_COUNT;
    RETURN told;
END
$$;

COMMENT ON FUNCTION recording_gaps_tell IS
    'Tells of gaps that have lasted for so long, once of each; answers how many';

REVOKE EXECUTE ON FUNCTION recording_gaps_tell FROM PUBLIC;
GRANT EXECUTE ON FUNCTION recording_gaps_tell TO camera_worker;

-- alerts; one that comes many times a second is told of every ten

CREATE FUNCTION notify_alert_event() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM api_event(TG_ARGV[0], NEW.tenant_id, NEW.camera_id,
        json_build_object('alertId', NEW.id, 'type', NEW.type,
                          'severity', NEW.severity, 'message', NEW.message));
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_alert_event IS
    'Trigger: tells those who follow events, of the type in its argument';

CREATE TRIGGER alerts_tell_when_created
    AFTER INSERT ON alerts
    FOR EACH ROW EXECUTE FUNCTION notify_alert_event('alert.created');

CREATE TRIGGER alerts_tell_when_updated
    AFTER UPDATE ON alerts
    FOR EACH ROW
    WHEN (OLD.severity <> NEW.severity OR OLD.message <> NEW.message
          OR OLD.resolved_at IS DISTINCT FROM NEW.resolved_at
          OR NEW.last_seen_at >= OLD.last_seen_at + interval '10 s')
    EXECUTE FUNCTION notify_alert_event('alert.updated');

CREATE TRIGGER alerts_tell_when_acknowledged
    AFTER UPDATE ON alerts
    FOR EACH ROW WHEN (NEW.acknowledged AND NOT OLD.acknowledged)
    EXECUTE FUNCTION notify_alert_event('alert.acknowledged');
