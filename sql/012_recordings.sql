-- Recordings: one row for each hour file, and one for each time that is missing
-- although it was wanted.  The camera-worker writes both, through the functions
-- of 014, as camera_worker: it owns nothing, sees all tenants and gets each
-- grant by name, like camera_app.
--
-- A recording's id is a UUID of version 7 whose time is start_time to the
-- millisecond, so an id alone names the day and with it the partition.  There
-- is one partition for each day (UTC), made ahead or by the first row of a day,
-- and a default one, which catches what none of them takes.
--
-- Nothing that is asked often reads all partitions: recording_days has the
-- sums of each camera and day, recording_tasks what is to be done to files.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'camera_worker') THEN
        CREATE ROLE camera_worker LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE
            NOBYPASSRLS;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;                   -- another database of this cluster was faster
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'role camera_worker does not exist'
            USING HINT = 'As a superuser: CREATE ROLE camera_worker LOGIN';
END
$$;

-- with this the owner's connection string serves the worker, too, by
-- options='-c role=camera_worker'

DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'camera_worker', 'MEMBER') THEN
        GRANT camera_worker TO CURRENT_USER;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        NULL;                   -- it logs in by itself, then
END
$$;

CREATE TYPE storage_tier AS ENUM ('hot', 'warm', 'cold', 'archived');

COMMENT ON TYPE storage_tier IS
    'How near a recording is kept';

-- volumes

CREATE TABLE volumes (
    id              uuid         NOT NULL,
    node            text         NOT NULL DEFAULT '',
    path            text         NOT NULL DEFAULT '',
    state           text         NOT NULL DEFAULT 'ok',
    bytes_total     bigint       NOT NULL DEFAULT 0,
    bytes_free      bigint       NOT NULL DEFAULT 0,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT volumes_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT volume_states_are_known
        CHECK (state IN ('absent', 'ok', 'low', 'full', 'error',
                         'not mounted'))
);

COMMENT ON TABLE volumes IS
    'Directories that hold recordings, by the uuid in their file "volume"';
COMMENT ON COLUMN volumes.node IS
    'Host whose camera-worker reported it last';

-- recordings

CREATE FUNCTION recording_id(start_time timestamptz) RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN (lpad(to_hex(floor(extract(epoch FROM start_time) * 1000)::bigint),
                 12, '0')
            || '7' || substr(translate(gen_random_uuid()::text, '-', ''),
                             14))::uuid;

COMMENT ON FUNCTION recording_id IS
    'A new id of a recording that starts then';

CREATE FUNCTION recording_start(id uuid) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_timestamp(('x' || left(translate(id::text, '-', ''),
                                     12))::bit(48)::bigint / 1000.0);

COMMENT ON FUNCTION recording_start IS
    'start_time of the recording with this id, which its partition goes by';

CREATE FUNCTION recording_day(id uuid) RETURNS date
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (recording_start(id) AT TIME ZONE 'UTC')::date;

COMMENT ON FUNCTION recording_day IS
    'Day (UTC) of the recording with this id';

