/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The index of a recording that was open is lost or damaged when its recorder
 * starts again: it is made anew from the media [record_rebuild.h], of an
 * encrypted recording with its key from what is left of the index, or from the
 * journal.  Where that is not possible the media stay as they are, for fsck,
 * which has the row to ask.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "record.h"
#include "record_rebuild.h"

#define CW_MEND_PLACES  2                /* where a key may be known */

/* until it is whole; fsck may be at work beside, and has another one */
#define CW_MEND_TEMP    CAM_RECORD_REBUILD_TEMP ".open"


static int cw_record_mend_index(cw_record_t *r,
    const cam_record_open_t *open, cam_record_rebuild_t *b, off_t size);
static int cw_record_mend_head(cw_record_t *r, const cam_record_open_t *open,
    cam_record_rebuild_t *b);


int
cw_record_mend(cw_record_t *r, const cam_record_open_t *open)
{
    int                   err, rc;
    char                  path[CAM_RECORD_PATH_MAX];
    struct stat           st;
    cam_record_rebuild_t  b;

    memset(&b, 0, sizeof(cam_record_rebuild_t));
    b.media_fd = openat(r->volume.fd, open->path,
                        O_RDONLY|O_NOFOLLOW|O_CLOEXEC);

    if (b.media_fd == -1) {
        return -1;
    }

    cam_record_path(path, open->camera, open->start_msec, "idx");

    b.old_fd = openat(r->volume.fd, path, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);
    b.index_fd = openat(r->volume.fd, CW_MEND_TEMP,
                        O_RDWR|O_CREAT|O_TRUNC|O_NOFOLLOW|O_CLOEXEC, 0640);

    rc = b.index_fd == -1 || fstat(b.media_fd, &st) == -1
         || cw_record_mend_index(r, open, &b, st.st_size) == -1
         || fsync(b.index_fd) == -1
         || renameat(r->volume.fd, CW_MEND_TEMP, r->volume.fd, path) == -1
         ? -1 : 0;
    err = errno;

    if (rc == -1 && b.index_fd != -1) {
        (void) unlinkat(r->volume.fd, CW_MEND_TEMP, 0);
    }

    if (b.index_fd != -1) {
        close(b.index_fd);
    }

    if (b.old_fd != -1) {
        close(b.old_fd);
    }

    close(b.media_fd);
    errno = err;

    return rc;
}


/* what has no more than a head, and that is none, has nothing to lose */

static int
cw_record_mend_index(cw_record_t *r, const cam_record_open_t *open,
    cam_record_rebuild_t *b, off_t size)
{
    b->media_size = size;

    if (cw_record_mend_head(r, open, b) == -1) {
        return -1;
    }

    if (cam_record_rebuild(b) == 0) {
        cw_log(CW_LOG_WARN, 0, "the index of \"%s\" was lost, and is made anew "
               "of %u fragments", open->path, b->fragments);
        return 0;
    }

    if (errno == EBADMSG && b->head.init_size == 0
        && size <= CW_RECORD_INIT_MAX)
    {
        errno = ENODATA;
    }

    return -1;
}


static int
cw_record_mend_head(cw_record_t *r, const cam_record_open_t *open,
    cam_record_rebuild_t *b)
{
    cam_record_head_t    *head, old;
    cam_record_sealed_t   place[CW_MEND_PLACES];

    head = &b->head;
    memcpy(head->camera, open->camera, CAM_UUID_LEN);
    memcpy(head->recording, open->recording, CAM_UUID_LEN);
    memcpy(head->volume, r->volume.uuid, CAM_UUID_LEN);
    head->start_msec = open->start_msec;
    head->segment_sec = r->worker->record_sec;

    if (!cam_record_rebuild_sealed(b->media_fd)) {
        return 0;
    }

    memset(place, 0, sizeof(place));

    if (b->old_fd != -1 && cam_record_head_read(b->old_fd, &old) == 0
        && old.cipher
        && memcmp(old.recording, open->recording, CAM_UUID_LEN) == 0)
    {
        memcpy(place[0].recording, old.recording, CAM_UUID_LEN);
        memcpy(place[0].kid, old.kid, CAM_KID_MAX);
        memcpy(place[0].wrapped, old.wrapped, CAM_RECORD_WRAPPED);
    }

    memcpy(place[1].recording, open->recording, CAM_UUID_LEN);
    memcpy(place[1].kid, open->kid, CAM_KID_MAX);
    memcpy(place[1].wrapped, open->wrapped, CAM_RECORD_WRAPPED);

    if (cam_record_rebuild_key(head, cw_record_keys(r), place, CW_MEND_PLACES)
        == 0)
    {
        return 0;
    }

    errno = errno == EBADMSG ? EKEYREJECTED : ENOKEY;

    return -1;
}
