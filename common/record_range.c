/*
 * Copyright (C) The nginx camera platform authors
 */

/* Looks up what was recorded, see record_range.h. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record_name.h"
#include "record_range.h"


#define CAM_RECORD_READ  256     /* fragments at once, 14 kB */


typedef struct {
    int64_t     start_msec;
    unsigned    volume;
} cam_record_file_t;


typedef struct {
    cam_record_file_t  *file;
    size_t              n;
    size_t              cap;
    int                 err;     /* of a volume that could not be read */
} cam_record_files_t;


/* pieces of one file being put together */
typedef struct {
    const cam_record_range_t  *range;
    int                      (*handler)(void *data,
                                   const cam_record_piece_t *piece);
    void                      *data;
    cam_record_piece_t         piece;
    unsigned                   started:1;
} cam_record_walk_t;


static int cam_record_files(const cam_record_range_t *range,
    cam_record_files_t *files);
static int cam_record_files_add(cam_record_files_t *files, unsigned volume,
    const cam_record_name_t *names, size_t n);
static int cam_record_files_compare(const void *one, const void *two);
static int cam_record_open_on(const char *volume, const char *path);
static int cam_record_open_index(const cam_record_range_t *range,
    const cam_record_file_t *file, cam_record_head_t *head);
static int cam_record_walk_file(cam_record_walk_t *w,
    const cam_record_file_t *file, int last);
static int cam_record_walk_fragments(cam_record_walk_t *w, int fd,
    uint32_t first, uint32_t n);
static int cam_record_walk_fragment(cam_record_walk_t *w,
    const cam_record_fragment_t *f);
static int cam_record_walk_cut(const cam_record_walk_t *w,
    const cam_record_fragment_t *f);
static int cam_record_walk_end(cam_record_walk_t *w, int open);
static uint32_t cam_record_key_before(int fd, uint32_t number);


int
cam_record_walk(const cam_record_range_t *range,
    int (*handler)(void *data, const cam_record_piece_t *piece), void *data)
{
    int                  rc;
    size_t               i;
    cam_record_walk_t    w;
    cam_record_files_t   files;

    memset(&files, 0, sizeof(cam_record_files_t));

    if (cam_record_files(range, &files) == -1) {
        free(files.file);
        return -1;
    }

    memset(&w, 0, sizeof(cam_record_walk_t));
    w.range = range;
    w.handler = handler;
    w.data = data;

    rc = 0;

    for (i = 0; rc == 0 && i < files.n; i++) {

        /* whatever was over when the next one began is before the range */

        if (i + 1 < files.n
            && files.file[i + 1].start_msec <= range->from_msec)
        {
            continue;
        }

        rc = cam_record_walk_file(&w, &files.file[i], i + 1 == files.n);
    }

    free(files.file);

    return rc;
}


int
cam_record_each(const cam_record_range_t *range,
    int (*handler)(void *data, int fd, int64_t file_msec,
                   const cam_record_head_t *head, char *const *volume),
    void *data)
{
    int                  fd, rc;
    size_t               i;
    cam_record_head_t    head;
    cam_record_files_t   files;

    memset(&files, 0, sizeof(cam_record_files_t));

    if (cam_record_files(range, &files) == -1) {
        free(files.file);
        return -1;
    }

    rc = 0;

    for (i = files.n; rc == 0 && i-- > 0; ) {
        fd = cam_record_open_index(range, &files.file[i], &head);

        if (fd != -1) {
            rc = handler(data, fd, files.file[i].start_msec, &head,
                         &range->volume[files.file[i].volume]);
            close(fd);
        }
    }

    free(files.file);

    return rc;
}


static int
cam_record_files(const cam_record_range_t *range, cam_record_files_t *files)
{
    int                 fd, rc;
    size_t              n;
    unsigned            i;
    cam_record_name_t  *names;

    for (i = 0; i < range->volumes; i++) {
        fd = open(range->volume[i], O_RDONLY|O_DIRECTORY|O_CLOEXEC);

        if (fd == -1) {
            files->err = errno;
            continue;
        }

        if (cam_record_list(fd, range->camera, range->from_msec,
                            range->to_msec, &names, &n)
            == -1)
        {
            files->err = errno;
            close(fd);
            continue;
        }

        close(fd);

        rc = cam_record_files_add(files, i, names, n);
        free(names);

        if (rc == -1) {
            return -1;
        }
    }

    if (files->n == 0 && files->err) {
        errno = files->err;
        return -1;
    }

    qsort(files->file, files->n, sizeof(cam_record_file_t),
          cam_record_files_compare);

    return 0;
}


