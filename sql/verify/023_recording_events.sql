-- Each of the tables that are told of has its triggers.

SELECT 1 / (count(*) = 8)::integer
FROM pg_trigger
WHERE NOT tgisinternal AND tgparentid = 0
  AND tgfoid IN ('notify_recording_event'::regproc,
                 'notify_gap_event'::regproc, 'notify_alert_event'::regproc);
