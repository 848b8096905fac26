/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Rows of recordings as fsck reads and changes them, where it can by the
 * functions that apply the journal: what they promise holds here as well.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fsck.h"

#define CLI_FSCK_NUMBER  24


static int cli_fsck_do(cli_fsck_volume_t *v, const char *sql, int n,
    const char *const *values);
static int cli_fsck_yes(cli_fsck_volume_t *v, const char *sql, int n,
    const char *const *values, int *rc);
static void cli_fsck_row_read(cli_fsck_row_t *row, const PGresult *result,
    int i);
static int cli_fsck_alert(cli_fsck_volume_t *v, const char *camera,
    const char *severity, const char *message);


#define CLI_FSCK_TIME(n)  "to_timestamp($" n "::bigint / 1000.0)"


int
cli_fsck_rows(cli_fsck_volume_t *v, const char *camera, cli_fsck_range_t range,
    cli_fsck_row_t **rows, size_t *n)
{
    int          i, rc;
    char         from[CLI_FSCK_NUMBER], to[CLI_FSCK_NUMBER];
    PGresult    *result;
    const char  *values[] = { camera, v->uuid_text, from, to };

    snprintf(from, sizeof(from), "%" PRId64, range.from_msec);
    snprintf(to, sizeof(to), "%" PRId64, range.to_msec);

    result = cli_db_query(v->fsck->cli, &rc,
        "SELECT r.id, r.state, r.file_size AS bytes, r.usec, r.fragments,"
        " r.locked, r.wrapped_kid, r.wrapped_key,"
        " (extract(epoch FROM r.start_time) * 1000)::bigint AS start,"
        " (extract(epoch FROM r.end_time) * 1000)::bigint AS end,"
        " EXISTS (SELECT FROM recording_tasks t WHERE t.recording_id = r.id)"
        " AS task"
        " FROM recordings r WHERE r.camera_id = $1 AND r.volume_id = $2"
        " AND r.start_time >= " CLI_FSCK_TIME("3")
        " AND r.start_time < " CLI_FSCK_TIME("4") " + interval '1 ms'"
        " ORDER BY r.start_time", 4, values);

    if (result == NULL) {
        return rc;
    }

    *n = (size_t) PQntuples(result);
    *rows = calloc(*n + 1, sizeof(cli_fsck_row_t));

    for (i = 0; *rows != NULL && i < (int) *n; i++) {
        cli_fsck_row_read(*rows + i, result, i);
    }

    PQclear(result);

    return *rows ? 0 : cli_fail(v->fsck->cli, CLI_INSTANCE, NULL,
                                "out of memory");
}


static void
cli_fsck_row_read(cli_fsck_row_t *row, const PGresult *result, int i)
{
    snprintf(row->id, sizeof(row->id), "%s",
             PQgetvalue(result, i, PQfnumber(result, "id")));
    snprintf(row->state, sizeof(row->state), "%s",
             PQgetvalue(result, i, PQfnumber(result, "state")));

    snprintf(row->wrapped_kid, sizeof(row->wrapped_kid), "%s",
             PQgetvalue(result, i, PQfnumber(result, "wrapped_kid")));
    snprintf(row->wrapped_key, sizeof(row->wrapped_key), "%s",
             PQgetvalue(result, i, PQfnumber(result, "wrapped_key")));

    row->bytes = cli_db_number(result, i, "bytes");
    row->usec = cli_db_number(result, i, "usec");
    row->fragments = cli_db_number(result, i, "fragments");
    row->start_msec = cli_db_number(result, i, "start");
    row->end_msec = cli_db_number(result, i, "end");
    row->locked = cli_db_true(result, i, "locked");
    row->task = cli_db_true(result, i, "task");
}


/* one statement for all of them: each day is opened once */

int
cli_fsck_row_ranges(cli_fsck_volume_t *v, json_t *cameras)
{
    int          i, rc;
    PGresult    *result;
    const char  *values[] = { v->uuid_text };

    result = cli_db_query(v->fsck->cli, &rc,
        "SELECT camera_id,"
        " (extract(epoch FROM min(start_time)) * 1000)::bigint AS first,"
        " (extract(epoch FROM max(start_time)) * 1000)::bigint AS last"
        " FROM recordings WHERE volume_id = $1 GROUP BY camera_id", 1, values);

    if (result == NULL) {
        return rc;
    }

    for (i = 0; i < PQntuples(result); i++) {
        json_object_set_new(cameras, PQgetvalue(result, i, 0),
            json_pack("[I, I]", cli_db_number(result, i, "first"),
                      cli_db_number(result, i, "last")));
    }

    PQclear(result);

    return 0;
}


