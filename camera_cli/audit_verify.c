/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera audit verify: the chain of each tenant from its beginning, or from a
 * time; then the rows that stand outside of it; then anchors, those that the
 * database has and those of --anchor.  Who can write into the database can
 * make a chain anew, but no anchor: so the proof is worth as much as the place
 * where anchors are kept.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "manifest.h"


typedef struct {
    json_t           *anchors;             /* of --anchor */
    int               keys;                /* they are there */
    cli_progress_t    progress;
    json_t           *list;                /* what is answered, by tenant */
    int               rc;
} cli_audit_t;


static int cli_audit_read_anchors(cli_t *cli, cli_audit_t *audit);
static int cli_audit_tenant(cli_t *cli, cli_audit_t *audit, const char *tenant,
    const char *slug);
static int cli_audit_begin(cli_t *cli, cli_audit_walk_t *walk);
static int cli_audit_outside(cli_t *cli, cli_audit_walk_t *walk,
    json_int_t *waiting);
static int cli_audit_kept(cli_t *cli, cli_audit_t *audit,
    cli_audit_walk_t *walk, json_int_t *n);
static int cli_audit_given(cli_t *cli, cli_audit_t *audit,
    cli_audit_walk_t *walk, json_int_t *n);
static int cli_audit_anchor(cli_t *cli, cli_audit_t *audit,
    cli_audit_walk_t *walk, json_t *anchor);
static int cli_audit_hash_at(cli_t *cli, const char *tenant,
    json_int_t position, char hex[CLI_AUDIT_HEX]);
static void cli_audit_verify_print(json_t *list);


int
cli_audit_verify(cli_t *cli)
{
    int          i, rc;
    PGresult    *tenants;
    cli_audit_t  audit;
    const char  *values[] = { cli->opt.tenant };

    memset(&audit, 0, sizeof(cli_audit_t));
    rc = cli_audit_read_anchors(cli, &audit);

    if (rc != 0) {
        return rc;
    }

    tenants = cli_db_query(cli, &rc, "SELECT id, slug FROM tenants WHERE"
                           " $1::text IS NULL OR slug = $1 ORDER BY slug", 1,
                           values);

    if (tenants != NULL && PQntuples(tenants) == 0) {
        rc = cli_fail(cli, CLI_UNKNOWN, "camera tenant list",
                      "there is no tenant \"%s\"", cli->opt.tenant);
    }

    audit.list = json_array();
    cli_progress_start(&audit.progress, "rows");

    for (i = 0; rc == 0 && i < PQntuples(tenants); i++) {
        rc = cli_audit_tenant(cli, &audit, PQgetvalue(tenants, i, 0),
                              PQgetvalue(tenants, i, 1));
    }

    cli_progress_end(&audit.progress);
    PQclear(tenants);
    json_decref(audit.anchors);

    if (rc != 0) {
        json_decref(audit.list);
        return rc;
    }

    return cli_answer(cli, audit.rc, audit.list, cli_audit_verify_print);
}


/* one JSON object after the other, as "audit anchor" prints them, or lines of
   camera-worker's log that have one; without the keys none can be judged */

static int
cli_audit_read_anchors(cli_t *cli, cli_audit_t *audit)
{
    FILE    *f;
    char    *line, *begin;
    size_t   cap;
    json_t  *anchor;

    if (cli->opt.anchor || cli->opt.keys || cli->env.keys) {

        if (cli->opt.keys) {
            free(cli->env.keys);
            cli->env.keys = strdup(cli->opt.keys);
        }

        if (cli_keys_load(cli) != 0) {
            return CLI_INSTANCE;
        }

        audit->keys = 1;
    }

    if (cli->opt.anchor == NULL) {
        return 0;
    }

    f = fopen(cli->opt.anchor, "re");

    if (f == NULL) {
        return cli_fail(cli, CLI_UNKNOWN, NULL, "\"%s\" cannot be read (%s)",
                        cli->opt.anchor, strerror(errno));
    }

    line = NULL;
    cap = 0;
    audit->anchors = json_array();

    while (getline(&line, &cap, f) != -1) {
        begin = strchr(line, '{');
        anchor = begin ? json_loads(begin, JSON_REJECT_DUPLICATES, NULL)
                       : NULL;

        if (anchor != NULL) {
            json_array_append_new(audit->anchors, anchor);
        }
    }

    free(line);
    fclose(f);

    return json_array_size(audit->anchors) ? 0
           : cli_fail(cli, CLI_REFUSED, "camera audit anchor > FILE",
                      "there is no anchor in \"%s\"", cli->opt.anchor);
}


