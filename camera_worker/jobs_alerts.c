/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Alerts about what lasts: gaps that go on, volumes that are away, full or
 * broken, cameras that are shut out, or not recorded for want of a key.  Each
 * is raised when it begins and calmed when it is over; what was raised by an
 * earlier process is looked up, not remembered.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs.h"
#include "log.h"

#define CW_ALERTS_START_MSEC  7000       /* record children need a moment */


/* what may be wrong with a volume */
typedef struct {
    const char   *type;
    const char   *what;
    unsigned      states;                /* bits of cam_record_volume_e */
} cw_alerts_trouble_t;


static void cw_alerts_volumes(cw_jobs_t *j);
static unsigned cw_alerts_volume(cw_jobs_t *j, int n);
static void cw_alerts_trouble(cw_jobs_t *j, int n, unsigned volumes);
static void cw_alerts_quarantine(cw_jobs_t *j);
static int cw_alerts_shut(cw_jobs_t *j, const char *camera);
static void cw_alerts_keys(cw_jobs_t *j);
static char *cw_alerts_keyless(const cw_jobs_t *j);


static const cw_alerts_trouble_t  cw_alerts_troubles[CW_JOBS_TROUBLES] = {

    { "volume_away", "is not there, or does not answer",
      1u << CAM_RECORD_VOLUME_ABSENT | 1u << CAM_RECORD_VOLUME_AWAY },

    { "storage_full", "is full, and nothing on it may be removed",
      1u << CAM_RECORD_VOLUME_FULL },

    { "recording_failed", "cannot be written to",
      1u << CAM_RECORD_VOLUME_ERROR }
};


void
cw_jobs_alerts(cw_jobs_t *j)
{
    (void) cw_db_do(&j->db, "SELECT recording_gap_alerts(),"
                    " recording_gaps_tell()", 0, NULL);

    if (j->now_msec - j->started_msec >= CW_ALERTS_START_MSEC) {
        cw_alerts_volumes(j);
        cw_alerts_keys(j);
    }

    cw_alerts_quarantine(j);
}


int
cw_jobs_raise(cw_jobs_t *j, const char *camera, const char *type,
    const char *severity, const char *message)
{
    const char  *values[] = { type, severity, camera, message, j->node };

    return cw_db_do(&j->db, "SELECT journal_alert($1, $2, $3, $4, now(),"
                    " jsonb_build_object('node', $5::text))", 5, values);
}


int
cw_jobs_calm(cw_jobs_t *j, const char *camera, const char *type)
{
    const char  *values[] = { type, camera };

    return cw_db_do(&j->db, "SELECT journal_calm($1, $2)", 2, values);
}


static void
cw_alerts_volumes(cw_jobs_t *j)
{
    int       i, n;
    unsigned  state, volumes[CW_JOBS_TROUBLES] = { 0 };

    for (i = 0; i < j->volumes; i++) {
        state = cw_alerts_volume(j, i);

        for (n = 0; n < CW_JOBS_TROUBLES; n++) {
            if (cw_alerts_troubles[n].states & 1u << state) {
                volumes[n] |= 1u << i;
            }
        }
    }

    for (n = 0; n < CW_JOBS_TROUBLES; n++) {
        if (volumes[n] != j->trouble[n]) {
            cw_alerts_trouble(j, n, volumes[n]);
        }
    }
}


static unsigned
cw_alerts_volume(cw_jobs_t *j, int n)
{
    cam_record_volume_t  state;

    cam_record_volume_get(j->table, n, &state);

    if (state.state > CAM_RECORD_VOLUME_AWAY
        || j->now_msec - state.beat_msec >= CAM_RECORD_BEAT_MSEC)
    {
        return CAM_RECORD_VOLUME_AWAY;
    }

    return state.state;
}


static void
cw_alerts_trouble(cw_jobs_t *j, int n, unsigned volumes)
{
    int                         i, rc;
    char                        message[1000];
    size_t                      len;
    const cw_alerts_trouble_t  *trouble;

    trouble = &cw_alerts_troubles[n];

    if (volumes == 0) {
        rc = cw_jobs_calm(j, NULL, trouble->type);

    } else {
        len = 0;

        for (i = 0; i < j->volumes; i++) {
            if (volumes & 1u << i && len < sizeof(message)) {
                len += snprintf(message + len, sizeof(message) - len,
                                "The volume \"%.100s\" %s. ",
                                j->volume[i].path, trouble->what);
            }
        }

        cw_log(CW_LOG_WARN, 0, "%s", message);
        rc = cw_jobs_raise(j, NULL, trouble->type, "critical", message);
    }

    if (rc == 0) {
        j->trouble[n] = volumes;
    }
}


