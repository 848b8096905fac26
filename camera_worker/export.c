/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The export role: takes the oldest row of exports that waits [cw_export_take],
 * writes its file, and says so [cw_export_done].  Rows are as in
 * sql/022_exports.sql; one job at a time.
 *
 * A row is taken when all recordings of its range lie on volumes of this node,
 * and the range is over.  What a predecessor left running is begun again.  The
 * row is the wish: when it is gone, so is the job.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "export.h"
#include "jobs.h"
#include "log.h"

#define CW_EXPORT_TICK_MSEC   500
#define CW_EXPORT_LOOK_MSEC   5000
#define CW_EXPORT_SWEEP_MSEC  60000
#define CW_EXPORT_SAY_MSEC    1000
#define CW_EXPORT_TRIES       3


static int cw_export_start(cw_export_t *e);
static void cw_export_db_alive(void *data);
static int cw_export_look(cw_export_t *e, cw_export_job_t *job, int64_t now);
static void cw_export_volumes_open(cw_export_t *e);
static void cw_export_volumes_close(cw_export_t *e);
static int cw_export_take(cw_export_t *e, cw_export_job_t *job);
static void cw_export_mine(const cw_export_t *e, char *text, size_t size);
static void cw_export_run_job(cw_export_t *e, cw_export_job_t *job);
static cw_export_rc_e cw_export_try(cw_export_t *e, cw_export_job_t *job);
static void cw_export_remove(cw_export_t *e, const cw_export_job_t *job);
static void cw_export_done(cw_export_t *e, cw_export_job_t *job);
static void cw_export_failed(cw_export_t *e, cw_export_job_t *job);
static int cw_export_say(cw_export_t *e, const char *sql, int n,
    const char *const *values);


static const char  *cw_export_channels[] = { "export_changed", NULL };


int
cw_export_run(cw_worker_t *worker, int child)
{
    int64_t           now, look;
    unsigned          connects;
    cw_export_t      *e;
    cw_export_job_t  *job;

    e = calloc(1, sizeof(cw_export_t));
    job = calloc(1, sizeof(cw_export_job_t));

    if (e == NULL || job == NULL) {
        cw_log(CW_LOG_CRIT, errno, "malloc() failed");
        return 1;
    }

    e->worker = worker;
    e->child = child;

    if (cw_export_start(e) == -1) {
        return 1;
    }

    look = 0;
    connects = 0;

    while (!cw_quit && !cam_record_table_stale(e->table, worker->live_fd)) {
        now = cam_clock_monotonic_msec();
        cw_blame_alive(worker->quiet_blame, child, now);

        if (!cw_db_ready(&e->db)) {
            cw_db_wait(&e->db, CW_EXPORT_TICK_MSEC);
            continue;
        }

        if (cw_db_news(&e->db) || connects != e->db.connects) {
            connects = e->db.connects;
            look = e->swept_msec = 0;
        }

        if (now < look) {
            cw_db_wait(&e->db, CW_EXPORT_TICK_MSEC);

        } else if (!cw_export_look(e, job, now)) {
            look = now + CW_EXPORT_LOOK_MSEC;
        }
    }

    cw_db_close(&e->db);
    cam_keys_wipe(&e->keys);
    free(job);
    free(e);

    return 0;
}


static int
cw_export_start(cw_export_t *e)
{
    int   i;
    char  err[256];

    e->table = cam_record_table_open(e->worker->shm);

    if (e->table == NULL) {
        cw_log(CW_LOG_CRIT, errno, "cannot open \"%s/live/.records\"",
               e->worker->shm);
        return -1;
    }

    if (cam_keys_load(&e->keys, e->worker->keys, err, sizeof(err)) != 0) {
        cw_log(CW_LOG_CRIT, 0, "exports fail: \"%s\" %s", e->worker->keys,
               err);

    } else if (cam_keys_signer(&e->keys, CAM_KEY_EXPORT) == NULL) {
        cw_log(CW_LOG_WARN, 0, "exports fail: \"%s\" has no key of use "
               "\"export\"", e->worker->keys);
    }

    e->volumes = e->worker->records;

    for (i = 0; i < e->volumes; i++) {
        e->volume[i].path = e->worker->record[i];
        e->volume[i].fd = -1;
    }

    e->db.file = e->worker->database;
    e->db.channels = cw_export_channels;
    e->db.alive = cw_export_db_alive;
    e->db.data = e;
    (void) gethostname(e->node, sizeof(e->node) - 1);

    return 0;
}


