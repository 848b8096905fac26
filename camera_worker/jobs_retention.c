/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What has to go, by age and by bytes, is asked of the database once a minute
 * and marked; jobs_tasks.c removes what is marked.  Age is counted by a time
 * that can be believed (jobs_clock.h).  The last one stands in the database,
 * so that a clock which was set while we were not there is noticed, too.
 *
 * The recorder makes room by itself when a volume is full, whatever is decided
 * here, and whatever the clock says.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jobs.h"
#include "log.h"

#define CW_RETENTION_BATCH      "200"
#define CW_RETENTION_ROUNDS     20
#define CW_RETENTION_KEEP_MSEC  60000     /* between two notes of the clock */


static int cw_clock_load(cw_jobs_t *j, const cw_jobs_clock_now_t *now);
static int cw_clock_confirmed(cw_jobs_t *j, const PGresult *rows);
static void cw_clock_store(cw_jobs_t *j);
static void cw_clock_say(cw_jobs_t *j);
static int cw_retention_round(cw_jobs_t *j);


int64_t
cw_jobs_retention_now(cw_jobs_t *j)
{
    cw_jobs_clock_now_t  now;

    cw_jobs_clock_read(&now);

    return cw_jobs_clock_judge(&j->clock, &now);
}


void
cw_jobs_clock(cw_jobs_t *j)
{
    int64_t              ahead;
    cw_jobs_clock_now_t  now;

    cw_jobs_clock_read(&now);
    ahead = j->clock.ahead_msec;

    if (cw_clock_load(j, &now) == -1) {
        return;
    }

    (void) cw_jobs_clock_judge(&j->clock, &now);

    if ((ahead == 0) != (j->clock.ahead_msec == 0)
        || j->clock_msec <= j->now_msec)
    {
        cw_clock_store(j);
    }

    cw_clock_say(j);
}


/* what was believed before us, and what an operator says */

static int
cw_clock_load(cw_jobs_t *j, const cw_jobs_clock_now_t *now)
{
    int          same;
    char         id[CW_JOBS_CLOCK_BOOT_ID];
    PGresult    *rows;
    const char  *values[] = { j->node };

    rows = cw_db_query(&j->db, "SELECT"
                       " floor(extract(epoch FROM seen_at) * 1000)::bigint,"
                       " boot_id, boot_msec, confirmed FROM retention_clocks"
                       " WHERE node = $1", 1, values);

    if (rows == NULL) {
        return -1;
    }

    if (!j->clock_known && PQntuples(rows) == 0) {
        cw_jobs_clock_start(&j->clock, now);

    } else if (!j->clock_known) {
        same = strcmp(PQgetvalue(rows, 0, 1), cw_jobs_clock_boot_id(id)) == 0;
        cw_jobs_clock_resume(&j->clock, cw_db_number(rows, 0, 0),
                             same ? cw_db_number(rows, 0, 2) : 0);
    }

    j->clock_known = 1;

    if (cw_clock_confirmed(j, rows)) {
        cw_jobs_clock_start(&j->clock, now);
    }

    PQclear(rows);

    return 0;
}


static int
cw_clock_confirmed(cw_jobs_t *j, const PGresult *rows)
{
    const char  *values[] = { j->node };

    if (PQntuples(rows) == 0 || PQgetvalue(rows, 0, 3)[0] != 't'
        || cw_db_do(&j->db, "UPDATE retention_clocks SET confirmed = false"
                    " WHERE node = $1", 1, values) == -1)
    {
        return 0;
    }

    cw_log(CW_LOG_INFO, 0, "an operator says that the clock is right");
    j->clock_msec = 0;

    return 1;
}


