/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The live index file: a header and two images of cam_live_index_t.
 *
 * "version" counts publishes and says by its lowest bit which image is the
 * good one; a publish fills the other image and then bumps it.  So a writer
 * that dies at any instruction leaves the last good image behind, for readers
 * and for its own successor.  "begin" is set before an image is touched: a
 * copy of image v is torn only when begin has passed v + 1.
 *
 * Words are copied by relaxed atomics.  Readers map read-only and trust
 * nothing: they copy, check that copy, and work on it alone.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "live_index.h"

#define CAM_LIVE_MAGIC     UINT64_C(0x314556494c4d4143)   /* "CAMLIVE1" */
#define CAM_LIVE_LAYOUT    1
#define CAM_LIVE_FILE      "index"
#define CAM_LIVE_TMP       ".index"
#define CAM_LIVE_TRIES     64
#define CAM_LIVE_TARGET_MAX  60000

_Static_assert(sizeof(cam_live_index_t) % 8 == 0, "image of whole words");
_Static_assert(offsetof(cam_live_index_t, segment) == 744, "layout 1");


typedef struct {
    uint64_t           magic;
    uint32_t           layout;
    uint32_t           image;              /* bytes of one image */
    uint8_t            camera[CAM_UUID_LEN];
    uint64_t           version;
    uint64_t           begin;
    uint64_t           reserved[2];
} cam_live_header_t;


typedef struct {
    cam_live_header_t  header;
    uint64_t           image[2][sizeof(cam_live_index_t) / 8];
} cam_live_file_t;


struct cam_live_s {
    cam_live_file_t   *file;
    int                dirfd;              /* of the writer, holds its flock */
    uint8_t            camera[CAM_UUID_LEN];
    dev_t              dev;
    ino_t              ino;
    cam_live_index_t   index;              /* of the writer */
};


static int cam_live_lock_dir(int livefd, const char *name);
static int cam_live_map(cam_live_t *live, int dirfd, int write);
static int cam_live_create(cam_live_t *live);
static int cam_live_write_file(int dirfd, const cam_live_file_t *file);
static uint64_t cam_live_newest_file(int dirfd);
static void cam_live_copy(uint64_t *dst, const uint64_t *src);
static int cam_live_check(const cam_live_index_t *index);
static int cam_live_check_init(const cam_live_init_t *init);
static int cam_live_check_segment(const cam_live_index_t *index,
    const cam_live_segment_t *seg);


cam_live_t *
cam_live_writer_open(int livefd, const uint8_t camera[CAM_UUID_LEN],
    cam_live_index_t **index)
{
    int          err;
    char         name[CAM_UUID_TEXT + 1];
    cam_live_t  *live;

    live = calloc(1, sizeof(cam_live_t));
    if (live == NULL) {
        return NULL;
    }

    memcpy(live->camera, camera, CAM_UUID_LEN);

    live->dirfd = cam_live_lock_dir(livefd, cam_uuid_print(name, camera));

    if (live->dirfd == -1) {
        free(live);
        return NULL;
    }

    /* a file that cannot be used is replaced: readers see it as stale */

    if ((cam_live_map(live, live->dirfd, 1) == -1
         || cam_live_read(live, &live->index) == -1)
        && cam_live_create(live) == -1)
    {
        err = errno;
        cam_live_close(live);
        errno = err;
        return NULL;
    }

    *index = &live->index;

    return live;
}


/* the directory's flock, not the file's, so that the file can be replaced */

static int
cam_live_lock_dir(int livefd, const char *name)
{
    int          fd, err, tries;
    struct stat  held, current;

    for (tries = 0; tries < 8; tries++) {

        if (mkdirat(livefd, name, 0750) == -1 && errno != EEXIST) {
            return -1;
        }

        fd = openat(livefd, name, O_RDONLY|O_DIRECTORY|O_CLOEXEC|O_NOFOLLOW);
        if (fd == -1) {
            return -1;
        }

        if (flock(fd, LOCK_EX|LOCK_NB) == -1) {
            err = (errno == EWOULDBLOCK) ? EBUSY : errno;
            close(fd);
            errno = err;
            return -1;
        }

        /* it may have been removed before it was locked */

        if (fstat(fd, &held) == 0
            && fstatat(livefd, name, &current, AT_SYMLINK_NOFOLLOW) == 0
            && held.st_ino == current.st_ino && held.st_dev == current.st_dev)
        {
            return fd;
        }

        close(fd);
    }

    errno = EBUSY;

    return -1;
}


