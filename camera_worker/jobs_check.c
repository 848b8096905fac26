/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Finished recordings that nobody has looked at are probed, oldest first, some
 * at a time.  One that is not as it should be is told apart by its state and
 * raises an alert; its files are left as they are.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "count.h"
#include "jobs.h"
#include "jobs_probe.h"
#include "log.h"

#define CW_CHECK_MAX       "50"
#define CW_CHECK_RECENT    "2"           /* days back, usually */
#define CW_CHECK_FAR       "3650"        /* and now and then */
#define CW_CHECK_FAR_MSEC  3600000


static int cw_check_volume(cw_jobs_t *j, cw_jobs_volume_t *v,
    const char *days);
static void cw_check_one(cw_jobs_t *j, cw_jobs_volume_t *v,
    const PGresult *rows, int row);
static int cw_check_files(cw_jobs_volume_t *v, const char *path,
    const cw_jobs_probe_row_t *row, char *err, size_t size);
static int cw_check_index_path(const char *path, char *idx);
static int cw_check_note(cw_jobs_t *j, const char *id, const char *camera,
    const char *path, const char *err);


void
cw_jobs_check(cw_jobs_t *j)
{
    int          i;
    const char  *days;

    days = CW_CHECK_RECENT;

    if (j->far_msec <= j->now_msec) {
        days = CW_CHECK_FAR;
        j->far_msec = j->now_msec + CW_CHECK_FAR_MSEC;
    }

    for (i = 0; i < j->volumes; i++) {
        if (j->volume[i].fd != -1
            && cw_check_volume(j, &j->volume[i], days) == -1)
        {
            j->far_msec = 0;
        }
    }
}


static int
cw_check_volume(cw_jobs_t *j, cw_jobs_volume_t *v, const char *days)
{
    int          i, n;
    PGresult    *rows;
    const char  *values[] = { v->text, days };

    rows = cw_db_query(&j->db, "SELECT id, camera_id, file_path, file_size,"
                       " usec, fragments FROM recordings_to_probe("
                       CW_CHECK_MAX ", $2, $1)", 2, values);

    if (rows == NULL) {
        return -1;
    }

    n = PQntuples(rows);

    for (i = 0; i < n && j->db.pg != NULL && !cw_quit; i++) {
        cw_jobs_alive(j);
        cw_check_one(j, v, rows, i);
    }

    PQclear(rows);

    return 0;
}


static void
cw_check_one(cw_jobs_t *j, cw_jobs_volume_t *v, const PGresult *rows, int row)
{
    char                 err[256];
    const char          *id, *camera, *path;
    cw_jobs_probe_row_t  expected;

    id = cw_db_text(rows, row, 0);
    camera = cw_db_text(rows, row, 1);
    path = cw_db_text(rows, row, 2);

    if (cw_db_uuid(rows, row, 0, expected.id) == -1
        || cw_db_uuid(rows, row, 1, expected.camera) == -1)
    {
        return;
    }

    expected.bytes = cw_db_number(rows, row, 3);
    expected.usec = cw_db_number(rows, row, 4);
    expected.fragments = cw_db_number(rows, row, 5);

    if (cw_check_files(v, path, &expected, err, sizeof(err)) == 0) {
        (void) cw_check_note(j, id, camera, path, NULL);

    } else if (cw_check_note(j, id, camera, path, err) == 0) {
        cw_count(CAM_METRIC_DAMAGED, 1);
        cw_log_set_camera(expected.camera);
        cw_log(CW_LOG_WARN, 0, "recording \"%s\" is damaged: %s", path, err);
        cw_log_set_camera(NULL);
    }

    cw_count(CAM_METRIC_PROBED, 1);
}


static int
cw_check_files(cw_jobs_volume_t *v, const char *path,
    const cw_jobs_probe_row_t *row, char *err, size_t size)
{
    int   rc, mp4, idx;
    char  index[CAM_RECORD_PATH_MAX];

    if (cw_check_index_path(path, index) == -1) {
        snprintf(err, size, "its path is none of ours");
        return -1;
    }

    rc = -1;
    mp4 = openat(v->fd, path, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);
    idx = mp4 == -1 ? -1 : openat(v->fd, index, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);

    if (idx == -1) {
        snprintf(err, size, "%s cannot be opened: %s",
                 mp4 == -1 ? "it" : "its index", strerror(errno));

    } else {
        rc = cw_jobs_probe(mp4, idx, row, err, size);
    }

    if (mp4 != -1) {
        (void) close(mp4);
    }

    if (idx != -1) {
        (void) close(idx);
    }

    return rc;
}


static int
cw_check_index_path(const char *path, char *idx)
{
    int64_t  start_msec;
    uint8_t  camera[CAM_UUID_LEN];

    if (cam_record_path_parse(path, camera, &start_msec) == -1) {
        return -1;
    }

    return cam_record_path(idx, camera, start_msec, "idx") == NULL ? -1 : 0;
}


static int
cw_check_note(cw_jobs_t *j, const char *id, const char *camera,
    const char *path, const char *err)
{
    char         message[512];
    const char  *values[] = { id, err, camera, message };

    if (err == NULL) {
        return cw_db_do(&j->db, "SELECT recording_probed($1, NULL)", 1,
                        values);
    }

    snprintf(message, sizeof(message), "The recording %.100s is damaged: %s.",
             strrchr(path, '/') ? strrchr(path, '/') + 1 : path, err);

    return cw_db_do(&j->db, "SELECT CASE WHEN recording_probed($1, $2) THEN"
                    " journal_alert('recording_damaged', 'medium', $3, $4,"
                    " now(), jsonb_build_object('recordingId', $1::uuid,"
                    " 'error', $2::text)) END", 4, values);
}