static int
cli_audit_tenant(cli_t *cli, cli_audit_t *audit, const char *tenant,
    const char *slug)
{
    int               rc;
    json_int_t        waiting, anchors;
    cli_audit_walk_t  walk;

    memset(&walk, 0, sizeof(cli_audit_walk_t));
    walk.tenant = tenant;
    walk.progress = &audit->progress;
    waiting = 0;
    anchors = 0;

    rc = cli_audit_begin(cli, &walk);

    if (rc == 0) {
        rc = cli_audit_walk(cli, &walk);
    }

    if (rc == 0 && walk.broken == NULL) {
        rc = cli_audit_outside(cli, &walk, &waiting);
    }

    if (rc == 0 && walk.broken == NULL) {
        rc = cli_audit_kept(cli, audit, &walk, &anchors);
    }

    if (rc == 0 && walk.broken == NULL) {
        rc = cli_audit_given(cli, audit, &walk, &anchors);
    }

    if (walk.broken) {
        audit->rc = CLI_NO;
    }

    json_array_append_new(audit->list, json_pack(
        "{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:o}",
        "tenant", slug, "good", walk.broken == NULL, "rows", walk.rows,
        "expired", walk.expired, "waiting", waiting, "anchors", anchors,
        "place", walk.position, "lastAt", walk.at, "hash", walk.hash,
        "broken", walk.broken ? walk.broken : json_null()));

    return rc;
}


/* from the first place, or the first at --from; what is before that is taken
   as it is */

static int
cli_audit_begin(cli_t *cli, cli_audit_walk_t *walk)
{
    int          rc;
    PGresult    *result;
    const char  *values[] = { walk->tenant, cli->opt.from };

    memset(walk->hash, '0', CLI_AUDIT_HEX - 1);
    walk->first = 1;

    if (cli->opt.from == NULL) {
        return 0;
    }

    result = cli_db_query(cli, &rc, "SELECT b.position AS position,"
                          " encode(b.hash, 'hex') AS hash FROM audit_chain c"
                          " JOIN audit_chain b ON b.tenant_id = c.tenant_id"
                          " AND b.position = c.position - 1"
                          " WHERE c.tenant_id = $1"
                          " AND c.log_at >= $2::timestamptz"
                          " ORDER BY c.position LIMIT 1", 2, values);

    if (result == NULL) {
        return rc;
    }

    if (PQntuples(result)) {
        walk->position = cli_db_number(result, 0, "position");
        walk->first = walk->position + 1;
        snprintf(walk->hash, CLI_AUDIT_HEX, "%s", PQgetvalue(result, 0, 1));
    }

    PQclear(result);

    return 0;
}


/* rows without a place: behind the last one they wait for theirs, or it was
   cut off; before it they were put there */

static int
cli_audit_outside(cli_t *cli, cli_audit_walk_t *walk, json_int_t *waiting)
{
    int          rc;
    char         last[24];
    PGresult    *result;
    const char  *what;
    const char  *values[] = { walk->tenant, last };

    snprintf(last, sizeof(last), "%lld", (long long) walk->log_id);

    result = cli_db_query(cli, &rc, "SELECT a.id, json_time(a.at) AS at,"
                          " a.action, a.id > $2::bigint AS behind,"
                          " a.id <= s.low_id AS passed,"
                          " count(*) OVER () AS n"
                          " FROM audit_log a, audit_state s"
                          " WHERE a.tenant_id = $1 AND NOT EXISTS"
                          " (SELECT FROM audit_chain c WHERE c.log_id = a.id)"
                          " ORDER BY a.id LIMIT 1", 2, values);

    if (result == NULL) {
        return rc;
    }

    if (PQntuples(result) && cli_db_true(result, 0, "passed")) {
        what = cli_db_true(result, 0, "behind") ? "tail cut" : "inserted";

        cli_audit_broken(walk, what, walk->position + 1,
                         cli_db_number(result, 0, "id"),
                         PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 2));

    } else if (PQntuples(result)) {
        *waiting = cli_db_number(result, 0, "n");
    }

    PQclear(result);

    return 0;
}


