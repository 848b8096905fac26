/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One pass over the index, and a look into the file at some places: the boxes
 * in front, and the head of one fragment in sixty-four.
 *
 * Media time is held against wall time: between two fragments they may part by
 * less than a second, as clocks of cameras do.  Jumps beyond are holes in the
 * recording, and where wall time stands still it waits for the truth: media are
 * there once more, or the clock was set back.  Neither counts; what is left
 * must agree within two per cent and two seconds.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jobs_probe.h"
#include "record_cipher.h"
#include "record_index.h"

#define CW_PROBE_CHUNK      256          /* fragments */
#define CW_PROBE_EACH       64           /* of them has its boxes looked at */
#define CW_PROBE_HOLE_MSEC  1000
#define CW_PROBE_SLACK_MSEC 2000
#define CW_PROBE_OVERLAP_USEC  100000    /* tracks end where they end */


typedef struct {
    int                     mp4;
    char                   *err;
    size_t                  size;

    cam_record_head_t       head;
    uint32_t                count;
    uint64_t                end;         /* of the fragments so far */
    int64_t                 usec;        /* sum of their durations */
    int64_t                 hole_msec;   /* sum of the jumps between them */
    int                     still;       /* wall time stood still before it */
    int64_t                 first_msec;
    cam_record_fragment_t   last;
} cw_probe_file_t;


