/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A ring's reader, its frames excepted: opening a ring, following the camera
 * into the next one, and what else a ring says.
 *
 * The file is another process's memory and may say anything at any moment:
 * each word is loaded once, into our own memory, and checked there before it
 * is used.  A file keeps the size that it had when it was mapped, for writers
 * never truncate; who may write in rings/ is trusted with that much.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ring_reader.h"

#define CAM_RING_OPEN_TRIES  8


static int cam_ring_reader_map(cam_ring_reader_t **rp, int fd,
    const uint8_t camera[CAM_UUID_LEN], uint64_t generation);
static int cam_ring_check_header(cam_ring_reader_t *r, size_t size);
static int cam_ring_continue(cam_ring_reader_t *r, uint64_t next);
static int cam_ring_stand(cam_ring_reader_t *r,
    const cam_ring_place_t *place);


int
cam_ring_reader_open(cam_ring_reader_t **rp, int dirfd,
    const uint8_t camera[CAM_UUID_LEN])
{
    int       i, fd, rc;
    char      name[CAM_RING_NAME];
    uint64_t  generation;

    fd = -1;
    generation = 0;

    /* a file that vanishes behind its link was superseded or closed */

    for (i = 0; fd == -1 && i < CAM_RING_OPEN_TRIES; i++) {
        generation = cam_ring_link_read(dirfd, camera);

        if (generation == 0) {
            return errno == ENOENT ? CAM_RING_AGAIN : CAM_RING_ERROR;
        }

        cam_ring_name(name, camera, generation);

        fd = openat(dirfd, name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

        if (fd == -1 && errno != ENOENT) {
            return CAM_RING_ERROR;
        }
    }

    if (fd == -1) {
        return CAM_RING_AGAIN;
    }

    rc = cam_ring_reader_map(rp, fd, camera, generation);

    if (rc != CAM_RING_OK) {
        i = errno;
        close(fd);
        errno = i;
    }

    return rc;
}


static int
cam_ring_reader_map(cam_ring_reader_t **rp, int fd,
    const uint8_t camera[CAM_UUID_LEN], uint64_t generation)
{
    int                 rc, err;
    void               *map;
    size_t              size;
    struct stat         st;
    cam_ring_reader_t  *r;

    if (fstat(fd, &st) == -1) {
        return CAM_RING_ERROR;
    }

    /* the writer never truncates, so a size seen once remains mapped */

    if (!S_ISREG(st.st_mode)
        || st.st_size < CAM_RING_HEADER + CAM_RING_SIZE_MIN
        || st.st_size > CAM_RING_HEADER + (off_t) CAM_RING_SIZE_MAX)
    {
        return cam_ring_corrupt();
    }

    size = (size_t) st.st_size;

    map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        return CAM_RING_ERROR;
    }

    rc = cam_ring_reader_attach(&r, map, size, fd);

    if (rc == CAM_RING_OK
        && (r->generation != generation
            || memcmp(r->camera, camera, CAM_UUID_LEN) != 0))
    {
        free(r);
        rc = cam_ring_corrupt();
    }

    if (rc != CAM_RING_OK) {
        err = errno;
        munmap(map, size);
        errno = err;
        return rc;
    }

    r->mapped = size;
    *rp = r;

    return CAM_RING_OK;
}


int
cam_ring_reader_attach(cam_ring_reader_t **rp, const void *map, size_t size,
    int fd)
{
    int                 rc, err;
    cam_ring_reader_t  *r;

    if (size < CAM_RING_HEADER + CAM_RING_SIZE_MIN) {
        return cam_ring_corrupt();
    }

    r = calloc(1, sizeof(cam_ring_reader_t));
    if (r == NULL) {
        return CAM_RING_ERROR;
    }

    r->fd = fd;
    r->header = map;
    r->records = (const uint8_t *) map + CAM_RING_HEADER;

    rc = cam_ring_check_header(r, size);

    if (rc == CAM_RING_OK) {
        rc = cam_ring_join(r);
    }

    if (rc != CAM_RING_OK) {
        err = errno;
        free(r);
        errno = err;
        return rc;
    }

    *rp = r;

    return CAM_RING_OK;
}


static int
cam_ring_check_header(cam_ring_reader_t *r, size_t size)
{
    const cam_ring_header_t  *h;

    h = r->header;

    if (cam_ring_load(&h->magic) != CAM_RING_MAGIC
        || cam_ring_load(&h->version) != CAM_RING_VERSION
        || cam_ring_load(&h->header_size) != CAM_RING_HEADER)
    {
        return cam_ring_corrupt();
    }

    r->capacity = cam_ring_load(&h->capacity);
    r->generation = cam_ring_load(&h->generation);
    memcpy(r->camera, h->camera, CAM_UUID_LEN);

    if (r->capacity < CAM_RING_SIZE_MIN
        || r->capacity > CAM_RING_SIZE_MAX
        || r->capacity % CAM_RING_SIZE_MIN != 0
        || size != CAM_RING_HEADER + (size_t) r->capacity
        || r->generation == 0)
    {
        return cam_ring_corrupt();
    }

    return CAM_RING_OK;
}


