/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A file of exports/ stays as long as its row is done, or running here; those
 * whose row was deleted, has expired or failed go, in batches.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dir.h"
#include "export.h"
#include "log.h"

#define CW_SWEEP_BATCH  200


typedef struct {
    int   n;
    char  id[CW_SWEEP_BATCH][CW_EXPORT_ID];
    char  text[CW_SWEEP_BATCH * CW_EXPORT_ID + 3];
} cw_sweep_t;


static void cw_sweep_volume(cw_export_t *e, const cw_export_volume_t *v);
static void cw_sweep_batch(cw_export_t *e, int dirfd, cw_sweep_t *s);
static int cw_sweep_stays(const PGresult *rows, const char *id);


void
cw_export_sweep(cw_export_t *e)
{
    int  i;

    if (cw_db_do(&e->db, "UPDATE exports SET state = 'expired'"
                 " WHERE state = 'done' AND expires_at < now()", 0, NULL)
        == -1)
    {
        return;
    }

    for (i = 0; i < e->volumes; i++) {
        if (e->volume[i].fd != -1) {
            cw_sweep_volume(e, &e->volume[i]);
        }
    }
}


static void
cw_sweep_volume(cw_export_t *e, const cw_export_volume_t *v)
{
    DIR            *dir;
    uint8_t         uuid[CAM_UUID_LEN];
    cw_sweep_t     *s;
    struct dirent  *de;

    dir = cam_dir_open(v->fd, "exports");
    s = calloc(1, sizeof(cw_sweep_t));

    while (dir != NULL && s != NULL && (de = readdir(dir)) != NULL) {

        if (strlen(de->d_name) <= CAM_UUID_TEXT
            || de->d_name[CAM_UUID_TEXT] != '.'
            || cam_uuid_parse(uuid, de->d_name, CAM_UUID_TEXT) != 0)
        {
            continue;
        }

        (void) cam_uuid_print(s->id[s->n++], uuid);

        if (s->n == CW_SWEEP_BATCH) {
            cw_sweep_batch(e, dirfd(dir), s);
        }
    }

    if (s != NULL && s->n) {
        cw_sweep_batch(e, dirfd(dir), s);
    }

    if (dir != NULL) {
        closedir(dir);
    }

    free(s);
}


static void
cw_sweep_batch(cw_export_t *e, int dirfd, cw_sweep_t *s)
{
    int          i;
    char         name[CW_EXPORT_ID + 8];
    size_t       k;
    PGresult    *rows;
    const char  *values[] = { s->text };

    static const char  *suffixes[] = { "json", "mp4", "part", "key" };

    s->text[0] = '\0';

    for (i = 0; i < s->n; i++) {
        strcat(strcat(s->text, i ? "," : "{"), s->id[i]);
    }

    strcat(s->text, "}");

    rows = cw_db_query(&e->db, "SELECT id FROM exports WHERE id = ANY"
                       " ($1::uuid[]) AND state IN ('done', 'running')", 1,
                       values);

    for (i = 0; rows != NULL && i < s->n; i++) {

        if (cw_sweep_stays(rows, s->id[i])) {
            continue;
        }

        for (k = 0; k < sizeof(suffixes) / sizeof(suffixes[0]); k++) {
            snprintf(name, sizeof(name), "%s.%s", s->id[i], suffixes[k]);
            (void) unlinkat(dirfd, name, 0);
        }
    }

    PQclear(rows);
    s->n = 0;
}


static int
cw_sweep_stays(const PGresult *rows, const char *id)
{
    int  i;

    for (i = 0; i < PQntuples(rows); i++) {
        if (strcmp(PQgetvalue(rows, i, 0), id) == 0) {
            return 1;
        }
    }

    return 0;
}