static void
cw_export_db_alive(void *data)
{
    cw_export_t  *e = data;

    cw_blame_alive(e->worker->quiet_blame, e->child,
                   cam_clock_monotonic_msec());
}


/* 1: there was a job, and there may be another one */

static int
cw_export_look(cw_export_t *e, cw_export_job_t *job, int64_t now)
{
    int  taken;

    cw_export_volumes_open(e);

    if (now >= e->swept_msec) {
        cw_export_sweep(e);
        e->swept_msec = now + CW_EXPORT_SWEEP_MSEC;
    }

    taken = cw_export_take(e, job);

    if (taken) {
        cw_export_run_job(e, job);
    }

    cw_export_volumes_close(e);

    return taken;
}


/* for one job only, or nobody could unmount them */

static void
cw_export_volumes_open(cw_export_t *e)
{
    int                   i;
    cw_export_volume_t   *v;
    cam_record_volume_t   state;

    for (i = 0; i < e->volumes; i++) {
        v = &e->volume[i];
        cam_record_volume_get(e->table, i, &state);

        if (!cw_jobs_volume_usable(&state, cam_clock_monotonic_msec())) {
            continue;
        }

        v->fd = open(v->path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

        if (v->fd != -1 && (cam_record_volume_read(v->fd, v->uuid) == -1
                            || memcmp(v->uuid, state.uuid, CAM_UUID_LEN) != 0))
        {
            close(v->fd);
            v->fd = -1;
        }

        if (v->fd != -1) {
            (void) cam_uuid_print(v->text, v->uuid);
        }
    }
}


static void
cw_export_volumes_close(cw_export_t *e)
{
    int  i;

    for (i = 0; i < e->volumes; i++) {
        if (e->volume[i].fd != -1) {
            close(e->volume[i].fd);
            e->volume[i].fd = -1;
        }
    }
}


/* 1 and the next job, or 0 */

static int
cw_export_take(cw_export_t *e, cw_export_job_t *job)
{
    int          n;
    char         mine[CAM_RECORD_VOLUMES * CW_EXPORT_ID + 3];
    PGresult    *row;
    const char  *values[] = { e->node, mine };

    cw_export_mine(e, mine, sizeof(mine));

    if (strcmp(mine, "{}") == 0) {
        return 0;
    }

    row = cw_db_query(&e->db,
        "UPDATE exports e SET state = 'running', node = $1, progress = 0,"
        " started_at = now() FROM cameras c"
        " WHERE c.id = e.camera_id AND e.id = (SELECT w.id FROM exports w"
        " WHERE (w.state = 'queued' OR w.state = 'running' AND w.node = $1)"
        " AND w.to_time < now() - interval '5 s'"
        " AND NOT EXISTS (SELECT FROM recordings r"
        " WHERE r.camera_id = w.camera_id AND r.start_time < w.to_time"
        " AND r.start_time > w.from_time - interval '1 day'"
        " AND r.end_time > w.from_time AND r.volume_id <> ALL ($2::uuid[]))"
        " ORDER BY w.created_at LIMIT 1 FOR UPDATE SKIP LOCKED)"
        " RETURNING e.id, e.tenant_id, e.camera_id, c.name,"
        " (extract(epoch FROM e.from_time) * 1000)::bigint,"
        " (extract(epoch FROM e.to_time) * 1000)::bigint", 2, values);

    n = row == NULL ? 0 : PQntuples(row);

    if (n == 1) {
        memset(job, 0, sizeof(cw_export_job_t));
        snprintf(job->id, CW_EXPORT_ID, "%s", cw_db_text(row, 0, 0));
        snprintf(job->tenant, CW_EXPORT_ID, "%s", cw_db_text(row, 0, 1));
        snprintf(job->camera_text, CW_EXPORT_ID, "%s", cw_db_text(row, 0, 2));
        snprintf(job->camera_name, sizeof(job->camera_name), "%s",
                 cw_db_text(row, 0, 3));
        (void) cw_db_uuid(row, 0, 2, job->camera);
        job->from_msec = cw_db_number(row, 0, 4);
        job->to_msec = cw_db_number(row, 0, 5);
    }

    PQclear(row);

    return n == 1;
}


/* volumes of this node that can be used now, as a list of SQL */

static void
cw_export_mine(const cw_export_t *e, char *text, size_t size)
{
    int     i;
    size_t  n;

    n = (size_t) snprintf(text, size, "{");

    for (i = 0; i < e->volumes; i++) {
        if (e->volume[i].fd != -1) {
            n += (size_t) snprintf(text + n, size - n, "%s%s",
                                   n > 1 ? "," : "", e->volume[i].text);
        }
    }

    snprintf(text + n, size - n, "}");
}


static void
cw_export_run_job(cw_export_t *e, cw_export_job_t *job)
{
    int             tries;
    cw_export_rc_e  rc;

    cw_log_set_camera(job->camera);
    e->said_msec = cam_clock_monotonic_msec();
    rc = CW_EXPORT_AGAIN;

    for (tries = 0; rc == CW_EXPORT_AGAIN && tries < CW_EXPORT_TRIES; tries++) {
        rc = cw_export_try(e, job);
    }

    if (rc == CW_EXPORT_AGAIN) {
        rc = cw_export_fail(job, "damaged: its recordings change");
    }

    if (rc == CW_EXPORT_OK) {
        cw_export_done(e, job);

    } else {
        cw_export_remove(e, job);
    }

    if (rc == CW_EXPORT_FAILED) {
        cw_export_failed(e, job);
    }

    cw_export_free(job);
    cw_log_set_camera(NULL);
}


static cw_export_rc_e
cw_export_try(cw_export_t *e, cw_export_job_t *job)
{
    char            err[256];
    cw_export_rc_e  rc;

    cw_export_free(job);

    /* they may have been rotated */

    if (cam_keys_load(&e->keys, e->worker->keys, err, sizeof(err)) != 0) {
        return cw_export_fail(job, "no_key: the file of keys %s", err);
    }

    if (cam_keys_signer(&e->keys, CAM_KEY_EXPORT) == NULL) {
        return cw_export_fail(job, "no_key: of use \"export\"");
    }

    rc = cw_export_plan(e, job);

    if (rc == CW_EXPORT_OK) {
        rc = cw_export_write(e, job);
    }

    if (rc == CW_EXPORT_OK) {
        rc = cw_export_manifest(e, job);
    }

    return rc;
}


cw_export_rc_e
cw_export_fail(cw_export_job_t *job, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    vsnprintf(job->error, sizeof(job->error), fmt, args);
    va_end(args);

    return CW_EXPORT_FAILED;
}


cw_export_rc_e
cw_export_alive(cw_export_t *e, cw_export_job_t *job, double progress)
{
    int          n;
    char         text[32];
    int64_t      now;
    PGresult    *row;
    const char  *values[] = { job->id, text };

    now = cam_clock_monotonic_msec();
    cw_blame_alive(e->worker->quiet_blame, e->child, now);

    if (cw_quit) {
        return CW_EXPORT_STOPPED;
    }

    if (now - e->said_msec < CW_EXPORT_SAY_MSEC) {
        return CW_EXPORT_OK;
    }

    e->said_msec = now;

    /* with the database away it goes on: the file is what takes time */

    if (!cw_db_ready(&e->db)) {
        return CW_EXPORT_OK;
    }

    snprintf(text, sizeof(text), "%.4f", progress < 1 ? progress : 1);
    row = cw_db_query(&e->db, "UPDATE exports SET progress = $2 WHERE id = $1"
                      " AND state = 'running' RETURNING id", 2, values);

    if (row == NULL) {
        return CW_EXPORT_OK;
    }

    n = PQntuples(row);
    PQclear(row);

    return n ? CW_EXPORT_OK : CW_EXPORT_CANCELLED;
}


static void
cw_export_remove(cw_export_t *e, const cw_export_job_t *job)
{
    int   dir;
    char  name[CW_EXPORT_NAME_MAX];

    dir = e->volume[job->volume].fd;

    if (dir != -1) {
        (void) unlinkat(dir, cw_export_name(name, job->id, "json"), 0);
        (void) unlinkat(dir, cw_export_name(name, job->id, "mp4"), 0);
        (void) unlinkat(dir, cw_export_name(name, job->id, "part"), 0);
        (void) unlinkat(dir, cw_export_name(name, job->id, "key"), 0);
    }
}


static void
cw_export_done(cw_export_t *e, cw_export_job_t *job)
{
    char         bytes[24], gaps[24], start[32], end[32];
    char         path[CW_EXPORT_NAME_MAX];
    const char  *calm[] = { job->tenant, job->camera_text };
    const char  *values[] = {
        job->id, bytes, job->sha256, path, e->volume[job->volume].text, start,
        end, gaps
    };

    snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long) job->bytes);
    snprintf(gaps, sizeof(gaps), "%zu", json_array_size(job->gaps));
    cw_export_name(path, job->id, "mp4");
    cw_export_time(start, job->piece[0].from_msec);
    cw_export_time(end, job->piece[job->pieces - 1].to_msec);

    if (cw_export_say(e, "UPDATE exports SET state = 'done', progress = 1,"
                      " bytes = $2, sha256 = $3, path = $4, volume_id = $5,"
                      " start_time = $6, end_time = $7, gaps = $8,"
                      " finished_at = now() WHERE id = $1", 8, values)
        == 1)
    {
        (void) cw_db_do(&e->db, "SELECT alert_calm($1, $2, 'export_failed')",
                        2, calm);
        cw_log(CW_LOG_INFO, 0, "exported %s, %s bytes", job->id, bytes);
        return;
    }

    cw_export_remove(e, job);
}


