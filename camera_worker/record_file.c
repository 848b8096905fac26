/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A recording's media are the bytes of the live store with other times: they
 * begin at 0 and run on.  While fragments follow each other the same shift is
 * added; where they do not, a new one is chosen so that no track overlaps with
 * itself.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record_file.h"

#define CW_RECORD_NAMES        1000      /* tried before it is given up */
#define CW_RECORD_BATCH        256       /* entries read at once */
#define CW_RECORD_CHECKED      16        /* last fragments, after a crash */
#define CW_RECORD_JITTER_USEC  50000     /* of times that follow each other */


static cw_record_file_t *cw_record_file_new(void);
static int cw_record_file_dirs(int volumefd, const char *path);
static int cw_record_file_unused(int volumefd, const char *path,
    const char *index);
static int cw_record_file_make(cw_record_file_t *f, int volumefd);
static void cw_record_file_unmake(cw_record_file_t *f, int volumefd);
static void cw_record_file_limit(cw_record_file_t *f);
static int cw_record_file_load(cw_record_file_t *f);
static int cw_record_file_good(cw_record_file_t *f,
    const cam_record_fragment_t *e);
static int cw_record_file_take_up(cw_record_file_t *f);
static int cw_record_file_place(cw_record_file_t *f,
    cam_record_fragment_t *e, const cw_record_times_t *times);
static void cw_record_file_shift(cw_record_file_t *f,
    const cw_record_times_t *times);
static int cw_record_file_write(cw_record_file_t *f,
    cam_record_fragment_t *entry, unsigned n, const uint8_t *data,
    size_t size);
static int cw_record_file_cut(cw_record_file_t *f);


cw_record_file_t *
cw_record_file_create(int volumefd, const cam_record_head_t *head,
    const uint8_t *init)
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
cw_record_file_reopen(int volumefd, const char *path)
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
        f->end_msec = e[i].wall_msec + e[i].duration_usec / 1000;
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
    unsigned               i;
    cw_record_file_t       before;
    cw_record_times_t      times;
    cam_record_fragment_t  entry[CAM_LIVE_PARTS];

    before = *f;
    size = 0;

    for (i = 0; i < n; i++) {
        memset(&entry[i], 0, sizeof(cam_record_fragment_t));
        entry[i].offset = f->size + size;
        entry[i].size = piece[i].size;
        entry[i].wall_msec = piece[i].wall_msec;
        entry[i].duration_usec = piece[i].duration_usec;
        entry[i].msn = piece[i].msn;
        entry[i].part = piece[i].part;
        entry[i].flags = piece[i].flags;

        if (cw_record_times_read(&f->tracks, &times, data + size,
                                 piece[i].size) == -1
            || cw_record_file_place(f, &entry[i], &times) == -1
            || cw_record_times_move(&f->tracks, data + size, piece[i].size,
                                    f->shift, f->number + i + 1) == -1)
        {
            *f = before;
            errno = EPROTO;
            return -1;
        }

        entry[i].data_crc = cam_record_crc(data + size, piece[i].size);
        f->usec += piece[i].duration_usec;
        size += piece[i].size;
    }

    if (cw_record_file_write(f, entry, n, data, size) == -1) {
        *f = before;
        return -1;
    }

    f->size += size;
    f->number += n;
    f->msn = piece[n - 1].msn;
    f->part = piece[n - 1].part;
    f->end_msec = piece[n - 1].wall_msec + piece[n - 1].duration_usec / 1000;
    f->dirty = 1;

    return 0;
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


/* what lies behind the last fragment */

static int
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

    free(f);
}
