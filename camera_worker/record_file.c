/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A recording's media are the bytes of the live store with other times: they
 * begin at 0 and run on.  While fragments follow each other the same shift is
 * added; where they do not, a new one is chosen so that no track overlaps with
 * itself.  Those of an encrypted one are encrypted last, so checksums are of
 * what is on disk, and whoever takes a file up needs no key to judge it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record_file.h"
#include "record_media.h"
#include "record_name.h"

#define CW_RECORD_JITTER_USEC  50000     /* of times that follow each other */


static void cw_record_file_spread(const cw_record_file_t *f,
    const cw_record_piece_t *piece, unsigned n, uint8_t *data, uint32_t *size);
static int cw_record_file_place(cw_record_file_t *f,
    cam_record_fragment_t *e, const cw_record_times_t *times);
static void cw_record_file_shift(cw_record_file_t *f,
    const cw_record_times_t *times);
static int cw_record_file_seal(cw_record_file_t *f, cam_record_fragment_t *e,
    uint8_t *data);
static int cw_record_file_write(cw_record_file_t *f,
    cam_record_fragment_t *entry, unsigned n, const uint8_t *data,
    size_t size);


int
cw_record_file_has_init(const cw_record_file_t *f, const uint8_t *init,
    size_t size)
{
    int       same;
    uint8_t  *data;

    if (size != f->head.init_size) {
        return 0;
    }

    data = malloc(size);

    same = data != NULL && pread(f->fd, data, size, 0) == (ssize_t) size
           && memcmp(data, init, size) == 0;

    free(data);

    return same;
}


int
cw_record_file_append(cw_record_file_t *f, const cw_record_piece_t *piece,
    unsigned n, uint8_t *data)
{
    size_t                 size;
    uint32_t               each[CAM_LIVE_PARTS];
    unsigned               i;
    cw_record_file_t       before;
    cw_record_times_t      times;
    cam_record_fragment_t  entry[CAM_LIVE_PARTS];

    before = *f;
    size = 0;

    cw_record_file_spread(f, piece, n, data, each);

    for (i = 0; i < n; i++) {
        memset(&entry[i], 0, sizeof(cam_record_fragment_t));
        entry[i].offset = f->size + size;
        entry[i].size = each[i];
        entry[i].wall_msec = piece[i].wall_msec;
        entry[i].duration_usec = piece[i].duration_usec;
        entry[i].msn = piece[i].msn;
        entry[i].part = piece[i].part;
        entry[i].flags = piece[i].flags
                         | (each[i] == piece[i].size ? 0 : CAM_RECORD_NAMED);

        if (cw_record_times_read(&f->tracks, &times, data + size, each[i])
            == -1
            || cw_record_file_place(f, &entry[i], &times) == -1
            || cw_record_times_move(&f->tracks, data + size, each[i],
                                    f->shift, f->number + i + 1) == -1
            || cw_record_file_seal(f, &entry[i], data + size) == -1)
        {
            *f = before;
            errno = EPROTO;
            return -1;
        }

        entry[i].data_crc = cam_record_crc(data + size, each[i]);
        f->usec += piece[i].duration_usec;
        size += each[i];
    }

    if (cw_record_file_write(f, entry, n, data, size) == -1) {
        *f = before;
        return -1;
    }

    f->size += size;
    f->number += n;
    f->msn = piece[n - 1].msn;
    f->part = piece[n - 1].part;
    f->wall_msec = piece[n - 1].wall_msec;
    f->end_msec = f->wall_msec + piece[n - 1].duration_usec / 1000;
    f->dirty = 1;

    return 0;
}


/*
 * Those of an encrypted one say their names themselves [record_name.h], for
 * which there is room behind all of them.  One that has none is recorded all
 * the same: it is good as long as its index is.
 */

static void
cw_record_file_spread(const cw_record_file_t *f,
    const cw_record_piece_t *piece, unsigned n, uint8_t *data, uint32_t *size)
{
    size_t    at;
    uint8_t  *p;
    unsigned  i;

    for (i = 0, at = 0; i < n; i++) {
        size[i] = piece[i].size;
        at += size[i];
    }

    if (f->head.cipher == 0) {
        return;
    }

    /* the last one first, each as far as those before may grow */

    for (i = n; i-- > 0; ) {
        at -= size[i];
        memmove(data + at + i * CAM_RECORD_NAME_SIZE, data + at, size[i]);
    }

    for (i = 0, p = data; i < n; i++) {
        memmove(p, data + at + i * CAM_RECORD_NAME_SIZE, size[i]);
        at += size[i];

        if (cam_record_name_room(p, size[i]) == 0) {
            size[i] += CAM_RECORD_NAME_SIZE;
        }

        p += size[i];
    }
}


/* where its time in the file is, and where each track ends then; the last
   fragment of a publication may have sound alone */

