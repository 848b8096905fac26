/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One recording on disk: whether its index tiles its media.
 *
 * A recording whose row states just what the directory says is believed
 * without a look at each entry, but for --deep.  A tail is cut where nobody can
 * play it: bytes of media that no entry names, entries whose bytes never came,
 * and, in a file that was not closed, a last fragment whose checksum is wrong,
 * which is what a loss of power leaves.  Damage anywhere else stays as it is.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fsck.h"

#define CLI_FSCK_BATCH      256
#define CLI_FSCK_TAIL       16           /* fragments of one not closed */
#define CLI_FSCK_BUFFER     (1u << 20)


static int cli_fsck_file_openat(cli_fsck_volume_t *v, const char *path,
    off_t *size);
static int cli_fsck_file_head(cli_fsck_volume_t *v, cli_fsck_file_t *f);
static int cli_fsck_file_as_stated(cli_fsck_file_t *f);
static void cli_fsck_file_tiles(cli_fsck_file_t *f);
static void cli_fsck_file_measure(cli_fsck_file_t *f, uint32_t fragments,
    const cam_record_fragment_t *last);
static int64_t cli_fsck_file_end(const cam_record_fragment_t *fragment);
static void cli_fsck_file_contents(cli_fsck_volume_t *v, cli_fsck_file_t *f);
static int cli_fsck_file_good(cli_fsck_volume_t *v, cli_fsck_file_t *f,
    const cam_record_fragment_t *fragment);
static int cli_fsck_file_cut(cli_fsck_volume_t *v, cli_fsck_file_t *f);
static int cli_fsck_file_truncate(cli_fsck_volume_t *v, int fd, off_t size);
static void cli_fsck_file_index_path(const cli_fsck_file_t *f,
    char path[CAM_RECORD_PATH_MAX]);


int
cli_fsck_file_open(cli_fsck_volume_t *v, cli_fsck_file_t *f)
{
    char  path[CAM_RECORD_PATH_MAX];

    f->damage[0] = '\0';
    f->entries = 0;
    cli_fsck_file_index_path(f, path);

    f->media_fd = cli_fsck_file_openat(v, f->path, &f->media_size);
    f->index_fd = cli_fsck_file_openat(v, path, &f->index_size);

    if (f->media_fd == -1) {
        snprintf(f->damage, sizeof(f->damage), "it cannot be opened (%s)",
                 strerror(errno));
        return -1;
    }

    if (f->index_fd == -1) {
        snprintf(f->damage, sizeof(f->damage), "it has no index");
        return -1;
    }

    return cli_fsck_file_look(v, f);
}


int
cli_fsck_file_look(cli_fsck_volume_t *v, cli_fsck_file_t *f)
{
    if (cli_fsck_file_head(v, f) == -1) {
        return -1;
    }

    if (!v->fsck->deep && cli_fsck_file_as_stated(f)) {
        return 0;
    }

    cli_fsck_file_tiles(f);

    if (v->fsck->deep || f->row == NULL
        || strcmp(f->row->state, "recording") == 0)
    {
        cli_fsck_file_contents(v, f);
    }

    /* nothing is cut before it is known what is damaged */

    return f->entries ? 0 : cli_fsck_file_cut(v, f);
}


void
cli_fsck_file_close(cli_fsck_file_t *f)
{
    if (f->media_fd != -1) {
        close(f->media_fd);
    }

    if (f->index_fd != -1) {
        close(f->index_fd);
    }
}


static int
cli_fsck_file_openat(cli_fsck_volume_t *v, const char *path, off_t *size)
{
    int          fd;
    struct stat  st;

    fd = openat(v->fd, path, (v->fsck->dry_run ? O_RDONLY : O_RDWR)
                             |O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

    if (fd == -1) {
        return -1;
    }

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        close(fd);
        errno = EINVAL;
        return -1;
    }

    *size = st.st_size;

    return fd;
}


