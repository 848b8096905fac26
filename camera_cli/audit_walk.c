/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One tenant's chain, from place to place: each follows the one before by
 * number and hash, and its row is what was hashed.  The walk ends at the first
 * place where that is not so, and says what became of it; what comes behind is
 * not to be believed anyway.
 */

#include <stdio.h>
#include <string.h>

#include "audit.h"

#define CLI_AUDIT_BATCH       5000
#define CLI_AUDIT_BATCH_TEXT  "5000"

/* columns; behind them are the fields of the row */

#define CLI_AUDIT_POSITION    0
#define CLI_AUDIT_LOG_ID      1
#define CLI_AUDIT_AT          2
#define CLI_AUDIT_ROW_HASH    3
#define CLI_AUDIT_PLACE_HASH  4
#define CLI_AUDIT_EXPIRED     5
#define CLI_AUDIT_BACKDATED   6
#define CLI_AUDIT_FIELD       7
#define CLI_AUDIT_FIELDS      18
#define CLI_AUDIT_ACTION      15

#define CLI_AUDIT_ROW                                                         \
    "a.tenant_id, a.id, to_char(a.at AT TIME ZONE 'UTC',"                     \
    " 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), a.user_id, a.actor, a.credential,"\
    " a.request_id, host(a.address), a.action, a.object_type, a.object_id,"   \
    " a.object_name, a.camera_id, a.result, a.code, a.old, a.new, a.details"


static int cli_audit_batch(cli_t *cli, cli_audit_walk_t *walk,
    PGresult *result);
static int cli_audit_place(cli_audit_walk_t *walk, PGresult *result, int row);
static const char *cli_audit_wrong_place(cli_audit_walk_t *walk,
    PGresult *result, int row);
static int cli_audit_follows(const char *before, PGresult *result, int row);
static int cli_audit_row(cli_t *cli, cli_audit_walk_t *walk, PGresult *result,
    int row);
static int cli_audit_elsewhere(cli_t *cli, int *rc, const char *id);
static json_int_t cli_audit_int(PGresult *result, int row, int column);


int
cli_audit_walk(cli_t *cli, cli_audit_walk_t *walk)
{
    int          n, rc;
    char         after[24];
    PGresult    *result;
    const char  *values[] = { walk->tenant, after };

    do {
        snprintf(after, sizeof(after), "%lld", (long long) walk->position);

        /* an hour is more than any transaction takes */

        result = cli_db_query(cli, &rc, "SELECT c.position, c.log_id,"
                  " json_time(c.log_at), encode(c.row_hash, 'hex'),"
                  " encode(c.hash, 'hex'), coalesce(c.log_at < ("
                  "SELECT max((e.details ->> 'before')::timestamptz)"
                  " FROM audit_log e WHERE e.tenant_id = $1"
                  " AND e.action = 'audit.expire'), false),"
                  " c.log_at < lag(c.log_at) OVER (ORDER BY c.position)"
                  " - interval '1 hour', " CLI_AUDIT_ROW
                  " FROM audit_chain c LEFT JOIN audit_log a"
                  " ON a.id = c.log_id AND a.at = c.log_at"
                  " AND a.tenant_id = c.tenant_id"
                  " WHERE c.tenant_id = $1 AND c.position > $2"
                  " AND c.position <= $2::bigint + " CLI_AUDIT_BATCH_TEXT
                  " ORDER BY c.position", 2, values);

        if (result == NULL) {
            return rc;
        }

        n = PQntuples(result);
        rc = cli_audit_batch(cli, walk, result);
        PQclear(result);

        if (rc != 0) {
            return rc;
        }

        cli_progress(walk->progress, (uint64_t) n);

    } while (n == CLI_AUDIT_BATCH && walk->broken == NULL);

    return 0;
}


static int
cli_audit_batch(cli_t *cli, cli_audit_walk_t *walk, PGresult *result)
{
    int  i, rc;

    for (i = 0; i < PQntuples(result); i++) {

        if (cli_audit_place(walk, result, i) != 0) {
            return 0;
        }

        rc = cli_audit_row(cli, walk, result, i);

        if (rc != 0 || walk->broken) {
            return rc;
        }

        walk->position = cli_audit_int(result, i, CLI_AUDIT_POSITION);
        walk->log_id = cli_audit_int(result, i, CLI_AUDIT_LOG_ID);
        walk->rows++;
        snprintf(walk->at, sizeof(walk->at), "%s",
                 PQgetvalue(result, i, CLI_AUDIT_AT));
        memcpy(walk->before, walk->hash, CLI_AUDIT_HEX);
        snprintf(walk->hash, CLI_AUDIT_HEX, "%s",
                 PQgetvalue(result, i, CLI_AUDIT_PLACE_HASH));
    }

    return 0;
}