static int
cw_record_file_place(cw_record_file_t *f, cam_record_fragment_t *e,
    const cw_record_times_t *times)
{
    int      i, lead;
    int64_t  off;

    lead = f->tracks.lead;

    if (!(times->present & 1 << lead)) {
        lead = !lead;
    }

    off = f->placed ? cw_record_usec(&f->tracks.track[lead],
                                     times->begin[lead] + f->shift[lead]
                                     - f->end[lead]) : 0;

    if (off > CW_RECORD_JITTER_USEC || off < -CW_RECORD_JITTER_USEC) {
        e->flags |= CAM_RECORD_DISCONTINUITY;
    }

    if (!f->placed || off < 0 || e->flags & CAM_RECORD_DISCONTINUITY) {
        cw_record_file_shift(f, times);
    }

    for (i = 0; i < f->tracks.n; i++) {

        if (!(times->present & 1 << i)) {
            continue;
        }

        if (times->begin[i] + f->shift[i] < 0) {
            return -1;
        }

        f->end[i] = times->end[i] + f->shift[i];
    }

    e->time_usec = cw_record_usec(&f->tracks.track[lead],
                                  times->begin[lead] + f->shift[lead]);
    f->placed = 1;

    e->live_time = cam_record_live_time(
                       cw_record_usec(&f->tracks.track[lead],
                                      times->begin[lead]));

    return 0;
}


/* the least that keeps each track behind its own end, the same for all */

static void
cw_record_file_shift(cw_record_file_t *f, const cw_record_times_t *times)
{
    int                       i;
    int64_t                   usec, least;
    const cw_record_track_t  *t;

    least = INT64_MIN;

    for (i = 0; i < f->tracks.n; i++) {

        if (!(times->present & 1 << i)) {
            continue;
        }

        t = &f->tracks.track[i];
        usec = cw_record_usec(t, f->end[i]) - cw_record_usec(t,
                                                             times->begin[i]);
        if (usec > least) {
            least = usec;
        }
    }

    for (i = 0; i < f->tracks.n; i++) {
        f->shift[i] = cw_record_ticks(&f->tracks.track[i], least);

        /* of rounding */

        if (times->present & 1 << i
            && times->begin[i] + f->shift[i] < f->end[i])
        {
            f->shift[i] = f->end[i] - times->begin[i];
        }
    }
}


static int
cw_record_file_seal(cw_record_file_t *f, cam_record_fragment_t *e,
    uint8_t *data)
{
    char      type[5];
    uint64_t  moof;

    if (f->head.cipher == 0) {
        return 0;
    }

    (void) cam_record_name_write(data, e->size, e);

    /* one moof and one mdat, as the packager writes them */

    if (cam_record_box(data, e->size, type, &moof) == -1
        || strcmp(type, "moof") != 0 || moof + 8 > e->size
        || memcmp(data + moof + 4, "mdat", 4) != 0)
    {
        return -1;
    }

    return cam_record_cipher_apply(f->cipher, e, (uint32_t) moof, 0, data,
                                   e->size);
}


/* what was written of a batch that failed is cut off, or lies behind the last
   entry, where nobody looks and the next one is written */

static int
cw_record_file_write(cw_record_file_t *f, cam_record_fragment_t *entry,
    unsigned n, const uint8_t *data, size_t size)
{
    int      err;
    ssize_t  done;

    done = pwrite(f->fd, data, size, f->size);

    if (done == (ssize_t) size) {

        if (cam_record_append(f->index_fd, f->number, entry, n) == 0) {
            return 0;
        }

    } else if (done >= 0) {
        errno = ENOSPC;
    }

    err = errno;
    (void) cw_record_file_cut(f);
    errno = err;

    return -1;
}


int
cw_record_file_is_writable(const cw_record_file_t *f)
{
    return f->head.cipher == 0 || f->cipher != NULL;
}


/* what lies behind the last fragment */

int
cw_record_file_cut(cw_record_file_t *f)
{
    int  rc;

    rc = ftruncate(f->fd, f->size);

    if (ftruncate(f->index_fd, CAM_RECORD_HEAD_SIZE
                  + (off_t) f->number * CAM_RECORD_FRAGMENT_SIZE) == -1)
    {
        rc = -1;
    }

    return rc;
}


void
cw_record_file_synced(cw_record_file_t *f)
{
    f->dirty = 0;
    f->synced.size = f->size;
    f->synced.number = f->number;
    f->synced.end_msec = f->end_msec;
    f->synced.usec = f->usec;
    f->synced.msn = f->msn;
    f->synced.part = f->part;
}


void
cw_record_file_rewind(cw_record_file_t *f)
{
    f->size = f->synced.size;
    f->number = f->synced.number;
    f->end_msec = f->synced.end_msec;
    f->usec = f->synced.usec;
    f->msn = f->synced.msn;
    f->part = f->synced.part;

    (void) cw_record_file_cut(f);
}


void
cw_record_file_free(cw_record_file_t *f)
{
    if (f->fd != -1) {
        close(f->fd);
    }

    if (f->index_fd != -1) {
        close(f->index_fd);
    }

    cam_record_cipher_free(f->cipher);
    free(f);
}
