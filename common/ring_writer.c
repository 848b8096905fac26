/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The writing half of the ring.
 *
 * One record is written in this order, and the order is the protocol:
 *
 *   tail        all that the record is about to overwrite is given up
 *   fence       release: who sees a new word below also sees the tail above
 *   words       the record, by relaxed stores of 8 bytes
 *   head_pos    the slot that the readers do not look at now
 *   head_seq    release: the record exists
 *   key_pos     release, after a key frame
 *
 * A writer that is killed between any two of these leaves a ring in which
 * every published record that tail does not exclude is whole.
 *
 * What the writer needs of the header it keeps in its own memory: the file
 * is only ever written to.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "clock.h"
#include "ring_format.h"

#define CAM_RING_RESERVE     10      /* percent of the tmpfs left free */


struct cam_ring_writer_s {
    cam_ring_header_t  *header;
    uint8_t            *records;
    int                 fd;
    int                 dirfd;       /* the caller's */
    uint32_t            capacity;
    uint64_t            generation;
    uint64_t            head;        /* position of the next record */
    uint64_t            tail;
    uint64_t            seq;         /* of the next record */
    uint64_t            key;
    uint64_t            frames[CAM_TRACKS];
    uint64_t            bytes;
};


/* gathers pieces of any size and alignment into aligned words */
typedef struct {
    uint64_t           *dst;
    uint64_t            word;
    size_t              fill;        /* bytes in word */
} cam_ring_gather_t;


static int cam_ring_create(cam_ring_writer_t **wp, int dirfd,
    const cam_ring_info_t *info);
static int cam_ring_create_file(cam_ring_writer_t *w,
    const cam_ring_info_t *info);
static int cam_ring_reserved(int dirfd, uint64_t size);
static void cam_ring_fill_header(cam_ring_writer_t *w,
    const cam_ring_info_t *info);
static int cam_ring_publish(cam_ring_writer_t *w);
static void cam_ring_destroy(cam_ring_writer_t *w);
static void cam_ring_append(cam_ring_writer_t *w, const cam_frame_t *frame,
    const struct iovec *iov, int n, uint32_t size);
static uint64_t cam_ring_place(cam_ring_writer_t *w, uint64_t total);
static void cam_ring_keep_config(cam_ring_writer_t *w, unsigned track,
    const struct iovec *iov, int n, uint32_t size);
static uint64_t *cam_ring_gather(uint64_t *dst, const struct iovec *iov,
    int n);
static void cam_ring_gather_bytes(cam_ring_gather_t *g, const uint8_t *p,
    size_t len);
static void cam_ring_copy(cam_ring_writer_t *to, const cam_ring_writer_t *w);
static int cam_ring_no_space(int err);


int
cam_ring_writer_open(cam_ring_writer_t **wp, int dirfd,
    const cam_ring_info_t *info)
{
    int                 rc;
    cam_ring_writer_t  *w;

    rc = cam_ring_create(&w, dirfd, info);

    if (rc != CAM_RING_OK) {
        return rc;
    }

    rc = cam_ring_publish(w);

    if (rc != CAM_RING_OK) {
        return rc;
    }

    *wp = w;

    return CAM_RING_OK;
}


/* a whole ring that no link names yet */

static int
cam_ring_create(cam_ring_writer_t **wp, int dirfd,
    const cam_ring_info_t *info)
{
    int                 rc;
    uint32_t            capacity;
    cam_ring_writer_t  *w;

    capacity = info->capacity ? info->capacity : CAM_RING_SIZE_DEFAULT;

    if (capacity > CAM_RING_SIZE_MAX || info->generation == 0) {
        errno = EINVAL;
        return CAM_RING_ERROR;
    }

    w = calloc(1, sizeof(cam_ring_writer_t));
    if (w == NULL) {
        return CAM_RING_ERROR;
    }

    w->dirfd = dirfd;
    w->generation = info->generation;
    w->capacity = (capacity + CAM_RING_SIZE_MIN - 1)
                  / CAM_RING_SIZE_MIN * CAM_RING_SIZE_MIN;
    w->key = CAM_RING_NONE;

    rc = cam_ring_create_file(w, info);

    if (rc != CAM_RING_OK) {
        free(w);
        return rc;
    }

    *wp = w;

    return CAM_RING_OK;
}


