/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The directories of --record, as the jobs see them.  A disk that hangs must
 * hang its record child alone, so a directory is touched only while that one
 * beats.  It is opened for one tick and closed again, or nobody could unmount
 * it; and it is used only if it is the volume that the record child has.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "jobs.h"
#include "log.h"


static void cw_jobs_volume_open(cw_jobs_volume_t *v,
    const cam_record_volume_t *state);
static void cw_jobs_volume_row(cw_jobs_t *j, cw_jobs_volume_t *v,
    const cam_record_volume_t *state);


void
cw_jobs_volumes_open(cw_jobs_t *j)
{
    int                  i;
    cam_record_volume_t  state;

    for (i = 0; i < j->volumes; i++) {
        cam_record_volume_get(j->table, i, &state);

        if (cw_jobs_volume_usable(&state, j->now_msec)) {
            cw_jobs_volume_open(&j->volume[i], &state);
        }
    }
}


int
cw_jobs_volume_usable(const cam_record_volume_t *state, int64_t now_msec)
{
    return (state->state == CAM_RECORD_VOLUME_OK
            || state->state == CAM_RECORD_VOLUME_LOW
            || state->state == CAM_RECORD_VOLUME_FULL)
           && now_msec - state->beat_msec < CAM_RECORD_BEAT_MSEC;
}


static void
cw_jobs_volume_open(cw_jobs_volume_t *v, const cam_record_volume_t *state)
{
    uint8_t  id[CAM_UUID_LEN];

    v->fd = open(v->path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (v->fd == -1) {
        return;
    }

    if (cam_record_volume_read(v->fd, id) == -1
        || memcmp(id, state->uuid, CAM_UUID_LEN) != 0)
    {
        (void) close(v->fd);
        v->fd = -1;
        return;
    }

    if (v->text[0] == '\0' || memcmp(v->id, id, CAM_UUID_LEN) != 0) {
        memcpy(v->id, id, CAM_UUID_LEN);
        (void) cam_uuid_print(v->text, id);
        memset(&v->journal, 0, sizeof(cw_jobs_journal_t));
    }
}


void
cw_jobs_volumes_close(cw_jobs_t *j)
{
    int  i;

    for (i = 0; i < j->volumes; i++) {
        if (j->volume[i].fd != -1) {
            (void) close(j->volume[i].fd);
            j->volume[i].fd = -1;
        }
    }
}


void
cw_jobs_volumes_report(cw_jobs_t *j)
{
    int                  i;
    cam_record_volume_t  state;

    for (i = 0; i < j->volumes; i++) {
        if (j->volume[i].text[0] != '\0') {
            cam_record_volume_get(j->table, i, &state);
            cw_jobs_volume_row(j, &j->volume[i], &state);
        }
    }
}


static void
cw_jobs_volume_row(cw_jobs_t *j, cw_jobs_volume_t *v,
    const cam_record_volume_t *state)
{
    char         total[24], available[24];
    const char  *values[] = { v->text, j->node, v->path, NULL, total,
                              available };

    static const char  *states[] = { "absent", "ok", "low", "full", "error",
                                     "not mounted" };

    values[3] = state->state < sizeof(states) / sizeof(states[0])
                ? states[state->state] : "error";

    if (!cw_jobs_volume_usable(state, j->now_msec)
        && state->state <= CAM_RECORD_VOLUME_FULL)
    {
        values[3] = "absent";
    }

    snprintf(total, sizeof(total), "%" PRIu64, state->bytes_total);
    snprintf(available, sizeof(available), "%" PRIu64, state->bytes_free);

    (void) cw_db_do(&j->db, "SELECT volume_report($1, $2, $3, $4, $5, $6)", 6,
                    values);
}
