/*
 * Copyright (C) The nginx camera platform authors
 */

/* camera user: the people who may log in. */

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "users.h"


static int cli_user_add(cli_t *cli);
static int cli_user_insert(cli_t *cli, const char *hash, json_t **value);
static void cli_user_print_added(json_t *value);
static int cli_user_list(cli_t *cli);
static void cli_user_print_list(json_t *value);
static void cli_user_row(const PGresult *result, int row, cli_user_t *user);
static int cli_user_role(cli_t *cli);
static int cli_user_bad_role(const cli_t *cli, const char *role);
static int cli_user_enable(cli_t *cli);
static int cli_user_disable(cli_t *cli);
static int cli_user_change(cli_t *cli, const char *sql, const char *to,
    const char *done);
static int cli_user_keep_admin(cli_t *cli, const cli_user_t *user);
static void cli_user_print_changed(json_t *value);


#define CLI_USER_SELECT                                                       \
    "SELECT u.id, u.username, u.email, u.role, u.is_active,"                  \
    " u.password_hash, t.slug,"                                               \
    " to_char(u.last_login_at AT TIME ZONE 'UTC',"                            \
    " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS last_login_at"                     \
    " FROM users u JOIN tenants t ON t.id = u.tenant_id"

static const cli_verb_t  cli_user_verbs[] = {
    { "add",      2, cli_user_add },
    { "list",     1, cli_user_list },
    { "password", 2, cli_user_password },
    { "check",    2, cli_user_check },
    { "role",     3, cli_user_role },
    { "enable",   2, cli_user_enable },
    { "disable",  2, cli_user_disable },
    { NULL,       0, NULL }
};


int
cli_cmd_user(cli_t *cli)
{
    return cli_run_verb(cli, cli_user_verbs);
}


static int
cli_user_add(cli_t *cli)
{
    int          rc;
    char         password[CLI_PASSWORD_SIZE], hash[CAM_PASSWORD_HASH_LEN + 1];
    json_t      *value;
    const char  *role;

    value = NULL;
    role = cli->opt.role;

    if (role && cam_role_parse(role, strlen(role)) == CAM_ROLE_NONE) {
        return cli_user_bad_role(cli, role);
    }

    rc = cli_password_new(cli, cli->opt.words[1], password, hash);

    if (rc == 0) {
        rc = cli_user_insert(cli, hash, &value);
    }

    if (rc == 0 && !cli->opt.password_stdin) {
        json_object_set_new(value, "password", json_string(password));
    }

    OPENSSL_cleanse(password, sizeof(password));

    return rc ? rc : cli_answer(cli, CLI_OK, value, cli_user_print_added);
}


static int
cli_user_insert(cli_t *cli, const char *hash, json_t **value)
{
    int          rc;
    char         tenant[CLI_ID_MAX];
    PGresult    *result;
    const char  *values[] = { cli->opt.words[1], cli->opt.email, hash,
                              cli->opt.role, tenant };

    rc = cli_tenant_find(cli, tenant);

    if (rc != 0) {
        return rc;
    }

    result = cli_db_query(cli, &rc,
        "INSERT INTO users (username, email, password_hash, role, tenant_id)"
        " SELECT $1, $2, $3, coalesce($4, CASE WHEN EXISTS"
        " (SELECT FROM users WHERE tenant_id = $5::uuid)"
        " THEN 'viewer' ELSE 'admin' END)::user_role, $5::uuid"
        " RETURNING id, username, role", 5, values);

    if (result == NULL) {
        return rc;
    }

    *value = json_pack("{s:o, s:o, s:o}",
                       "id", cli_db_text(result, 0, "id"),
                       "username", cli_db_text(result, 0, "username"),
                       "role", cli_db_text(result, 0, "role"));
    PQclear(result);

    return 0;
}


static void
cli_user_print_added(json_t *value)
{
    printf("added %s\n", cli_string(value, "username"));
    cli_field("id", cli_string(value, "id"));
    cli_field("role", cli_string(value, "role"));
    cli_field("password", cli_string(value, "password"));
}


static int
cli_user_list(cli_t *cli)
{
    int          i, rc;
    json_t      *list;
    PGresult    *result;
    cli_user_t   user;

    rc = cli_db_connect(cli);

    if (rc != 0) {
        return rc;
    }

    result = cli_db_query(cli, &rc, CLI_USER_SELECT
                          " ORDER BY u.created_at, u.id", 0, NULL);

    if (result == NULL) {
        return rc;
    }

    list = json_array();

    for (i = 0; i < PQntuples(result); i++) {
        cli_user_row(result, i, &user);
        json_array_append_new(list, user.json);
    }

    PQclear(result);

    return cli_answer(cli, CLI_OK, json_pack("{s:o}", "users", list),
                      cli_user_print_list);
}


