-- The role camera_worker stays: other databases of the cluster may use it.

DROP POLICY the_worker_sees_all ON cameras;
DROP POLICY the_worker_sees_all ON tenants;
REVOKE ALL ON tenants, cameras FROM camera_worker;

DROP TABLE recording_garbage;
DROP TABLE recording_gaps;
DROP TABLE recordings;
DROP TABLE recording_tasks;
DROP FUNCTION add_recording_task();
DROP TABLE recording_days;
DROP FUNCTION count_recording();
DROP FUNCTION drop_empty_recording_partitions();
DROP FUNCTION make_recording_partitions(integer);
DROP FUNCTION make_recording_partition(date);
DROP FUNCTION recording_day(uuid);
DROP FUNCTION recording_start(uuid);
DROP FUNCTION recording_id(timestamptz);
DROP TABLE volumes;
DROP TYPE storage_tier;
