/*
 * Copyright (C) The nginx camera platform authors
 */

/* camera tenant: who owns cameras and users. */

#include <stdio.h>
#include <string.h>

#include "db.h"


static int cli_tenant_add(cli_t *cli);
static void cli_tenant_print_added(json_t *value);
static int cli_tenant_list(cli_t *cli);
static json_t *cli_tenant_json(const PGresult *result, int row);
static void cli_tenant_print_list(json_t *value);


static const cli_verb_t  cli_tenant_verbs[] = {
    { "add",   3, cli_tenant_add },
    { "list",  1, cli_tenant_list },
    { "quota", 4, cli_tenant_quota },
    { NULL,    0, NULL }
};


int
cli_cmd_tenant(cli_t *cli)
{
    return cli_run_verb(cli, cli_tenant_verbs);
}


static int
cli_tenant_add(cli_t *cli)
{
    int          rc;
    json_t      *value;
    PGresult    *result;
    const char  *values[] = { cli->opt.words[1], cli->opt.words[2] };

    rc = cli_db_connect(cli);

    if (rc != 0) {
        return rc;
    }

    result = cli_db_query(cli, &rc, "INSERT INTO tenants (slug, name)"
                          " VALUES ($1, $2) RETURNING id, slug, name", 2,
                          values);

    if (result == NULL) {
        return rc;
    }

    value = json_pack("{s:o, s:o, s:o}",
                      "id", cli_db_text(result, 0, "id"),
                      "slug", cli_db_text(result, 0, "slug"),
                      "name", cli_db_text(result, 0, "name"));
    PQclear(result);

    return cli_answer(cli, CLI_OK, value, cli_tenant_print_added);
}


static void
cli_tenant_print_added(json_t *value)
{
    printf("added %s\n", cli_string(value, "name"));
    cli_field("id", cli_string(value, "id"));
    printf("  its admin: camera user add NAME --tenant %s\n",
           cli_string(value, "slug"));
}


static int
cli_tenant_list(cli_t *cli)
{
    int        i, rc;
    json_t    *list;
    PGresult  *result;

    rc = cli_db_connect(cli);

    if (rc != 0) {
        return rc;
    }

    result = cli_db_query(cli, &rc,
        "SELECT t.id, t.slug, t.name, t.is_active,"
        " (SELECT count(*) FROM cameras c WHERE c.tenant_id = t.id"
        " AND c.deleted_at IS NULL) AS cameras,"
        " (SELECT count(*) FROM users u WHERE u.tenant_id = t.id) AS users"
        " FROM tenants t ORDER BY t.created_at, t.id", 0, NULL);

    if (result == NULL) {
        return rc;
    }

    list = json_array();

    for (i = 0; i < PQntuples(result); i++) {
        json_array_append_new(list, cli_tenant_json(result, i));
    }

    PQclear(result);

    return cli_answer(cli, CLI_OK, json_pack("{s:o}", "tenants", list),
                      cli_tenant_print_list);
}


static json_t *
cli_tenant_json(const PGresult *result, int row)
{
    return json_pack("{s:o, s:o, s:o, s:b, s:I, s:I}",
                     "id", cli_db_text(result, row, "id"),
                     "slug", cli_db_text(result, row, "slug"),
                     "name", cli_db_text(result, row, "name"),
                     "isActive", cli_db_true(result, row, "is_active"),
                     "cameras", cli_db_number(result, row, "cameras"),
                     "users", cli_db_number(result, row, "users"));
}


static void
cli_tenant_print_list(json_t *value)
{
    size_t   i;
    json_t  *tenant;

    printf("%-20s  %7s  %5s  %s\n", "SLUG", "CAMERAS", "USERS", "NAME");

    json_array_foreach(json_object_get(value, "tenants"), i, tenant) {
        printf("%-20s  %7d  %5d  %s%s\n", cli_string(tenant, "slug"),
               (int) json_integer_value(json_object_get(tenant, "cameras")),
               (int) json_integer_value(json_object_get(tenant, "users")),
               cli_string(tenant, "name"),
               json_is_true(json_object_get(tenant, "isActive"))
               ? "" : "  (not active)");
    }
}


int
cli_tenant_find(cli_t *cli, char id[CLI_ID_MAX])
{
    int          rc;
    PGresult    *result;
    const char  *values[] = { cli->opt.tenant ? cli->opt.tenant : "default" };

    rc = cli_db_connect(cli);

    if (rc != 0) {
        return rc;
    }

    result = cli_db_query(cli, &rc, "SELECT id FROM tenants WHERE slug = $1",
                          1, values);

    if (result == NULL) {
        return rc;
    }

    if (PQntuples(result) == 1) {
        snprintf(id, CLI_ID_MAX, "%s", PQgetvalue(result, 0, 0));

    } else {
        rc = cli_fail(cli, CLI_UNKNOWN, "camera tenant list",
                      "there is no tenant \"%s\"", values[0]);
    }

    PQclear(result);

    return rc;
}