static int
cam_ring_create_file(cam_ring_writer_t *w, const cam_ring_info_t *info)
{
    int          err;
    char         name[CAM_RING_NAME];
    void        *map;
    uint64_t     size;
    struct stat  st;

    size = CAM_RING_HEADER + (uint64_t) w->capacity;

    if (!cam_ring_reserved(w->dirfd, size)) {
        return CAM_RING_NOSPACE;
    }

    cam_ring_name(name, info->camera, info->generation);

    w->fd = openat(w->dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                   0640);
    if (w->fd == -1) {
        return cam_ring_no_space(errno);
    }

    /* a sweep may have come between: then the name is gone, or about to be */

    if (flock(w->fd, LOCK_EX | LOCK_NB) == -1
        || fstat(w->fd, &st) == -1
        || st.st_nlink == 0)
    {
        close(w->fd);
        errno = EAGAIN;
        return CAM_RING_ERROR;
    }

    /* pages that exist cannot fail later, in the middle of a store */

    do {
        err = posix_fallocate(w->fd, 0, (off_t) size);
    } while (err == EINTR);

    if (err != 0) {
        goto failed;
    }

    map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);

    if (map == MAP_FAILED) {
        err = errno;
        goto failed;
    }

    w->header = map;
    w->records = (uint8_t *) map + CAM_RING_HEADER;

    cam_ring_fill_header(w, info);

    return CAM_RING_OK;

failed:

    unlinkat(w->dirfd, name, 0);
    close(w->fd);

    return cam_ring_no_space(err);
}


/* whether the reserve remains when size more bytes are taken */

static int
cam_ring_reserved(int dirfd, uint64_t size)
{
    uint64_t        total, room;
    struct statvfs  fs;

    if (fstatvfs(dirfd, &fs) == -1 || fs.f_blocks == 0) {
        return 1;
    }

    total = (uint64_t) fs.f_blocks * fs.f_frsize;
    room = (uint64_t) fs.f_bavail * fs.f_frsize;

    return room >= size && room - size >= total / 100 * CAM_RING_RESERVE;
}


static int
cam_ring_no_space(int err)
{
    if (err == ENOSPC || err == EDQUOT) {
        return CAM_RING_NOSPACE;
    }

    errno = err;

    return CAM_RING_ERROR;
}


static void
cam_ring_fill_header(cam_ring_writer_t *w, const cam_ring_info_t *info)
{
    cam_ring_header_t  *h;

    h = w->header;

    h->magic = CAM_RING_MAGIC;
    h->version = CAM_RING_VERSION;
    h->header_size = CAM_RING_HEADER;
    h->capacity = w->capacity;
    h->writer_pid = (uint32_t) getpid();
    h->generation = info->generation;
    h->continues = 0;
    h->started_msec = cam_clock_wall_msec();
    h->key_pos = CAM_RING_NONE;
    h->last_media_msec = cam_clock_monotonic_msec();

    memcpy(h->camera, info->camera, sizeof(h->camera));
    memcpy(h->holder, info->holder, sizeof(h->holder));
    memcpy(h->takeover_msec, info->takeover_msec, sizeof(h->takeover_msec));
    memcpy(h->addr, info->addr, strnlen(info->addr, sizeof(info->addr) - 1));
}


/* makes a whole ring the camera's current one, or destroys it */

static int
cam_ring_publish(cam_ring_writer_t *w)
{
    int  err;

    if (cam_ring_link_set(w->dirfd, w->header->camera, w->generation) == 0) {
        return CAM_RING_OK;
    }

    err = errno;
    cam_ring_destroy(w);

    return cam_ring_no_space(err);
}


void
cam_ring_writer_close(cam_ring_writer_t *w)
{
    __atomic_store_n(&w->header->closed, 1, __ATOMIC_RELEASE);

    cam_ring_link_remove(w->dirfd, w->header->camera, w->generation);
    cam_ring_destroy(w);
}


/* readers that have the file mapped read on to its end */

static void
cam_ring_destroy(cam_ring_writer_t *w)
{
    char  name[CAM_RING_NAME];

    cam_ring_name(name, w->header->camera, w->generation);

    unlinkat(w->dirfd, name, 0);
    munmap(w->header, CAM_RING_HEADER + (size_t) w->capacity);
    close(w->fd);
    free(w);
}


