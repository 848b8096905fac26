/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * retention: what the limits are, what would go now, and that a clock is right
 * which the jobs of camera-worker do not believe.  What would go is asked of
 * the same function by which they remove.
 */

#include <stdio.h>

#include "db.h"


static int cli_retention_show(cli_t *cli);
static json_t *cli_retention_nodes(cli_t *cli, int *rc);
static json_t *cli_retention_tenants(cli_t *cli, int *rc);
static void cli_retention_print(json_t *value);
static const char *cli_retention_ahead(char text[64], json_int_t sec);
static int cli_retention_dry_run(cli_t *cli);
static void cli_retention_print_dry_run(json_t *value);
static int cli_retention_confirm(cli_t *cli);
static void cli_retention_print_confirm(json_t *value);
static json_int_t cli_retention_int(json_t *object, const char *name);


int
cli_cmd_retention(cli_t *cli)
{
    int  rc;

    static const cli_verb_t  verbs[] = {
        { "confirm", 1, cli_retention_confirm },
        { NULL, 0, NULL }
    };

    rc = cli_db_connect(cli);

    if (rc != 0) {
        return rc;
    }

    if (cli->opt.n > 0) {
        return cli_run_verb(cli, verbs);
    }

    return cli->opt.dry_run ? cli_retention_dry_run(cli)
                            : cli_retention_show(cli);
}


static int
cli_retention_show(cli_t *cli)
{
    int      rc;
    json_t  *nodes, *tenants;

    nodes = cli_retention_nodes(cli, &rc);

    if (nodes == NULL) {
        return rc;
    }

    tenants = cli_retention_tenants(cli, &rc);

    if (tenants == NULL) {
        json_decref(nodes);
        return rc;
    }

    return cli_answer(cli, CLI_OK,
                      json_pack("{s:o, s:o}", "nodes", nodes, "tenants",
                                tenants),
                      cli_retention_print);
}


static json_t *
cli_retention_nodes(cli_t *cli, int *rc)
{
    int        i;
    json_t    *list;
    PGresult  *result;

    result = cli_db_query(cli, rc, "SELECT node, ahead_msec / 1000 AS ahead,"
                          " floor(extract(epoch FROM run_at))::bigint AS run"
                          " FROM retention_clocks ORDER BY node", 0, NULL);

    if (result == NULL) {
        return NULL;
    }

    list = json_array();

    for (i = 0; i < PQntuples(result); i++) {
        json_array_append_new(list, json_pack(
            "{s:o, s:I, s:I}", "node", cli_db_text(result, i, "node"),
            "lastRunAt", cli_db_number(result, i, "run"),
            "aheadSeconds", cli_db_number(result, i, "ahead")));
    }

    PQclear(result);

    return list;
}


static json_t *
cli_retention_tenants(cli_t *cli, int *rc)
{
    int        i;
    json_t    *list;
    PGresult  *result;

    result = cli_db_query(cli, rc, "SELECT t.slug, t.retention_days AS days,"
                          " t.retention_bytes AS most,"
                          " coalesce(sum(d.recordings), 0)::bigint AS n,"
                          " coalesce(sum(d.bytes), 0)::bigint AS bytes"
                          " FROM tenants t LEFT JOIN recording_days d"
                          " ON d.tenant_id = t.id"
                          " GROUP BY t.id ORDER BY t.slug", 0, NULL);

    if (result == NULL) {
        return NULL;
    }

    list = json_array();

    /* 0 is no limit */

    for (i = 0; i < PQntuples(result); i++) {
        json_array_append_new(list, json_pack(
            "{s:o, s:I, s:I, s:I, s:I}",
            "tenant", cli_db_text(result, i, "slug"),
            "retentionDays", cli_db_number(result, i, "days"),
            "retentionBytes", cli_db_number(result, i, "most"),
            "recordings", cli_db_number(result, i, "n"),
            "bytes", cli_db_number(result, i, "bytes")));
    }

    PQclear(result);

    return list;
}


static void
cli_retention_print(json_t *value)
{
    char         ahead[64];
    size_t       i;
    json_t      *item;
    json_int_t   days, most;

    printf("%-20s  %5s  %15s  %10s  %15s\n", "TENANT", "DAYS", "BYTES",
           "RECORDINGS", "OF BYTES");

    json_array_foreach(json_object_get(value, "tenants"), i, item) {
        days = cli_retention_int(item, "retentionDays");
        most = cli_retention_int(item, "retentionBytes");

        printf("%-20s  ", cli_string(item, "tenant"));
        printf(days ? "%5lld  " : "    -  ", (long long) days);
        printf(most ? "%15lld  " : "              -  ", (long long) most);
        printf("%10lld  %15lld\n",
               (long long) cli_retention_int(item, "recordings"),
               (long long) cli_retention_int(item, "bytes"));
    }

    json_array_foreach(json_object_get(value, "nodes"), i, item) {
        printf("\n%s\n", cli_string(item, "node"));
        cli_field("last run", cli_ago(ahead,
                                      cli_retention_int(item, "lastRunAt")));
        cli_field("clock", cli_retention_ahead(ahead,
                                     cli_retention_int(item, "aheadSeconds")));
    }
}


