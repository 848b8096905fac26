/*
 * Copyright (C) The nginx camera platform authors
 */

/* camera tenant quota: how much a tenant may have of everything. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"


typedef struct {
    const char  *name;
    long long    most;
    const char  *update;                /* of $1, a slug, to $2; 0 for none */
} cli_quota_t;


static const cli_quota_t *cli_quota_find(const char *name);
static int cli_quota_number(const cli_quota_t *quota, const char *text,
    char number[24]);
static int cli_quota_set(cli_t *cli, const cli_quota_t *quota,
    const char *number);
static void cli_quota_print(json_t *value);


#define CLI_QUOTA(column)                                                     \
    "UPDATE tenants SET " column " WHERE slug = $1 RETURNING slug, "          \
    "max_cameras, max_publishers, max_viewers, max_egress_kbps, "             \
    "max_stored_bytes, coalesce(max_requests_per_hour, 0) AS max_requests"

static const cli_quota_t  cli_quotas[] = {
    { "cameras", INT_MAX, CLI_QUOTA("max_cameras = $2") },
    { "publishers", INT_MAX, CLI_QUOTA("max_publishers = $2") },
    { "viewers", INT_MAX, CLI_QUOTA("max_viewers = $2") },
    { "egress", INT_MAX, CLI_QUOTA("max_egress_kbps = $2") },
    { "storage", LLONG_MAX, CLI_QUOTA("max_stored_bytes = $2") },
    { "requests", INT_MAX,
      CLI_QUOTA("max_requests_per_hour = nullif($2::integer, 0)") },
    { NULL, 0, NULL }
};


int
cli_tenant_quota(cli_t *cli)
{
    char                number[24];
    const cli_quota_t  *quota;

    quota = cli_quota_find(cli->opt.words[2]);

    if (quota == NULL) {
        return cli_fail(cli, CLI_USAGE, NULL, "a quota is one of cameras, "
                        "publishers, viewers, egress, storage and requests");
    }

    if (cli_quota_number(quota, cli->opt.words[3], number) != 0) {
        return cli_fail(cli, CLI_USAGE, NULL,
                        "a quota is a number from 1 to %lld, or none",
                        quota->most);
    }

    return cli_quota_set(cli, quota, number);
}


static const cli_quota_t *
cli_quota_find(const char *name)
{
    const cli_quota_t  *quota;

    for (quota = cli_quotas; quota->name; quota++) {
        if (strcmp(quota->name, name) == 0) {
            return quota;
        }
    }

    return NULL;
}


static int
cli_quota_number(const cli_quota_t *quota, const char *text, char number[24])
{
    char       *end;
    long long   n;

    if (strcmp(text, "none") == 0) {
        (void) strcpy(number, "0");
        return 0;
    }

    errno = 0;
    n = strtoll(text, &end, 10);

    if (errno || end == text || *end || n < 1 || n > quota->most) {
        return -1;
    }

    (void) snprintf(number, 24, "%lld", n);

    return 0;
}


static int
cli_quota_set(cli_t *cli, const cli_quota_t *quota, const char *number)
{
    int          rc;
    json_t      *value;
    PGresult    *result;
    const char  *values[] = { cli->opt.words[1], number };

    rc = cli_db_connect(cli);

    if (rc != 0) {
        return rc;
    }

    result = cli_db_query(cli, &rc, quota->update, 2, values);

    if (result == NULL) {
        return rc;
    }

    if (PQntuples(result) == 0) {
        PQclear(result);
        return cli_fail(cli, CLI_UNKNOWN, "camera tenant list",
                        "there is no tenant \"%s\"", values[0]);
    }

    value = json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I}",
        "slug", cli_db_text(result, 0, "slug"),
        "cameras", cli_db_number(result, 0, "max_cameras"),
        "publishers", cli_db_number(result, 0, "max_publishers"),
        "viewers", cli_db_number(result, 0, "max_viewers"),
        "egress", cli_db_number(result, 0, "max_egress_kbps"),
        "storage", cli_db_number(result, 0, "max_stored_bytes"),
        "requests", cli_db_number(result, 0, "max_requests"));

    PQclear(result);

    return cli_answer(cli, CLI_OK, value, cli_quota_print);
}


static void
cli_quota_print(json_t *value)
{
    char                text[24];
    json_int_t          n;
    const cli_quota_t  *quota;

    printf("quotas of %s\n", cli_string(value, "slug"));

    for (quota = cli_quotas; quota->name; quota++) {
        n = json_integer_value(json_object_get(value, quota->name));
        (void) snprintf(text, sizeof(text), "%lld", (long long) n);
        cli_field(quota->name, n ? text : "none");
    }
}
