/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One camera of the record role.  It has a place in the live store, the next
 * part to be taken, and takes all that is there, once a second:
 *
 *     nowhere   not wanted, or just wanted            [cw_record_camera_place]
 *     placed    takes parts as they come              [cw_record_camera_take]
 *     lost      the store went on without us: at the next key frame
 *
 * Parts of one segment go over together, by one read and two writes.  A file
 * begins with a segment that begins with a key frame, nowhere else.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "count.h"
#include "log.h"
#include "record.h"

#define CW_RECORD_STALE_MSEC  5000
#define CW_RECORD_READ_MAX    (4u << 20)     /* at once, but for one part */
#define CW_RECORD_PART_MAX    (64u << 20)
#define CW_RECORD_KEEP        (1u << 20)     /* of the buffer */

#define CW_RECORD_DONE        -2             /* all that was wished */


static int cw_record_camera_look(cw_record_t *r, cw_record_camera_t *c);
static void cw_record_camera_place(cw_record_t *r, cw_record_camera_t *c);
static uint32_t cw_record_camera_first(const cw_record_t *r,
    const cw_record_camera_t *c);
static uint32_t cw_record_camera_newest(const cw_record_t *r);
static int cw_record_camera_take(cw_record_t *r, cw_record_camera_t *c);
static int cw_record_camera_segment(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg);
static int cw_record_camera_parts(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg);
static unsigned cw_record_camera_pieces(cw_record_camera_t *c,
    const cam_live_segment_t *seg, int64_t wall_msec,
    cw_record_piece_t *piece, size_t *size);
static int cw_record_camera_read(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg, size_t size);
static void cw_record_camera_leave_segment(cw_record_camera_t *c);
static int cw_record_camera_error(cw_record_t *r, cw_record_camera_t *c,
    int err);


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
    c->epoch = r->epoch;
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

    cw_record_camera_leave_segment(c);

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
        cw_record_gap_look(r, c, "disk");
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

    taken = cw_record_camera_take(r, c);

    if (c->wish.until_msec && c->wish.until_msec == c->done_msec) {
        cw_log(CW_LOG_DEBUG, 0, "recorded what was wished");

    } else if (taken == -1) {
        cw_record_gap_look(r, c, "disk");

    } else if (taken == 0) {
        cw_record_gap_look(r, c, r->index.state == CAM_LIVE_QUARANTINED
                                 || r->index.warning != 0
                                 ? "camera" : "network");
    } else {
        cw_record_camera_state(r, c, CAM_RECORD_RECORDING);
    }
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
            cw_record_camera_leave_segment(c);
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


/* the parts that are new: how many; -1: they cannot be written */

static int
cw_record_camera_take(cw_record_t *r, cw_record_camera_t *c)
{
    int                        rc, taken;
    uint32_t                   i;
    const cam_live_segment_t  *seg;

    taken = 0;

    if (c->msn > r->index.next_msn) {
        c->placed = 0;
        return 0;
    }

    for (i = 0; i < r->index.segments; i++) {
        seg = &r->index.segment[i];

        if (seg->msn < c->msn) {
            continue;
        }

        if (seg->msn > c->msn) {
            c->lost = 1;
            c->msn = seg->msn;
            c->part = 0;
        }

        while (c->part < seg->parts) {
            rc = cw_record_camera_segment(r, c, seg);

            if (rc < 0) {
                return taken ? taken : rc;
            }

            taken += rc;

            if (rc == 0) {
                break;
            }
        }

        if (!seg->complete) {
            break;
        }

        c->msn = seg->msn + 1;
        c->part = 0;
        cw_record_camera_leave_segment(c);
    }

    return taken;
}


/* makes sure of the file; as below */

static int
cw_record_camera_segment(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg)
{
    int      rc;
    int64_t  wall;

    if (c->file == NULL) {
        c->wall_msec = 0;
    }

    if (c->file == NULL || c->lost || !cw_record_camera_has_init(r, c, seg)) {

        if (!seg->part[0].independent) {
            c->lost = 1;
            return 0;
        }

        /* rather some parts twice than none of them */

        c->part = 0;
    }

    wall = cw_record_camera_wall(r, c, seg);

    if (c->wish.until_msec && wall >= c->wish.until_msec) {
        cw_record_camera_stop(r, c, "end");
        c->done_msec = c->wish.until_msec;
        return CW_RECORD_DONE;
    }

    if (c->part == 0 && seg->part[0].independent) {
        rc = cw_record_camera_file(r, c, seg, wall);

        if (rc != 0) {
            return cw_record_camera_error(r, c, rc);
        }
    }

    return cw_record_camera_parts(r, c, seg);
}


/* how many went over, or -1 */