CREATE TABLE recordings (
    id              uuid         NOT NULL
                    DEFAULT recording_id(CURRENT_TIMESTAMP),
    tenant_id       uuid         NOT NULL,
    camera_id       uuid         NOT NULL,
    volume_id       uuid         NOT NULL,
    segment_number  integer      NOT NULL,
    filename        varchar(255) NOT NULL,
    file_path       varchar(500) NOT NULL,
    duration        integer      NOT NULL DEFAULT 0,
    usec            bigint       NOT NULL DEFAULT 0,
    file_size       bigint       NOT NULL DEFAULT 0,
    fragments       integer      NOT NULL DEFAULT 0,
    start_time      timestamptz  NOT NULL,
    end_time        timestamptz  NOT NULL,
    state           text         NOT NULL DEFAULT 'recording',
    close_reason    text,
    codecs          varchar(64)  NOT NULL DEFAULT '',
    width           integer      NOT NULL DEFAULT 0,
    height          integer      NOT NULL DEFAULT 0,
    storage_tier    storage_tier NOT NULL DEFAULT 'hot',
    is_archived     boolean      NOT NULL DEFAULT false,
    cloud_url       varchar(500),
    signed_url_expires_at timestamptz,
    locked          boolean      NOT NULL DEFAULT false,
    locked_reason   varchar(500),
    probed_at       timestamptz,
    probe_error     text,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT recordings_have_one_row_each
        PRIMARY KEY (id, start_time),
    CONSTRAINT recordings_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT recordings_belong_to_a_camera
        FOREIGN KEY (camera_id) REFERENCES cameras (id),
    CONSTRAINT recordings_are_on_a_volume
        FOREIGN KEY (volume_id) REFERENCES volumes (id),
    CONSTRAINT recording_ids_name_their_start
        CHECK (start_time = recording_start(id)),
    CONSTRAINT recordings_end_after_they_start
        CHECK (end_time >= start_time),
    CONSTRAINT recording_sizes_are_not_negative
        CHECK (duration >= 0 AND usec >= 0 AND file_size >= 0
               AND fragments >= 0),
    CONSTRAINT recording_states_are_known
        CHECK (state IN ('recording', 'complete', 'damaged', 'deleting')),
    CONSTRAINT recordings_on_hold_stay
        CHECK (NOT (locked AND state = 'deleting')),
    CONSTRAINT recordings_are_held_for_a_reason
        CHECK (locked = (locked_reason IS NOT NULL)),
    CONSTRAINT recording_paths_stay_inside_their_volume
        CHECK (file_path !~ '(^/|(^|/)[.][.](/|$))')
) PARTITION BY RANGE (start_time);

-- serves timelines without a visit to the table; what is included has to be
-- enough for row-level security, too
CREATE INDEX idx_camera_time ON recordings (camera_id, start_time)
    INCLUDE (tenant_id, end_time, id, state, duration, file_size);

-- serves moves between tiers
CREATE INDEX idx_storage_tier ON recordings (storage_tier, created_at);

COMMENT ON TABLE recordings IS
    'Hour files, one row each; the file is what fsck trusts';
COMMENT ON COLUMN recordings.id IS
    'UUID of version 7 with the time of start_time; lists walk it';
COMMENT ON COLUMN recordings.segment_number IS
    'start_time in units of the length of an hour file, since 1970';
COMMENT ON COLUMN recordings.filename IS
    'Last part of file_path';
COMMENT ON COLUMN recordings.file_path IS
    'Below the volume''s directory';
COMMENT ON COLUMN recordings.duration IS
    'Recorded seconds: usec, rounded';
COMMENT ON COLUMN recordings.usec IS
    'Recorded media time; less than end_time - start_time where it has holes';
COMMENT ON COLUMN recordings.state IS
    'recording, complete, damaged (its probe failed, see probe_error), deleting '
    '(its files go, then its row)';
COMMENT ON COLUMN recordings.close_reason IS
    'hour, codec, clock, stop, error, end, recovered; NULL = not closed';
COMMENT ON COLUMN recordings.cloud_url IS
    'Where an archived copy is, NULL = nowhere';
COMMENT ON COLUMN recordings.signed_url_expires_at IS
    'Latest expiry of a signed URL that was issued; what is valid, the '
    'signature says';
COMMENT ON COLUMN recordings.locked IS
    'Legal hold: neither retention nor anybody deletes it';
COMMENT ON COLUMN recordings.probed_at IS
    'When the finished file was checked, NULL = not yet';

ALTER TABLE recordings ENABLE ROW LEVEL SECURITY;

CREATE TABLE recordings_default PARTITION OF recordings DEFAULT;
ALTER TABLE recordings_default ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE recordings_default IS
    'Recordings of days without a partition';

-- partitions; a statement that waits for a reader makes all others wait, too,
-- so it gives up early

