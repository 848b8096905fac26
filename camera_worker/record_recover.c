/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * After a start: what the one before left open [record_open.h].  The last
 * recording of each camera that is still wanted here goes on, any other one is
 * closed; one without a single fragment is removed.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "record.h"
#include "record_open.h"


static void cw_recover_gap(cw_record_t *r, const cam_record_open_gap_t *gap);
static void cw_recover_file(cw_record_t *r, const cam_record_open_t *open);
static cw_record_file_t *cw_recover_open(cw_record_t *r,
    const cam_record_open_t *open);
static void cw_recover_end(cw_record_t *r, cw_record_file_t *f,
    const cw_record_file_t *next);
static void cw_recover_go_on(cw_record_t *r, cw_record_camera_t *c,
    cw_record_file_t *f);
static cw_record_camera_t *cw_recover_camera(cw_record_t *r,
    const uint8_t *camera);
static void cw_recover_remove(cw_record_t *r, const cam_record_open_t *open);


void
cw_record_recover(cw_record_t *r)
{
    size_t              i;
    cam_record_opens_t  opens;

    memset(&opens, 0, sizeof(cam_record_opens_t));

    if (cam_record_open_journal(&opens, r->volume.fd) == -1
        || cam_record_open_table(&opens, r->table, r->number) == -1)
    {
        cw_log(CW_LOG_CRIT, errno, "cannot read all of what was open");
    }

    cam_record_open_sort(&opens);

    for (i = 0; i < opens.files; i++) {
        cw_recover_file(r, &opens.file[i]);
    }

    for (i = 0; i < opens.gaps; i++) {
        cw_recover_gap(r, &opens.gap[i]);
    }

    cam_record_open_free(&opens);

    cw_record_restate(r);
    cw_record_settle(r, 1);
}


/* those that were begun later come first: what goes on is known by then */

static void
cw_recover_file(cw_record_t *r, const cam_record_open_t *open)
{
    cw_record_file_t    *f;
    cw_record_camera_t  *c;

    f = cw_recover_open(r, open);

    if (f == NULL) {
        cw_recover_remove(r, open);
        return;
    }

    /* another one has that name now */

    if (memcmp(f->head.recording, open->recording, CAM_UUID_LEN) != 0) {
        cw_record_file_free(f);
        return;
    }

    f->announced = open->announced;
    f->advance_msec = r->now_msec + CW_RECORD_ADVANCE_MSEC;

    c = cw_recover_camera(r, open->camera);

    if (c == NULL || c->file != NULL || !cw_record_file_is_writable(f)) {
        cw_recover_end(r, f, c != NULL ? c->file : NULL);

    } else {
        cw_recover_go_on(r, c, f);
    }
}


/* with an index that is made anew when it was lost; of one that was begun a
   moment ago the live store still has all */

static cw_record_file_t *
cw_recover_open(cw_record_t *r, const cam_record_open_t *open)
{
    cw_record_file_t  *f;

    f = cw_record_file_reopen(r->volume.fd, open->path, cw_record_keys(r));

    if (f != NULL || !open->announced
        || (errno != ENOENT && errno != EPROTO && errno != EBADMSG
            && errno != ENODATA)
        || cw_record_mend(r, open) == -1)
    {
        return f;
    }

    return cw_record_file_reopen(r->volume.fd, open->path, cw_record_keys(r));
}


static void
cw_recover_end(cw_record_t *r, cw_record_file_t *f,
    const cw_record_file_t *next)
{
    cw_log(CW_LOG_INFO, 0, "closed \"%s\", which was open", f->path);

    /* it died between two of them */

    cw_record_closing(r, f, next != NULL
                            && next->head.start_msec >= f->limit_msec
                            ? "hour" : "recovered");
}


static void
cw_recover_go_on(cw_record_t *r, cw_record_camera_t *c, cw_record_file_t *f)
{
    cw_log(CW_LOG_INFO, 0, "going on with \"%s\"", f->path);

    c->file = f;
    c->wall.msec = f->wall_msec;
    c->wall.usec = (f->end_msec - f->wall_msec) * 1000;
    c->wall.ahead_msec = r->clock.ahead_msec;
    c->gap.end_msec = f->end_msec;
    c->gap.restarted = 1;
}


static void
cw_recover_gap(cw_record_t *r, const cam_record_open_gap_t *gap)
{
    cw_record_camera_t  *c;

    c = gap->start_msec ? cw_recover_camera(r, gap->camera) : NULL;

    if (c == NULL || c->gap.end_msec != 0) {
        return;
    }

    c->gap.end_msec = gap->start_msec;
    c->gap.open = 1;
    c->gap.cause = strcmp(gap->cause, "camera") == 0 ? "camera"
                   : strcmp(gap->cause, "disk") == 0 ? "disk"
                   : strcmp(gap->cause, "key") == 0 ? "key"
                   : "network";
}


/* NULL when it is not wanted, or not here */

static cw_record_camera_t *
cw_recover_camera(cw_record_t *r, const uint8_t *camera)
{
    uint8_t            other[CAM_UUID_LEN];
    uint32_t           slot;
    cam_record_wish_t  wish;

    if (cam_record_volume_of(r->table, camera, r->now_msec) != r->number) {
        return NULL;
    }

    for (slot = 0; slot < CAM_RECORD_SLOTS; slot++) {

        if (cam_record_wish_at(r->table, slot, other, &wish)
            && memcmp(camera, other, CAM_UUID_LEN) == 0)
        {
            return wish.want ? cw_record_camera(r, slot, camera) : NULL;
        }
    }

    return NULL;
}


static void
cw_recover_remove(cw_record_t *r, const cam_record_open_t *open)
{
    char  path[CAM_RECORD_PATH_MAX];

    if (errno != ENODATA && errno != ENOENT && errno != EPROTO) {
        cw_log(CW_LOG_CRIT, errno, "cannot go on with \"%s\"", open->path);
        return;
    }

    cw_log(CW_LOG_WARN, errno, "nothing is left of \"%s\"", open->path);

    cam_record_path(path, open->camera, open->start_msec, "idx");

    (void) unlinkat(r->volume.fd, open->path, 0);
    (void) unlinkat(r->volume.fd, path, 0);

    if (open->announced) {
        cw_record_journal_removed(r, open->recording, "missing");
    }
}
