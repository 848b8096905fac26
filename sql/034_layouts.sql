-- Layouts: how somebody arranges cameras on a screen.  They are of one user,
-- and one at most is what opens first.
--
-- Cells are kept as they came, in one document, for they are only read and
-- written together.  A camera that is gone, or may not be seen any more, leaves
-- its cell out when a layout is read.

CREATE TABLE layouts (
    id              uuid         NOT NULL DEFAULT gen_random_uuid(),
    tenant_id       uuid         NOT NULL DEFAULT current_tenant(),
    user_id         uuid         NOT NULL,
    name            varchar(100) NOT NULL,
    cells           jsonb        NOT NULL DEFAULT '[]',
    is_default      boolean      NOT NULL DEFAULT false,
    version         bigint       NOT NULL DEFAULT 1,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT layouts_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT layouts_belong_to_a_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    CONSTRAINT layouts_belong_to_a_user
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT layout_names_are_not_empty
        CHECK (name ~ '\S'),
    CONSTRAINT layout_cells_are_a_list
        CHECK (jsonb_typeof(cells) = 'array'
               AND jsonb_array_length(cells) <= 64)
);

-- serve the list of a user, and refuse a second name and a second default

CREATE INDEX layouts_by_user ON layouts (user_id, created_at, id);
CREATE UNIQUE INDEX layouts_have_unique_names
    ON layouts (user_id, lower(name));
CREATE UNIQUE INDEX layouts_have_one_default
    ON layouts (user_id) WHERE is_default;

COMMENT ON TABLE layouts IS
    'Cameras as one user arranges them on a screen';
COMMENT ON COLUMN layouts.cells IS
    '[{"cameraId", "position": {"x", "y"}, "size": {"width", "height"}}] in '
    'cells of the grid';
COMMENT ON COLUMN layouts.is_default IS
    'Opens first; one of a user''s at most';
COMMENT ON COLUMN layouts.version IS
    'The ETag';

CREATE FUNCTION count_layout_version() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    NEW.version = OLD.version + 1;
    NEW.updated_at = CURRENT_TIMESTAMP;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION count_layout_version IS
    'Trigger: what a client has read of a layout is out of date';

CREATE TRIGGER layouts_count_versions
    BEFORE UPDATE ON layouts
    FOR EACH ROW
    WHEN ((OLD.name, OLD.cells, OLD.is_default)
          IS DISTINCT FROM (NEW.name, NEW.cells, NEW.is_default))
    EXECUTE FUNCTION count_layout_version();

ALTER TABLE layouts ENABLE ROW LEVEL SECURITY;

CREATE POLICY the_api_sees_one_tenant ON layouts
    TO camera_api
    USING (tenant_id = (SELECT session_tenant()))
    WITH CHECK (tenant_id = (SELECT session_tenant()));

GRANT SELECT, DELETE,
    INSERT (user_id, name, cells, is_default),
    UPDATE (name, cells, is_default)
    ON layouts TO camera_api;

CREATE VIEW api_layouts WITH (security_invoker = true) AS
SELECT l.id,
       l.user_id,
       l.name::text         AS name,
       (SELECT coalesce(jsonb_agg(cell ORDER BY n), '[]')
        FROM jsonb_array_elements(l.cells) WITH ORDINALITY AS t (cell, n)
        WHERE EXISTS (SELECT
                      FROM cameras c
                      WHERE c.id = (cell ->> 'cameraId')::uuid
                        AND c.deleted_at IS NULL))
                            AS cells,
       l.is_default,
       l.version,
       l.created_at,
       l.updated_at
FROM layouts l;

COMMENT ON VIEW api_layouts IS
    'Layouts with the rights of who reads, without the cameras that are gone';

GRANT SELECT ON api_layouts TO camera_api;

CREATE FUNCTION layout_cameras_are_there(p_cells jsonb) RETURNS void
    LANGUAGE plpgsql STABLE AS