static void
cli_user_print_list(json_t *value)
{
    size_t       i;
    json_t      *list, *user;
    const char  *login;

    list = json_object_get(value, "users");

    if (json_array_size(list) == 0) {
        printf("no users yet; the first: camera user add NAME\n");
        return;
    }

    printf("%-8s  %-8s  %-12s  %-20s  %-20s  %s\n", "STATUS", "ROLE", "TENANT",
           "LAST LOGIN", "NAME", "EMAIL");

    json_array_foreach(list, i, user) {
        login = cli_string(user, "lastLoginAt");

        printf("%-8s  %-8s  %-12s  %-20s  %-20s  %s\n",
               json_is_true(json_object_get(user, "isActive")) ? "active"
                                                               : "disabled",
               cli_string(user, "role"), cli_string(user, "tenant"),
               *login ? login : "never", cli_string(user, "username"),
               cli_string(user, "email"));
    }
}


int
cli_user_find(cli_t *cli, cli_user_t *user)
{
    int          rc;
    PGresult    *result;
    const char  *values[] = { cli->opt.words[1] };

    rc = cli_db_connect(cli);

    if (rc != 0) {
        return rc;
    }

    /* no username is the email of somebody else: one row at most */

    result = cli_db_query(cli, &rc, CLI_USER_SELECT
                          " WHERE lower(u.username) = lower($1)"
                          " OR lower(u.email) = lower($1)", 1, values);

    if (result == NULL) {
        return rc;
    }

    if (PQntuples(result) == 1) {
        cli_user_row(result, 0, user);

    } else {
        rc = cli_fail(cli, CLI_UNKNOWN, "camera user list",
                      "there is no user \"%s\"", values[0]);
    }

    PQclear(result);

    return rc;
}


static void
cli_user_row(const PGresult *result, int row, cli_user_t *user)
{
#define cli_user_get(column)                                                  \
    PQgetvalue(result, row, PQfnumber(result, column))

    snprintf(user->id, sizeof(user->id), "%s", cli_user_get("id"));
    snprintf(user->name, sizeof(user->name), "%s", cli_user_get("username"));
    snprintf(user->hash, sizeof(user->hash), "%s",
             cli_user_get("password_hash"));

#undef cli_user_get

    user->json = json_pack("{s:s, s:s, s:o, s:o, s:b, s:o, s:o}",
                           "id", user->id, "username", user->name,
                           "email", cli_db_text(result, row, "email"),
                           "role", cli_db_text(result, row, "role"),
                           "isActive", cli_db_true(result, row, "is_active"),
                           "tenant", cli_db_text(result, row, "slug"),
                           "lastLoginAt",
                           cli_db_text(result, row, "last_login_at"));
}


static int
cli_user_role(cli_t *cli)
{
    const char  *role;

    role = cli->opt.words[2];

    if (cam_role_parse(role, strlen(role)) == CAM_ROLE_NONE) {
        return cli_user_bad_role(cli, role);
    }

    return cli_user_change(cli, "UPDATE users SET role = $2::user_role"
                           " WHERE id = $1", role, role);
}


static int
cli_user_bad_role(const cli_t *cli, const char *role)
{
    return cli_fail(cli, CLI_USAGE, NULL, "\"%.24s\" is not one of admin, "
                    "operator, viewer and api_only", role);
}


static int
cli_user_enable(cli_t *cli)
{
    return cli_user_change(cli, "UPDATE users SET is_active = $2"
                           " WHERE id = $1", "true", "enabled");
}


static int
cli_user_disable(cli_t *cli)
{
    return cli_user_change(cli, "UPDATE users SET is_active = $2"
                           " WHERE id = $1", "false", "disabled");
}


static int
cli_user_change(cli_t *cli, const char *sql, const char *to, const char *done)
{
    int          rc;
    json_t      *value;
    PGresult    *result;
    cli_user_t   user;
    const char  *values[] = { user.id, to };

    rc = cli_user_find(cli, &user);

    if (rc != 0) {
        return rc;
    }

    json_decref(user.json);

    rc = cli->opt.force ? 0 : cli_user_keep_admin(cli, &user);

    if (rc != 0) {
        return rc;
    }

    result = cli_db_query(cli, &rc, sql, 2, values);

    if (result == NULL) {
        return rc;
    }

    PQclear(result);

    value = json_pack("{s:s, s:s, s:s}", "id", user.id, "username", user.name,
                      "done", done);

    return cli_answer(cli, CLI_OK, value, cli_user_print_changed);
}


/* the database keeps the last admin of a tenant from whoever names it */

static int
cli_user_keep_admin(cli_t *cli, const cli_user_t *user)
{
    int          rc;
    PGresult    *result;
    const char  *values[] = { user->id };

    result = cli_db_query(cli, &rc, "SELECT set_config('app.tenant',"
                          " tenant_id::text, false) FROM users WHERE id = $1",
                          1, values);

    if (result == NULL) {
        return rc;
    }

    PQclear(result);

    return 0;
}


static void
cli_user_print_changed(json_t *value)
{
    printf("%s %s\n", cli_string(value, "done"),
           cli_string(value, "username"));
}
