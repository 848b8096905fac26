/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What is to be done to files of recordings, because somebody asked or because
 * retention did: removal, a legal hold, its release.  The row is first: it
 * says "deleting" before a file goes, and is forgotten when both files are
 * gone for good, so whatever stops us in between is done again.
 *
 * A file with a .hold beside it is never removed, whatever its row says.  Such
 * a row is told that it is on hold.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "count.h"
#include "jobs.h"
#include "log.h"

#define CW_TASKS_MAX  "500"


/* one of them, and the names of its files within their directory */
typedef struct {
    cw_jobs_volume_t  *volume;
    const char        *id;
    const char        *task;
    int                released;         /* a hold that may still lie there */
    uint8_t            camera[CAM_UUID_LEN];
    int64_t            start_msec;
    int                dir;              /* of its day */
    char               mp4[CAM_RECORD_PATH_MAX];
    char               idx[CAM_RECORD_PATH_MAX];
    char               hold[CAM_RECORD_PATH_MAX];
} cw_tasks_one_t;


static int cw_tasks_volume(cw_jobs_t *j, cw_jobs_volume_t *v);
static void cw_tasks_do(cw_jobs_t *j, cw_tasks_one_t *t, const char *path);
static void cw_tasks_foreign(cw_jobs_t *j, cw_tasks_one_t *t,
    const char *path);
static int cw_tasks_names(cw_tasks_one_t *t, const char *path);
static const char *cw_tasks_last(const char *path);
static void cw_tasks_remove(cw_jobs_t *j, cw_tasks_one_t *t);
static int cw_tasks_unlink(cw_tasks_one_t *t, const char *name);
static void cw_tasks_rmdir(cw_jobs_t *j, cw_tasks_one_t *t);
static void cw_tasks_hold(cw_jobs_t *j, cw_tasks_one_t *t);
static void cw_tasks_release(cw_jobs_t *j, cw_tasks_one_t *t);
static int cw_tasks_call(cw_jobs_t *j, const cw_tasks_one_t *t,
    const char *sql);


void
cw_jobs_tasks(cw_jobs_t *j)
{
    int  i;

    for (i = 0; i < j->volumes; i++) {
        if (j->volume[i].fd != -1) {
            (void) cw_tasks_volume(j, &j->volume[i]);
        }
    }
}


static int
cw_tasks_volume(cw_jobs_t *j, cw_jobs_volume_t *v)
{
    int              i;
    PGresult        *rows;
    const char      *values[] = { v->text };
    cw_tasks_one_t   t;

    rows = cw_db_query(&j->db, "SELECT recording_id, task, file_path,"
                       " released FROM recording_tasks WHERE volume_id = $1"
                       " ORDER BY created_at LIMIT " CW_TASKS_MAX, 1, values);

    if (rows == NULL) {
        return -1;
    }

    for (i = 0; i < PQntuples(rows) && j->db.pg != NULL && !cw_quit; i++) {
        cw_jobs_alive(j);

        memset(&t, 0, sizeof(cw_tasks_one_t));
        t.volume = v;
        t.id = PQgetvalue(rows, i, 0);
        t.task = PQgetvalue(rows, i, 1);
        t.released = PQgetvalue(rows, i, 3)[0] == 't';

        cw_tasks_do(j, &t, PQgetvalue(rows, i, 2));
    }

    PQclear(rows);

    return 0;
}


