/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One recording: what its files are held against its row, and what becomes of
 * what differs.  Of one that is open a recorder will say how long it is; fsck
 * does not end it, nor makes it longer.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "fsck.h"


static int cli_fsck_compare_orphan(cli_fsck_volume_t *v,
    const cli_fsck_file_t *f);
static int cli_fsck_compare_measured(cli_fsck_volume_t *v,
    const cli_fsck_file_t *f);
static int cli_fsck_compare_sizes(cli_fsck_volume_t *v,
    const cli_fsck_file_t *f, const char *state);
static int cli_fsck_compare_hold(cli_fsck_volume_t *v,
    const cli_fsck_file_t *f);
static int cli_fsck_compare_hold_make(cli_fsck_volume_t *v, const char *path);
static int cli_fsck_compare_pending(const cli_fsck_volume_t *v,
    const char *id);
static int cli_fsck_compare_garbage(cli_fsck_volume_t *v, const char *path,
    const char *why);


/* an index or the mark of a hold, and no media */

int
cli_fsck_compare_remains(cli_fsck_volume_t *v, const char *camera,
    const cli_fsck_file_t *f)
{
    int   rc;
    char  path[CAM_RECORD_PATH_MAX];

    rc = f->row != NULL ? cli_fsck_compare_missing(v, camera, f->row) : 0;

    if (rc != 0 || !(f->has & CAM_RECORD_HAS_INDEX)
        || (f->row != NULL && (strcmp(f->row->state, "deleting") == 0
                               || cli_fsck_compare_pending(v, f->row->id)))
        || (v->busy && f->start_msec >= v->start_msec))
    {
        return rc;
    }

    cam_record_path(path, f->camera, f->start_msec, "idx");

    return cli_fsck_compare_garbage(v, path, "an index without its media");
}


int
cli_fsck_compare_unreadable(cli_fsck_volume_t *v, const cli_fsck_file_t *f)
{
    /* it was removed meanwhile */

    if (f->media_fd == -1 && faccessat(v->fd, f->path, F_OK, 0) == -1
        && errno == ENOENT)
    {
        return 0;
    }

    if (f->row == NULL) {
        return cli_fsck_compare_garbage(v, f->path, f->damage);
    }

    if (strcmp(f->row->state, "damaged") == 0) {
        v->fsck->damaged++;
        return cli_fsck_compare_hold(v, f);
    }

    if (cli_fsck_found(v, "unreadable", f->path, "%s", f->damage)) {
        return cli_fsck_repaired(v, cli_fsck_row_measure(v, f, "damaged"));
    }

    return 0;
}


int
cli_fsck_compare(cli_fsck_volume_t *v, cli_fsck_file_t *f)
{
    int  rc;

    /* a row of another recording at the same time: that one has no file */

    if (f->row != NULL && strcmp(f->row->id, f->id) != 0) {
        rc = cli_fsck_compare_missing(v, f->camera_text, f->row);
        f->row = NULL;

        if (rc != 0) {
            return rc;
        }
    }

    if (f->row == NULL) {
        return cli_fsck_compare_orphan(v, f);
    }

    rc = cli_fsck_compare_measured(v, f);

    return rc == 0 ? cli_fsck_compare_hold(v, f) : rc;
}


static int
cli_fsck_compare_orphan(cli_fsck_volume_t *v, const cli_fsck_file_t *f)
{
    int  rc;

    if (f->open || cli_fsck_compare_pending(v, f->id)) {
        v->fsck->pending++;
        return 0;
    }

    if (f->fragments == 0) {
        return cli_fsck_compare_garbage(v, f->path,
                                        "nothing was recorded into it");
    }

    if (!cli_fsck_found(v, "row_missing", f->path, "the database does not know "
                        "it"))
    {
        return 0;
    }

    rc = cli_fsck_row_add(v, f);

    if (rc == -1) {
        rc = cli_fsck_garbage_add(v, f->path, "its camera is not known");
    }

    return cli_fsck_repaired(v, rc);
}


/* invariant 1 */

static int
cli_fsck_compare_measured(cli_fsck_volume_t *v, const cli_fsck_file_t *f)
{
    const char            *state;
    const cli_fsck_row_t  *row;

    row = f->row;
    state = f->damage[0] ? "damaged" : "complete";

    if (cli_fsck_compare_pending(v, row->id)) {
        v->fsck->pending++;
        return 0;
    }

    if (f->open) {
        return row->bytes <= f->bytes
               ? 0 : cli_fsck_compare_sizes(v, f, row->state);
    }

    if (strcmp(row->state, "recording") == 0) {
        return cli_fsck_found(v, "not_closed", f->path, "nobody records into "
                              "it any more")
               ? cli_fsck_repaired(v, cli_fsck_row_measure(v, f, state)) : 0;
    }

    if (f->damage[0] && strcmp(row->state, "damaged") == 0) {
        v->fsck->damaged++;
        return 0;
    }

    if (f->damage[0]) {
        return cli_fsck_found(v, "damaged", f->path, "%s", f->damage)
               ? cli_fsck_repaired(v, cli_fsck_row_measure(v, f, state)) : 0;
    }

    /* "damaged" may be the word of its probe, which knows more */

    return cli_fsck_compare_sizes(v, f, strcmp(row->state, "damaged") == 0
                                        ? "damaged" : "complete");
}