/* -1: it does not follow the place before */

static int
cli_audit_place(cli_audit_walk_t *walk, PGresult *result, int row)
{
    json_int_t   position;
    const char  *what;

    position = cli_audit_int(result, row, CLI_AUDIT_POSITION);

    if (position != walk->position + 1) {
        cli_audit_broken(walk, "removed", walk->position + 1, 0, "", "");
        return -1;
    }

    if (cli_audit_follows(walk->hash, result, row)) {
        return 0;
    }

    what = cli_audit_wrong_place(walk, result, row);

    cli_audit_broken(walk, what, position - (strcmp(what, "inserted") == 0),
                     cli_audit_int(result, row, CLI_AUDIT_LOG_ID),
                     PQgetvalue(result, row, CLI_AUDIT_AT),
                     PQgetvalue(result, row, CLI_AUDIT_ACTION));

    return -1;
}


/* what became of a place whose hash does not follow from the one before */

static const char *
cli_audit_wrong_place(cli_audit_walk_t *walk, PGresult *result, int row)
{
    char  hex[CLI_AUDIT_HEX];

    if (walk->before[0] && cli_audit_follows(walk->before, result, row)) {
        return "inserted";
    }

    if (row + 1 < PQntuples(result)
        && cli_audit_follows(walk->hash, result, row + 1))
    {
        return "reordered";
    }

    /* the row is what its place says: the one before it is gone */

    if (cli_audit_row_hash(result, row, CLI_AUDIT_FIELD, CLI_AUDIT_FIELDS,
                           hex) == 0
        && strcmp(hex, PQgetvalue(result, row, CLI_AUDIT_ROW_HASH)) == 0)
    {
        return "removed";
    }

    return "changed";
}


static int
cli_audit_follows(const char *before, PGresult *result, int row)
{
    char  hex[CLI_AUDIT_HEX];

    return cli_audit_place_hash(before,
                                PQgetvalue(result, row, CLI_AUDIT_ROW_HASH),
                                hex) == 0
           && strcmp(hex, PQgetvalue(result, row, CLI_AUDIT_PLACE_HASH)) == 0;
}


static int
cli_audit_row(cli_t *cli, cli_audit_walk_t *walk, PGresult *result, int row)
{
    int          rc;
    char         hex[CLI_AUDIT_HEX];
    const char  *what;

    rc = 0;

    if (PQgetisnull(result, row, CLI_AUDIT_FIELD)) {

        if (PQgetvalue(result, row, CLI_AUDIT_EXPIRED)[0] == 't') {
            walk->expired++;
            return 0;
        }

        what = cli_audit_elsewhere(cli, &rc,
                                   PQgetvalue(result, row, CLI_AUDIT_LOG_ID))
               ? "changed" : "removed";

    } else if (cli_audit_row_hash(result, row, CLI_AUDIT_FIELD,
                                  CLI_AUDIT_FIELDS, hex) != 0
               || strcmp(hex, PQgetvalue(result, row, CLI_AUDIT_ROW_HASH))
                  != 0)
    {
        what = "changed";

    } else if (PQgetvalue(result, row, CLI_AUDIT_BACKDATED)[0] == 't') {
        what = "inserted";

    } else {
        return 0;
    }

    cli_audit_broken(walk, what,
                     cli_audit_int(result, row, CLI_AUDIT_POSITION),
                     cli_audit_int(result, row, CLI_AUDIT_LOG_ID),
                     PQgetvalue(result, row, CLI_AUDIT_AT),
                     PQgetvalue(result, row, CLI_AUDIT_ACTION));

    return rc;
}


/* whether the row is there under another time, or another tenant */

static int
cli_audit_elsewhere(cli_t *cli, int *rc, const char *id)
{
    int        found;
    PGresult  *result;

    result = cli_db_query(cli, rc, "SELECT 1 FROM audit_log WHERE id = $1", 1,
                          &id);

    if (result == NULL) {
        return 0;
    }

    found = PQntuples(result);
    PQclear(result);

    return found;
}


void
cli_audit_broken(cli_audit_walk_t *walk, const char *what, json_int_t place,
    json_int_t row, const char *at, const char *action)
{
    if (walk->broken == NULL) {
        walk->broken = json_pack("{s:s, s:I, s:o, s:s, s:s}", "what", what,
                                 "place", place, "row",
                                 row ? json_integer(row) : json_null(),
                                 "at", at, "action", action);
    }
}


static json_int_t
cli_audit_int(PGresult *result, int row, int column)
{
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}
