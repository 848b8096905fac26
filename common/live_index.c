/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Live indexes as readers see them, and what the writer shares with them.
 *
 * Readers map read-only and trust nothing: they copy, check that copy, and
 * work on it alone.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live_index_layout.h"

#define CAM_LIVE_TRIES       64
#define CAM_LIVE_TARGET_MAX  60000


static int cam_live_check(const cam_live_index_t *index);
static int cam_live_check_init(const cam_live_init_t *init);
static int cam_live_check_segment(const cam_live_index_t *index,
    const cam_live_segment_t *seg);


int
cam_live_map(cam_live_t *live, int dirfd, int write)
{
    int               fd, prot;
    void             *p;
    struct stat       st;
    cam_live_file_t  *file;

    fd = openat(dirfd, CAM_LIVE_FILE,
                (write ? O_RDWR : O_RDONLY)|O_CLOEXEC|O_NOFOLLOW);
    if (fd == -1) {
        return -1;
    }

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)
        || st.st_size != (off_t) sizeof(cam_live_file_t))
    {
        close(fd);
        errno = EPROTO;
        return -1;
    }

    prot = write ? PROT_READ|PROT_WRITE : PROT_READ;
    p = mmap(NULL, sizeof(cam_live_file_t), prot, MAP_SHARED, fd, 0);
    close(fd);

    if (p == MAP_FAILED) {
        return -1;
    }

    file = p;

    if (file->header.magic != CAM_LIVE_MAGIC
        || file->header.layout != CAM_LIVE_LAYOUT
        || file->header.image != sizeof(cam_live_index_t)
        || memcmp(file->header.camera, live->camera, CAM_UUID_LEN) != 0)
    {
        munmap(p, sizeof(cam_live_file_t));
        errno = EPROTO;
        return -1;
    }

    live->file = file;
    live->dev = st.st_dev;
    live->ino = st.st_ino;

    return 0;
}


cam_live_t *
cam_live_reader_open(int livefd, const uint8_t camera[CAM_UUID_LEN])
{
    int          dirfd, err;
    char         name[CAM_UUID_TEXT + 1];
    cam_live_t  *live;

    dirfd = openat(livefd, cam_uuid_print(name, camera),
                   O_RDONLY|O_DIRECTORY|O_CLOEXEC|O_NOFOLLOW);
    if (dirfd == -1) {
        return NULL;
    }

    live = calloc(1, sizeof(cam_live_t));

    if (live != NULL) {
        live->dirfd = -1;
        memcpy(live->camera, camera, CAM_UUID_LEN);

        if (cam_live_map(live, dirfd, 0) == -1) {
            err = errno;
            free(live);
            live = NULL;
            errno = err;
        }
    }

    err = errno;
    close(dirfd);
    errno = err;

    return live;
}


uint64_t
cam_live_version(const cam_live_t *live)
{
    return __atomic_load_n(&live->file->header.version, __ATOMIC_ACQUIRE);
}


int
cam_live_read(const cam_live_t *live, cam_live_index_t *index)
{
    int                 i;
    uint64_t            version, begin;
    cam_live_header_t  *h;

    h = &live->file->header;

    for (i = 0; i < CAM_LIVE_TRIES; i++) {

        version = __atomic_load_n(&h->version, __ATOMIC_ACQUIRE);

        cam_live_copy((uint64_t *) index, live->file->image[version & 1]);

        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        begin = __atomic_load_n(&h->begin, __ATOMIC_RELAXED);

        /* begin is version + 1 for ever after a writer died in a publish */

        if (begin == version || begin == version + 1) {

            if (memcmp(index->camera, live->camera, CAM_UUID_LEN) != 0
                || cam_live_check(index) == -1)
            {
                errno = EBADMSG;
                return -1;
            }

            return 0;
        }
    }

    errno = EAGAIN;

    return -1;
}


/* all that a reader computes with: counts, sums, order and references */

static int
cam_live_check(const cam_live_index_t *index)
{
    uint32_t                   i;
    const cam_live_segment_t  *seg;

    if (index->state > CAM_LIVE_QUARANTINED
        || index->segments > CAM_LIVE_SEGMENTS
        || index->next_msn > INT64_MAX
        || index->target_msec == 0
        || index->target_msec > CAM_LIVE_TARGET_MAX
        || index->part_target_msec == 0
        || index->part_target_msec > CAM_LIVE_TARGET_MAX)
    {
        return -1;
    }

    for (i = 0; i < CAM_LIVE_INITS; i++) {
        if (cam_live_check_init(&index->init[i]) == -1) {
            return -1;
        }
    }

    for (i = 0; i < index->segments; i++) {
        seg = &index->segment[i];

        if (seg->msn != index->next_msn - index->segments + i
            || seg->msn > index->next_msn
            || (!seg->complete && i != index->segments - 1)
            || cam_live_check_segment(index, seg) == -1)
        {
            return -1;
        }
    }

    return 0;
}


static int
cam_live_check_init(const cam_live_init_t *init)
{
    const char  *p;

    if (init->version == 0) {
        return 0;
    }

    /* the text stands in a playlist between quotes */

    for (p = init->codecs; p < init->codecs + CAM_LIVE_CODECS; p++) {

        if (*p == '\0') {
            return 0;
        }

        if ((*p < '0' || *p > '9') && (*p < 'a' || *p > 'z')
            && (*p < 'A' || *p > 'Z') && *p != '.' && *p != ',')
        {
            return -1;
        }
    }

    return -1;
}


static int
cam_live_check_segment(const cam_live_index_t *index,
    const cam_live_segment_t *seg)
{
    uint32_t                i;
    uint64_t                size, duration;
    const cam_live_part_t  *part;

    if (seg->parts == 0 || seg->parts > CAM_LIVE_PARTS || seg->complete > 1
        || seg->discontinuity > 1 || seg->init == 0)
    {
        return -1;
    }

    size = 0;
    duration = 0;

    for (i = 0; i < seg->parts; i++) {
        part = &seg->part[i];

        if (part->offset != size || part->size == 0 || part->independent > 1) {
            return -1;
        }

        size += part->size;
        duration += part->duration_usec;
    }

    if (size != seg->size || duration != seg->duration_usec) {
        return -1;
    }

    for (i = 0; i < CAM_LIVE_INITS; i++) {
        if (index->init[i].version == seg->init) {
            return 0;
        }
    }

    return -1;
}


int
cam_live_stale(const cam_live_t *live, int livefd)
{
    char         name[CAM_UUID_TEXT + sizeof("/" CAM_LIVE_FILE)];
    struct stat  st;

    cam_uuid_print(name, live->camera);
    memcpy(name + CAM_UUID_TEXT, "/" CAM_LIVE_FILE, sizeof("/" CAM_LIVE_FILE));

    if (fstatat(livefd, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
        return 1;
    }

    return st.st_ino != live->ino || st.st_dev != live->dev;
}


void
cam_live_close(cam_live_t *live)
{
    if (live->file != NULL) {
        munmap(live->file, sizeof(cam_live_file_t));
    }

    if (live->dirfd != -1) {
        close(live->dirfd);
    }

    free(live);
}


char *
cam_live_init_name(char *name, uint32_t version)
{
    snprintf(name, CAM_LIVE_NAME_MAX, "init.%" PRIu32 ".mp4", version);

    return name;
}


char *
cam_live_segment_name(char *name, uint64_t msn)
{
    snprintf(name, CAM_LIVE_NAME_MAX, "%" PRIu64 ".m4s", msn);

    return name;
}
