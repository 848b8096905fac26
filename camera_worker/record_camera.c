/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One camera of the record role.  It has a place in the live store, the next
 * part to be taken, and takes all that is there, once a second:
 *
 *     nowhere   not wanted, or just wanted            [cw_record_camera_place]
 *     placed    takes parts as they come              [cw_record_take]
 *     lost      the store went on without us: at the next key frame
 */

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "record.h"

#define CW_RECORD_STALE_MSEC  5000


static int cw_record_camera_look(cw_record_t *r, cw_record_camera_t *c);
static void cw_record_camera_place(cw_record_t *r, cw_record_camera_t *c);
static uint32_t cw_record_camera_first(const cw_record_t *r,
    const cw_record_camera_t *c);
static uint32_t cw_record_camera_newest(const cw_record_t *r);
static const char *cw_record_camera_cause(const cw_record_camera_t *c);


cw_record_camera_t *
cw_record_camera(cw_record_t *r, uint32_t slot, const uint8_t *camera)
{
    cw_record_camera_t  *c;

    c = r->camera[slot];

    if (c != NULL && memcmp(c->camera, camera, CAM_UUID_LEN) == 0) {
        return c;
    }

    if (c != NULL) {
        cw_record_camera_stop(r, c, "end");
        cw_record_camera_free(r, c);
    }

    c = calloc(1, sizeof(cw_record_camera_t));

    if (c == NULL) {
        return NULL;
    }

    memcpy(c->camera, camera, CAM_UUID_LEN);
    c->slot = slot;
    c->seg_fd = -1;
    c->wall.epoch = r->clock.epoch;
    c->turn_msec = r->now_msec + slot % (CW_RECORD_TURN_MSEC
                                         / CW_RECORD_TICK_MSEC)
                                 * CW_RECORD_TICK_MSEC;
    r->camera[slot] = c;

    return c;
}


void
cw_record_camera_free(cw_record_t *r, cw_record_camera_t *c)
{
    if (c->live != NULL) {
        cam_live_close(c->live);
    }

    cw_record_take_leave(c);

    if (c->file != NULL) {
        cw_record_file_free(c->file);
    }

    r->camera[c->slot] = NULL;
    free(c);
}


void
cw_record_camera_turn(cw_record_t *r, cw_record_camera_t *c)
{
    int  taken;

    if (c->turn_msec > r->now_msec) {
        return;
    }

    if (c->wish.until_msec && c->wish.until_msec == c->done_msec) {
        return;
    }

    c->turn_msec += CW_RECORD_TURN_MSEC;

    if (c->turn_msec <= r->now_msec) {
        c->turn_msec = r->now_msec + CW_RECORD_TURN_MSEC;
    }

    if (!cw_record_camera_look(r, c)) {
        cw_record_gap_look(r, c, "network");
        return;
    }

    if (c->retry_msec > r->now_msec) {
        cw_record_gap_look(r, c, cw_record_camera_cause(c));
        return;
    }

    if (r->volume.state == CAM_RECORD_VOLUME_FULL
        && !cw_record_space_full(r, 0))
    {
        cw_record_camera_state(r, c, CAM_RECORD_NO_SPACE);
        cw_record_gap_look(r, c, "disk");
        return;
    }

    if (!c->placed) {
        cw_record_camera_place(r, c);
    }

    taken = cw_record_take(r, c);

    if (c->wish.until_msec && c->wish.until_msec == c->done_msec) {
        cw_log(CW_LOG_DEBUG, 0, "recorded what was wished");

    } else if (taken == -1) {
        cw_record_gap_look(r, c, cw_record_camera_cause(c));

    } else if (taken == 0) {
        cw_record_gap_look(r, c, r->index.state == CAM_LIVE_QUARANTINED
                                 || r->index.warning != 0
                                 ? "camera" : "network");

    } else if (c->retry_msec <= r->now_msec) {
        cw_record_camera_state(r, c, CAM_RECORD_RECORDING);
    }
}


/* why nothing can be written */

static const char *
cw_record_camera_cause(const cw_record_camera_t *c)
{
    return c->state == CAM_RECORD_NO_KEY ? "key" : "disk";
}


/* 1 when the live store has an index, now in r->index */

static int
cw_record_camera_look(cw_record_t *r, cw_record_camera_t *c)
{
    if (c->live != NULL && c->stale_msec <= r->now_msec) {
        c->stale_msec = r->now_msec + CW_RECORD_STALE_MSEC;

        if (cam_live_stale(c->live, r->worker->live_fd)) {
            cam_live_close(c->live);
            c->live = NULL;
        }
    }

    if (c->live == NULL) {
        c->live = cam_live_reader_open(r->worker->live_fd, c->camera);
        c->stale_msec = r->now_msec + CW_RECORD_STALE_MSEC;

        if (c->live == NULL) {
            cw_record_take_leave(c);
            return 0;
        }
    }

    return cam_live_read(c->live, &r->index) == 0 && r->index.segments > 0;
}


/* a file that is open says where it goes on, else the wish or the newest key */

static void
cw_record_camera_place(cw_record_t *r, cw_record_camera_t *c)
{
    uint32_t  first;
    uint64_t  msn;

    c->placed = 1;

    if (c->file != NULL) {
        c->msn = c->file->msn;
        c->part = c->file->part + 1;
        return;
    }

    first = cw_record_camera_first(r, c);
    msn = first < r->index.segments ? r->index.segment[first].msn
                                    : r->index.next_msn;

    /* nothing twice: c has the place at which it left off, if it ever did */

    if (msn > c->msn || c->msn > r->index.next_msn) {
        c->msn = msn;
        c->part = 0;
    }
}


/*
 * The newest segment with a key frame, or the one that was there at a time that
 * was wished; none of a publication that had ended before.
 */

static uint32_t
cw_record_camera_first(const cw_record_t *r, const cw_record_camera_t *c)
{
    uint32_t                   i, first;
    const cam_live_segment_t  *seg;

    first = r->index.segments;

    for (i = r->index.segments; i-- > 0; ) {
        seg = &r->index.segment[i];

        if (!seg->part[0].independent) {
            continue;
        }

        if (c->wish.from_msec != 0
            ? seg->wall_msec + seg->duration_usec / 1000 <= c->wish.from_msec
            : r->index.state != CAM_LIVE_ON)
        {
            break;
        }

        first = i;

        if (c->wish.from_msec == 0) {
            break;
        }
    }

    /* a time to come, or the segment that is being written */

    if (first == r->index.segments && r->index.state == CAM_LIVE_ON) {
        return cw_record_camera_newest(r);
    }

    return first;
}


static uint32_t
cw_record_camera_newest(const cw_record_t *r)
{
    uint32_t  i;

    for (i = r->index.segments; i-- > 0; ) {
        if (r->index.segment[i].part[0].independent) {
            return i;
        }
    }

    return r->index.segments;
}