CREATE FUNCTION make_recording_partition(day date) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s' AS
$$
DECLARE
    name        text = 'recordings_' || to_char(day, 'YYYYMMDD');
    day_start   timestamptz = day::timestamp AT TIME ZONE 'UTC';
    day_end     timestamptz = (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass('public.' || name) IS NOT NULL THEN
        RETURN false;
    END IF;

    PERFORM pg_advisory_xact_lock(hashtext('recording_partitions'));

    IF to_regclass('public.' || name) IS NOT NULL
       OR EXISTS (SELECT FROM recordings_default
                  WHERE start_time >= day_start AND start_time < day_end)
    THEN
        RETURN false;           -- rows of the default one stay where they are
    END IF;

    EXECUTE format('CREATE TABLE public.%I PARTITION OF recordings '
                   'FOR VALUES FROM (%L) TO (%L)', name, day_start, day_end);
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('COMMENT ON TABLE public.%I IS %L', name,
                   'Recordings of ' || day || ' (UTC)');

    RETURN true;
END
$$;

COMMENT ON FUNCTION make_recording_partition IS
    'Makes the partition of a day; false = it was there, or rows of that day '
    'are in the default one';

CREATE FUNCTION make_recording_partitions(days_ahead integer DEFAULT 3)
    RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
DECLARE
    today   date = (clock_timestamp() AT TIME ZONE 'UTC')::date;
    made    integer = 0;
BEGIN
    FOR i IN 0 .. least(days_ahead, 366) LOOP
        made = made + make_recording_partition(today + i)::integer;
    END LOOP;

    RETURN made;
END
$$;

COMMENT ON FUNCTION make_recording_partitions IS
    'Makes the partitions of today and the days ahead; answers how many';

CREATE FUNCTION drop_empty_recording_partitions() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s' AS
$$
DECLARE
    today       date = (clock_timestamp() AT TIME ZONE 'UTC')::date;
    name        text;
    any_row     boolean;
    dropped     integer = 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('recording_partitions'));

    FOR name IN
        SELECT c.relname
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'recordings'::regclass
          AND c.relname ~ '^recordings_[0-9]{8}$'
          AND to_date(right(c.relname, 8), 'YYYYMMDD') < today - 1
        ORDER BY c.relname
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO any_row;
        CONTINUE WHEN any_row;

        -- nobody adds a row between the two looks

        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', name);
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO any_row;
        CONTINUE WHEN any_row;

        EXECUTE format('DROP TABLE %I', name);
        dropped = dropped + 1;
    END LOOP;

    RETURN dropped;
END
$$;

COMMENT ON FUNCTION drop_empty_recording_partitions IS
    'Drops the partitions of past days that nothing is left in; answers how '
    'many';

-- sums

CREATE TABLE recording_days (
    camera_id       uuid         NOT NULL,
    day             date         NOT NULL,
    storage_tier    storage_tier NOT NULL,
    tenant_id       uuid         NOT NULL,
    recordings      integer      NOT NULL,
    bytes           bigint       NOT NULL,
    usec            bigint       NOT NULL,

    CONSTRAINT recording_days_have_one_row_each
        PRIMARY KEY (camera_id, day, storage_tier),
    CONSTRAINT recording_days_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT recording_days_belong_to_a_camera
        FOREIGN KEY (camera_id) REFERENCES cameras (id)
);

-- serves lists of recordings and the usage of a tenant
CREATE INDEX recording_days_by_tenant ON recording_days (tenant_id, day);

COMMENT ON TABLE recording_days IS
    'Sums over recordings of each camera, day of its start (UTC) and tier; '
    'triggers of recordings keep it';