static int cw_probe_fail(cw_probe_file_t *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static int cw_probe_head(cw_probe_file_t *p, int idx,
    const cw_jobs_probe_row_t *row);
static int cw_probe_init(cw_probe_file_t *p);
static int cw_probe_box(cw_probe_file_t *p, uint64_t offset, uint64_t *size,
    char type[5]);
static int cw_probe_index(cw_probe_file_t *p, int idx);
static int cw_probe_fragment(cw_probe_file_t *p,
    const cam_record_fragment_t *f);
static void cw_probe_jump(cw_probe_file_t *p,
    const cam_record_fragment_t *f);
static int cw_probe_boxes(cw_probe_file_t *p, const cam_record_fragment_t *f);
static int cw_probe_sums(cw_probe_file_t *p, int idx,
    const cw_jobs_probe_row_t *row);
static int cw_probe_clock(cw_probe_file_t *p);


int
cw_jobs_probe(int mp4, int idx, const cw_jobs_probe_row_t *row, char *err,
    size_t size)
{
    cw_probe_file_t  p;

    memset(&p, 0, sizeof(cw_probe_file_t));
    p.mp4 = mp4;
    p.err = err;
    p.size = size;

    if (cw_probe_head(&p, idx, row) == -1
        || cw_probe_init(&p) == -1
        || cw_probe_index(&p, idx) == -1
        || cw_probe_sums(&p, idx, row) == -1)
    {
        return -1;
    }

    return cw_probe_clock(&p);
}


static int
cw_probe_fail(cw_probe_file_t *p, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    vsnprintf(p->err, p->size, fmt, args);
    va_end(args);

    return -1;
}


static int
cw_probe_head(cw_probe_file_t *p, int idx, const cw_jobs_probe_row_t *row)
{
    if (cam_record_head_read(idx, &p->head) == -1) {
        return cw_probe_fail(p, "the head of its index cannot be read: %s",
                             strerror(errno));
    }

    if (memcmp(p->head.camera, row->camera, CAM_UUID_LEN) != 0
        || memcmp(p->head.recording, row->id, CAM_UUID_LEN) != 0)
    {
        return cw_probe_fail(p, "its index is of another recording");
    }

    p->end = p->head.init_size;

    return 0;
}


static int
cw_probe_init(cw_probe_file_t *p)
{
    char      type[5];
    uint64_t  offset, size;

    if (cw_probe_box(p, 0, &size, type) == -1) {
        return -1;
    }

    if (strcmp(type, "ftyp") != 0) {
        return cw_probe_fail(p, "it begins with \"%s\", not with ftyp", type);
    }

    for (offset = size; offset < p->head.init_size; offset += size) {
        if (cw_probe_box(p, offset, &size, type) == -1) {
            return -1;
        }
    }

    if (strcmp(type, "moov") != 0 || offset != p->head.init_size) {
        return cw_probe_fail(p, "no moov ends at byte %u, where its fragments "
                             "begin", p->head.init_size);
    }

    return 0;
}


static int
cw_probe_box(cw_probe_file_t *p, uint64_t offset, uint64_t *size, char type[5])
{
    int      i;
    uint8_t  box[8];
    ssize_t  n;

    n = pread(p->mp4, box, sizeof(box), offset);

    if (n == -1) {
        return cw_probe_fail(p, "it cannot be read at byte %" PRIu64 ": %s",
                             offset, strerror(errno));
    }

    if (n != (ssize_t) sizeof(box)) {
        return cw_probe_fail(p, "it ends before byte %" PRIu64, offset + 8);
    }

    *size = (uint64_t) box[0] << 24 | box[1] << 16 | box[2] << 8 | box[3];

    for (i = 0; i < 4; i++) {
        type[i] = box[4 + i] >= ' ' && box[4 + i] < 127 ? box[4 + i] : '?';
    }

    type[4] = '\0';

    if (*size < sizeof(box)) {
        return cw_probe_fail(p, "the box at byte %" PRIu64 " has no size",
                             offset);
    }

    return 0;
}


static int
cw_probe_index(cw_probe_file_t *p, int idx)
{
    ssize_t                i, n;
    cam_record_fragment_t  f[CW_PROBE_CHUNK];

    for ( ;; ) {
        n = cam_record_fragments(idx, p->count, f, CW_PROBE_CHUNK);

        if (n == -1) {
            return cw_probe_fail(p, "its index cannot be read: %s",
                                 strerror(errno));
        }

        if (n == 0) {
            return 0;
        }

        for (i = 0; i < n; i++) {
            if (cw_probe_fragment(p, &f[i]) == -1) {
                return -1;
            }
        }
    }
}


static int
cw_probe_fragment(cw_probe_file_t *p, const cam_record_fragment_t *f)
{
    if (f->offset != p->end) {
        return cw_probe_fail(p, "fragment %u begins at byte %" PRIu64
                             ", not at %" PRIu64, p->count, f->offset, p->end);
    }

    if (p->count == 0) {
        p->first_msec = f->wall_msec;

        if (p->head.has_video && !(f->flags & CAM_RECORD_KEY)) {
            return cw_probe_fail(p, "it does not begin with a key frame");
        }

    } else {
        if (f->time_usec + CW_PROBE_OVERLAP_USEC
            < p->last.time_usec + p->last.duration_usec)
        {
            return cw_probe_fail(p, "fragment %u begins before the one before "
                                 "ends", p->count);
        }

        cw_probe_jump(p, f);
    }

    if (p->count % CW_PROBE_EACH == 0 && cw_probe_boxes(p, f) == -1) {
        return -1;
    }

    p->count++;
    p->end += f->size;
    p->usec += f->duration_usec;
    p->last = *f;

    return 0;
}


static void
cw_probe_jump(cw_probe_file_t *p, const cam_record_fragment_t *f)
{
    int      still;
    int64_t  jump;

    still = f->wall_msec == p->last.wall_msec;
    jump = f->wall_msec - p->last.wall_msec - p->last.duration_usec / 1000;

    if (llabs(jump) >= CW_PROBE_HOLE_MSEC || still || p->still) {
        p->hole_msec += jump;
    }

    p->still = still;
}


static int
cw_probe_boxes(cw_probe_file_t *p, const cam_record_fragment_t *f)
{
    char         first[5], second[5];
    uint64_t     moof, mdat;
    const char  *media;

    if (cw_probe_box(p, f->offset, &moof, first) == -1
        || cw_probe_box(p, f->offset + moof, &mdat, second) == -1)
    {
        return -1;
    }

    media = p->head.cipher ? CAM_RECORD_SEALED : "mdat";

    if (strcmp(first, "moof") != 0 || strcmp(second, media) != 0
        || moof + mdat != f->size)
    {
        return cw_probe_fail(p, "fragment %u at byte %" PRIu64 " is no moof "
                             "and %s of %u bytes", p->count, f->offset, media,
                             f->size);
    }

    return 0;
}


static int
cw_probe_sums(cw_probe_file_t *p, int idx, const cw_jobs_probe_row_t *row)
{
    int64_t      whole;
    struct stat  mp4, index;

    if (fstat(p->mp4, &mp4) == -1 || fstat(idx, &index) == -1) {
        return cw_probe_fail(p, "fstat() failed: %s", strerror(errno));
    }

    if (p->count == 0) {
        return cw_probe_fail(p, "it has no fragment");
    }

    if (cw_probe_boxes(p, &p->last) == -1) {
        return -1;
    }

    whole = CAM_RECORD_HEAD_SIZE
            + (int64_t) p->count * CAM_RECORD_FRAGMENT_SIZE;

    if (index.st_size != whole) {
        return cw_probe_fail(p, "its index has %" PRId64 " bytes that are no "
                             "fragments", (int64_t) index.st_size - whole);
    }

    if ((uint64_t) mp4.st_size != p->end) {
        return cw_probe_fail(p, "it has %" PRId64 " bytes, its index %" PRIu64,
                             (int64_t) mp4.st_size, p->end);
    }

    if (row->bytes != mp4.st_size) {
        return cw_probe_fail(p, "it has %" PRId64 " bytes, its row %" PRId64,
                             (int64_t) mp4.st_size, row->bytes);
    }

    if (row->fragments != p->count) {
        return cw_probe_fail(p, "it has %u fragments, its row %" PRId64,
                             p->count, row->fragments);
    }

    if (llabs(row->usec - p->usec) > CW_PROBE_HOLE_MSEC * 1000) {
        return cw_probe_fail(p, "it has %" PRId64 " ms of media, its row %"
                             PRId64, p->usec / 1000, row->usec / 1000);
    }

    return 0;
}


static int
cw_probe_clock(cw_probe_file_t *p)
{
    int64_t  wall, media;

    media = p->usec / 1000;
    wall = p->last.wall_msec + p->last.duration_usec / 1000 - p->first_msec
           - p->hole_msec;

    if (llabs(wall - media) > CW_PROBE_SLACK_MSEC + llabs(wall) / 50) {
        return cw_probe_fail(p, "it has %" PRId64 " ms of media for %" PRId64
                             " ms of recording", media, wall);
    }

    return 0;
}