static int
cli_fsck_file_head(cli_fsck_volume_t *v, cli_fsck_file_t *f)
{
    if (cam_record_head_read(f->index_fd, &f->head) == -1) {
        snprintf(f->damage, sizeof(f->damage), "its index is damaged");
        return -1;
    }

    if (memcmp(f->head.camera, f->camera, CAM_UUID_LEN) != 0
        || f->head.start_msec != f->start_msec)
    {
        snprintf(f->damage, sizeof(f->damage), "its index is that of another "
                 "recording");
        return -1;
    }

    if (f->media_size < f->head.init_size) {
        snprintf(f->damage, sizeof(f->damage), "it ends before its first "
                 "frame");
        return -1;
    }

    cam_uuid_print(f->id, f->head.recording);

    return 0;
}


/* the row has been written after the files: when all three agree, they are
   whole */

static int
cli_fsck_file_as_stated(cli_fsck_file_t *f)
{
    cam_record_fragment_t  last;

    if (f->row == NULL || strcmp(f->row->state, "complete") != 0
        || f->row->bytes != f->media_size || f->row->fragments == 0
        || CAM_RECORD_HEAD_SIZE + f->row->fragments * CAM_RECORD_FRAGMENT_SIZE
           != f->index_size
        || cam_record_fragments(f->index_fd,
                                (uint32_t) f->row->fragments - 1, &last, 1)
           != 1)
    {
        return 0;
    }

    cli_fsck_file_measure(f, (uint32_t) f->row->fragments, &last);
    f->usec = f->row->usec;

    return f->bytes == f->media_size;
}


/*
 * Takes the measure of all that is whole.  Behind a torn tail nothing is: when
 * something is behind a bad entry, it is no tail.
 */

static void
cli_fsck_file_tiles(cli_fsck_file_t *f)
{
    ssize_t                i, n;
    uint32_t               count, whole;
    cam_record_fragment_t  list[CLI_FSCK_BATCH];

    cli_fsck_file_measure(f, 0, NULL);
    f->usec = 0;

    do {
        n = cam_record_fragments(f->index_fd, f->fragments, list,
                                 CLI_FSCK_BATCH);

        for (i = 0; i < n; i++) {
            if ((int64_t) list[i].offset != f->bytes
                || cli_fsck_file_end(&list[i]) > f->media_size)
            {
                break;
            }

            cli_fsck_file_measure(f, f->fragments + 1, &list[i]);
            f->usec += list[i].duration_usec;
        }

    } while (n == CLI_FSCK_BATCH && i == n);

    whole = f->fragments;

    for (count = cam_record_count(f->index_fd); count > whole; count--) {

        if (cam_record_fragments(f->index_fd, count - 1, list, 1) == 1
            && cli_fsck_file_end(&list[0]) <= f->media_size)
        {
            snprintf(f->damage, sizeof(f->damage), "entry %" PRIu32 " of its "
                     "index is damaged", whole);
            f->entries = 1;
            cli_fsck_file_measure(f, count, &list[0]);
            f->usec = list[0].time_usec + list[0].duration_usec;
            return;
        }
    }
}


/* by the last of so many fragments */

static void
cli_fsck_file_measure(cli_fsck_file_t *f, uint32_t fragments,
    const cam_record_fragment_t *last)
{
    f->fragments = fragments;
    f->bytes = f->head.init_size;
    f->end_msec = f->last_msec = f->start_msec;

    if (fragments) {
        f->bytes = cli_fsck_file_end(last);
        f->last_msec = last->wall_msec;
        f->end_msec = last->wall_msec + last->duration_usec / 1000;
    }
}


static int64_t
cli_fsck_file_end(const cam_record_fragment_t *fragment)
{
    return (int64_t) fragment->offset + fragment->size;
}


/* with --deep all that it contains, otherwise the end of one not closed */

