/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Which cameras are to be recorded, from the database into the table that the
 * record children read.  A wish that the database does not name any more is
 * taken back; while the database is away all of them stay, and the recorder
 * keeps to their ends by itself.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jobs.h"
#include "log.h"


typedef struct {
    uint8_t   camera[CAM_UUID_LEN];
} cw_jobs_wished_t;


static void cw_jobs_wish(cw_jobs_t *j, const PGresult *rows, int row,
    cw_jobs_wished_t *wished);
static void cw_jobs_wishes_end(cw_jobs_t *j, cw_jobs_wished_t *wished,
    size_t n);
static int cw_jobs_wished_cmp(const void *one, const void *two);


void
cw_jobs_wishes(cw_jobs_t *j)
{
    int                i, n;
    PGresult          *rows;
    cw_jobs_wished_t  *wished;

    rows = cw_db_query(&j->db, "SELECT camera, want, why_not,"
                       " floor(extract(epoch FROM from_time) * 1000)::bigint,"
                       " floor(extract(epoch FROM until_time) * 1000)::bigint,"
                       " encrypt FROM recording_wishes()", 0, NULL);

    if (rows == NULL) {
        return;
    }

    n = PQntuples(rows);
    wished = calloc(n + 1, sizeof(cw_jobs_wished_t));

    if (wished == NULL) {
        cw_log(CW_LOG_CRIT, errno, "malloc() failed");
        PQclear(rows);
        return;
    }

    for (i = 0; i < n; i++) {
        cw_jobs_wish(j, rows, i, &wished[i]);
    }

    qsort(wished, n, sizeof(cw_jobs_wished_t), cw_jobs_wished_cmp);
    cw_jobs_wishes_end(j, wished, n);

    free(wished);
    PQclear(rows);
}


static void
cw_jobs_wish(cw_jobs_t *j, const PGresult *rows, int row,
    cw_jobs_wished_t *wished)
{
    cam_record_wish_t  wish, old;

    if (cw_db_uuid(rows, row, 0, wished->camera) == -1) {
        return;
    }

    memset(&wish, 0, sizeof(cam_record_wish_t));

    wish.want = PQgetvalue(rows, row, 1)[0] == 't';
    wish.why_not = cw_db_number(rows, row, 2);
    wish.from_msec = cw_db_number(rows, row, 3);
    wish.until_msec = cw_db_number(rows, row, 4);
    wish.encrypt = PQgetvalue(rows, row, 5)[0] == 't';

    if (cam_record_wish_get(j->table, wished->camera, &old) == 0
        ? memcmp(&old, &wish, sizeof(cam_record_wish_t)) == 0
        : errno == ENOENT && !wish.want)
    {
        return;
    }

    if (cam_record_wish_set(j->table, wished->camera, &wish) == -1) {
        cw_log_set_camera(wished->camera);
        cw_log(CW_LOG_CRIT, errno, "no room for another camera to record");
        cw_log_set_camera(NULL);
    }
}


/* those of cameras that the database does not know any more */

static void
cw_jobs_wishes_end(cw_jobs_t *j, cw_jobs_wished_t *wished, size_t n)
{
    uint32_t           slot;
    cw_jobs_wished_t   one;
    cam_record_wish_t  wish;

    for (slot = 0; slot < CAM_RECORD_SLOTS; slot++) {

        if (cam_record_wish_at(j->table, slot, one.camera, &wish) != 1
            || !wish.want
            || bsearch(&one, wished, n, sizeof(cw_jobs_wished_t),
                       cw_jobs_wished_cmp))
        {
            continue;
        }

        memset(&wish, 0, sizeof(cam_record_wish_t));
        (void) cam_record_wish_set(j->table, one.camera, &wish);
    }
}


static int
cw_jobs_wished_cmp(const void *one, const void *two)
{
    return memcmp(one, two, sizeof(cw_jobs_wished_t));
}