int
cam_ring_write(cam_ring_writer_t *w, const cam_frame_t *frame,
    const struct iovec *iov, int n)
{
    int       i;
    size_t    size;
    unsigned  track;

    size = 0;
    track = frame->track;

    for (i = 0; i < n; i++) {
        if (__builtin_add_overflow(size, iov[i].iov_len, &size)) {
            return CAM_RING_TOOBIG;
        }
    }

    if (track >= CAM_TRACKS) {
        errno = EINVAL;
        return CAM_RING_ERROR;
    }

    if (size > w->capacity || cam_ring_record_size(size) > w->capacity / 2) {
        return CAM_RING_TOOBIG;
    }

    if (frame->flags & CAM_FRAME_CONFIG) {

        if (size > CAM_RING_CONFIG_MAX) {
            return CAM_RING_TOOBIG;
        }

        cam_ring_keep_config(w, track, iov, n, (uint32_t) size);

    } else {
        w->frames[track]++;
        cam_ring_store(&w->header->frames[track], w->frames[track]);
    }

    w->bytes += size;

    cam_ring_store(&w->header->bytes, w->bytes);
    cam_ring_store(&w->header->last_media_msec, cam_clock_monotonic_msec());

    cam_ring_append(w, frame, iov, n, (uint32_t) size);

    return CAM_RING_OK;
}


static void
cam_ring_append(cam_ring_writer_t *w, const cam_frame_t *frame,
    const struct iovec *iov, int n, uint32_t size)
{
    uint64_t  pos, *p;

    pos = cam_ring_place(w, cam_ring_record_size(size));
    p = (uint64_t *) (w->records + pos % w->capacity);

    cam_ring_store(p, (uint64_t) size << 32 | CAM_RING_RECORD);
    cam_ring_store(p + 1, w->seq);
    cam_ring_store(p + 2, (uint64_t) frame->dts);
    cam_ring_store(p + 3, (uint64_t) frame->flags << 40
                          | (uint64_t) frame->track << 32
                          | (uint32_t) frame->cts);
    cam_ring_store(p + 4, (uint64_t) frame->wall_msec);

    p = cam_ring_gather(p + 5, iov, n);

    cam_ring_store(p, w->seq);

    w->seq++;

    cam_ring_store(&w->header->head_pos[w->seq & 1], w->head);
    __atomic_store_n(&w->header->head_seq, w->seq, __ATOMIC_RELEASE);

    if ((frame->flags & (CAM_FRAME_KEY | CAM_FRAME_CONFIG)) == CAM_FRAME_KEY) {
        w->key = pos;
        __atomic_store_n(&w->header->key_pos, pos, __ATOMIC_RELEASE);
    }
}


/* gives up what is in the way, pads to the ring's end when the record does
   not fit before it, and answers the record's position */

static uint64_t
cam_ring_place(cam_ring_writer_t *w, uint64_t total)
{
    uint64_t  pos, room, *p;

    pos = w->head;
    room = w->capacity - pos % w->capacity;

    w->head = pos + (room < total ? room : 0) + total;

    if (w->head > w->capacity) {
        w->tail = w->head - w->capacity;
    }

    cam_ring_store(&w->header->tail, w->tail);
    __atomic_thread_fence(__ATOMIC_RELEASE);

    if (room < total) {
        p = (uint64_t *) (w->records + pos % w->capacity);
        cam_ring_store(p, room << 32 | CAM_RING_PAD);
        pos += room;
    }

    return pos;
}


/*
 * The newest key frame is forgotten before the configuration changes: a
 * reader that finds both finds them matching, or looks again.
 */

static void
cam_ring_keep_config(cam_ring_writer_t *w, unsigned track,
    const struct iovec *iov, int n, uint32_t size)
{
    uint64_t            lock;
    cam_ring_config_t  *config;

    config = &w->header->config[track];
    lock = cam_ring_load(&config->lock);

    w->key = CAM_RING_NONE;

    cam_ring_store(&w->header->key_pos, CAM_RING_NONE);
    cam_ring_store(&config->lock, lock + 1);
    __atomic_thread_fence(__ATOMIC_RELEASE);

    cam_ring_store(&config->seq, w->seq);
    cam_ring_store(&config->size, (uint64_t) size);
    (void) cam_ring_gather(config->data, iov, n);

    __atomic_store_n(&config->lock, lock + 2, __ATOMIC_RELEASE);
}


/* answers the word behind the data */

static uint64_t *
cam_ring_gather(uint64_t *dst, const struct iovec *iov, int n)
{
    int                i;
    cam_ring_gather_t  g;

    g.dst = dst;
    g.word = 0;
    g.fill = 0;

    for (i = 0; i < n; i++) {
        cam_ring_gather_bytes(&g, iov[i].iov_base, iov[i].iov_len);
    }

    if (g.fill) {
        cam_ring_store(g.dst++, g.word);
    }

    return g.dst;
}


