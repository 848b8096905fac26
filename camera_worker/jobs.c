/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The jobs role: one thread that goes round its jobs, each when it is due or
 * when the database says that something has changed, and may wait for the
 * database.  Recording needs none of it: what is done here may be late, and
 * is done when the database is back.
 *
 * A round takes the volumes as they are at its beginning.  After another
 * connection everything is due, for nobody knows what was missed.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "count.h"
#include "jobs.h"
#include "log.h"

#define CW_JOBS_TICK_MSEC  200


typedef struct {
    void     (*run)(cw_jobs_t *j);
    int64_t    each_msec;
    unsigned   news;                 /* also when one of these comes */
} cw_jobs_job_t;


static int cw_jobs_open(cw_jobs_t *j);
static void cw_jobs_alive_db(void *data);
static int cw_jobs_tick(cw_jobs_t *j);
static void cw_jobs_due(cw_jobs_t *j);
static int cw_jobs_journals(cw_jobs_t *j);
static void cw_jobs_gauges(cw_jobs_t *j);
static void cw_jobs_close(cw_jobs_t *j);


/* bits in the order of the list */

#define CW_JOBS_RECORDING  1
#define CW_JOBS_RETENTION  2

static const char  *cw_jobs_channels[] = {
    "recording_changed", "retention_changed", NULL
};


static const cw_jobs_job_t  cw_jobs_list[] = {
    { cw_jobs_wishes, 5000, CW_JOBS_RECORDING },
    { cw_jobs_tasks, 5000, CW_JOBS_RECORDING },
    { cw_jobs_volumes_report, 2000, 0 },
    { cw_jobs_alerts, 1000, 0 },
    { cw_jobs_clock, 2000, CW_JOBS_RETENTION },
    { cw_jobs_check, 5000, 0 },
    { cw_jobs_retention, 60000, CW_JOBS_RETENTION },
    { cw_jobs_audit, 2000, 0 },
    { cw_jobs_anchors, 3600000, 0 },
    { cw_jobs_upkeep, 3600000, 0 }
};

#define CW_JOBS_JOBS  (int) (sizeof(cw_jobs_list) / sizeof(cw_jobs_list[0]))

_Static_assert(sizeof(cw_jobs_list) / sizeof(cw_jobs_list[0]) <= CW_JOBS_TIMES,
               "room for the jobs");


int
cw_jobs_run(cw_worker_t *worker, int child)
{
    cw_jobs_t  *j;

    j = calloc(1, sizeof(cw_jobs_t));

    if (j == NULL) {
        cw_log(CW_LOG_CRIT, errno, "malloc() failed");
        return 1;
    }

    j->worker = worker;
    j->child = child;

    if (cw_jobs_open(j) == -1) {
        free(j);
        return 1;
    }

    while (!cw_quit && !cam_record_table_stale(j->table, worker->live_fd)) {
        cw_jobs_alive(j);

        if (!cw_jobs_tick(j)) {
            cw_db_wait(&j->db, CW_JOBS_TICK_MSEC);
        }
    }

    cw_jobs_close(j);

    return 0;
}


static int
cw_jobs_open(cw_jobs_t *j)
{
    int  i;

    j->table = cam_record_table_open(j->worker->shm);

    if (j->table == NULL) {
        cw_log(CW_LOG_CRIT, errno, "cannot open \"%s/live/.records\"",
               j->worker->shm);
        return -1;
    }

    j->volumes = j->worker->records;

    for (i = 0; i < j->volumes; i++) {
        j->volume[i].path = j->worker->record[i];
        j->volume[i].fd = -1;
    }

    j->db.file = j->worker->database;
    j->db.channels = cw_jobs_channels;
    j->db.alive = cw_jobs_alive_db;
    j->db.data = j;
    j->started_msec = cam_clock_monotonic_msec();
    j->clock_said = -1;
    memset(j->trouble, 0xff, sizeof(j->trouble));
    (void) gethostname(j->node, sizeof(j->node) - 1);

    return 0;
}


static void
cw_jobs_alive_db(void *data)
{
    cw_jobs_alive(data);
}


void
cw_jobs_alive(cw_jobs_t *j)
{
    j->now_msec = cam_clock_monotonic_msec();
    cw_blame_alive(j->worker->quiet_blame, j->child, j->now_msec);
}


/* 1 when there is more to do at once */

static int
cw_jobs_tick(cw_jobs_t *j)
{
    int  more;

    cw_jobs_volumes_open(j);

    if (cw_db_ready(&j->db)) {
        cw_jobs_due(j);
    }

    more = cw_jobs_journals(j);

    cw_jobs_volumes_close(j);
    cw_jobs_gauges(j);

    return more;
}


static void
cw_jobs_due(cw_jobs_t *j)
{
    int       i;
    unsigned  news;

    news = cw_db_news(&j->db);

    if (j->connects != j->db.connects) {
        j->connects = j->db.connects;
        memset(j->due_msec, 0, sizeof(j->due_msec));
    }

    for (i = 0; i < CW_JOBS_JOBS && j->db.pg != NULL && !cw_quit; i++) {

        if (j->due_msec[i] > j->now_msec && !(news & cw_jobs_list[i].news)) {
            continue;
        }

        cw_jobs_list[i].run(j);

        j->due_msec[i] = cam_clock_monotonic_msec()
                         + cw_jobs_list[i].each_msec;
    }
}


static int
cw_jobs_journals(cw_jobs_t *j)
{
    int  i, more;

    more = 0;

    for (i = 0; i < j->volumes && !cw_quit; i++) {
        if (j->volume[i].fd != -1) {
            more |= cw_jobs_journal(j, &j->volume[i]);
        }
    }

    return more;
}


static void
cw_jobs_gauges(cw_jobs_t *j)
{
    int                 i;
    int64_t             behind, pending;
    cw_jobs_journal_t  *journal;

    behind = 0;
    pending = 0;

    for (i = 0; i < j->volumes; i++) {
        journal = &j->volume[i].journal;

        if (journal->pending == 0 || journal->caught_msec == 0) {
            journal->caught_msec = j->now_msec;
        }

        pending += journal->pending;

        if (behind < j->now_msec - journal->caught_msec) {
            behind = j->now_msec - journal->caught_msec;
        }
    }

    cw_gauge(CAM_METRIC_JOURNAL_PENDING, pending);
    cw_gauge(CAM_METRIC_JOURNAL_BEHIND, behind / 1000);
}


static void
cw_jobs_close(cw_jobs_t *j)
{
    cw_db_close(&j->db);
    cam_record_table_close(j->table);
    free(j);
}
