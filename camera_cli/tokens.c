/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera token create, list and revoke: what programs carry instead of logging
 * in.  A token is its owner's, whatever is asked for: no permission is given
 * that the owner's role lacks, but to api_only, who has no others.  It is
 * printed once, and revoked by its id, never by itself, which would be an
 * argument.
 */

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "api_token.h"
#include "credentials.h"
#include "role.h"
#include "users.h"

#define CLI_PERMISSIONS_MAX  512   /* an array of SQL with each of them twice */
#define CLI_SUM_LEN          32    /* SHA-256 */
#define CLI_SUM_TEXT         (2 * CLI_SUM_LEN + 1)


static int cli_token_create(cli_t *cli);
static int cli_token_permissions(cli_t *cli, const cli_user_t *user,
    char list[CLI_PERMISSIONS_MAX]);
static int cli_token_may_give(cli_t *cli, const cli_user_t *user,
    const char *name, size_t len);
static int cli_token_insert(cli_t *cli, const cli_user_t *user,
    const char *permissions, const char *text, json_t **value);
static void cli_token_sum(char hash[CLI_SUM_TEXT], const char *text);
static json_t *cli_token_json(const PGresult *result, int row);
static void cli_token_print_created(json_t *value);
static int cli_token_list(cli_t *cli);
static void cli_token_print_list(json_t *value);
static int cli_token_revoke(cli_t *cli);
static void cli_token_print_revoked(json_t *value);


#define CLI_TOKEN_TIME(column)                                                \
    "to_char(" column " AT TIME ZONE 'UTC',"                                  \
    " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* of the rows t, which a statement has put in front of it */

#define CLI_TOKEN_COLUMNS                                                     \
    "t.id, u.username, n.slug, t.name, t.prefix, t.permissions,"              \
    " CASE WHEN NOT t.is_active THEN 'revoked'"                               \
    " WHEN t.expires_at <= now() THEN 'expired' ELSE 'good' END AS state, "   \
    CLI_TOKEN_TIME("t.expires_at") " AS expires_at, "                         \
    CLI_TOKEN_TIME("t.last_used_at") " AS last_used_at"                       \
    " FROM t JOIN users u ON u.id = t.user_id"                                \
    " JOIN tenants n ON n.id = u.tenant_id"

static const cli_verb_t  cli_token_verbs[] = {
    { "create", 3, cli_token_create },
    { "list",   1, cli_token_list },
    { "list",   2, cli_token_list },
    { "revoke", 2, cli_token_revoke },
    { NULL,     0, NULL }
};


int
cli_cmd_token(cli_t *cli)
{
    if ((cli->opt.jwt || cli->opt.opaque) && cli->opt.n == 1) {
        return cli_publish_token(cli);
    }

    return cli_run_verb(cli, cli_token_verbs);
}


static int
cli_token_create(cli_t *cli)
{
    int          rc;
    char         permissions[CLI_PERMISSIONS_MAX];
    char         text[CAM_API_TOKEN_LEN + 1];
    json_t      *value;
    cli_user_t   user;

    value = NULL;
    rc = cli_user_find(cli, &user);

    if (rc != 0) {
        return rc;
    }

    rc = cli_token_permissions(cli, &user, permissions);

    if (rc == 0 && cam_api_token_make(text) != 0) {
        rc = cli_fail(cli, CLI_REFUSED, NULL, "no token was made");
    }

    if (rc == 0) {
        rc = cli_token_insert(cli, &user, permissions, text, &value);
    }

    if (rc == 0) {
        json_object_set_new(value, "token", json_string(text));
    }

    OPENSSL_cleanse(text, sizeof(text));
    json_decref(user.json);

    return rc ? rc : cli_answer(cli, CLI_OK, value, cli_token_print_created);
}


/* as an array of SQL; names of permissions need no quotes there */

