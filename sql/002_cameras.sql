-- Cameras.  A removed camera keeps its row with deleted_at set: the feeders of
-- running nginx nodes learn of removals by reading it, and its recordings
-- still have an owner.

CREATE TYPE stream_status AS ENUM ('online', 'offline', 'connecting', 'error');

COMMENT ON TYPE stream_status IS
    'What the media plane last saw of a camera';

CREATE TABLE cameras (
    id              uuid          NOT NULL DEFAULT gen_random_uuid(),
    tenant_id       uuid          NOT NULL DEFAULT default_tenant(),
    external_id     varchar(100),
    name            varchar(100)  NOT NULL,
    company         varchar(100)  NOT NULL DEFAULT '',
    model           varchar(100)  NOT NULL DEFAULT '',
    serial_number   varchar(100)  NOT NULL DEFAULT gen_random_uuid(),
    location        varchar(200)  NOT NULL DEFAULT '',
    place           varchar(200)  NOT NULL DEFAULT '',
    rtmp_url        varchar(500)  NOT NULL DEFAULT '',
    rtmp_key        varchar(100)  NOT NULL
                    DEFAULT left(translate(gen_random_uuid()::text, '-', ''),
                                 16),
    is_active       boolean       NOT NULL DEFAULT true,
    is_recording    boolean       NOT NULL DEFAULT false,
    stream_status   stream_status NOT NULL DEFAULT 'offline',
    assigned_node   varchar(100),
    allowed_cidrs   cidr[]        NOT NULL DEFAULT '{}',
    cut_at_expiry   boolean       NOT NULL DEFAULT false,
    play_epoch      integer       NOT NULL DEFAULT 1,
    created_at      timestamptz   NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      timestamptz   NOT NULL DEFAULT CURRENT_TIMESTAMP,
    deleted_at      timestamptz,
    rev             xid8          NOT NULL DEFAULT pg_current_xact_id(),

    CONSTRAINT cameras_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT cameras_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT camera_names_are_not_empty
        CHECK (name ~ '\S'),
    CONSTRAINT camera_serial_numbers_are_not_empty
        CHECK (serial_number ~ '\S'),
    CONSTRAINT camera_external_ids_are_not_empty
        CHECK (external_id ~ '\S'),
    CONSTRAINT camera_rtmp_urls_hold_no_token
        CHECK (rtmp_url !~ '[?]'),
    CONSTRAINT camera_rtmp_keys_fit_the_publish_url
        CHECK (rtmp_key ~ '^[A-Za-z0-9._-]{1,63}$' AND rtmp_key !~ '^[.]'),
    CONSTRAINT cameras_have_at_most_10_networks
        CHECK (cardinality(allowed_cidrs) <= 10
               AND array_position(allowed_cidrs, NULL) IS NULL),
    CONSTRAINT camera_play_epochs_are_positive
        CHECK (play_epoch > 0)
);

-- names of removed cameras may be given again, so these are no constraints

CREATE UNIQUE INDEX cameras_have_unique_rtmp_keys
    ON cameras (rtmp_key) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX cameras_have_unique_serial_numbers
    ON cameras (tenant_id, serial_number) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX cameras_have_unique_external_ids
    ON cameras (tenant_id, external_id) WHERE deleted_at IS NULL;

COMMENT ON INDEX cameras_have_unique_rtmp_keys IS
    'Serves look-ups by the name in the publish URL';

-- serves the lists of cameras, oldest first, and the bump of a tenant's rows
CREATE INDEX cameras_by_tenant
    ON cameras (tenant_id, created_at, id) WHERE deleted_at IS NULL;

-- serves the feeder: SELECT ... FROM feeder_cameras WHERE rev >= $1
CREATE INDEX cameras_by_rev ON cameras (rev);

COMMENT ON TABLE cameras IS
    'Cameras, removed ones included (deleted_at)';
COMMENT ON COLUMN cameras.external_id IS
    'What another system calls it; APIs and topics take either id';
COMMENT ON COLUMN cameras.rtmp_url IS
    'Base of the publish URL, without key and token';
COMMENT ON COLUMN cameras.rtmp_key IS
    'Its public name in the publish URL: no secret, useless without a token';
COMMENT ON COLUMN cameras.stream_status IS
    'Written by the feeder; does not change rev';
COMMENT ON COLUMN cameras.assigned_node IS
    'Node that takes it in, NULL = not placed yet';
COMMENT ON COLUMN cameras.allowed_cidrs IS
    'Networks it may publish from, empty = any';
COMMENT ON COLUMN cameras.cut_at_expiry IS
    'End a live stream when its token expires, not only refuse the next one';
COMMENT ON COLUMN cameras.play_epoch IS
    'Playback tokens and sessions of earlier epochs are dead';
COMMENT ON COLUMN cameras.rev IS
    'Transaction of the last change that the media plane must know of';

CREATE FUNCTION bump_camera_rev() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    NEW.rev = pg_current_xact_id();
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION bump_camera_rev IS
    'Trigger: marks a camera as changed for the feeders';

CREATE TRIGGER cameras_bump_rev_when_inserted
    BEFORE INSERT ON cameras
    FOR EACH ROW EXECUTE FUNCTION bump_camera_rev();

-- the columns of the view feeder_cameras; a status is no news to who wrote it

CREATE TRIGGER cameras_bump_rev_when_changed
    BEFORE UPDATE ON cameras
    FOR EACH ROW
    WHEN ((OLD.tenant_id, OLD.rtmp_key, OLD.is_active, OLD.allowed_cidrs,
           OLD.cut_at_expiry, OLD.play_epoch, OLD.deleted_at)
          IS DISTINCT FROM
          (NEW.tenant_id, NEW.rtmp_key, NEW.is_active, NEW.allowed_cidrs,
           NEW.cut_at_expiry, NEW.play_epoch, NEW.deleted_at))
    EXECUTE FUNCTION bump_camera_rev();

CREATE TRIGGER cameras_stamp_changes
    BEFORE UPDATE ON cameras
    FOR EACH ROW WHEN (OLD.stream_status = NEW.stream_status)
    EXECUTE FUNCTION touch_updated_at();

CREATE FUNCTION notify_camera_changed() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('camera_changed', '');
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION notify_camera_changed IS
    'Trigger: wakes the feeders, once for each transaction';

CREATE TRIGGER cameras_notify_when_inserted
    AFTER INSERT ON cameras
    FOR EACH ROW EXECUTE FUNCTION notify_camera_changed();

CREATE TRIGGER cameras_notify_when_changed
    AFTER UPDATE ON cameras
    FOR EACH ROW WHEN (OLD.rev <> NEW.rev)
    EXECUTE FUNCTION notify_camera_changed();

CREATE FUNCTION bump_cameras_of_tenant() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    UPDATE cameras
    SET rev = pg_current_xact_id()
    WHERE tenant_id = NEW.id AND deleted_at IS NULL;

    RETURN NULL;
END
$$;

COMMENT ON FUNCTION bump_cameras_of_tenant IS
    'Trigger: a tenant''s state and quota are part of each of its cameras';

CREATE TRIGGER tenants_bump_their_cameras
    AFTER UPDATE ON tenants
    FOR EACH ROW
    WHEN (OLD.is_active <> NEW.is_active
          OR OLD.max_publishers <> NEW.max_publishers)
    EXECUTE FUNCTION bump_cameras_of_tenant();

GRANT SELECT ON cameras TO camera_app;
GRANT UPDATE (stream_status, assigned_node) ON cameras TO camera_app;
