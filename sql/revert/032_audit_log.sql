DROP FUNCTION api_audit_list(integer, timestamptz, timestamptz, uuid, text,
    text, text, text, timestamptz, bigint);
DROP VIEW api_audit;
DROP FUNCTION audit_note(uuid, interval, text, text, text, text, uuid,
    timestamptz, timestamptz, text, text, uuid, text, inet, text);
DROP FUNCTION audit_table(regclass, text, text[], text[], text, text, text);
DROP FUNCTION audit_row() CASCADE;
DROP FUNCTION audit_verb(jsonb, jsonb);
DROP FUNCTION audit_columns(jsonb, jsonb, text[]);
DROP FUNCTION audit_shown(jsonb, text[], text[]);
DROP FUNCTION audit_add(uuid, text, text, text, text, uuid, jsonb, jsonb, jsonb,
    text, text, uuid, text, inet, text);
DROP FUNCTION audit_role();
DROP FUNCTION make_audit_partitions(integer);
DROP FUNCTION make_audit_partition(date);
DROP FUNCTION guard_audit_partition(text, text);
DROP TABLE audit_repeats;
DROP FUNCTION keep_audit_repeats();
DROP TABLE audit_log;
