/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * An index that was lost or damaged, made anew from its media: each fragment
 * says its time, its length and whether it begins with a key frame.  Entries
 * that are whole stay as they are; the wall clock of the others is counted on
 * from the nearest one before, else from the name.  What a fragment contains is
 * believed: there is nobody else to ask.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fsck.h"
#include "record_media.h"

#define CLI_REBUILD_INIT   (1u << 20)
#define CLI_REBUILD_MAX    (256u << 20)      /* bytes of a fragment */
#define CLI_REBUILD_TEMP   ".index"


typedef struct {
    cli_fsck_file_t       *f;
    int                    fd;            /* of the new index */
    int                    old;           /* of the damaged one, or -1 */
    uint8_t               *init;
    cam_record_tracks_t    tracks;
    uint8_t               *buf;
    size_t                 cap;
    uint32_t               n;
    off_t                  at;
    int64_t                shift_msec;    /* wall clock less time in the file */
    uint64_t               msn;
    uint16_t               part;
} cli_rebuild_t;


static int cli_rebuild_place(cli_fsck_volume_t *v, const cli_fsck_file_t *f,
    int fd);
static int cli_rebuild_init(cli_rebuild_t *r, cam_record_head_t *head);
static void cli_rebuild_codecs(const uint8_t *init, size_t size,
    const cam_record_tracks_t *tracks, cam_record_head_t *head);
static int cli_rebuild_fragments(cli_rebuild_t *r);
static ssize_t cli_rebuild_read(cli_rebuild_t *r, size_t *moof);
static int cli_rebuild_box(cli_rebuild_t *r, off_t at, const char *type,
    uint64_t *size);
static int cli_rebuild_entry(cli_rebuild_t *r, size_t size, size_t moof);


int
cli_fsck_rebuild(cli_fsck_volume_t *v, cli_fsck_file_t *f)
{
    int                rc;
    cli_rebuild_t      r;
    cam_record_head_t  head;

    memset(&r, 0, sizeof(cli_rebuild_t));
    memset(&head, 0, sizeof(cam_record_head_t));
    r.f = f;
    r.old = f->index_fd;
    r.shift_msec = f->start_msec;
    memcpy(head.volume, v->uuid, CAM_UUID_LEN);

    r.fd = v->fsck->dry_run
           ? memfd_create(CLI_REBUILD_TEMP, MFD_CLOEXEC)
           : openat(v->fd, CLI_REBUILD_TEMP,
                    O_RDWR|O_CREAT|O_TRUNC|O_NOFOLLOW|O_CLOEXEC, 0640);

    rc = r.fd == -1 || cli_rebuild_init(&r, &head) == -1
         || cam_record_head_write(r.fd, &head) == -1
         || cli_rebuild_fragments(&r) == -1 || r.n == 0 ? -1 : 0;

    free(r.init);
    free(r.buf);

    if (rc == 0 && !v->fsck->dry_run) {
        rc = cli_rebuild_place(v, f, r.fd);
    }

    if (rc == -1) {
        if (r.fd != -1) {
            close(r.fd);
        }

        if (!v->fsck->dry_run) {
            (void) unlinkat(v->fd, CLI_REBUILD_TEMP, 0);
        }

        return -1;
    }

    if (f->index_fd != -1) {
        close(f->index_fd);
    }

    f->index_fd = r.fd;
    f->index_size = CAM_RECORD_HEAD_SIZE
                    + (off_t) r.n * CAM_RECORD_FRAGMENT_SIZE;
    f->damage[0] = '\0';
    f->entries = 0;

    return 0;
}


/* it takes the place of the other one when it is whole */

static int
cli_rebuild_place(cli_fsck_volume_t *v, const cli_fsck_file_t *f, int fd)
{
    char  path[CAM_RECORD_PATH_MAX];

    cam_record_path(path, f->camera, f->start_msec, "idx");
    cli_fsck_give(v, fd);

    if (fsync(fd) == -1
        || renameat(v->fd, CLI_REBUILD_TEMP, v->fd, path) == -1)
    {
        return -1;
    }

    return syncfs(v->fd);
}


static int
cli_rebuild_init(cli_rebuild_t *r, cam_record_head_t *head)
{
    off_t     size;
    uint64_t  box;

    /* whatever stands before the first fragment */

    for (size = 0; cli_rebuild_box(r, size, NULL, &box) == 0; size += box) {

        if (cli_rebuild_box(r, size, "moof", &box) == 0) {
            break;
        }

        if (size + (off_t) box > CLI_REBUILD_INIT) {
            return -1;
        }
    }

    r->init = malloc((size_t) size + 1);

    if (size == 0 || r->init == NULL
        || pread(r->f->media_fd, r->init, (size_t) size, 0) != size
        || cam_record_tracks(r->init, (size_t) size, &r->tracks) != 0)
    {
        return -1;
    }

    r->at = size;
    memcpy(head->camera, r->f->camera, CAM_UUID_LEN);
    head->start_msec = r->f->start_msec;
    head->init_size = (uint32_t) size;
    head->segment_sec = 3600;
    cli_rebuild_codecs(r->init, (size_t) size, &r->tracks, head);

    if (r->f->row != NULL) {
        return cam_uuid_parse(head->recording, r->f->row->id,
                              strlen(r->f->row->id));
    }

    return cam_record_id(head->recording, r->f->start_msec);
}