/* a recorder ends one where the next begins, whatever was rounded */

static int
cli_fsck_compare_sizes(cli_fsck_volume_t *v, const cli_fsck_file_t *f,
    const char *state)
{
    const cli_fsck_row_t  *row;

    row = f->row;

    if (row->bytes == f->bytes && row->fragments == f->fragments
        && row->usec == f->usec && row->end_msec <= f->end_msec
        && row->end_msec >= f->last_msec)
    {
        return 0;
    }

    return cli_fsck_found(v, "size_differs", f->path, "the row says %" PRId64
                          " bytes in %" PRId64 " fragments, it has %" PRId64
                          " in %" PRIu32, row->bytes, row->fragments, f->bytes,
                          f->fragments)
           ? cli_fsck_repaired(v, cli_fsck_row_measure(v, f, state)) : 0;
}


/* when in doubt it is held */

static int
cli_fsck_compare_hold(cli_fsck_volume_t *v, const cli_fsck_file_t *f)
{
    int   held;
    char  path[CAM_RECORD_PATH_MAX];

    held = !!(f->has & CAM_RECORD_HAS_HOLD);

    if (f->row->locked == held || f->row->task) {
        return 0;
    }

    cam_record_path(path, f->camera, f->start_msec, "hold");

    if (held) {
        return cli_fsck_found(v, "hold_unknown", path, "the row has no hold")
               ? cli_fsck_repaired(v, cli_fsck_row_lock(v, f->row)) : 0;
    }

    return cli_fsck_found(v, "hold_missing", path, "the row is on hold, its "
                          "file has no mark of it")
           ? cli_fsck_repaired(v, cli_fsck_compare_hold_make(v, path)) : 0;
}


static int
cli_fsck_compare_hold_make(cli_fsck_volume_t *v, const char *path)
{
    int  fd;

    fd = openat(v->fd, path, O_WRONLY|O_CREAT|O_NOFOLLOW|O_CLOEXEC, 0640);

    if (fd == -1) {
        return cli_fail(v->fsck->cli, CLI_INSTANCE, NULL,
                        "\"%s/%s\" was not made (%s)", v->path, path,
                        strerror(errno));
    }

    cli_fsck_give(v, fd);
    close(fd);
    (void) syncfs(v->fd);

    return 0;
}


/* a row and no file */

int
cli_fsck_compare_missing(cli_fsck_volume_t *v, const char *camera,
    const cli_fsck_row_t *row)
{
    int      rc, there;
    char     path[CAM_RECORD_PATH_MAX];
    uint8_t  id[CAM_UUID_LEN];

    if (strcmp(row->state, "deleting") == 0) {
        return 0;
    }

    /* what was on hold is not forgotten */

    if (row->locked && strcmp(row->state, "damaged") == 0) {
        v->fsck->damaged++;
        return 0;
    }

    if (cli_fsck_compare_pending(v, row->id)) {
        v->fsck->pending++;
        return 0;
    }

    if (v->busy) {
        there = cli_fsck_row_there(v, row, &rc);

        if (there != 1) {
            return there == -1 ? rc : 0;
        }
    }

    (void) cam_uuid_parse(id, camera, strlen(camera));
    cam_record_path(path, id, row->start_msec, "mp4");

    if (!cli_fsck_found(v, "file_missing", path, "there is no such file%s",
                        row->locked ? ", although it was on hold" : ""))
    {
        return 0;
    }

    return cli_fsck_repaired(v, cli_fsck_row_remove(v, camera, row));
}


static int
cli_fsck_compare_pending(const cli_fsck_volume_t *v, const char *id)
{
    return json_object_get(v->pending, id) != NULL;
}


static int
cli_fsck_compare_garbage(cli_fsck_volume_t *v, const char *path,
    const char *why)
{
    if (json_object_get(v->garbage, path) != NULL
        || !cli_fsck_found(v, "garbage", path, "%s", why))
    {
        return 0;
    }

    return cli_fsck_repaired(v, cli_fsck_garbage_add(v, path, why));
}
