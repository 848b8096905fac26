/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * When a camera's file ends and the next one begins: at the hour, with another
 * init, and where the clock was set [record_wall.h].
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "count.h"
#include "log.h"
#include "record.h"


static const char *cw_record_camera_over(cw_record_t *r,
    cw_record_camera_t *c, const cam_live_segment_t *seg,
    int64_t wall_msec);
static int cw_record_camera_stepped(const cw_record_t *r,
    const cw_record_camera_t *c, const cam_live_segment_t *seg);
static int cw_record_camera_create(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg, int64_t wall_msec, const uint8_t *init,
    size_t size);
static uint8_t *cw_record_camera_init(cw_record_t *r,
    const cw_record_camera_t *c, uint32_t version, size_t *size);
static const cam_live_init_t *cw_record_camera_what(const cw_record_t *r,
    uint32_t version);


int64_t
cw_record_camera_wall(const cw_record_t *r,
    const cw_record_camera_t *c, const cam_live_segment_t *seg)
{
    int64_t  wall;

    wall = cw_record_wall_true(seg, c->part);

    return cw_record_camera_stepped(r, c, seg)
           ? wall : cw_record_wall_next(&c->wall, wall);
}


/* a segment that no file could begin with is not the first of anything */

static int
cw_record_camera_stepped(const cw_record_t *r, const cw_record_camera_t *c,
    const cam_live_segment_t *seg)
{
    return c->part == 0 && seg->part[0].independent
           && cw_record_wall_stepped(&c->wall, &r->clock, seg->wall_msec);
}


int
cw_record_camera_file(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg, int64_t wall_msec)
{
    int          rc;
    size_t       size;
    uint8_t     *init;
    const char  *why;

    if (c->file != NULL) {
        why = cw_record_camera_over(r, c, seg, wall_msec);

        if (why == NULL) {
            return 0;
        }

        cw_record_camera_close(r, c, why);
    }

    init = cw_record_camera_init(r, c, seg->init, &size);

    if (init == NULL) {
        return EPROTO;
    }

    rc = cw_record_camera_create(r, c, seg, wall_msec, init, size);
    free(init);

    return rc;
}


/* NULL when it goes on */

static const char *
cw_record_camera_over(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg, int64_t wall_msec)
{
    if (cw_record_camera_stepped(r, c, seg)) {
        c->wall.msec = 0;
        return "clock";
    }

    if (!!c->wish.encrypt != !!c->file->head.cipher) {
        return "encryption";
    }

    if (wall_msec >= c->file->limit_msec) {

        /* the one ends where the other begins, whatever was rounded */

        if (wall_msec < c->file->end_msec) {
            c->file->end_msec = wall_msec;
        }

        return "hour";
    }

    return cw_record_camera_has_init(r, c, seg) ? NULL : "codec";
}


/* versions differ after each reconnect and each restart, bytes seldom do */

int
cw_record_camera_has_init(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg)
{
    int       same;
    size_t    size;
    uint8_t  *init;

    if (c->file->init == seg->init) {
        return 1;
    }

    init = cw_record_camera_init(r, c, seg->init, &size);

    if (init == NULL) {
        return 0;
    }

    same = cw_record_file_has_init(c->file, init, size);

    if (same) {
        c->file->init = seg->init;
    }

    free(init);

    return same;
}


static int
cw_record_camera_create(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg, int64_t wall_msec, const uint8_t *init,
    size_t size)
{
    const cam_keys_t       *keys;
    cam_record_head_t       head;
    const cam_live_init_t  *what;

    if (!cw_record_volume_is_there(r)) {
        return ENXIO;
    }

    keys = c->wish.encrypt ? cw_record_keys_signing(r) : NULL;

    /* rather nothing than plain */

    if (c->wish.encrypt && keys == NULL) {
        return ENOKEY;
    }

    what = cw_record_camera_what(r, seg->init);

    memset(&head, 0, sizeof(cam_record_head_t));
    memcpy(head.camera, c->camera, CAM_UUID_LEN);
    memcpy(head.volume, r->volume.uuid, CAM_UUID_LEN);
    head.start_msec = wall_msec;
    head.init_size = size;
    head.segment_sec = r->worker->record_sec;
    head.width = what->width;
    head.height = what->height;
    head.has_video = what->has_video;
    head.has_audio = what->has_audio;
    memcpy(head.codecs, what->codecs, CAM_LIVE_CODECS);

    c->file = cw_record_file_create(r->volume.fd, &head, init, keys);

    if (c->file == NULL) {
        return errno ? errno : EIO;
    }

    c->file->init = seg->init;
    c->file->msn = seg->msn;
    cw_record_file_synced(c->file);
    c->file->dirty = 1;
    c->file->advance_msec = r->now_msec + CW_RECORD_ADVANCE_MSEC;

    if (c->wall.epoch != r->clock.epoch) {
        c->gap.end_msec = 0;
    }

    c->wall.epoch = r->clock.epoch;
    c->wall.ahead_msec = r->clock.ahead_msec;
    r->opened = 1;
    r->dirty = 1;

    cw_count(CAM_METRIC_RECORD_FILES, 1);

    /* from now on a restart can find it */

    cw_record_camera_state(r, c, CAM_RECORD_RECORDING);

    return 0;
}


