-- Tenants: who owns cameras.  One exists from the start, so that a single site
-- need not know the word; everything owned carries a tenant_id from day one.
--
-- The media plane and, later, the API connect as camera_app, which owns no
-- table and gets each grant by name.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'camera_app') THEN
        CREATE ROLE camera_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;                   -- another database of this cluster was faster
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'role camera_app does not exist'
            USING HINT = 'As a superuser: CREATE ROLE camera_app LOGIN';
END
$$;

CREATE TABLE tenants (
    id              uuid         NOT NULL DEFAULT gen_random_uuid(),
    slug            varchar(63)  NOT NULL,
    name            varchar(100) NOT NULL,
    is_active       boolean      NOT NULL DEFAULT true,
    max_publishers  integer      NOT NULL DEFAULT 0,
    created_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      timestamptz  NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT tenants_have_one_row_each
        PRIMARY KEY (id),
    CONSTRAINT tenants_have_unique_slugs
        UNIQUE (slug),
    CONSTRAINT tenant_slugs_are_lower_case_words
        CHECK (slug ~ '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'),
    CONSTRAINT tenant_quotas_are_not_negative
        CHECK (max_publishers >= 0)
);

COMMENT ON TABLE tenants IS
    'Who owns cameras; the row ''default'' serves single sites';
COMMENT ON COLUMN tenants.slug IS
    'Name in URLs and topics';
COMMENT ON COLUMN tenants.is_active IS
    'When false, none of its cameras may publish or be watched';
COMMENT ON COLUMN tenants.max_publishers IS
    'Cameras that may be live at once, 0 = any number';

INSERT INTO tenants (id, slug, name)
VALUES ('00000000-0000-4000-8000-000000000001', 'default', 'Default');

CREATE FUNCTION default_tenant() RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '00000000-0000-4000-8000-000000000001'::uuid;

COMMENT ON FUNCTION default_tenant IS
    'The tenant of rows that name none';

CREATE FUNCTION touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    NEW.updated_at = CURRENT_TIMESTAMP;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION touch_updated_at IS
    'Trigger: stamps a row that was changed';

CREATE TRIGGER tenants_stamp_changes
    BEFORE UPDATE ON tenants
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

GRANT SELECT ON tenants TO camera_app;
