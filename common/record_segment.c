/*
 * Copyright (C) The nginx camera platform authors
 */

/* Looks up a segment of the live store in recordings, see record_segment.h. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record_cipher.h"
#include "record_index.h"
#include "record_media.h"
#include "record_name.h"
#include "record_segment.h"


#define CAM_RECORD_INIT_MAX   (1u << 20)
#define CAM_RECORD_MOOF_MAX   65536


typedef struct {
    const cam_record_range_t  *range;
    uint64_t                   msn;
    int                        near_fd;
    size_t                     max;

    cam_record_cipher_t       *cipher;      /* NULL: it is plain */
    unsigned                   n;           /* of its fragments */
    cam_record_fragment_t      part[CAM_LIVE_PARTS];
    cam_record_tracks_t        tracks;
    uint8_t                   *data;
    size_t                     size;
} cam_record_segment_t;


static int cam_record_segment_look(void *data, int fd, int64_t file_msec,
    const cam_record_head_t *head, char *const *volume);
static uint32_t cam_record_segment_find(int fd, uint32_t count, uint64_t msn);
static int cam_record_segment_parts(cam_record_segment_t *seg, int fd);
static int cam_record_segment_read(cam_record_segment_t *seg, int fd,
    const cam_record_head_t *head);
static int cam_record_segment_move(cam_record_segment_t *seg);
static int cam_record_segment_media(const cam_record_range_t *range,
    int64_t file_msec, char *const *volume);
static int cam_record_segment_tracks(int fd, uint32_t size,
    cam_record_tracks_t *tracks);
static int64_t cam_record_segment_near(const cam_record_segment_t *seg);


uint8_t *
cam_record_segment(const cam_record_range_t *range, uint64_t msn,
    int near_fd, size_t max, size_t *size)
{
    int                    rc;
    cam_record_segment_t  *seg;
    uint8_t               *data;

    seg = calloc(1, sizeof(cam_record_segment_t));

    if (seg == NULL) {
        return NULL;
    }

    seg->range = range;
    seg->msn = msn;
    seg->near_fd = near_fd;
    seg->max = max;

    rc = cam_record_each(range, cam_record_segment_look, seg);

    data = seg->data;
    *size = seg->size;
    cam_record_cipher_free(seg->cipher);
    free(seg);

    if (rc == 1) {
        return data;
    }

    if (rc == 0) {
        errno = ENOENT;
    }

    free(data);

    return NULL;
}


/* 1: it is here */

static int
cam_record_segment_look(void *data, int fd, int64_t file_msec,
    const cam_record_head_t *head, char *const *volume)
{
    int                    rc, media;
    cam_record_segment_t  *seg = data;

    if (cam_record_segment_parts(seg, fd) == 0) {
        return 0;
    }

    media = cam_record_segment_media(seg->range, file_msec, volume);

    if (media == -1) {
        return errno == ENOENT ? 0 : -1;
    }

    rc = cam_record_segment_read(seg, media, head);
    close(media);

    return rc == 0 ? 1 : -1;
}


/* how many there are in this file, one behind the other from the first on */

static int
cam_record_segment_parts(cam_record_segment_t *seg, int fd)
{
    ssize_t                n;
    uint32_t               count, first;
    cam_record_fragment_t  f;

    count = cam_record_count(fd);

    if (count == 0
        || cam_record_fragments(fd, count - 1, &f, 1) != 1 || f.msn < seg->msn
        || cam_record_fragments(fd, 0, &f, 1) != 1 || f.msn > seg->msn)
    {
        return 0;
    }

    first = cam_record_segment_find(fd, count, seg->msn);
    n = cam_record_fragments(fd, first, seg->part, CAM_LIVE_PARTS);

    for (seg->n = 0; n > 0 && seg->n < (size_t) n; seg->n++) {

        if (seg->part[seg->n].msn != seg->msn
            || seg->part[seg->n].part != seg->n)
        {
            break;
        }
    }

    return seg->n;
}


/* the first fragment of msn or later; numbers never go back in a file */