int
cam_ring_reader_follow(cam_ring_reader_t **rp, int dirfd, int *continued)
{
    int                 rc;
    cam_ring_reader_t  *r, *old;

    old = *rp;

    rc = cam_ring_reader_open(&r, dirfd, old->camera);

    if (rc != CAM_RING_OK) {
        return rc;
    }

    if (r->generation <= old->generation) {
        cam_ring_reader_close(r);
        return CAM_RING_AGAIN;
    }

    *continued = cam_ring_load(&r->header->continues) == old->generation
                 && cam_ring_continue(r, old->next);

    cam_ring_reader_close(old);
    *rp = r;

    return CAM_RING_OK;
}


/* walks from the first record of a ring to the one wanted; 0 when that is
   overwritten already, and the reader stands where it did */

static int
cam_ring_continue(cam_ring_reader_t *r, uint64_t next)
{
    int                rc;
    uint64_t           pos, seq, head;
    cam_ring_record_t  record;

    pos = r->pos;
    seq = r->next;
    head = __atomic_load_n(&r->header->head_seq, __ATOMIC_ACQUIRE);

    if (seq == next) {
        return 1;
    }

    r->pos = 0;

    while (r->pos < r->capacity) {
        rc = cam_ring_locate(r, &record);

        if (cam_ring_passed(r) || rc != CAM_RING_OK) {
            break;
        }

        if (record.word[1] == next) {
            r->next = next;
            return 1;
        }

        r->pos += cam_ring_record_size(record.word[0] >> 32);

        if (record.word[1] + 1 == next && next == head) {
            r->next = next;
            return 1;
        }
    }

    r->pos = pos;
    r->next = seq;

    return 0;
}


int
cam_ring_reader_seek(cam_ring_reader_t *r, const cam_ring_place_t *place)
{
    int  found;

    if (place->generation == r->generation) {
        found = cam_ring_stand(r, place);

    } else {
        found = place->generation == cam_ring_load(&r->header->continues)
                && cam_ring_continue(r, place->seq);
    }

    if (found && cam_ring_join_configs(r) == CAM_RING_OK) {
        return 1;
    }

    return cam_ring_join(r) == CAM_RING_OK ? 0 : CAM_RING_ERROR;
}


/* a place comes from outside: the record has to say that it is the one */

static int
cam_ring_stand(cam_ring_reader_t *r, const cam_ring_place_t *place)
{
    int                rc;
    cam_ring_record_t  record;

    if (place->seq
        >= __atomic_load_n(&r->header->head_seq, __ATOMIC_ACQUIRE))
    {
        return 0;
    }

    r->pos = place->pos;
    r->next = place->seq;

    rc = cam_ring_locate(r, &record);

    return !cam_ring_passed(r) && rc == CAM_RING_OK
           && record.word[1] == place->seq;
}


size_t
cam_ring_config(cam_ring_reader_t *r, int track, void *data)
{
    if (track < 0 || track >= CAM_TRACKS) {
        return 0;
    }

    memcpy(data, r->config[track], r->config_size[track]);

    return r->config_size[track];
}


int
cam_ring_info(cam_ring_reader_t *r, cam_ring_info_t *info)
{
    int                       i;
    const cam_ring_header_t  *h;

    h = r->header;

    memset(info, 0, sizeof(cam_ring_info_t));
    memcpy(info->camera, r->camera, CAM_UUID_LEN);
    memcpy(info->holder, h->holder, sizeof(info->holder));
    memcpy(info->takeover_msec, h->takeover_msec, sizeof(info->takeover_msec));
    memcpy(info->addr, h->addr, sizeof(info->addr) - 1);

    info->generation = r->generation;
    info->continues = cam_ring_load(&h->continues);
    info->capacity = r->capacity;
    info->writer_pid = cam_ring_load(&h->writer_pid);
    info->started_msec = cam_ring_load(&h->started_msec);
    info->last_media_msec = cam_ring_load(&h->last_media_msec);
    info->head_seq = __atomic_load_n(&h->head_seq, __ATOMIC_ACQUIRE);
    info->bytes = cam_ring_load(&h->bytes);

    for (i = 0; i < CAM_TRACKS; i++) {
        info->frames[i] = cam_ring_load(&h->frames[i]);
    }

    return CAM_RING_OK;
}


uint64_t
cam_ring_reader_generation(const cam_ring_reader_t *r)
{
    return r->generation;
}


int
cam_ring_writer_alive(cam_ring_reader_t *r)
{
    if (r->fd < 0 || flock(r->fd, LOCK_SH | LOCK_NB) == -1) {
        return 1;
    }

    (void) flock(r->fd, LOCK_UN);

    return 0;
}


void
cam_ring_reader_close(cam_ring_reader_t *r)
{
    if (r->mapped) {
        munmap((void *) r->header, r->mapped);
        close(r->fd);
    }

    free(r);
}