/* as the packager wrote them into this very head */

static void
cli_rebuild_codecs(const uint8_t *init, size_t size,
    const cam_record_tracks_t *tracks, cam_record_head_t *head)
{
    int             i;
    size_t          n;
    const uint8_t  *p, *last;

    last = init + size;
    n = 0;

    p = memmem(init, size, "avcC", 4);

    if (p != NULL && last - p >= 8) {
        n = (size_t) snprintf(head->codecs, sizeof(head->codecs),
                              "avc1.%02x%02x%02x", p[5], p[6], p[7]);
    }

    /* of its sample entry, behind what is common to all of them */

    p = memmem(init, size, "avc1", 4);
    p = p != NULL && p < init + 32 ? memmem(p + 4, (size_t) (last - p) - 4,
                                            "avc1", 4) : p;

    if (p != NULL && last - p >= 32) {
        head->width = (uint16_t) (p[28] << 8 | p[29]);
        head->height = (uint16_t) (p[30] << 8 | p[31]);
    }

    for (i = 0; i < tracks->n; i++) {
        head->has_video |= tracks->track[i].video;
        head->has_audio |= !tracks->track[i].video;
    }

    if (head->has_audio) {
        snprintf(head->codecs + n, sizeof(head->codecs) - n, "%smp4a.40.2",
                 n ? "," : "");
    }
}


static int
cli_rebuild_fragments(cli_rebuild_t *r)
{
    size_t   moof;
    ssize_t  size;

    while ((size = cli_rebuild_read(r, &moof)) > 0) {

        if (cli_rebuild_entry(r, (size_t) size, moof) == -1) {
            return -1;
        }

        r->n++;
        r->at += size;
    }

    /* what is behind the last whole one is torn */

    return 0;
}


/* the next fragment, into buf; its size, 0: there is none that is whole */

static ssize_t
cli_rebuild_read(cli_rebuild_t *r, size_t *moof)
{
    size_t    size;
    uint8_t  *p;
    uint64_t  head, media;

    if (cli_rebuild_box(r, r->at, "moof", &head) == -1
        || cli_rebuild_box(r, r->at + (off_t) head, "mdat", &media) == -1
        || head + media > CLI_REBUILD_MAX
        || r->at + (off_t) (head + media) > r->f->media_size)
    {
        return 0;
    }

    size = head + media;

    if (size > r->cap) {
        p = realloc(r->buf, size);

        if (p == NULL) {
            return 0;
        }

        r->buf = p;
        r->cap = size;
    }

    *moof = head;

    return pread(r->f->media_fd, r->buf, size, r->at) == (ssize_t) size
           ? (ssize_t) size : 0;
}


/* of that type, or, with none, of any */

static int
cli_rebuild_box(cli_rebuild_t *r, off_t at, const char *type, uint64_t *size)
{
    char     found[5];
    uint8_t  head[8];

    return pread(r->f->media_fd, head, 8, at) == 8
           && cam_record_box(head, 8, found, size) == 0
           && (type == NULL || strcmp(found, type) == 0) ? 0 : -1;
}


static int
cli_rebuild_entry(cli_rebuild_t *r, size_t size, size_t moof)
{
    cam_record_moof_t      m;
    cam_record_fragment_t  f;

    if (r->old != -1 && cam_record_fragments(r->old, r->n, &f, 1) == 1
        && f.offset == (uint64_t) r->at && f.size == size)
    {
        r->shift_msec = f.wall_msec - f.time_usec / 1000;
        r->msn = f.msn;
        r->part = f.part;

        return cam_record_append(r->fd, r->n, &f, 1);
    }

    if (cam_record_moof(r->buf, moof, &r->tracks, &m) == -1) {
        return -1;
    }

    memset(&f, 0, sizeof(cam_record_fragment_t));

    r->part = m.key ? 0 : (uint16_t) (r->part + 1);
    r->msn += m.key != 0;

    f.offset = (uint64_t) r->at;
    f.size = (uint32_t) size;
    f.time_usec = m.time_usec;
    f.wall_msec = r->shift_msec + m.time_usec / 1000;
    f.duration_usec = (uint32_t) m.duration_usec;
    f.msn = r->msn;
    f.part = r->part;
    f.flags = (uint16_t) ((m.key ? CAM_RECORD_KEY : 0)
                          | (r->part == 0 ? CAM_RECORD_SEGMENT : 0));
    f.data_crc = cam_record_crc(r->buf, size);

    return cam_record_append(r->fd, r->n, &f, 1);
}
