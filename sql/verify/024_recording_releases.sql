-- Tasks know of a release that came before.

SELECT released FROM recording_tasks WHERE false;
SELECT 1 / (prosrc LIKE '%t.released%')::integer
FROM pg_proc WHERE proname = 'add_recording_task';