static int
cli_fsck_do(cli_fsck_volume_t *v, const char *sql, int n,
    const char *const *values)
{
    int        rc;
    PGresult  *result;

    result = cli_db_query(v->fsck->cli, &rc, sql, n, values);

    if (result == NULL) {
        return rc;
    }

    PQclear(result);

    return 0;
}


/* what a function said: 1 or 0, or -1 and *rc */

static int
cli_fsck_yes(cli_fsck_volume_t *v, const char *sql, int n,
    const char *const *values, int *rc)
{
    int        yes;
    PGresult  *result;

    result = cli_db_query(v->fsck->cli, rc, sql, n, values);

    if (result == NULL) {
        return -1;
    }

    yes = PQntuples(result) == 1 && PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);

    return yes;
}


/* -1: its camera is not known, and it was listed as garbage */

int
cli_fsck_row_add(cli_fsck_volume_t *v, const cli_fsck_file_t *f)
{
    int          rc;
    char         start[CLI_FSCK_NUMBER], width[CLI_FSCK_NUMBER];
    char         height[CLI_FSCK_NUMBER], length[CLI_FSCK_NUMBER];
    char         wrapped[CAM_RECORD_WRAPPED_TEXT + 1];
    const char  *values[] = { v->uuid_text, f->id, f->camera_text, f->path,
                              start, f->head.codecs, width, height, length,
                              NULL, NULL };

    if (f->head.cipher) {
        values[9] = f->head.kid;
        values[10] = cam_record_cipher_print(wrapped, f->head.wrapped);
    }

    snprintf(start, sizeof(start), "%" PRId64, f->start_msec);
    snprintf(width, sizeof(width), "%u", f->head.width);
    snprintf(height, sizeof(height), "%u", f->head.height);
    snprintf(length, sizeof(length), "%" PRIu32, f->head.segment_sec);

    switch (cli_fsck_yes(v, "SELECT journal_open($1, $2, $3, $4, "
                         CLI_FSCK_TIME("5") ", $6, $7, $8, $9, $10, $11)", 11,
                         values, &rc))
    {
    case -1:
        return rc;

    case 0:
        return -1;
    }

    return cli_fsck_row_measure(v, f, f->damage[0] ? "damaged" : "complete");
}


/* an index that cannot be read measures nothing: what the row says stays */

int
cli_fsck_row_measure(cli_fsck_volume_t *v, const cli_fsck_file_t *f,
    const char *state)
{
    int          rc;
    char         end[CLI_FSCK_NUMBER], bytes[CLI_FSCK_NUMBER];
    char         usec[CLI_FSCK_NUMBER], fragments[CLI_FSCK_NUMBER];
    const char  *values[] = { f->row ? f->row->id : f->id, end, bytes, usec,
                              fragments, state,
                              f->damage[0] ? f->damage : NULL };

    snprintf(end, sizeof(end), "%" PRId64, f->end_msec);
    snprintf(bytes, sizeof(bytes), "%" PRId64, f->bytes);
    snprintf(usec, sizeof(usec), "%" PRId64, f->usec);
    snprintf(fragments, sizeof(fragments), "%" PRIu32, f->fragments);

    rc = cli_fsck_do(v,
        "UPDATE recordings SET state = $6,"
        " end_time = CASE WHEN $5::integer > 0 THEN greatest(start_time, "
        CLI_FSCK_TIME("2") ") ELSE end_time END,"
        " file_size = CASE WHEN $5::integer > 0 THEN $3::bigint"
        " ELSE file_size END,"
        " usec = CASE WHEN $5::integer > 0 THEN $4::bigint ELSE usec END,"
        " duration = CASE WHEN $5::integer > 0"
        " THEN round($4::bigint / 1000000.0) ELSE duration END,"
        " fragments = CASE WHEN $5::integer > 0 THEN $5::integer"
        " ELSE fragments END,"
        " close_reason = CASE WHEN $6::text = 'recording' THEN close_reason"
        " ELSE coalesce(close_reason, 'recovered') END,"
        " probed_at = CASE WHEN $7::text IS NULL THEN probed_at ELSE now() END,"
        " probe_error = coalesce($7, probe_error)"
        " WHERE id = $1 AND start_time = recording_start($1)", 7, values);

    return rc == 0 && f->damage[0]
           ? cli_fsck_alert(v, f->camera_text, "medium", f->damage) : rc;
}