static int
cli_token_permissions(cli_t *cli, const cli_user_t *user,
    char list[CLI_PERMISSIONS_MAX])
{
    int          rc;
    size_t       len;
    const char  *p;

    p = cli->opt.permissions;

    if (p == NULL || strlen(p) > CLI_PERMISSIONS_MAX - 3) {
        return cli_fail(cli, CLI_USAGE, "camera token --help",
                        "say what it may do by --permissions A,B");
    }

    do {
        len = strcspn(p, ",");
        rc = cli_token_may_give(cli, user, p, len);

        if (rc != 0) {
            return rc;
        }

        p += len;
    } while (*p++ == ',');

    snprintf(list, CLI_PERMISSIONS_MAX, "{%s}", cli->opt.permissions);

    return 0;
}


static int
cli_token_may_give(cli_t *cli, const cli_user_t *user, const char *name,
    size_t len)
{
    uint32_t     wanted;
    cam_role_e   role;
    const char  *text;

    text = cli_string(user->json, "role");
    role = cam_role_parse(text, strlen(text));
    wanted = cam_permission_parse(name, len);

    if (wanted == 0) {
        return cli_fail(cli, CLI_USAGE, "camera token --help",
                        "\"%.*s\" is no permission", len < 24 ? (int) len : 24,
                        name);
    }

    if (role != CAM_ROLE_API_ONLY
        && (cam_role_permissions(role) & wanted) != wanted)
    {
        return cli_fail(cli, CLI_REFUSED, NULL, "%s is %s %s, and lacks %.*s",
                        user->name, strchr("ao", *text) ? "an" : "a", text,
                        (int) len, name);
    }

    return 0;
}


static int
cli_token_insert(cli_t *cli, const cli_user_t *user, const char *permissions,
    const char *text, json_t **value)
{
    int          rc;
    char         ttl[24], prefix[CAM_API_TOKEN_SHOWN + 1], hash[CLI_SUM_TEXT];
    PGresult    *result;
    const char  *values[] = { user->id, hash, prefix, cli->opt.words[2],
                              permissions, cli->opt.ttl == -1 ? NULL : ttl,
                              cli->opt.cidr };

    snprintf(ttl, sizeof(ttl), "%ld", cli->opt.ttl);
    snprintf(prefix, sizeof(prefix), "%.*s", CAM_API_TOKEN_SHOWN, text);
    cli_token_sum(hash, text);

    result = cli_db_query(cli, &rc,
        "WITH t AS (INSERT INTO api_tokens (tenant_id, user_id, token_hash,"
        " prefix, name, permissions, expires_at, allowed_cidrs)"
        " SELECT u.tenant_id, u.id, $2, $3, $4,"
        " to_jsonb(ARRAY(SELECT DISTINCT unnest($5::text[]) ORDER BY 1)),"
        " now() + make_interval(secs => $6::integer),"
        " coalesce(string_to_array(replace($7, ' ', ''), ',')::cidr[], '{}')"
        " FROM users u WHERE u.id = $1 AND u.is_active RETURNING *)"
        " SELECT " CLI_TOKEN_COLUMNS, 7, values);

    if (result == NULL) {
        return rc;
    }

    if (PQntuples(result) == 1) {
        *value = cli_token_json(result, 0);
        rc = 0;

    } else {
        rc = cli_fail(cli, CLI_REFUSED, "camera user enable NAME",
                      "%s is disabled", user->name);
    }

    PQclear(result);

    return rc;
}


static void
cli_token_sum(char hash[CLI_SUM_TEXT], const char *text)
{
    int      i;
    uint8_t  sum[CLI_SUM_LEN];

    cam_token_sha256(sum, text, CAM_API_TOKEN_LEN);

    for (i = 0; i < CLI_SUM_LEN; i++) {
        snprintf(hash + 2 * i, 3, "%02x", sum[i]);
    }
}


static json_t *
cli_token_json(const PGresult *result, int row)
{
    const char  *permissions;

    permissions = PQgetvalue(result, row, PQfnumber(result, "permissions"));

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "id", cli_db_text(result, row, "id"),
                     "username", cli_db_text(result, row, "username"),
                     "tenant", cli_db_text(result, row, "slug"),
                     "name", cli_db_text(result, row, "name"),
                     "prefix", cli_db_text(result, row, "prefix"),
                     "permissions", json_loads(permissions, 0, NULL),
                     "state", cli_db_text(result, row, "state"),
                     "expiresAt", cli_db_text(result, row, "expires_at"),
                     "lastUsedAt", cli_db_text(result, row, "last_used_at"));
}