static int
cw_record_camera_parts(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg)
{
    size_t             size;
    int64_t            wall;
    uint32_t           part;
    unsigned           n;
    cw_record_piece_t  piece[CAM_LIVE_PARTS];

    part = c->part;
    wall = cw_record_camera_wall(r, c, seg);

    /* its name may have been taken, and be a later one */

    if (c->file->number == 0 && wall < c->file->head.start_msec) {
        wall = c->file->head.start_msec;
    }

    n = cw_record_camera_pieces(c, seg, wall, piece, &size);

    /* the packager was faster, and it is gone */

    if (cw_record_camera_read(r, c, seg, size) == -1) {
        c->lost = 1;
        c->part = CAM_LIVE_PARTS;
        return 0;
    }

    if (cw_record_file_append(c->file, piece, n, r->buffer) == -1) {
        return cw_record_camera_error(r, c, errno);
    }

    cw_record_gap_end(r, c, wall, c->lost);

    c->lost = 0;
    c->part = part + n;
    c->wall_msec = piece[n - 1].wall_msec;
    c->wall_usec = piece[n - 1].duration_usec;
    c->gap.end_msec = c->file->end_msec;
    r->dirty = 1;
    cw_count(CAM_METRIC_RECORD_FRAGMENTS, n);
    cw_count(CAM_METRIC_RECORD_BYTES, size);
    cw_record_space_has(r);

    return n;
}


static unsigned
cw_record_camera_pieces(cw_record_camera_t *c, const cam_live_segment_t *seg,
    int64_t wall_msec, cw_record_piece_t *piece, size_t *size)
{
    uint32_t                i, n;
    const cam_live_part_t  *part;

    *size = 0;

    for (i = c->part, n = 0; i < seg->parts; i++, n++) {
        part = &seg->part[i];

        if (n > 0 && (*size + part->size > CW_RECORD_READ_MAX
                      || (c->wish.until_msec
                          && wall_msec >= c->wish.until_msec)))
        {
            break;
        }

        piece[n].msn = seg->msn;
        piece[n].part = i;
        piece[n].size = part->size;
        piece[n].duration_usec = part->duration_usec;
        piece[n].wall_msec = wall_msec;
        piece[n].flags = (part->independent ? CAM_RECORD_KEY : 0)
                         | (i == 0 ? CAM_RECORD_SEGMENT : 0)
                         | (i == 0 && seg->discontinuity ? CAM_RECORD_BREAK
                                                         : 0);

        wall_msec += part->duration_usec / 1000;
        *size += part->size;
    }

    if (c->file->number > 0
        && (c->lost || (c->part == 0 && seg->discontinuity)))
    {
        piece[0].flags |= CAM_RECORD_DISCONTINUITY;
    }

    return n;
}


/* into r->buffer */

static int
cw_record_camera_read(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg, size_t size)
{
    char      name[CAM_UUID_TEXT + 1 + CAM_LIVE_NAME_MAX];
    uint8_t  *p;

    if (c->seg_fd == -1 || c->seg_msn != seg->msn) {
        cw_record_camera_leave_segment(c);
        cam_uuid_print(name, c->camera);
        name[CAM_UUID_TEXT] = '/';
        cam_live_segment_name(name + CAM_UUID_TEXT + 1, seg->msn);

        c->seg_msn = seg->msn;
        c->seg_fd = openat(r->worker->live_fd, name,
                           O_RDONLY|O_NOFOLLOW|O_CLOEXEC);
        if (c->seg_fd == -1) {
            return -1;
        }
    }

    if (size > CW_RECORD_PART_MAX) {
        return -1;
    }

    if (size > r->buffer_size
        || (r->buffer_size > CW_RECORD_KEEP && size <= CW_RECORD_KEEP))
    {
        p = realloc(r->buffer, size > CW_RECORD_KEEP ? size : CW_RECORD_KEEP);

        if (p == NULL) {
            return -1;
        }

        r->buffer = p;
        r->buffer_size = size > CW_RECORD_KEEP ? size : CW_RECORD_KEEP;
    }

    return pread(c->seg_fd, r->buffer, size, seg->part[c->part].offset)
           == (ssize_t) size ? 0 : -1;
}


/* one that is held would keep its memory after it was removed */

static void
cw_record_camera_leave_segment(cw_record_camera_t *c)
{
    if (c->seg_fd != -1) {
        close(c->seg_fd);
        c->seg_fd = -1;
    }
}


/* 0: the part is passed over, -1: it is tried again */

static int
cw_record_camera_error(cw_record_t *r, cw_record_camera_t *c, int err)
{
    if (err == EPROTO) {
        cw_log(CW_LOG_WARN, 0, "a part that is no fragment, %llu.%u, is not "
               "recorded", (unsigned long long) c->msn, c->part);
        c->lost = 1;
        c->part = CAM_LIVE_PARTS;
        return 0;
    }

    if (err == ENXIO) {
        return -1;
    }

    if (err == ENOSPC || err == EDQUOT) {

        if (!cw_record_space_full(r, 1)) {
            cw_record_camera_state(r, c, CAM_RECORD_NO_SPACE);
            c->retry_msec = r->now_msec + CW_RECORD_RETRY_MSEC;
        }

        return -1;
    }

    cw_count(CAM_METRIC_RECORD_ERRORS, 1);
    cw_log(CW_LOG_CRIT, err, "cannot write a recording");
    cw_record_camera_failed(r, c);

    return -1;
}