static int
cli_audit_kept(cli_t *cli, cli_audit_t *audit, cli_audit_walk_t *walk,
    json_int_t *n)
{
    int          i, rc;
    json_t      *anchor;
    PGresult    *result;
    const char  *values[] = { walk->tenant };

    result = cli_db_query(cli, &rc, "SELECT tenant_id, position, log_id,"
                          " encode(hash, 'hex') AS hash, json_time(at) AS at,"
                          " kid, signature FROM audit_anchors"
                          " WHERE tenant_id = $1 ORDER BY position", 1,
                          values);

    if (result == NULL) {
        return rc;
    }

    rc = 0;

    for (i = 0; rc == 0 && walk->broken == NULL && i < PQntuples(result); i++)
    {
        anchor = json_pack("{s:o, s:I, s:I, s:o, s:o, s:o, s:o}",
                           "tenant", cli_db_text(result, i, "tenant_id"),
                           "position", cli_db_number(result, i, "position"),
                           "logId", cli_db_number(result, i, "log_id"),
                           "hash", cli_db_text(result, i, "hash"),
                           "at", cli_db_text(result, i, "at"),
                           "kid", cli_db_text(result, i, "kid"),
                           "signature", cli_db_text(result, i, "signature"));

        rc = cli_audit_anchor(cli, audit, walk, anchor);
        json_decref(anchor);
        (*n)++;
    }

    PQclear(result);

    return rc;
}


static int
cli_audit_given(cli_t *cli, cli_audit_t *audit, cli_audit_walk_t *walk,
    json_int_t *n)
{
    int      rc;
    size_t   i;
    json_t  *anchor;

    rc = 0;

    json_array_foreach(audit->anchors, i, anchor) {

        if (rc != 0 || walk->broken) {
            break;
        }

        if (strcmp(cli_string(anchor, "tenant"), walk->tenant) == 0) {
            rc = cli_audit_anchor(cli, audit, walk, anchor);
            (*n)++;
        }
    }

    return rc;
}


static int
cli_audit_anchor(cli_t *cli, cli_audit_t *audit, cli_audit_walk_t *walk,
    json_t *anchor)
{
    int          rc;
    char         hex[CLI_AUDIT_HEX];
    json_int_t   position, row;
    const char  *what;

    position = json_integer_value(json_object_get(anchor, "position"));
    row = json_integer_value(json_object_get(anchor, "logId"));
    what = NULL;

    if (audit->keys
        && cam_manifest_verify(anchor, CAM_MANIFEST_ANCHOR, &cli->keys)
           != CAM_MANIFEST_OK)
    {
        what = "anchor forged";

    } else if (position > walk->position) {
        what = "tail cut";
        position = walk->position + 1;

    } else {
        rc = cli_audit_hash_at(cli, walk->tenant, position, hex);

        if (rc != 0) {
            return rc;
        }

        if (strcmp(hex, cli_string(anchor, "hash")) != 0) {
            what = "made anew";
        }
    }

    if (what) {
        cli_audit_broken(walk, what, position, row, cli_string(anchor, "at"),
                         "");
    }

    return 0;
}


/* "" where there is none; the walk has seen that they follow one another */

static int
cli_audit_hash_at(cli_t *cli, const char *tenant, json_int_t position,
    char hex[CLI_AUDIT_HEX])
{
    int          rc;
    char         place[24];
    PGresult    *result;
    const char  *values[] = { tenant, place };

    snprintf(place, sizeof(place), "%lld", (long long) position);

    result = cli_db_query(cli, &rc, "SELECT encode(hash, 'hex')"
                          " FROM audit_chain WHERE tenant_id = $1"
                          " AND position = $2", 2, values);

    if (result == NULL) {
        return rc;
    }

    snprintf(hex, CLI_AUDIT_HEX, "%s",
             PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);

    return 0;
}


static void
cli_audit_verify_print(json_t *list)
{
    size_t      i;
    json_t     *item, *broken;
    json_int_t  waiting;

    json_array_foreach(list, i, item) {
        broken = json_object_get(item, "broken");
        waiting = json_integer_value(json_object_get(item, "waiting"));

        printf("%-20s  ", cli_string(item, "tenant"));

        if (json_is_object(broken)) {
            printf("BROKEN at place %lld, row %lld of %s %s: %s\n",
                   (long long) json_integer_value(json_object_get(broken,
                                                                  "place")),
                   (long long) json_integer_value(json_object_get(broken,
                                                                  "row")),
                   cli_string(broken, "at"), cli_string(broken, "action"),
                   cli_string(broken, "what"));
            continue;
        }

        printf("good: %lld rows, %lld anchors",
               (long long) json_integer_value(json_object_get(item, "rows")),
               (long long) json_integer_value(json_object_get(item,
                                                              "anchors")));
        printf(waiting ? ", %lld rows not in the chain yet\n" : "\n",
               (long long) waiting);
    }
}