static void
cw_clock_store(cw_jobs_t *j)
{
    char         wall[CW_JOBS_NUMBER], boot[CW_JOBS_NUMBER];
    char         ahead[CW_JOBS_NUMBER], id[CW_JOBS_CLOCK_BOOT_ID];
    const char  *values[] = { j->node, wall, id, boot, ahead };

    snprintf(wall, sizeof(wall), "%" PRId64, j->clock.wall_msec);
    snprintf(boot, sizeof(boot), "%" PRId64, j->clock.boot_msec);
    snprintf(ahead, sizeof(ahead), "%" PRId64, j->clock.ahead_msec);
    (void) cw_jobs_clock_boot_id(id);

    if (cw_db_do(&j->db, "INSERT INTO retention_clocks AS c"
                 " (node, seen_at, boot_id, boot_msec, ahead_msec)"
                 " VALUES ($1, to_timestamp($2::bigint / 1000.0), $3, $4, $5)"
                 " ON CONFLICT (node) DO UPDATE SET seen_at = excluded.seen_at,"
                 " boot_id = excluded.boot_id, boot_msec = excluded.boot_msec,"
                 " ahead_msec = excluded.ahead_msec, updated_at = now()", 5,
                 values) == 0)
    {
        j->clock_msec = j->now_msec + CW_RETENTION_KEEP_MSEC;
    }
}


static void
cw_clock_say(cw_jobs_t *j)
{
    int   held;
    char  message[256];

    /* the recorder tells of each step, and never that it is over */

    (void) cw_db_do(&j->db, "SELECT journal_calm('clock_jump', NULL)"
                    " WHERE EXISTS (SELECT FROM alerts a"
                    " WHERE a.type = 'clock_jump' AND a.resolved_at IS NULL"
                    " AND a.last_seen_at < now() - interval '1 min')", 0,
                    NULL);

    held = j->clock.ahead_msec != 0;

    if (held == j->clock_said) {
        return;
    }

    snprintf(message, sizeof(message), "The clock of \"%.64s\" is %" PRId64
             " s ahead of the time that has passed; retention does not go by "
             "it until it is synchronised, or confirmed by \"camera retention "
             "confirm\".", j->node, j->clock.ahead_msec / 1000);

    if (held) {
        cw_log(CW_LOG_WARN, 0, "the clock is %" PRId64 " s ahead, retention "
               "does not go by it", j->clock.ahead_msec / 1000);
    }

    if ((held ? cw_jobs_raise(j, NULL, "retention_held", "medium", message)
              : cw_jobs_calm(j, NULL, "retention_held")) == 0)
    {
        j->clock_said = held;
    }
}


void
cw_jobs_retention(cw_jobs_t *j)
{
    int          i, rc;
    const char  *values[] = { j->node };

    cw_jobs_clock(j);

    if (!j->clock_known) {
        return;
    }

    rc = 1;

    for (i = 0; rc == 1 && i < CW_RETENTION_ROUNDS && !cw_quit; i++) {
        cw_jobs_alive(j);
        rc = cw_retention_round(j);

        if (rc == 1) {
            cw_jobs_tasks(j);
        }
    }

    if (rc != -1) {
        (void) cw_db_do(&j->db, "UPDATE retention_clocks"
                        " SET run_at = clock_timestamp() WHERE node = $1", 1,
                        values);
    }
}


/* 1 when something was marked, 0 when there is nothing to go, or -1 */

static int
cw_retention_round(cw_jobs_t *j)
{
    int          n;
    char         now[CW_JOBS_NUMBER];
    PGresult    *rows;
    const char  *values[] = { now };

    snprintf(now, sizeof(now), "%" PRId64, cw_jobs_retention_now(j));

    rows = cw_db_query(&j->db, "SELECT retention_mark("
                       "coalesce(array_agg(c.id), '{}'))"
                       " FROM retention_candidates(" CW_RETENTION_BATCH ","
                       " to_timestamp($1::bigint / 1000.0)) c", 1, values);

    if (rows == NULL) {
        return -1;
    }

    n = cw_db_number(rows, 0, 0);
    PQclear(rows);

    if (n > 0) {
        cw_log(CW_LOG_INFO, 0, "retention: %d recordings go", n);
    }

    return n > 0;
}
