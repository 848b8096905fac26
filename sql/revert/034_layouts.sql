DROP FUNCTION api_layout_update(uuid, uuid, bigint[], text, jsonb, boolean);
DROP FUNCTION api_layout_create(uuid, text, bytea, text, jsonb, boolean);
DROP FUNCTION layout_cameras_are_there(jsonb);
DROP VIEW api_layouts;
DROP TABLE layouts;
DROP FUNCTION count_layout_version();