/* maps the file that is there; -1 with errno when it is not one of ours */

static int
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


/*
 * A new file.  Its first sequence number is the Unix time, or above any media
 * file that is still there: a cache in front of us must never see a name
 * again, and a camera makes less than one segment a second for long.
 */

static int
cam_live_create(cam_live_t *live)
{
    int                err;
    uint64_t           msn;
    cam_live_file_t   *file;
    cam_live_index_t  *index;

    if (live->file != NULL) {
        munmap(live->file, sizeof(cam_live_file_t));
        live->file = NULL;
    }

    index = &live->index;
    memset(index, 0, sizeof(cam_live_index_t));

    msn = cam_live_newest_file(live->dirfd) + 1;
    index->next_msn = cam_clock_wall_msec() / 1000;

    if (index->next_msn < msn) {
        index->next_msn = msn;
    }

    memcpy(index->camera, live->camera, CAM_UUID_LEN);
    index->target_msec = CAM_LIVE_TARGET_MSEC;
    index->part_target_msec = CAM_LIVE_PART_MSEC;

    file = calloc(1, sizeof(cam_live_file_t));
    if (file == NULL) {
        return -1;
    }

    file->header.magic = CAM_LIVE_MAGIC;
    file->header.layout = CAM_LIVE_LAYOUT;
    file->header.image = sizeof(cam_live_index_t);
    memcpy(file->header.camera, live->camera, CAM_UUID_LEN);
    memcpy(file->image[0], index, sizeof(cam_live_index_t));

    err = cam_live_write_file(live->dirfd, file);
    free(file);

    if (err != 0) {
        unlinkat(live->dirfd, CAM_LIVE_TMP, 0);
        errno = err;
        return -1;
    }

    return cam_live_map(live, live->dirfd, 1);
}


/* 0 or an errno; all blocks are there before anybody maps it, for a store
   into a hole of a full tmpfs is a SIGBUS */

static int
cam_live_write_file(int dirfd, const cam_live_file_t *file)
{
    int  fd, err;

    fd = openat(dirfd, CAM_LIVE_TMP,
                O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC|O_NOFOLLOW, 0640);
    if (fd == -1) {
        return errno;
    }

    err = posix_fallocate(fd, 0, sizeof(cam_live_file_t));

    if (err == 0 && (write(fd, file, sizeof(cam_live_file_t))
                     != (ssize_t) sizeof(cam_live_file_t)
                     || renameat(dirfd, CAM_LIVE_TMP, dirfd, CAM_LIVE_FILE)
                        == -1))
    {
        err = errno;
    }

    close(fd);

    return err;
}


static uint64_t
cam_live_newest_file(int dirfd)
{
    int             fd;
    DIR            *dir;
    char           *end;
    uint64_t        msn, newest;
    struct dirent  *de;

    newest = 0;

    fd = openat(dirfd, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (fd == -1) {
        return newest;
    }

    dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return newest;
    }

    while ((de = readdir(dir)) != NULL) {

        msn = strtoull(de->d_name, &end, 10);

        if (strcmp(end, ".m4s") == 0 && msn > newest && msn < INT64_MAX) {
            newest = msn;
        }
    }

    closedir(dir);

    return newest;
}


void
cam_live_publish(cam_live_t *live)
{
    uint64_t            version;
    cam_live_header_t  *h;

    h = &live->file->header;
    live->index.updated_msec = cam_clock_monotonic_msec();

    version = __atomic_load_n(&h->version, __ATOMIC_RELAXED) + 1;

    __atomic_store_n(&h->begin, version, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);

    cam_live_copy(live->file->image[version & 1], (uint64_t *) &live->index);

    __atomic_store_n(&h->version, version, __ATOMIC_RELEASE);
}


int
cam_live_dirfd(const cam_live_t *live)
{
    return live->dirfd;
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


static void
cam_live_copy(uint64_t *dst, const uint64_t *src)
{
    size_t    i;
    uint64_t  word;

    for (i = 0; i < sizeof(cam_live_index_t) / 8; i++) {
        word = __atomic_load_n(&src[i], __ATOMIC_RELAXED);
        __atomic_store_n(&dst[i], word, __ATOMIC_RELAXED);
    }
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