static int
cam_record_files_add(cam_record_files_t *files, unsigned volume,
    const cam_record_name_t *names, size_t n)
{
    size_t              i;
    cam_record_file_t  *file;

    if (n == 0) {
        return 0;
    }

    file = realloc(files->file, (files->n + n) * sizeof(cam_record_file_t));

    if (file == NULL) {
        return -1;
    }

    files->file = file;

    for (i = 0; i < n; i++) {

        if ((names[i].has & CAM_RECORD_HAS_MEDIA)
            && (names[i].has & CAM_RECORD_HAS_INDEX))
        {
            file[files->n].start_msec = names[i].start_msec;
            file[files->n].volume = volume;
            files->n++;
        }
    }

    return 0;
}


static int
cam_record_files_compare(const void *one, const void *two)
{
    const cam_record_file_t  *a, *b;

    a = one;
    b = two;

    return a->start_msec != b->start_msec
           ? (a->start_msec > b->start_msec ? 1 : -1)
           : (int) a->volume - (int) b->volume;
}


int
cam_record_open(char *const *volume, unsigned volumes, const char *path)
{
    int       fd, err;
    unsigned  i;

    err = ENOENT;

    for (i = 0; i < volumes; i++) {
        fd = cam_record_open_on(volume[i], path);

        if (fd != -1) {
            return fd;
        }

        if (errno != ENOENT) {
            err = errno;
        }
    }

    errno = err;

    return -1;
}