static void
cli_fsck_file_contents(cli_fsck_volume_t *v, cli_fsck_file_t *f)
{
    int                    closed;
    int64_t                cut;
    uint32_t               n, bad, first, whole;
    cam_record_fragment_t  fragment, last;

    closed = f->row != NULL && strcmp(f->row->state, "recording") != 0;
    first = v->fsck->deep || f->fragments < CLI_FSCK_TAIL
            ? 0 : f->fragments - CLI_FSCK_TAIL;
    bad = f->fragments;
    whole = first;
    cut = 0;
    memset(&last, 0, sizeof(cam_record_fragment_t));

    for (n = first; n < f->fragments; n++) {

        fragment.duration_usec = 0;

        if (cam_record_fragments(f->index_fd, n, &fragment, 1) == 1
            && cli_fsck_file_good(v, f, &fragment))
        {
            last = fragment;
            whole = n + 1;
            cut = 0;
            continue;
        }

        bad = bad == f->fragments ? n : bad;
        cut += fragment.duration_usec;
    }

    if (bad == f->fragments) {
        return;
    }

    if (closed || bad < whole || whole == first) {

        if (f->damage[0] == '\0') {
            snprintf(f->damage, sizeof(f->damage), "fragment %" PRIu32
                     " is damaged", bad);
        }

        return;
    }

    cli_fsck_file_measure(f, whole, &last);
    f->usec -= cut;
}


static int
cli_fsck_file_good(cli_fsck_volume_t *v, cli_fsck_file_t *f,
    const cam_record_fragment_t *fragment)
{
    int              good;
    ssize_t          n;
    static size_t    cap;
    static uint8_t  *buffer;

    if (fragment->size > cap) {
        free(buffer);
        cap = fragment->size > CLI_FSCK_BUFFER ? fragment->size
                                               : CLI_FSCK_BUFFER;
        buffer = malloc(cap);

        if (buffer == NULL) {
            cap = 0;
            return 0;
        }
    }

    n = pread(f->media_fd, buffer, fragment->size, (off_t) fragment->offset);
    good = n == (ssize_t) fragment->size
           && cam_record_crc(buffer, fragment->size) == fragment->data_crc;

    if (v->fsck->deep) {
        cli_progress(&v->fsck->progress, fragment->size);
    }

    return good;
}


/* index first: whatever moment this ends at, no entry lacks its bytes */

static int
cli_fsck_file_cut(cli_fsck_volume_t *v, cli_fsck_file_t *f)
{
    int    rc;
    char   path[CAM_RECORD_PATH_MAX];
    off_t  size;

    cli_fsck_file_index_path(f, path);
    size = CAM_RECORD_HEAD_SIZE
           + (off_t) f->fragments * CAM_RECORD_FRAGMENT_SIZE;
    rc = 0;

    if (f->index_size > size
        && cli_fsck_found(v, "index_torn", path, "its last %jd bytes are no "
                          "entries, or of media that never came",
                          (intmax_t) (f->index_size - size)))
    {
        rc = cli_fsck_file_truncate(v, f->index_fd, size);
    }

    if (rc == 0 && f->media_size > f->bytes
        && cli_fsck_found(v, "media_torn", f->path, "its last %jd bytes are "
                          "not in the index",
                          (intmax_t) (f->media_size - f->bytes)))
    {
        rc = cli_fsck_file_truncate(v, f->media_fd, f->bytes);
    }

    return rc == 0 ? 0 : cli_fail(v->fsck->cli, CLI_INSTANCE, NULL,
                                  "the torn end of \"%s\" was not cut (%s)",
                                  f->path, strerror(errno));
}


static int
cli_fsck_file_truncate(cli_fsck_volume_t *v, int fd, off_t size)
{
    if (ftruncate(fd, size) == -1 || fsync(fd) == -1) {
        return -1;
    }

    return cli_fsck_repaired(v, 0);
}


static void
cli_fsck_file_index_path(const cli_fsck_file_t *f,
    char path[CAM_RECORD_PATH_MAX])
{
    cam_record_path(path, f->camera, f->start_msec, "idx");
}
