/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * An index that was lost or damaged, made anew [record_rebuild.h].  Of an
 * encrypted recording its key has to be known from elsewhere: from what is left
 * of the index, from its row, or from the line of the journal that it was begun
 * with.  With the keys of the installation one that was altered is told from a
 * good one, and is not used; without them it is believed, as the index was.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fsck.h"
#include "record_cipher.h"
#include "record_rebuild.h"

#define CLI_REBUILD_PLACES  3            /* where a key may be known */


static int cli_rebuild_head(cli_fsck_volume_t *v, cli_fsck_file_t *f,
    cam_record_head_t *head);
static int cli_rebuild_sealed(cli_fsck_volume_t *v, cli_fsck_file_t *f,
    cam_record_head_t *head);
static void cli_rebuild_row(const cli_fsck_row_t *row,
    cam_record_sealed_t *sealed);
static int cli_rebuild_failed(cli_fsck_file_t *f);
static int cli_rebuild_place(cli_fsck_volume_t *v, const cli_fsck_file_t *f,
    int fd);


int
cli_fsck_rebuild(cli_fsck_volume_t *v, cli_fsck_file_t *f)
{
    int                   rc;
    cam_record_rebuild_t  r;

    memset(&r, 0, sizeof(cam_record_rebuild_t));
    r.media_fd = f->media_fd;
    r.media_size = f->media_size;
    r.old_fd = f->index_fd;

    if (cli_rebuild_head(v, f, &r.head) == -1) {
        return -1;
    }

    r.index_fd = v->fsck->dry_run
                 ? memfd_create(CAM_RECORD_REBUILD_TEMP, MFD_CLOEXEC)
                 : openat(v->fd, CAM_RECORD_REBUILD_TEMP,
                          O_RDWR|O_CREAT|O_TRUNC|O_NOFOLLOW|O_CLOEXEC, 0640);

    rc = r.index_fd == -1 ? -1 : cam_record_rebuild(&r);

    if (rc == -1) {
        rc = cli_rebuild_failed(f);

    } else if (!v->fsck->dry_run) {
        rc = cli_rebuild_place(v, f, r.index_fd);
    }

    if (rc == -1) {
        if (r.index_fd != -1) {
            close(r.index_fd);
        }

        if (!v->fsck->dry_run) {
            (void) unlinkat(v->fd, CAM_RECORD_REBUILD_TEMP, 0);
        }

        return -1;
    }

    if (f->index_fd != -1) {
        close(f->index_fd);
    }

    f->index_fd = r.index_fd;
    f->index_size = CAM_RECORD_HEAD_SIZE
                    + (off_t) r.fragments * CAM_RECORD_FRAGMENT_SIZE;
    f->damage[0] = '\0';
    f->entries = 0;

    return 0;
}


static int
cli_rebuild_head(cli_fsck_volume_t *v, cli_fsck_file_t *f,
    cam_record_head_t *head)
{
    memcpy(head->volume, v->uuid, CAM_UUID_LEN);
    memcpy(head->camera, f->camera, CAM_UUID_LEN);
    head->start_msec = f->start_msec;

    if (cam_record_rebuild_sealed(f->media_fd)) {
        return cli_rebuild_sealed(v, f, head);
    }

    if (f->row != NULL) {
        return cam_uuid_parse(head->recording, f->row->id,
                              strlen(f->row->id));
    }

    return cam_record_id(head->recording, f->start_msec);
}


static int
cli_rebuild_sealed(cli_fsck_volume_t *v, cli_fsck_file_t *f,
    cam_record_head_t *head)
{
    cam_record_head_t         old;
    cam_record_sealed_t       place[CLI_REBUILD_PLACES];
    const cam_record_open_t  *open;

    memset(place, 0, sizeof(place));

    if (f->index_fd != -1 && cam_record_head_read(f->index_fd, &old) == 0
        && old.cipher && old.start_msec == f->start_msec
        && memcmp(old.camera, f->camera, CAM_UUID_LEN) == 0)
    {
        memcpy(place[0].recording, old.recording, CAM_UUID_LEN);
        memcpy(place[0].kid, old.kid, CAM_KID_MAX);
        memcpy(place[0].wrapped, old.wrapped, CAM_RECORD_WRAPPED);
    }

    if (f->row != NULL) {
        cli_rebuild_row(f->row, &place[1]);
    }

    open = cam_record_open_sealed(&v->opens, f->path);

    if (open != NULL) {
        memcpy(place[2].recording, open->recording, CAM_UUID_LEN);
        memcpy(place[2].kid, open->kid, CAM_KID_MAX);
        memcpy(place[2].wrapped, open->wrapped, CAM_RECORD_WRAPPED);
    }

    if (cam_record_rebuild_key(head, v->fsck->keys, place,
                               CLI_REBUILD_PLACES)
        == 0)
    {
        return 0;
    }

    snprintf(f->damage, sizeof(f->damage), errno == EBADMSG
             ? "its index is lost, and the key that is known of it is refused: "
               "altered, or of another recording"
             : "its index is lost, and neither its row nor the journal has its "
               "key");

    return -1;
}


static void
cli_rebuild_row(const cli_fsck_row_t *row, cam_record_sealed_t *sealed)
{
    if (cam_uuid_parse(sealed->recording, row->id, strlen(row->id)) == 0) {
        (void) cam_record_cipher_parse(sealed->kid, sealed->wrapped,
                                       row->wrapped_kid, row->wrapped_key);
    }
}


static int
cli_rebuild_failed(cli_fsck_file_t *f)
{
    if (errno == ENOMSG) {
        snprintf(f->damage, sizeof(f->damage), "its index is lost, and what it "
                 "said of each fragment: an older release recorded it");
    }

    return -1;
}


/* it takes the place of the other one when it is whole */

static int
cli_rebuild_place(cli_fsck_volume_t *v, const cli_fsck_file_t *f, int fd)
{
    char  path[CAM_RECORD_PATH_MAX];

    cam_record_path(path, f->camera, f->start_msec, "idx");
    cli_fsck_give(v, fd);

    if (fsync(fd) == -1
        || renameat(v->fd, CAM_RECORD_REBUILD_TEMP, v->fd, path) == -1)
    {
        return -1;
    }

    return syncfs(v->fd);
}