static int
cam_record_open_on(const char *volume, const char *path)
{
    int          fd, dir, err;
    char         name[CAM_RECORD_PATH_MAX];
    size_t       len;
    const char  *slash;

    dir = open(volume, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    while (dir != -1) {
        slash = strchr(path, '/');

        if (slash == NULL) {
            fd = openat(dir, path, O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

        } else {
            len = slash - path;

            if (len >= sizeof(name)) {
                fd = -1;
                errno = ENAMETOOLONG;

            } else {
                memcpy(name, path, len);
                name[len] = '\0';
                path = slash + 1;

                fd = openat(dir, name,
                            O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);
            }
        }

        err = errno;
        close(dir);
        errno = err;

        if (slash == NULL) {
            return fd;
        }

        dir = fd;
    }

    return -1;
}


static int
cam_record_walk_file(cam_record_walk_t *w, const cam_record_file_t *file,
    int last)
{
    int                        fd, rc;
    cam_record_part_t          part;
    cam_record_head_t          head;
    const cam_record_range_t  *range;

    range = w->range;
    fd = cam_record_open_index(range, file, &head);

    if (fd == -1) {
        return 0;
    }

    (void) cam_record_select(fd, range->from_msec, range->to_msec, &part);

    memset(&w->piece, 0, sizeof(cam_record_piece_t));
    w->piece.file_msec = file->start_msec;
    w->piece.head = &head;
    w->piece.first = 1;
    w->started = 0;

    rc = cam_record_walk_fragments(w, fd, part.first, part.n);

    /* what the end of the range cuts off does not grow */

    if (rc == 0) {
        rc = cam_record_walk_end(w, last && part.first + part.n == part.all);
    }

    close(fd);

    return rc;
}


static int
cam_record_open_index(const cam_record_range_t *range,
    const cam_record_file_t *file, cam_record_head_t *head)
{
    int   fd;
    char  path[CAM_RECORD_PATH_MAX];

    if (cam_record_path(path, range->camera, file->start_msec, "idx") == NULL) {
        return -1;
    }

    fd = cam_record_open(&range->volume[file->volume], 1, path);

    if (fd == -1) {
        return -1;
    }

    if (cam_record_head_read(fd, head) == -1
        || memcmp(head->camera, range->camera, CAM_UUID_LEN) != 0)
    {
        close(fd);
        return -1;
    }

    return fd;
}


static int
cam_record_walk_fragments(cam_record_walk_t *w, int fd, uint32_t first,
    uint32_t n)
{
    int                     rc;
    size_t                  i;
    ssize_t                 got;
    cam_record_fragment_t   f[CAM_RECORD_READ];

    while (n) {
        got = cam_record_fragments(fd, first, f, n < CAM_RECORD_READ
                                                 ? n : CAM_RECORD_READ);
        if (got <= 0) {
            return 0;
        }

        for (i = 0; i < (size_t) got; i++) {
            rc = cam_record_walk_fragment(w, &f[i]);

            if (rc != 0) {
                return rc;
            }
        }

        first += (uint32_t) got;
        n -= (uint32_t) got;
    }

    return 0;
}


static int
cam_record_walk_fragment(cam_record_walk_t *w, const cam_record_fragment_t *f)
{
    int                  rc;
    cam_record_piece_t  *piece;

    piece = &w->piece;

    if (w->started && cam_record_walk_cut(w, f)) {
        rc = cam_record_walk_end(w, 0);

        if (rc != 0) {
            return rc;
        }
    }

    if (!w->started) {
        w->started = 1;
        piece->offset = f->offset;
        piece->size = 0;
        piece->names = 0;
        piece->wall_msec = f->wall_msec;
        piece->duration_usec = 0;
        piece->msn = f->msn;
        piece->breaks = (f->flags & CAM_RECORD_BREAK) != 0;
        piece->discontinuity = !piece->first
                               && (f->flags & CAM_RECORD_DISCONTINUITY);
    }

    piece->size += f->size;
    piece->names += f->flags & CAM_RECORD_NAMED ? CAM_RECORD_NAME_SIZE : 0;
    piece->duration_usec += f->duration_usec;

    return 0;
}


/* a segment may be there once more, from its beginning */

static int
cam_record_walk_cut(const cam_record_walk_t *w, const cam_record_fragment_t *f)
{
    const cam_record_piece_t  *piece;
    const cam_record_range_t  *range;

    piece = &w->piece;
    range = w->range;

    if (range->by_segment) {
        return f->msn != piece->msn || (f->flags & CAM_RECORD_SEGMENT);
    }

    return (f->flags & CAM_RECORD_DISCONTINUITY)
           || ((f->flags & CAM_RECORD_KEY)
               && piece->duration_usec >= range->piece_usec)
           || piece->duration_usec + f->duration_usec > range->limit_usec;
}


static int
cam_record_walk_end(cam_record_walk_t *w, int open)
{
    int  rc;

    if (!w->started) {
        return 0;
    }

    w->piece.open = open;

    rc = w->handler(w->data, &w->piece);

    w->started = 0;
    w->piece.first = 0;

    return rc;
}


uint32_t
cam_record_select(int fd, int64_t from_msec, int64_t to_msec,
    cam_record_part_t *part)
{
    uint32_t               last;
    cam_record_fragment_t  f;

    memset(part, 0, sizeof(cam_record_part_t));
    part->all = cam_record_count(fd);

    if (part->all == 0) {
        return 0;
    }

    last = cam_record_find(fd, to_msec - 1);
    last = last < part->all ? last : part->all - 1;

    if (cam_record_fragments(fd, last, &f, 1) != 1 || f.wall_msec >= to_msec
        || f.wall_msec + (int64_t) f.duration_usec / 1000 <= from_msec)
    {
        return 0;
    }

    part->first = cam_record_key_before(fd, cam_record_find(fd, from_msec));
    part->n = part->first <= last ? last - part->first + 1 : 0;

    return part->n;
}


/* a file begins with a key frame, whatever its flags say */

static uint32_t
cam_record_key_before(int fd, uint32_t number)
{
    uint32_t               n, first;
    cam_record_fragment_t  f[CAM_RECORD_READ];

    while (number > 0) {
        n = number + 1 < CAM_RECORD_READ ? number + 1 : CAM_RECORD_READ;
        first = number + 1 - n;

        if (cam_record_fragments(fd, first, f, n) != (ssize_t) n) {
            return number;
        }

        while (n > 0) {

            if (f[--n].flags & CAM_RECORD_KEY) {
                return first + n;
            }
        }

        if (first == 0) {
            break;
        }

        number = first - 1;
    }

    return 0;
}
