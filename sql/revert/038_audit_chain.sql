DROP FUNCTION audit_expire();
DROP FUNCTION audit_anchor_add(uuid, bigint, timestamptz, text, text);
DROP FUNCTION audit_heads(boolean);
DROP FUNCTION audit_chain_next(integer);
DROP FUNCTION audit_row_hash(audit_log);
DROP FUNCTION audit_field(text);
DROP TABLE audit_state;
DROP TABLE audit_anchors;
DROP TABLE audit_chain;