/* the token alone on standard output, so that $(camera ...) is it */

static void
cli_token_print_created(json_t *value)
{
    size_t       i;
    json_t      *permission;
    const char  *expires;

    expires = cli_string(value, "expiresAt");

    printf("%s\n", cli_string(value, "token"));
    fprintf(stderr, "  id %s, of %s, shown this once\n",
            cli_string(value, "id"), cli_string(value, "username"));
    fprintf(stderr, "  until %s it may", *expires ? expires : "it is revoked");

    json_array_foreach(json_object_get(value, "permissions"), i, permission) {
        fprintf(stderr, " %s", json_string_value(permission));
    }

    fprintf(stderr, "\n");
}


static int
cli_token_list(cli_t *cli)
{
    int          i, rc;
    json_t      *list;
    PGresult    *result;
    cli_user_t   user;
    const char  *values[] = { NULL };

    if (cli->opt.n == 2) {
        rc = cli_user_find(cli, &user);

        if (rc == 0) {
            json_decref(user.json);
            values[0] = user.id;
        }

    } else {
        rc = cli_db_connect(cli);
    }

    if (rc != 0) {
        return rc;
    }

    result = cli_db_query(cli, &rc, "WITH t AS (SELECT * FROM api_tokens"
                          " WHERE $1::uuid IS NULL OR user_id = $1)"
                          " SELECT " CLI_TOKEN_COLUMNS
                          " ORDER BY t.created_at, t.id", 1, values);

    if (result == NULL) {
        return rc;
    }

    list = json_array();

    for (i = 0; i < PQntuples(result); i++) {
        json_array_append_new(list, cli_token_json(result, i));
    }

    PQclear(result);

    return cli_answer(cli, CLI_OK, json_pack("{s:o}", "tokens", list),
                      cli_token_print_list);
}


static void
cli_token_print_list(json_t *value)
{
    size_t       i;
    json_t      *list, *token;
    const char  *used;

    list = json_object_get(value, "tokens");

    if (json_array_size(list) == 0) {
        printf("no API tokens yet; the first:"
               " camera token create USER NAME --permissions A,B\n");
        return;
    }

    printf("%-36s  %-7s  %-8s  %-12s  %-20s  %-20s  %s\n", "ID", "STATE",
           "BEGINS", "TENANT", "LAST USED", "USER", "NAME");

    json_array_foreach(list, i, token) {
        used = cli_string(token, "lastUsedAt");

        printf("%-36s  %-7s  %-8s  %-12s  %-20s  %-20s  %s\n",
               cli_string(token, "id"), cli_string(token, "state"),
               cli_string(token, "prefix"), cli_string(token, "tenant"),
               *used ? used : "never", cli_string(token, "username"),
               cli_string(token, "name"));
    }
}


/* what is no id is not repeated to anybody: it may be a token */

static int
cli_token_revoke(cli_t *cli)
{
    int          rc;
    uint8_t      id[CAM_UUID_LEN];
    PGresult    *result;
    const char  *values[] = { cli->opt.words[1] };

    if (cam_uuid_parse(id, values[0], strlen(values[0])) != 0) {
        return cli_fail(cli, CLI_USAGE, "camera token list",
                        "revoke takes the id of a token");
    }

    rc = cli_db_connect(cli);

    if (rc != 0) {
        return rc;
    }

    result = cli_db_query(cli, &rc, "WITH t AS (UPDATE api_tokens"
                          " SET is_active = false,"
                          " revoked_at = coalesce(revoked_at, now())"
                          " WHERE id = $1 RETURNING *)"
                          " SELECT " CLI_TOKEN_COLUMNS, 1, values);

    if (result == NULL) {
        return rc;
    }

    if (PQntuples(result) == 1) {
        rc = cli_answer(cli, CLI_OK, cli_token_json(result, 0),
                        cli_token_print_revoked);

    } else {
        rc = cli_fail(cli, CLI_UNKNOWN, "camera token list",
                      "there is no token %s", values[0]);
    }

    PQclear(result);

    return rc;
}


static void
cli_token_print_revoked(json_t *value)
{
    printf("revoked %s of %s\n", cli_string(value, "name"),
           cli_string(value, "username"));
}