CREATE FUNCTION count_recording() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE recording_days d
        SET recordings = d.recordings - 1,
            bytes = d.bytes - OLD.file_size,
            usec = d.usec - OLD.usec
        WHERE d.camera_id = OLD.camera_id AND d.day = recording_day(OLD.id)
          AND d.storage_tier = OLD.storage_tier;
    END IF;

    IF TG_OP = 'DELETE' THEN
        DELETE FROM recording_days d
        WHERE d.camera_id = OLD.camera_id AND d.day = recording_day(OLD.id)
          AND d.recordings = 0;
        RETURN NULL;
    END IF;

    INSERT INTO recording_days AS d (camera_id, day, storage_tier, tenant_id,
                                     recordings, bytes, usec)
    VALUES (NEW.camera_id, recording_day(NEW.id), NEW.storage_tier,
            NEW.tenant_id, 1, NEW.file_size, NEW.usec)
    ON CONFLICT ON CONSTRAINT recording_days_have_one_row_each DO UPDATE
    SET recordings = d.recordings + 1,
        bytes = d.bytes + excluded.bytes,
        usec = d.usec + excluded.usec;

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION count_recording IS
    'Trigger: keeps the sums in recording_days';

CREATE TRIGGER recordings_are_counted
    AFTER INSERT OR DELETE ON recordings
    FOR EACH ROW EXECUTE FUNCTION count_recording();

CREATE TRIGGER recordings_are_counted_anew
    AFTER UPDATE ON recordings
    FOR EACH ROW
    WHEN (OLD.file_size <> NEW.file_size OR OLD.usec <> NEW.usec
          OR OLD.storage_tier <> NEW.storage_tier)
    EXECUTE FUNCTION count_recording();

CREATE TRIGGER recordings_stamp_changes
    BEFORE UPDATE ON recordings
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- what is to be done to files

CREATE TABLE recording_tasks (
    recording_id    uuid         NOT NULL,
    tenant_id       uuid         NOT NULL,
    camera_id       uuid         NOT NULL,
    volume_id       uuid         NOT NULL,
    file_path       varchar(500) NOT NULL,
    file_size       bigint       NOT NULL,
    task            text         NOT NULL,
    released        boolean      NOT NULL DEFAULT false,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT recordings_have_one_task
        PRIMARY KEY (recording_id),
    CONSTRAINT recording_tasks_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT recording_tasks_are_known
        CHECK (task IN ('remove', 'hold', 'release'))
);

-- serves the jobs of the camera-worker, oldest first
CREATE INDEX recording_tasks_by_age ON recording_tasks (created_at);

COMMENT ON TABLE recording_tasks IS
    'Files that the jobs of the camera-worker have to remove, or whose mark of '
    'a legal hold they have to set or take away';

COMMENT ON COLUMN recording_tasks.file_size IS
    'What its removal will free';
COMMENT ON COLUMN recording_tasks.released IS
    'To be removed, with the mark of a hold that was released just before';

-- what is released and removed before the jobs got to either has one task, to
-- be removed; the mark beside its file is nobody's hold any more

CREATE FUNCTION add_recording_task() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    INSERT INTO recording_tasks AS t (recording_id, tenant_id, camera_id,
                                      volume_id, file_path, file_size, task)
    VALUES (NEW.id, NEW.tenant_id, NEW.camera_id, NEW.volume_id, NEW.file_path,
            NEW.file_size,
            CASE WHEN NEW.state = 'deleting' THEN 'remove'
                 WHEN NEW.locked THEN 'hold'
                 ELSE 'release' END)
    ON CONFLICT ON CONSTRAINT recordings_have_one_task DO UPDATE
    SET task = excluded.task, file_size = excluded.file_size,
        created_at = excluded.created_at,
        released = excluded.task = 'remove'
                   AND (t.task = 'release' OR t.released);

    PERFORM pg_notify('recording_changed', '');
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION add_recording_task IS
    'Trigger: the files follow the row';

CREATE TRIGGER recordings_have_their_files_done
    AFTER UPDATE ON recordings
    FOR EACH ROW
    WHEN (OLD.locked <> NEW.locked
          OR OLD.state <> 'deleting' AND NEW.state = 'deleting')
    EXECUTE FUNCTION add_recording_task();

-- gaps; those of a camera do not overlap, so the last one that starts before a
-- moment is the only one that can reach over it