static void
cam_ring_gather_bytes(cam_ring_gather_t *g, const uint8_t *p, size_t len)
{
    size_t    n, shift;
    uint64_t  word;

    shift = g->fill * 8;

    /* the middle, word by word: part of each belongs to the word before */

    for ( /* void */ ; len >= 8; len -= 8, p += 8) {
        memcpy(&word, p, 8);

        if (shift == 0) {
            cam_ring_store(g->dst++, word);
            continue;
        }

        cam_ring_store(g->dst++, g->word | word << shift);
        g->word = word >> (64 - shift);
    }

    while (len) {
        n = 8 - g->fill < len ? 8 - g->fill : len;

        word = 0;
        memcpy(&word, p, n);

        g->word |= word << (g->fill * 8);
        g->fill += n;
        p += n;
        len -= n;

        if (g->fill == 8) {
            cam_ring_store(g->dst++, g->word);
            g->word = 0;
            g->fill = 0;
        }
    }
}


/*
 * A ring can only grow into a new file.  That goes on with the sequence
 * numbers, holds the configuration and all frames since the newest key frame,
 * and names the old generation, so that a reader that has read the old file
 * to its end can go on with exactly the next record.
 */

int
cam_ring_writer_grow(cam_ring_writer_t **wp, uint64_t generation,
    uint32_t capacity)
{
    int                 rc;
    cam_ring_info_t     info;
    cam_ring_writer_t  *w, *old;

    old = *wp;

    if (capacity <= old->capacity || generation <= old->generation) {
        errno = EINVAL;
        return CAM_RING_ERROR;
    }

    memset(&info, 0, sizeof(info));

    info.generation = generation;
    info.capacity = capacity;

    memcpy(info.camera, old->header->camera, sizeof(info.camera));
    memcpy(info.holder, old->header->holder, sizeof(info.holder));
    memcpy(info.takeover_msec, old->header->takeover_msec,
           sizeof(info.takeover_msec));
    memcpy(info.addr, old->header->addr, sizeof(info.addr));

    rc = cam_ring_create(&w, old->dirfd, &info);

    if (rc != CAM_RING_OK) {
        return rc;
    }

    cam_ring_copy(w, old);

    rc = cam_ring_publish(w);

    if (rc != CAM_RING_OK) {
        return rc;
    }

    cam_ring_writer_close(old);
    *wp = w;

    return CAM_RING_OK;
}


static void
cam_ring_copy(cam_ring_writer_t *to, const cam_ring_writer_t *w)
{
    uint64_t            pos, seq, *p;
    cam_frame_t         frame;
    struct iovec        iov;
    cam_ring_header_t  *h;

    h = to->header;

    h->continues = w->generation;
    h->started_msec = w->header->started_msec;
    h->last_media_msec = w->header->last_media_msec;
    memcpy(h->config, w->header->config, sizeof(h->config));
    memcpy(h->frames, w->frames, sizeof(h->frames));
    h->bytes = w->bytes;

    memcpy(to->frames, w->frames, sizeof(to->frames));
    to->bytes = w->bytes;
    to->seq = w->seq;

    if (w->key != CAM_RING_NONE && w->key >= w->tail) {
        p = (uint64_t *) (w->records + w->key % w->capacity);
        to->seq = p[1];

        for (pos = w->key, seq = p[1]; seq < w->seq; seq++) {
            p = (uint64_t *) (w->records + pos % w->capacity);

            if ((uint32_t) p[0] == CAM_RING_PAD) {
                pos += p[0] >> 32;
                p = (uint64_t *) w->records;
            }

            frame.dts = (int64_t) p[2];
            frame.cts = (int32_t) p[3];
            frame.track = (uint8_t) (p[3] >> 32);
            frame.flags = (uint8_t) (p[3] >> 40);
            frame.wall_msec = (int64_t) p[4];

            iov.iov_base = p + 5;
            iov.iov_len = p[0] >> 32;

            cam_ring_append(to, &frame, &iov, 1, (uint32_t) iov.iov_len);
            pos += cam_ring_record_size(iov.iov_len);
        }
    }

    h->head_seq = to->seq;
    h->head_pos[to->seq & 1] = to->head;
}


uint64_t
cam_ring_writer_generation(const cam_ring_writer_t *w)
{
    return w->generation;
}


uint32_t
cam_ring_writer_capacity(const cam_ring_writer_t *w)
{
    return w->capacity;
}


const void *
cam_ring_writer_map(const cam_ring_writer_t *w, size_t *size)
{
    *size = CAM_RING_HEADER + (size_t) w->capacity;

    return w->header;
}
