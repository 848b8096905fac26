/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What the live store has and the recording has not goes over.  Parts of one
 * segment go together, by one read and two writes.  A file begins with a
 * segment that begins with a key frame, nowhere else.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "count.h"
#include "log.h"
#include "record.h"
#include "record_name.h"

#define CW_RECORD_READ_MAX    (4u << 20)     /* at once, but for one part */
#define CW_RECORD_PART_MAX    (64u << 20)
#define CW_RECORD_KEEP        (1u << 20)     /* of the buffer */

#define CW_RECORD_DONE        -2             /* all that was wished */


static int cw_record_take_segment(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg);
static int cw_record_take_parts(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg);
static unsigned cw_record_take_pieces(const cw_record_camera_t *c,
    const cam_live_segment_t *seg, cw_record_piece_t *piece, size_t *size);
static int cw_record_take_read(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg, size_t size);
static int cw_record_take_open(cw_record_t *r, cw_record_camera_t *c,
    uint64_t msn);
static int cw_record_take_error(cw_record_t *r, cw_record_camera_t *c,
    int err);


int
cw_record_take(cw_record_t *r, cw_record_camera_t *c)
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
            rc = cw_record_take_segment(r, c, seg);

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
        cw_record_take_leave(c);
    }

    return taken;
}


/* makes sure of the file; as below */

static int
cw_record_take_segment(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg)
{
    int      rc;
    int64_t  wall;

    if (c->file == NULL) {
        c->wall.msec = 0;
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
            return cw_record_take_error(r, c, rc);
        }
    }

    return cw_record_take_parts(r, c, seg);
}


/* how many went over, or -1 */

static int
cw_record_take_parts(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg)
{
    size_t             size;
    uint32_t           part;
    unsigned           n;
    cw_record_piece_t  piece[CAM_LIVE_PARTS];

    part = c->part;

    /* its name may have been taken, and be a later one */

    if (c->file->number == 0 && c->wall.msec < c->file->head.start_msec) {
        c->wall.msec = c->file->head.start_msec;
    }

    n = cw_record_take_pieces(c, seg, piece, &size);

    /* the packager was faster, and it is gone */

    if (cw_record_take_read(r, c, seg, size) == -1) {
        c->lost = 1;
        c->part = CAM_LIVE_PARTS;
        return 0;
    }

    if (cw_record_file_append(c->file, piece, n, r->buffer) == -1) {
        return cw_record_take_error(r, c, errno);
    }

    cw_record_gap_end(r, c, piece[0].wall_msec, c->lost);

    c->lost = 0;
    c->part = part + n;
    c->wall.msec = piece[n - 1].wall_msec;
    c->wall.usec = piece[n - 1].duration_usec;
    c->gap.end_msec = c->file->end_msec;
    r->dirty = 1;
    cw_count(CAM_METRIC_RECORD_FRAGMENTS, n);
    cw_count(CAM_METRIC_RECORD_BYTES, size);
    cw_record_space_has(r);

    return n;
}


static unsigned
cw_record_take_pieces(const cw_record_camera_t *c,
    const cam_live_segment_t *seg, cw_record_piece_t *piece, size_t *size)
{
    uint32_t                i, n;
    cw_record_wall_t        wall;
    const cam_live_part_t  *part;

    *size = 0;
    wall = c->wall;

    for (i = c->part, n = 0; i < seg->parts; i++, n++) {
        part = &seg->part[i];
        wall.msec = cw_record_wall_next(&wall, cw_record_wall_true(seg, i));

        if (n > 0 && (*size + part->size > CW_RECORD_READ_MAX
                      || (c->wish.until_msec
                          && wall.msec >= c->wish.until_msec)))
        {
            break;
        }

        piece[n].msn = seg->msn;
        piece[n].part = i;
        piece[n].size = part->size;
        piece[n].duration_usec = part->duration_usec;
        piece[n].wall_msec = wall.msec;
        piece[n].flags = (part->independent ? CAM_RECORD_KEY : 0)
                         | (i == 0 ? CAM_RECORD_SEGMENT : 0)
                         | (i == 0 && seg->discontinuity ? CAM_RECORD_BREAK
                                                         : 0);

        *size += part->size;
    }

    if (c->file->number > 0
        && (c->lost || (c->part == 0 && seg->discontinuity)))
    {
        piece[0].flags |= CAM_RECORD_DISCONTINUITY;
    }

    return n;
}


/* into r->buffer, with room for what is added to each of them */

static int
cw_record_take_read(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg, size_t size)
{
    size_t    need, room;
    uint8_t  *p;

    if (cw_record_take_open(r, c, seg->msn) == -1
        || size > CW_RECORD_PART_MAX)
    {
        return -1;
    }

    need = size + CAM_LIVE_PARTS * CAM_RECORD_NAME_SIZE;
    room = need > CW_RECORD_KEEP ? need : CW_RECORD_KEEP;

    if (need > r->buffer_size
        || (r->buffer_size > CW_RECORD_KEEP && room == CW_RECORD_KEEP))
    {
        p = realloc(r->buffer, room);

        if (p == NULL) {
            return -1;
        }

        r->buffer = p;
        r->buffer_size = room;
    }

    return pread(c->seg_fd, r->buffer, size, seg->part[c->part].offset)
           == (ssize_t) size ? 0 : -1;
}


static int
cw_record_take_open(cw_record_t *r, cw_record_camera_t *c, uint64_t msn)
{
    char  name[CAM_UUID_TEXT + 1 + CAM_LIVE_NAME_MAX];

    if (c->seg_fd != -1 && c->seg_msn == msn) {
        return 0;
    }

    cw_record_take_leave(c);
    cam_uuid_print(name, c->camera);
    name[CAM_UUID_TEXT] = '/';
    cam_live_segment_name(name + CAM_UUID_TEXT + 1, msn);

    c->seg_msn = msn;
    c->seg_fd = openat(r->worker->live_fd, name,
                       O_RDONLY|O_NOFOLLOW|O_CLOEXEC);

    return c->seg_fd == -1 ? -1 : 0;
}


/* one that is held would keep its memory after it was removed */

void
cw_record_take_leave(cw_record_camera_t *c)
{
    if (c->seg_fd != -1) {
        close(c->seg_fd);
        c->seg_fd = -1;
    }
}


/* 0: the part is passed over, -1: it is tried again */

static int
cw_record_take_error(cw_record_t *r, cw_record_camera_t *c, int err)
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

    if (err == ENOKEY) {

        if (c->state != CAM_RECORD_NO_KEY) {
            cw_log(CW_LOG_CRIT, 0, "not recorded: it is to be encrypted, and "
                   "there is no key of use \"recording\"");
        }

        cw_record_camera_state(r, c, CAM_RECORD_NO_KEY);
        c->retry_msec = r->now_msec + CW_RECORD_RETRY_MSEC;

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
