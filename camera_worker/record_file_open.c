/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * How a recording begins: under a name that nobody has, or where one that was
 * never closed has its last good fragment.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record_file.h"

#define CW_RECORD_NAMES    1000          /* tried before it is given up */
#define CW_RECORD_BATCH    256           /* entries read at once */
#define CW_RECORD_CHECKED  16            /* last fragments, after a crash */


static cw_record_file_t *cw_record_file_new(void);
static int cw_record_file_make(cw_record_file_t *f, int volumefd);
static int cw_record_file_unused(int volumefd, const char *path,
    const char *index);
static int cw_record_file_dirs(int volumefd, const char *path);
static void cw_record_file_unmake(cw_record_file_t *f, int volumefd);
static void cw_record_file_limit(cw_record_file_t *f);
static int cw_record_file_load(cw_record_file_t *f);
static int cw_record_file_take_up(cw_record_file_t *f);
static int cw_record_file_good(cw_record_file_t *f,
    const cam_record_fragment_t *e);


cw_record_file_t *
cw_record_file_create(int volumefd, const cam_record_head_t *head,
    const uint8_t *init, const cam_keys_t *keys)
{
    int                err;
    ssize_t            n;
    cw_record_file_t  *f;

    f = cw_record_file_new();
    if (f == NULL) {
        return NULL;
    }

    f->head = *head;

    if (cw_record_tracks_read(&f->tracks, init, head->init_size) == -1) {
        cw_record_file_free(f);
        errno = EPROTO;
        return NULL;
    }

    if (cw_record_file_make(f, volumefd) == -1) {
        err = errno;
        cw_record_file_free(f);
        errno = err;
        return NULL;
    }

    if (keys != NULL) {
        f->cipher = cam_record_cipher_new(&f->head, keys);

        if (f->cipher == NULL) {
            err = errno;
            cw_record_file_unmake(f, volumefd);
            errno = err;
            return NULL;
        }
    }

    n = pwrite(f->fd, init, head->init_size, 0);

    if (n >= 0 && n != (ssize_t) head->init_size) {
        errno = ENOSPC;
    }

    if (n != (ssize_t) head->init_size
        || cam_record_head_write(f->index_fd, &f->head) == -1)
    {
        err = errno;
        cw_record_file_unmake(f, volumefd);
        errno = err;
        return NULL;
    }

    f->size = head->init_size;
    f->end_msec = f->head.start_msec;
    f->dirty = 1;
    cw_record_file_limit(f);

    return f;
}


static cw_record_file_t *
cw_record_file_new(void)
{
    cw_record_file_t  *f;

    f = calloc(1, sizeof(cw_record_file_t));

    if (f != NULL) {
        f->fd = -1;
        f->index_fd = -1;
    }

    return f;
}


/* a name that nobody has; its index comes first, and so is never another's */

static int
cw_record_file_make(cw_record_file_t *f, int volumefd)
{
    int   tries;
    char  index[CAM_RECORD_PATH_MAX];

    for (tries = 0; tries < CW_RECORD_NAMES; tries++, f->head.start_msec++) {

        if (cam_record_path(f->path, f->head.camera, f->head.start_msec, "mp4")
            == NULL)
        {
            errno = ERANGE;
            return -1;
        }

        cam_record_path(index, f->head.camera, f->head.start_msec, "idx");

        if (tries == 0 && cw_record_file_dirs(volumefd, f->path) == -1) {
            return -1;
        }

        f->index_fd = openat(volumefd, index, O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW
                             |O_CLOEXEC, 0640);

        if (f->index_fd == -1) {
            if (errno != EEXIST) {
                return -1;
            }

            /* of one that died before it wrote anything: the same name again */

            if (cw_record_file_unused(volumefd, f->path, index)) {
                f->head.start_msec--;
            }

            continue;
        }

        f->fd = openat(volumefd, f->path, O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW
                       |O_CLOEXEC, 0640);

        if (f->fd != -1) {
            return cam_record_id(f->head.recording, f->head.start_msec);
        }

        (void) unlinkat(volumefd, index, 0);
        close(f->index_fd);
        f->index_fd = -1;

        if (errno != EEXIST) {
            return -1;
        }
    }

    errno = EEXIST;

    return -1;
}


/* 1 when there was nothing in it, and now it is gone */

static int
cw_record_file_unused(int volumefd, const char *path, const char *index)
{
    int  fd, unused;

    fd = openat(volumefd, index, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);
    if (fd == -1) {
        return 0;
    }

    unused = cam_record_count(fd) == 0;
    close(fd);

    if (!unused || (unlinkat(volumefd, path, 0) == -1 && errno != ENOENT)) {
        return 0;
    }

    return unlinkat(volumefd, index, 0) == 0;
}


static int
cw_record_file_dirs(int volumefd, const char *path)
{
    char   dir[CAM_RECORD_PATH_MAX];
    char  *p;

    strcpy(dir, path);

    for (p = strchr(dir, '/'); p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';

        if (mkdirat(volumefd, dir, 0750) == -1 && errno != EEXIST) {
            return -1;
        }

        *p = '/';
    }

    return 0;
}