$$
BEGIN
    IF EXISTS (SELECT
               FROM jsonb_array_elements(p_cells) cell
               WHERE NOT EXISTS (SELECT
                                 FROM cameras c
                                 WHERE c.id = (cell ->> 'cameraId')::uuid
                                   AND c.deleted_at IS NULL))
    THEN
        PERFORM request_of_nothing();
    END IF;
END
$$;

COMMENT ON FUNCTION layout_cameras_are_there IS
    'Ends a request that puts a camera into a layout that there is not';

CREATE FUNCTION api_layout_create(
        p_principal     uuid,
        p_key           text,
        p_request_hash  bytea,
        p_name          text,
        p_cells         jsonb,
        p_is_default    boolean)
    RETURNS TABLE (
        id              uuid,
        user_id         uuid,
        name            text,
        cells           jsonb,
        is_default      boolean,
        version         bigint,
        created_at      timestamptz,
        updated_at      timestamptz,
        outcome         text)
    LANGUAGE plpgsql AS
$$
#variable_conflict use_column
DECLARE
    before      record;
    made        api_layouts;
BEGIN
    SELECT * INTO before
    FROM request_before(p_principal, 'POST /layouts', p_key, p_request_hash);

    IF before.outcome = 'new' THEN
        PERFORM layout_cameras_are_there(p_cells);

        UPDATE layouts l
        SET is_default = false
        WHERE l.user_id = p_principal AND l.is_default AND p_is_default;

        INSERT INTO layouts (user_id, name, cells, is_default)
        VALUES (p_principal, p_name, p_cells, coalesce(p_is_default, false))
        RETURNING layouts.id INTO made.id;

        SELECT l.* INTO made FROM api_layouts l WHERE l.id = made.id;

        PERFORM request_made(p_principal, 'POST /layouts', p_key, made.id,
                             to_jsonb(made));
    ELSIF before.outcome = 'replayed' THEN
        made = jsonb_populate_record(NULL::api_layouts, before.response);
    END IF;

    RETURN QUERY SELECT made.*, before.outcome;
END
$$;

COMMENT ON FUNCTION api_layout_create IS
    'Adds a layout, or answers the one that the same request added: new, '
    'replayed, reused';

CREATE FUNCTION api_layout_update(
        p_id            uuid,
        p_user          uuid,
        p_versions      bigint[],
        p_name          text,
        p_cells         jsonb,
        p_is_default    boolean)
    RETURNS TABLE (
        id              uuid,
        user_id         uuid,
        name            text,
        cells           jsonb,
        is_default      boolean,
        version         bigint,
        created_at      timestamptz,
        updated_at      timestamptz,
        outcome         text)
    LANGUAGE plpgsql AS
$$
#variable_conflict use_column
DECLARE
    found_version   bigint;
    what            text = 'updated';
BEGIN
    SELECT l.version INTO found_version
    FROM layouts l
    WHERE l.id = p_id AND l.user_id = p_user
    FOR UPDATE;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    IF found_version <> ALL (p_versions) THEN
        what = 'stale';
    ELSE
        PERFORM layout_cameras_are_there(coalesce(p_cells, '[]'));

        UPDATE layouts l
        SET is_default = false
        WHERE l.user_id = p_user AND l.is_default AND l.id <> p_id
          AND p_is_default;

        UPDATE layouts l
        SET name = coalesce(p_name, l.name),
            cells = coalesce(p_cells, l.cells),
            is_default = coalesce(p_is_default, l.is_default)
        WHERE l.id = p_id;
    END IF;

    RETURN QUERY SELECT l.*, what FROM api_layouts l WHERE l.id = p_id;
END
$$;

COMMENT ON FUNCTION api_layout_update IS
    'Changes what is not NULL: updated, stale (it has none of these versions; '
    'nothing was changed), no row = the user has no such layout';

REVOKE EXECUTE ON FUNCTION
    layout_cameras_are_there, api_layout_create, api_layout_update
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    layout_cameras_are_there, api_layout_create, api_layout_update
    TO camera_api;

DO $$
BEGIN
    PERFORM audit_table('layouts', 'layout',
                        '{id,user_id,name,cells,is_default}');
END
$$;