static uint8_t *
cw_record_camera_init(cw_record_t *r, const cw_record_camera_t *c,
    uint32_t version, size_t *size)
{
    int                     fd;
    char                    name[CAM_UUID_TEXT + 1 + CAM_LIVE_NAME_MAX];
    uint8_t                *init;
    const cam_live_init_t  *what;

    what = cw_record_camera_what(r, version);

    if (what == NULL || what->size == 0 || what->size > CW_RECORD_INIT_MAX) {
        return NULL;
    }

    cam_uuid_print(name, c->camera);
    name[CAM_UUID_TEXT] = '/';
    cam_live_init_name(name + CAM_UUID_TEXT + 1, version);

    fd = openat(r->worker->live_fd, name, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);
    if (fd == -1) {
        return NULL;
    }

    *size = what->size;
    init = malloc(*size);

    if (init != NULL && pread(fd, init, *size, 0) != (ssize_t) *size) {
        free(init);
        init = NULL;
    }

    close(fd);

    return init;
}


static const cam_live_init_t *
cw_record_camera_what(const cw_record_t *r, uint32_t version)
{
    uint32_t  i;

    for (i = 0; i < CAM_LIVE_INITS; i++) {
        if (r->index.init[i].version == version) {
            return &r->index.init[i];
        }
    }

    return NULL;
}


void
cw_record_camera_close(cw_record_t *r, cw_record_camera_t *c, const char *why)
{
    cw_record_closing(r, c->file, why);
    c->file = NULL;
}


void
cw_record_camera_leave(cw_record_t *r, cw_record_camera_t *c, const char *why)
{
    if (c->file != NULL) {
        cw_record_camera_close(r, c, why);
    }

    cw_record_camera_state(r, c, CAM_RECORD_WAITING);
}


void
cw_record_camera_stop(cw_record_t *r, cw_record_camera_t *c, const char *why)
{
    if (c->file != NULL) {
        cw_record_camera_close(r, c, why);
    }

    cw_record_camera_state(r, c, CAM_RECORD_IDLE);
    cw_record_gap_stop(r, c);

    c->placed = 0;
    c->lost = 0;
}


void
cw_record_camera_failed(cw_record_t *r, cw_record_camera_t *c)
{
    if (c->file != NULL) {
        cw_record_file_rewind(c->file);
        c->msn = c->file->msn;
        c->part = 0;
        c->wall.msec = 0;
        cw_record_camera_close(r, c, "error");
    }

    if (!r->failed) {
        cw_record_journal_alert(r, "recording_failed", "critical", NULL,
                                "a volume for recordings failed");
    }

    r->failed = 1;
    r->volume.state = CAM_RECORD_VOLUME_ERROR;
    r->volume.error_msec = r->now_msec + CW_RECORD_ERROR_MSEC;
    c->retry_msec = r->now_msec + CW_RECORD_RETRY_MSEC;
    cw_record_camera_state(r, c, CAM_RECORD_DISK_ERROR);
}


void
cw_record_camera_state(cw_record_t *r, cw_record_camera_t *c,
    cam_record_state_e state)
{
    cam_record_state_t  s;

    if (c->state == state && state != CAM_RECORD_RECORDING
        && state != CAM_RECORD_WAITING)
    {
        return;
    }

    c->state = state;

    memset(&s, 0, sizeof(cam_record_state_t));
    s.volume = r->number;
    s.state = state;
    s.msn = c->msn;
    s.part = c->part;
    s.end_msec = c->gap.end_msec;

    if (c->file != NULL) {
        memcpy(s.recording, c->file->head.recording, CAM_UUID_LEN);
        s.start_msec = c->file->head.start_msec;
        s.bytes = c->file->size;
        s.fragments = c->file->number;
    }

    (void) cam_record_state_set(r->table, c->camera, &s);
}