static void
cw_record_file_unmake(cw_record_file_t *f, int volumefd)
{
    char  index[CAM_RECORD_PATH_MAX];

    cam_record_path(index, f->head.camera, f->head.start_msec, "idx");

    (void) unlinkat(volumefd, f->path, 0);
    (void) unlinkat(volumefd, index, 0);
    cw_record_file_free(f);
}


/* the next boundary of the clock behind its start */

static void
cw_record_file_limit(cw_record_file_t *f)
{
    int64_t  length;

    length = f->head.segment_sec * INT64_C(1000);
    f->limit_msec = (f->head.start_msec / length + 1) * length;
}


cw_record_file_t *
cw_record_file_reopen(int volumefd, const char *path, const cam_keys_t *keys)
{
    int                err;
    char               index[CAM_RECORD_PATH_MAX];
    int64_t            start;
    uint8_t            camera[CAM_UUID_LEN];
    cw_record_file_t  *f;

    if (cam_record_path_parse(path, camera, &start) == -1) {
        errno = EINVAL;
        return NULL;
    }

    f = cw_record_file_new();
    if (f == NULL) {
        return NULL;
    }

    strcpy(f->path, path);
    cam_record_path(index, camera, start, "idx");

    f->fd = openat(volumefd, path, O_RDWR|O_NOFOLLOW|O_CLOEXEC);
    f->index_fd = openat(volumefd, index, O_RDWR|O_NOFOLLOW|O_CLOEXEC);

    if (f->fd == -1 || f->index_fd == -1
        || cam_record_head_read(f->index_fd, &f->head) == -1
        || cw_record_file_load(f) == -1)
    {
        err = errno;
        cw_record_file_free(f);
        errno = err;
        return NULL;
    }

    if (f->head.cipher && keys != NULL) {
        f->cipher = cam_record_cipher_open(&f->head, keys);
    }

    f->announced = 1;
    f->dirty = 1;
    cw_record_file_limit(f);

    return f;
}


/* its init, and the fragments that are good */

static int
cw_record_file_load(cw_record_file_t *f)
{
    uint8_t  *init;
    uint32_t  size;

    size = f->head.init_size;

    if (size > CW_RECORD_INIT_MAX || f->head.segment_sec == 0) {
        errno = EBADMSG;
        return -1;
    }

    init = malloc(size);
    if (init == NULL) {
        return -1;
    }

    if (pread(f->fd, init, size, 0) != (ssize_t) size
        || cw_record_tracks_read(&f->tracks, init, size) == -1)
    {
        free(init);
        errno = EBADMSG;
        return -1;
    }

    free(init);

    return cw_record_file_take_up(f);
}


/*
 * Entries are read from the first on; of the last ones the bytes are looked at,
 * too: a loss of power may have kept an entry and not what it is about.
 */

static int
cw_record_file_take_up(cw_record_file_t *f)
{
    ssize_t                i, n;
    uint32_t               count;
    cam_record_fragment_t  e[CW_RECORD_BATCH];

    f->size = f->head.init_size;

    for (count = 0; ; count += n) {
        n = cam_record_fragments(f->index_fd, count, e, CW_RECORD_BATCH);

        if (n <= 0 || e[0].offset != f->size) {
            break;
        }

        for (i = 0; i < n; i++) {
            f->usec += e[i].duration_usec;
        }

        f->size = e[n - 1].offset + e[n - 1].size;
    }

    count = count > CW_RECORD_CHECKED ? count - CW_RECORD_CHECKED : 0;
    n = cam_record_fragments(f->index_fd, count, e, CW_RECORD_CHECKED);

    for (i = 0; i < n && cw_record_file_good(f, &e[i]); i++) {
        f->size = e[i].offset + e[i].size;
        f->wall_msec = e[i].wall_msec;
        f->end_msec = f->wall_msec + e[i].duration_usec / 1000;
        f->msn = e[i].msn;
        f->part = e[i].part;
    }

    for (f->number = count + i; i < n; i++) {
        f->usec -= e[i].duration_usec;
    }

    if (f->number == 0) {
        errno = ENODATA;
        return -1;
    }

    cw_record_file_synced(f);

    if (cw_record_file_cut(f) == -1) {
        return -1;
    }

    return 0;
}


/* its bytes are those that were written; leaves the ends of its tracks */

static int
cw_record_file_good(cw_record_file_t *f, const cam_record_fragment_t *e)
{
    int                i, good;
    uint8_t           *data;
    cw_record_times_t  times;

    data = malloc(e->size);
    if (data == NULL) {
        return 0;
    }

    good = pread(f->fd, data, e->size, e->offset) == (ssize_t) e->size
           && cam_record_crc(data, e->size) == e->data_crc
           && cw_record_times_read(&f->tracks, &times, data, e->size) == 0;

    free(data);

    for (i = 0; good && i < f->tracks.n; i++) {
        if (times.present & 1 << i) {
            f->end[i] = times.end[i];
        }
    }

    return good;
}