static const char *
cli_retention_ahead(char text[64], json_int_t sec)
{
    if (sec == 0) {
        return "believed";
    }

    if (sec >= 2 * 86400) {
        snprintf(text, 64, "%lld d ahead, not believed",
                 (long long) sec / 86400);

    } else {
        snprintf(text, 64, "%lld min ahead, not believed",
                 (long long) sec / 60);
    }

    return text;
}


static int
cli_retention_dry_run(cli_t *cli)
{
    int         i, rc;
    json_t     *list;
    PGresult   *result;
    json_int_t  n, bytes;

    /* by the time that the jobs believe */

    result = cli_db_query(cli, &rc, "SELECT c.id, c.name, k.why,"
                          " count(*) AS n, sum(k.file_size)::bigint AS bytes,"
                          " json_time(min(k.start_time)) AS oldest,"
                          " json_time(max(k.end_time)) AS newest"
                          " FROM retention_candidates(100000, clock_timestamp()"
                          " - (SELECT coalesce(max(ahead_msec), 0)"
                          " FROM retention_clocks) * interval '1 ms') k"
                          " JOIN cameras c ON c.id = k.camera_id"
                          " GROUP BY c.id, k.why ORDER BY c.name, c.id, k.why",
                          0, NULL);

    if (result == NULL) {
        return rc;
    }

    n = 0;
    bytes = 0;
    list = json_array();

    for (i = 0; i < PQntuples(result); i++) {
        n += cli_db_number(result, i, "n");
        bytes += cli_db_number(result, i, "bytes");

        json_array_append_new(list, json_pack(
            "{s:o, s:o, s:o, s:I, s:I, s:o, s:o}",
            "cameraId", cli_db_text(result, i, "id"),
            "name", cli_db_text(result, i, "name"),
            "why", cli_db_text(result, i, "why"),
            "recordings", cli_db_number(result, i, "n"),
            "bytes", cli_db_number(result, i, "bytes"),
            "oldest", cli_db_text(result, i, "oldest"),
            "newest", cli_db_text(result, i, "newest")));
    }

    PQclear(result);

    return cli_answer(cli, CLI_OK,
                      json_pack("{s:I, s:I, s:o}", "recordings", n, "bytes",
                                bytes, "cameras", list),
                      cli_retention_print_dry_run);
}


static void
cli_retention_print_dry_run(json_t *value)
{
    size_t   i;
    json_t  *item;

    json_array_foreach(json_object_get(value, "cameras"), i, item) {
        printf("%-20s  %-14s  %7lld  %15lld  %s to %s\n",
               cli_string(item, "name"), cli_string(item, "why"),
               (long long) cli_retention_int(item, "recordings"),
               (long long) cli_retention_int(item, "bytes"),
               cli_string(item, "oldest"), cli_string(item, "newest"));
    }

    printf("%lld recordings would go, %lld bytes\n",
           (long long) cli_retention_int(value, "recordings"),
           (long long) cli_retention_int(value, "bytes"));
}


static int
cli_retention_confirm(cli_t *cli)
{
    int        i, rc;
    json_t    *list;
    PGresult  *result;

    result = cli_db_query(cli, &rc, "WITH c AS (UPDATE retention_clocks"
                          " SET confirmed = true WHERE ahead_msec > 0"
                          " RETURNING node)"
                          " SELECT c.node, pg_notify('retention_changed', '')"
                          " FROM c ORDER BY c.node", 0, NULL);

    if (result == NULL) {
        return rc;
    }

    list = json_array();

    for (i = 0; i < PQntuples(result); i++) {
        json_array_append_new(list, cli_db_text(result, i, "node"));
    }

    PQclear(result);

    return cli_answer(cli, json_array_size(list) ? CLI_OK : CLI_NO,
                      json_pack("{s:o}", "confirmed", list),
                      cli_retention_print_confirm);
}


static void
cli_retention_print_confirm(json_t *value)
{
    size_t   i;
    json_t  *node, *list;

    list = json_object_get(value, "confirmed");

    json_array_foreach(list, i, node) {
        printf("confirmed the clock of %s\n", json_string_value(node));
    }

    if (json_array_size(list) == 0) {
        printf("no clock waits for that\n");
    }
}


static json_int_t
cli_retention_int(json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}