CREATE TABLE recording_gaps (
    id              uuid         NOT NULL DEFAULT gen_random_uuid(),
    tenant_id       uuid         NOT NULL,
    camera_id       uuid         NOT NULL,
    start_time      timestamptz  NOT NULL,
    end_time        timestamptz,
    cause           text         NOT NULL,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT recording_gaps_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT recording_gaps_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT recording_gaps_belong_to_a_camera
        FOREIGN KEY (camera_id) REFERENCES cameras (id),
    CONSTRAINT recording_gaps_start_once
        UNIQUE (camera_id, start_time) INCLUDE (tenant_id, end_time, cause),
    CONSTRAINT recording_gaps_end_after_they_start
        CHECK (end_time > start_time),
    CONSTRAINT recording_gap_causes_are_known
        CHECK (cause IN ('network', 'camera', 'restart', 'disk', 'shed',
                         'schedule'))
);

-- serves the news of gaps that last
CREATE INDEX recording_gaps_that_are_open
    ON recording_gaps (start_time) WHERE end_time IS NULL;

COMMENT ON TABLE recording_gaps IS
    'Times that were wanted and are not recorded, and why';
COMMENT ON COLUMN recording_gaps.end_time IS
    'NULL = it lasts';
COMMENT ON COLUMN recording_gaps.cause IS
    'network, camera (no usable frames), restart, disk, shed (overload), '
    'schedule (was not wanted after all)';

-- files that belong to nobody

CREATE TABLE recording_garbage (
    volume_id       uuid         NOT NULL,
    path            varchar(500) NOT NULL,
    found_at        timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    why             text         NOT NULL,

    CONSTRAINT garbage_is_listed_once
        PRIMARY KEY (volume_id, path),
    CONSTRAINT garbage_is_on_a_volume
        FOREIGN KEY (volume_id) REFERENCES volumes (id)
);

COMMENT ON TABLE recording_garbage IS
    'Files on volumes that no recording has, for example of a purged camera';

-- who sees what

ALTER TABLE volumes ENABLE ROW LEVEL SECURITY;
ALTER TABLE recording_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE recording_tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE recording_gaps ENABLE ROW LEVEL SECURITY;
ALTER TABLE recording_garbage ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_worker_sees_all ON tenants
    TO camera_worker USING (true) WITH CHECK (true);
CREATE POLICY the_worker_sees_all ON cameras
    TO camera_worker USING (true) WITH CHECK (true);
CREATE POLICY the_worker_sees_all ON volumes
    TO camera_worker USING (true) WITH CHECK (true);
CREATE POLICY the_worker_sees_all ON recordings
    TO camera_worker USING (true) WITH CHECK (true);
CREATE POLICY the_worker_sees_all ON recording_days
    TO camera_worker USING (true) WITH CHECK (true);
CREATE POLICY the_worker_sees_all ON recording_tasks
    TO camera_worker USING (true) WITH CHECK (true);
CREATE POLICY the_worker_sees_all ON recording_gaps
    TO camera_worker USING (true) WITH CHECK (true);
CREATE POLICY the_worker_sees_all ON recording_garbage
    TO camera_worker USING (true) WITH CHECK (true);

CREATE POLICY the_api_sees_one_tenant ON recordings
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));
CREATE POLICY the_api_sees_one_tenant ON recording_days
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));
CREATE POLICY the_api_sees_one_tenant ON recording_gaps
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

GRANT SELECT ON tenants, cameras, volumes, recordings, recording_days,
    recording_tasks, recording_gaps, recording_garbage TO camera_worker;
GRANT INSERT, DELETE ON recording_garbage TO camera_worker;
GRANT SELECT ON recordings, recording_days, recording_gaps TO camera_api;

REVOKE EXECUTE ON FUNCTION
    make_recording_partition, make_recording_partitions,
    drop_empty_recording_partitions, count_recording, add_recording_task
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    make_recording_partition, make_recording_partitions,
    drop_empty_recording_partitions
    TO camera_worker;

DO $$ BEGIN PERFORM make_recording_partitions(); END $$;