static void
cw_export_failed(cw_export_t *e, cw_export_job_t *job)
{
    char         message[CW_EXPORT_TEXT + 32];
    const char  *values[] = { job->id, job->error };
    const char  *alert[] = { job->tenant, job->camera_text, message };

    cw_log(CW_LOG_WARN, 0, "export %s failed: %s", job->id, job->error);

    if (cw_export_say(e, "UPDATE exports SET state = 'failed', error = $2,"
                      " finished_at = now() WHERE id = $1", 2, values)
        == 1)
    {
        snprintf(message, sizeof(message), "an export failed: %s", job->error);
        (void) cw_db_do(&e->db, "SELECT alert_raise($1, $2, 'export_failed',"
                        " 'medium', $3)", 3, alert);
    }
}


/* the end of a job is worth waiting for the database; the rows it changed, -1:
   we are told to end, or the database does not want it */

static int
cw_export_say(cw_export_t *e, const char *sql, int n,
    const char *const *values)
{
    int        rows;
    PGresult  *result;

    while (!cw_quit) {
        cw_export_db_alive(e);

        if (!cw_db_ready(&e->db)) {
            cw_db_wait(&e->db, CW_EXPORT_TICK_MSEC);
            continue;
        }

        result = cw_db_query(&e->db, sql, n, values);

        if (result != NULL) {
            rows = atoi(PQcmdTuples(result));
            PQclear(result);
            return rows;
        }

        if (cw_db_refused(&e->db)) {
            return -1;
        }

        cw_db_wait(&e->db, CW_EXPORT_TICK_MSEC);
    }

    return -1;
}
