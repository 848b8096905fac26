DROP FUNCTION api_node_heartbeat(text, text, text, text, integer, timestamptz);
DROP VIEW api_nodes;
DROP INDEX cameras_by_node;
DROP TABLE nodes;
