DROP FUNCTION api_tokens_used(uuid[], date[], bigint[], bigint[],
                              timestamptz[]);

DROP FUNCTION api_token_check(text);

DROP TRIGGER tenants_notify_when_limits_change ON tenants;
DROP FUNCTION notify_tenant_changed();
ALTER TABLE tenants DROP COLUMN max_requests_per_hour;

DROP TABLE api_token_usage;
DROP TABLE api_tokens;
DROP FUNCTION notify_api_token_changed();
DROP FUNCTION check_new_api_token();