static uint32_t
cam_record_segment_find(int fd, uint32_t count, uint64_t msn)
{
    uint32_t               low, high, middle;
    cam_record_fragment_t  f;

    low = 0;
    high = count;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (cam_record_fragments(fd, middle, &f, 1) == 1 && f.msn < msn) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


static int
cam_record_segment_read(cam_record_segment_t *seg, int fd,
    const cam_record_head_t *head)
{
    unsigned  i;

    for (i = 0; i < seg->n; i++) {
        seg->size += seg->part[i].size;
    }

    if (seg->size > seg->max) {
        errno = EFBIG;
        return -1;
    }

    seg->data = malloc(seg->size);

    if (seg->data == NULL
        || cam_record_segment_tracks(fd, head->init_size, &seg->tracks) == -1)
    {
        return -1;
    }

    if (head->cipher) {
        seg->cipher = cam_record_cipher_open(head, seg->range->keys);

        if (seg->cipher == NULL) {
            return -1;
        }
    }

    if (pread(fd, seg->data, seg->size, seg->part[0].offset)
        != (ssize_t) seg->size)
    {
        errno = EIO;
        return -1;
    }

    return cam_record_segment_move(seg);
}


/* parts of a segment follow each other, so they move together; what the live
   store did not have goes */

static int
cam_record_segment_move(cam_record_segment_t *seg)
{
    char      type[5];
    int64_t   live, usec;
    size_t    size;
    uint8_t  *p, *out;
    uint64_t  moof;
    unsigned  i;

    live = cam_record_live_usec(seg->part[0].live_time,
                                cam_record_segment_near(seg));
    usec = live ? seg->part[0].time_usec - live : 0;

    out = seg->data;

    for (i = 0, p = seg->data; i < seg->n; i++, p += seg->part[i - 1].size) {
        size = seg->part[i].size;

        if (cam_record_box(p, size, type, &moof) == -1
            || moof > size
            || (seg->cipher != NULL
                && cam_record_cipher_apply(seg->cipher, &seg->part[i], moof, 0,
                                           p, size)
                   == -1)
            || cam_record_moof_rebase(p, moof, &seg->tracks, i + 1, usec)
               == -1
            || (seg->part[i].flags & CAM_RECORD_NAMED
                && cam_record_name_remove(p, size) == -1))
        {
            errno = EPROTO;
            return -1;
        }

        if (seg->part[i].flags & CAM_RECORD_NAMED) {
            size -= CAM_RECORD_NAME_SIZE;
        }

        memmove(out, p, size);
        out += size;
    }

    seg->size = (size_t) (out - seg->data);

    return 0;
}


static int
cam_record_segment_media(const cam_record_range_t *range, int64_t file_msec,
    char *const *volume)
{
    char  path[CAM_RECORD_PATH_MAX];

    if (cam_record_path(path, range->camera, file_msec, "mp4") == NULL) {
        errno = ENOENT;
        return -1;
    }

    return cam_record_open(volume, 1, path);
}


static int
cam_record_segment_tracks(int fd, uint32_t size, cam_record_tracks_t *tracks)
{
    int       rc;
    uint8_t  *init;

    if (size > CAM_RECORD_INIT_MAX) {
        errno = EPROTO;
        return -1;
    }

    init = malloc(size);

    if (init == NULL) {
        return -1;
    }

    rc = pread(fd, init, size, 0) == (ssize_t) size
         ? cam_record_tracks(init, size, tracks) : -1;

    free(init);

    if (rc == -1) {
        errno = EPROTO;
    }

    return rc;
}


/* when the segment begins that the store still has; 0: not known */

static int64_t
cam_record_segment_near(const cam_record_segment_t *seg)
{
    char               type[5];
    int64_t            time;
    ssize_t            n;
    uint8_t           *data;
    uint64_t           moof;
    cam_record_moof_t  m;

    data = seg->near_fd == -1 ? NULL : malloc(CAM_RECORD_MOOF_MAX);

    if (data == NULL) {
        return 0;
    }

    n = pread(seg->near_fd, data, CAM_RECORD_MOOF_MAX, 0);
    time = 0;

    if (n > 0 && cam_record_box(data, n, type, &moof) == 0
        && moof <= (uint64_t) n
        && cam_record_moof(data, moof, &seg->tracks, &m) == 0)
    {
        time = m.time_usec;
    }

    free(data);

    return time;
}