static void
cw_tasks_do(cw_jobs_t *j, cw_tasks_one_t *t, const char *path)
{
    char  day[CAM_RECORD_PATH_MAX];

    if (cw_tasks_names(t, path) == -1) {
        cw_tasks_foreign(j, t, path);
        return;
    }

    cw_log_set_camera(t->camera);

    t->dir = openat(t->volume->fd,
                    cam_record_day_path(day, t->camera, t->start_msec),
                    O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (t->dir == -1 && errno != ENOENT) {
        cw_log(CW_LOG_CRIT, errno, "open(\"%s\") failed", day);

    } else if (strcmp(t->task, "remove") == 0) {
        cw_tasks_remove(j, t);

    } else if (strcmp(t->task, "hold") == 0) {
        cw_tasks_hold(j, t);

    } else if (strcmp(t->task, "release") == 0) {
        cw_tasks_release(j, t);
    }

    if (t->dir != -1) {
        (void) close(t->dir);
    }

    cw_log_set_camera(NULL);
}


/* nothing is done to what has not one of our names, and nobody waits for it */

static void
cw_tasks_foreign(cw_jobs_t *j, cw_tasks_one_t *t, const char *path)
{
    const char  *values[] = { t->volume->text, path };

    cw_log(CW_LOG_ALERT, 0, "recording %s has a path that is none, \"%s\"",
           t->id, path);

    if (strcmp(t->task, "hold") == 0) {
        (void) cw_tasks_call(j, t, "SELECT recording_task_done($1, 'hold')");

    } else if (strcmp(t->task, "release") == 0) {
        (void) cw_tasks_call(j, t,
                             "SELECT recording_task_done($1, 'release')");

    } else if (cw_db_do(&j->db, "SELECT recording_garbage_add($1, $2, 'path')",
                        2, values) == 0)
    {
        (void) cw_tasks_call(j, t, "SELECT recording_forget($1)");
    }
}


static int
cw_tasks_names(cw_tasks_one_t *t, const char *path)
{
    char  name[CAM_RECORD_PATH_MAX];

    if (cam_record_path_parse(path, t->camera, &t->start_msec) == -1) {
        return -1;
    }

    strcpy(t->mp4, cw_tasks_last(cam_record_path(name, t->camera,
                                                 t->start_msec, "mp4")));
    strcpy(t->idx, cw_tasks_last(cam_record_path(name, t->camera,
                                                 t->start_msec, "idx")));
    strcpy(t->hold, cw_tasks_last(cam_record_path(name, t->camera,
                                                  t->start_msec, "hold")));
    return 0;
}


static const char *
cw_tasks_last(const char *path)
{
    return strrchr(path, '/') + 1;
}


static void
cw_tasks_remove(cw_jobs_t *j, cw_tasks_one_t *t)
{
    struct stat  st;

    if (t->dir != -1) {

        if (t->released && cw_tasks_unlink(t, t->hold) == -1) {
            return;
        }

        if (fstatat(t->dir, t->hold, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            cw_log(CW_LOG_WARN, 0, "recording %s stays, \"%s\" is there",
                   t->id, t->hold);
            (void) cw_tasks_call(j, t, "SELECT recording_keep($1)");
            return;
        }

        if (errno != ENOENT
            || cw_tasks_unlink(t, t->mp4) == -1
            || cw_tasks_unlink(t, t->idx) == -1)
        {
            return;
        }

        if (fsync(t->dir) == -1) {
            cw_log(CW_LOG_CRIT, errno, "fsync() of a day's directory failed");
            return;
        }
    }

    if (cw_tasks_call(j, t, "SELECT recording_forget($1)") == 0) {
        cw_count(CAM_METRIC_REMOVED, 1);
        cw_tasks_rmdir(j, t);
    }
}


static int
cw_tasks_unlink(cw_tasks_one_t *t, const char *name)
{
    if (unlinkat(t->dir, name, 0) == -1 && errno != ENOENT) {
        cw_log(CW_LOG_CRIT, errno, "unlink(\"%s\") failed", name);
        return -1;
    }

    return 0;
}


/* when it was the last one; nobody makes a file in a day that is long over */

static void
cw_tasks_rmdir(cw_jobs_t *j, cw_tasks_one_t *t)
{
    char     day[CAM_RECORD_PATH_MAX];
    int64_t  now;

    now = cw_jobs_retention_now(j);

    if (t->start_msec < now - 2 * CAM_RECORD_DAY_MSEC) {
        (void) unlinkat(t->volume->fd,
                        cam_record_day_path(day, t->camera, t->start_msec),
                        AT_REMOVEDIR);
    }
}


static void
cw_tasks_hold(cw_jobs_t *j, cw_tasks_one_t *t)
{
    int  fd, rc;

    rc = 0;

    if (t->dir != -1) {
        fd = openat(t->dir, t->hold, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0640);

        if ((fd == -1 && errno != EEXIST) || fsync(t->dir) == -1) {
            cw_log(CW_LOG_CRIT, errno, "making \"%s\" failed", t->hold);
            rc = -1;
        }

        if (fd != -1) {
            (void) close(fd);
        }
    }

    if (rc == 0) {
        (void) cw_tasks_call(j, t, "SELECT recording_task_done($1, 'hold')");
    }
}


static void
cw_tasks_release(cw_jobs_t *j, cw_tasks_one_t *t)
{
    if (t->dir != -1
        && (cw_tasks_unlink(t, t->hold) == -1 || fsync(t->dir) == -1))
    {
        return;
    }

    (void) cw_tasks_call(j, t, "SELECT recording_task_done($1, 'release')");
}


static int
cw_tasks_call(cw_jobs_t *j, const cw_tasks_one_t *t, const char *sql)
{
    const char  *values[] = { t->id };

    return cw_db_do(&j->db, sql, 1, values);
}