int
cli_fsck_row_lock(cli_fsck_volume_t *v, const cli_fsck_row_t *row)
{
    const char  *values[] = { row->id };

    return cli_fsck_do(v,
        "UPDATE recordings SET locked = true,"
        " locked_reason = 'its mark was found on disk',"
        " state = CASE state WHEN 'deleting' THEN 'complete' ELSE state END"
        " WHERE id = $1 AND start_time = recording_start($1)", 1, values);
}


int
cli_fsck_row_there(cli_fsck_volume_t *v, const cli_fsck_row_t *row, int *rc)
{
    const char  *values[] = { row->id };

    return cli_fsck_yes(v, "SELECT EXISTS (SELECT FROM recordings"
                        " WHERE id = $1 AND start_time = recording_start($1)"
                        " AND state <> 'deleting')", 1, values, rc);
}


int
cli_fsck_row_remove(cli_fsck_volume_t *v, const char *camera,
    const cli_fsck_row_t *row)
{
    int          rc;
    char         start[CLI_FSCK_NUMBER], end[CLI_FSCK_NUMBER];
    const char  *gap[] = { camera, start, end };
    const char  *removed[] = { row->id };

    snprintf(start, sizeof(start), "%" PRId64, row->start_msec);
    snprintf(end, sizeof(end), "%" PRId64, row->end_msec);

    /* the row last: whoever is stopped in between finds it again */

    rc = cli_fsck_do(v, "SELECT journal_gap($1, " CLI_FSCK_TIME("2") ", "
                     CLI_FSCK_TIME("3") ", 'disk')", 3, gap);

    if (rc == 0) {
        rc = cli_fsck_alert(v, camera, "critical", row->locked
                            ? "the file of a recording on hold is gone"
                            : "the file of a recording is gone");
    }

    return rc == 0 ? cli_fsck_do(v, "SELECT journal_removed($1, 'missing')", 1,
                                 removed) : rc;
}


static int
cli_fsck_alert(cli_fsck_volume_t *v, const char *camera, const char *severity,
    const char *message)
{
    const char  *values[] = { severity, camera, message };

    return cli_fsck_do(v, "SELECT journal_alert('recording_damaged', $1, $2,"
                       " $3)", 3, values);
}


int
cli_fsck_garbage_add(cli_fsck_volume_t *v, const char *path, const char *why)
{
    const char  *values[] = { v->uuid_text, path, why };

    return cli_fsck_do(v, "SELECT recording_garbage_add($1, $2, $3)", 3,
                       values);
}


/* rows of garbage that is gone, by other hands, go as well */

int
cli_fsck_garbage_load(cli_fsck_volume_t *v)
{
    int          i, rc;
    PGresult    *result;
    const char  *values[] = { v->uuid_text, NULL };

    result = cli_db_query(v->fsck->cli, &rc, "SELECT path FROM"
                          " recording_garbage WHERE volume_id = $1", 1,
                          values);

    if (result == NULL) {
        return rc;
    }

    for (i = 0, rc = 0; rc == 0 && i < PQntuples(result); i++) {
        values[1] = PQgetvalue(result, i, 0);

        if (faccessat(v->fd, values[1], F_OK, AT_SYMLINK_NOFOLLOW) == -1
            && errno == ENOENT)
        {
            if (cli_fsck_found(v, "garbage_gone", values[1], "it was removed"))
            {
                rc = cli_fsck_repaired(v, cli_fsck_do(v,
                         "DELETE FROM recording_garbage WHERE volume_id = $1"
                         " AND path = $2", 2, values));
            }

            continue;
        }

        json_object_set_new(v->garbage, values[1], json_true());
    }

    PQclear(result);

    return rc;
}


/* who makes rows of files needs one of their volume */

int
cli_fsck_volume_row(cli_fsck_volume_t *v)
{
    char         host[256];
    const char  *values[] = { v->uuid_text, host, v->path };

    if (v->fsck->dry_run) {
        return 0;
    }

    memset(host, 0, sizeof(host));
    (void) gethostname(host, sizeof(host) - 1);

    return cli_fsck_do(v, "INSERT INTO volumes (id, node, path)"
                       " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", 3,
                       values);
}
