/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The life of a ring file on its writer's side.
 *
 *   created  exclusively, locked, every page of it allocated, the header
 *            filled                               [cam_ring_create()]
 *   current  the camera's link names it           [cam_ring_publish()]
 *   closed   says so in its header, has no name   [cam_ring_writer_close()]
 *
 * A ring never changes its size: it grows into a new file.  When its writer
 * is killed the lock goes, and the file with the next writer of the camera or
 * the next sweep.
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
#include "ring_writer.h"

#define CAM_RING_RESERVE  10         /* percent of the tmpfs left free */


static int cam_ring_create(cam_ring_writer_t **wp, int dirfd,
    const cam_ring_info_t *info);
static int cam_ring_create_file(cam_ring_writer_t *w,
    const cam_ring_info_t *info);
static uint32_t cam_ring_round(uint32_t capacity);
static int cam_ring_no_space(int err);
static void cam_ring_fill_header(cam_ring_writer_t *w,
    const cam_ring_info_t *info);
static int cam_ring_publish(cam_ring_writer_t *w);
static void cam_ring_destroy(cam_ring_writer_t *w);
static void cam_ring_inherit(cam_ring_writer_t *to,
    const cam_ring_writer_t *w);
static void cam_ring_copy(cam_ring_writer_t *to, const cam_ring_writer_t *w);


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
    cam_ring_writer_t  *w;

    if (info->capacity > CAM_RING_SIZE_MAX || info->generation == 0) {
        errno = EINVAL;
        return CAM_RING_ERROR;
    }

    w = calloc(1, sizeof(cam_ring_writer_t));
    if (w == NULL) {
        return CAM_RING_ERROR;
    }

    w->dirfd = dirfd;
    w->generation = info->generation;
    w->capacity = cam_ring_round(info->capacity);
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

    if (!cam_ring_has_room(w->dirfd, w->capacity)) {
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


/* whether the reserve remains when that ring is taken */

int
cam_ring_has_room(int dirfd, uint32_t capacity)
{
    uint64_t        size, total, room;
    struct statvfs  fs;

    if (fstatvfs(dirfd, &fs) == -1 || fs.f_blocks == 0) {
        return 1;
    }

    size = CAM_RING_HEADER + (uint64_t) cam_ring_round(capacity);
    total = (uint64_t) fs.f_blocks * fs.f_frsize;
    room = (uint64_t) fs.f_bavail * fs.f_frsize;

    return room >= size && room - size >= total / 100 * CAM_RING_RESERVE;
}


static uint32_t
cam_ring_round(uint32_t capacity)
{
    if (capacity == 0) {
        return CAM_RING_SIZE_DEFAULT;
    }

    return (capacity + CAM_RING_SIZE_MIN - 1)
           / CAM_RING_SIZE_MIN * CAM_RING_SIZE_MIN;
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

    cam_ring_inherit(w, old);

    rc = cam_ring_publish(w);

    if (rc != CAM_RING_OK) {
        return rc;
    }

    cam_ring_writer_close(old);
    *wp = w;

    return CAM_RING_OK;
}


/* the header's part; the file has no reader yet, so plain stores will do */

static void
cam_ring_inherit(cam_ring_writer_t *to, const cam_ring_writer_t *w)
{
    cam_ring_header_t  *h;

    h = to->header;

    h->continues = w->generation;
    h->started_msec = w->header->started_msec;
    h->last_media_msec = w->header->last_media_msec;
    h->bytes = w->bytes;

    memcpy(h->config, w->header->config, sizeof(h->config));
    memcpy(h->frames, w->frames, sizeof(h->frames));

    to->bytes = w->bytes;
    memcpy(to->frames, w->frames, sizeof(to->frames));

    cam_ring_copy(to, w);

    h->head_seq = to->seq;
    h->head_pos[to->seq & 1] = to->head;
}


/* the records since the newest key frame, with their sequence numbers */

static void
cam_ring_copy(cam_ring_writer_t *to, const cam_ring_writer_t *w)
{
    uint64_t      pos, *p;
    cam_frame_t   frame;
    struct iovec  iov;

    to->seq = w->seq;

    if (w->key == CAM_RING_NONE || w->key < w->tail) {
        return;
    }

    pos = w->key;
    to->seq = ((uint64_t *) (w->records + pos % w->capacity))[1];

    while (to->seq < w->seq) {
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

        iov.iov_base = p + CAM_RING_RECORD_HEAD / 8;
        iov.iov_len = p[0] >> 32;

        cam_ring_append(to, &frame, &iov, 1, (uint32_t) iov.iov_len);

        pos += cam_ring_record_size(iov.iov_len);
    }
}


uint32_t
cam_ring_writer_capacity(const cam_ring_writer_t *w)
{
    return w->capacity;
}