/* alerts of this node about cameras that are let in again are calmed */

static void
cw_alerts_quarantine(cw_jobs_t *j)
{
    int          n, rc;
    char         shut[CW_JOBS_SHUT], camera[CAM_UUID_TEXT + 1];
    size_t       len;
    uint8_t      id[CAM_UUID_LEN];
    const char  *values[] = { j->node, shut };

    rc = 0;
    len = 0;
    shut[len++] = '{';

    for (n = 0; cw_blame_shut(j->worker->blame, &n, id); /* void */ ) {
        len += snprintf(shut + len, sizeof(shut) - len, "%s%s",
                        len > 1 ? "," : "", cam_uuid_print(camera, id));
    }

    strcpy(shut + len, "}");

    if (strcmp(shut, j->shut) == 0) {
        return;
    }

    for (n = 0; cw_blame_shut(j->worker->blame, &n, id) && rc == 0;
         /* void */ )
    {
        rc = cw_alerts_shut(j, cam_uuid_print(camera, id));
    }

    if (rc == 0
        && cw_db_do(&j->db, "SELECT journal_calm(a.type, a.camera_id)"
                    " FROM alerts a WHERE a.type = 'camera_quarantined'"
                    " AND a.resolved_at IS NULL AND a.details->>'node' = $1"
                    " AND a.camera_id <> ALL ($2::uuid[])", 2, values) == 0)
    {
        strcpy(j->shut, shut);
    }
}


static int
cw_alerts_shut(cw_jobs_t *j, const char *camera)
{
    const char  *values[] = { camera, j->node };

    return cw_db_do(&j->db, "SELECT journal_alert('camera_quarantined',"
                    " 'critical', $1, 'The camera is shut out: what it sends "
                    "has crashed its packager three times.', now(),"
                    " jsonb_build_object('node', $2::text))"
                    " WHERE NOT EXISTS (SELECT FROM alerts a"
                    " WHERE a.type = 'camera_quarantined'"
                    " AND a.camera_id = $1 AND a.resolved_at IS NULL)", 2,
                    values);
}


/* what the record children say of their cameras, whoever said it first */

static void
cw_alerts_keys(cw_jobs_t *j)
{
    char        *list;
    const char  *values[2];

    list = cw_alerts_keyless(j);

    if (list == NULL
        || (j->keyless != NULL && strcmp(list, j->keyless) == 0))
    {
        free(list);
        return;
    }

    values[0] = j->node;
    values[1] = list;

    if (cw_db_do(&j->db, "SELECT journal_alert('recording_key_missing',"
                 " 'critical', c.id, 'Not recorded: it is to be encrypted, and"
                 " there is no key of use \"recording\".', now(),"
                 " jsonb_build_object('node', $1::text))"
                 " FROM unnest($2::uuid[]) c (id) WHERE NOT EXISTS"
                 " (SELECT FROM alerts a WHERE a.camera_id = c.id"
                 " AND a.type = 'recording_key_missing'"
                 " AND a.resolved_at IS NULL)", 2, values) == 0
        && cw_db_do(&j->db, "SELECT journal_calm(a.type, a.camera_id)"
                    " FROM alerts a WHERE a.type = 'recording_key_missing'"
                    " AND a.resolved_at IS NULL AND a.details->>'node' = $1"
                    " AND a.camera_id <> ALL ($2::uuid[])", 2, values) == 0)
    {
        free(j->keyless);
        j->keyless = list;
        return;
    }

    free(list);
}


/* their ids, as an array of SQL's; NULL: no memory */

static char *
cw_alerts_keyless(const cw_jobs_t *j)
{
    char                *list, *p;
    uint8_t              camera[CAM_UUID_LEN];
    uint32_t             slot;
    cam_record_wish_t    wish;
    cam_record_state_t   state;

    list = malloc(CAM_RECORD_SLOTS * (CAM_UUID_TEXT + 1) + 3);

    if (list == NULL) {
        return NULL;
    }

    p = list;
    *p++ = '{';

    for (slot = 0; slot < CAM_RECORD_SLOTS; slot++) {

        if (cam_record_wish_at(j->table, slot, camera, &wish) == 1
            && wish.want
            && cam_record_state_get(j->table, camera, &state) == 0
            && state.state == CAM_RECORD_NO_KEY)
        {
            p += p > list + 1 ? sprintf(p, ",") : 0;
            cam_uuid_print(p, camera);
            p += CAM_UUID_TEXT;
        }
    }

    strcpy(p, "}");

    return list;
}
