/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera audit: whether the audit log is what was written, a signed anchor of
 * it to be kept elsewhere, and for how long it is kept.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "manifest.h"

#define CLI_AUDIT_MONTHS_MAX  1200


static int cli_audit_anchors(cli_t *cli);
static void cli_audit_print_anchors(json_t *list);
static int cli_audit_retention(cli_t *cli);
static void cli_audit_print_retention(json_t *value);


int
cli_cmd_audit(cli_t *cli)
{
    int  rc;

    static const cli_verb_t  verbs[] = {
        { "verify", 1, cli_audit_verify },
        { "anchor", 1, cli_audit_anchors },
        { "retention", 1, cli_audit_retention },
        { "retention", 2, cli_audit_retention },
        { NULL, 0, NULL }
    };

    rc = cli_db_connect(cli);

    return rc != 0 ? rc : cli_run_verb(cli, verbs);
}


static int
cli_audit_anchors(cli_t *cli)
{
    int        i, rc;
    json_t    *list, *anchor;
    PGresult  *heads;

    rc = cli_keys_load(cli);

    if (rc != 0) {
        return rc;
    }

    heads = cli_db_query(cli, &rc, "SELECT * FROM audit_heads(true)", 0, NULL);

    if (heads == NULL) {
        return rc;
    }

    list = json_array();

    for (i = 0; rc == 0 && i < PQntuples(heads); i++) {
        anchor = json_pack("{s:o, s:I, s:I, s:o, s:o}",
                           "tenant", cli_db_text(heads, i, "tenant_id"),
                           "position", cli_db_number(heads, i, "position"),
                           "logId", cli_db_number(heads, i, "log_id"),
                           "hash", cli_db_text(heads, i, "hash"),
                           "at", cli_db_text(heads, i, "at"));

        if (cam_manifest_sign(anchor, CAM_MANIFEST_ANCHOR, &cli->keys) != 0) {
            rc = cli_fail(cli, CLI_INSTANCE, "camera keys rotate --use export",
                          "there is no key of use \"export\"");
        }

        json_array_append_new(list, anchor);
    }

    PQclear(heads);

    if (rc != 0) {
        json_decref(list);
        return rc;
    }

    return cli_answer(cli, CLI_OK, list, cli_audit_print_anchors);
}


/* one line each, for people and programs */

static void
cli_audit_print_anchors(json_t *list)
{
    size_t   i;
    json_t  *anchor;

    json_array_foreach(list, i, anchor) {
        json_dumpf(anchor, stdout, JSON_COMPACT|JSON_SORT_KEYS);
        putchar('\n');
    }
}


static int
cli_audit_retention(cli_t *cli)
{
    int          rc;
    char        *end;
    long         months;
    PGresult    *result;
    const char  *values[1];

    if (cli->opt.n == 2) {
        values[0] = cli->opt.words[1];
        months = strtol(values[0], &end, 10);

        if (strcmp(values[0], "keep") == 0) {
            values[0] = NULL;

        } else if (end == values[0] || *end || months < 1
                   || months > CLI_AUDIT_MONTHS_MAX)
        {
            return cli_fail(cli, CLI_USAGE, NULL, "retention takes a number "
                            "of months, or \"keep\"");
        }

        result = cli_db_query(cli, &rc, "UPDATE audit_state"
                              " SET keep_months = $1", 1, values);

        if (result == NULL) {
            return rc;
        }

        PQclear(result);
    }

    result = cli_db_query(cli, &rc, "SELECT keep_months AS months,"
                          " keep_months IS NULL AS keep FROM audit_state", 0,
                          NULL);

    if (result == NULL) {
        return rc;
    }

    months = (long) cli_db_number(result, 0, "months");
    PQclear(result);

    return cli_answer(cli, CLI_OK,
                      json_pack("{s:o}", "months",
                                months ? json_integer(months) : json_null()),
                      cli_audit_print_retention);
}


static void
cli_audit_print_retention(json_t *value)
{
    json_t  *months;

    months = json_object_get(value, "months");

    if (json_is_null(months)) {
        printf("the audit log is kept for ever\n");

    } else {
        printf("the audit log is kept for %lld months\n",
               (long long) json_integer_value(months));
    }
}
