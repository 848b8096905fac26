/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One camera on one volume: its files and its rows, both by time, side by
 * side.  While a recorder works on the volume, the newest file of the camera
 * may be open, and is left alone; otherwise it may be recorded on later, as
 * long as it is young, and its row stays open.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fsck.h"

#define CLI_FSCK_WALL_END  INT64_C(253402300800000)     /* year 10000 */
#define CLI_FSCK_FRESH     30            /* s; a recorder syncs, then tells */


static int cli_fsck_both(cli_fsck_volume_t *v, const char *camera,
    const cam_record_name_t *names, size_t n, const cli_fsck_row_t *rows,
    size_t nrows);
static int cli_fsck_name(cli_fsck_volume_t *v, const char *camera,
    const cam_record_name_t *name, const cli_fsck_row_t *row, int newest);
static int cli_fsck_index(cli_fsck_volume_t *v, cli_fsck_file_t *f, int rc);
static int cli_fsck_leave(cli_fsck_volume_t *v, const cli_fsck_file_t *f,
    int newest);
static int cli_fsck_fresh(const cli_fsck_volume_t *v,
    const cli_fsck_file_t *f);
static int cli_fsck_remains(cli_fsck_volume_t *v, const char *camera,
    const cli_fsck_file_t *f);
static int cli_fsck_unreadable(cli_fsck_volume_t *v, const cli_fsck_file_t *f);
static int cli_fsck_compare(cli_fsck_volume_t *v, cli_fsck_file_t *f);
static int cli_fsck_orphan(cli_fsck_volume_t *v, const cli_fsck_file_t *f);
static int cli_fsck_measured(cli_fsck_volume_t *v, const cli_fsck_file_t *f);
static int cli_fsck_hold(cli_fsck_volume_t *v, const cli_fsck_file_t *f);
static int cli_fsck_hold_make(cli_fsck_volume_t *v, const char *path);
static int cli_fsck_missing(cli_fsck_volume_t *v, const char *camera,
    const cli_fsck_row_t *row);
static int cli_fsck_is_pending(const cli_fsck_volume_t *v, const char *id);
static int cli_fsck_garbage(cli_fsck_volume_t *v, const char *path,
    const char *why);


int
cli_fsck_camera(cli_fsck_volume_t *v, const char *camera)
{
    int                 rc;
    size_t              n, nrows;
    uint8_t             id[CAM_UUID_LEN];
    cli_fsck_row_t     *rows;
    cam_record_name_t  *names;

    rows = NULL;
    names = NULL;
    n = nrows = 0;

    if (cam_uuid_parse(id, camera, strlen(camera)) != 0) {
        return 0;
    }

    /* rows last: each file that was made before has one by then */

    if (cam_record_list(v->fd, id, 0, CLI_FSCK_WALL_END, &names, &n) != 0) {
        return cli_fail(v->fsck->cli, CLI_INSTANCE, NULL,
                        "\"%s/media/%s\" cannot be read (%s)", v->path, camera,
                        strerror(errno));
    }

    rc = cli_fsck_rows(v, camera, &rows, &nrows);

    if (rc == 0) {
        rc = cli_fsck_both(v, camera, names, n, rows, nrows);
    }

    free(names);
    free(rows);

    return rc;
}


static int
cli_fsck_both(cli_fsck_volume_t *v, const char *camera,
    const cam_record_name_t *names, size_t n, const cli_fsck_row_t *rows,
    size_t nrows)
{
    int                    rc;
    size_t                 i, r;
    const cli_fsck_row_t  *row;

    rc = 0;

    for (i = r = 0; rc == 0 && (i < n || r < nrows); /* void */ ) {

        if (i == n
            || (r < nrows && rows[r].start_msec < names[i].start_msec))
        {
            rc = cli_fsck_missing(v, camera, &rows[r++]);
            v->fsck->rows++;
            continue;
        }

        row = r < nrows && rows[r].start_msec == names[i].start_msec
              ? &rows[r++] : NULL;
        v->fsck->rows += row != NULL;

        rc = cli_fsck_name(v, camera, &names[i], row, i + 1 == n);
        i++;
    }

    return rc;
}


static int
cli_fsck_name(cli_fsck_volume_t *v, const char *camera,
    const cam_record_name_t *name, const cli_fsck_row_t *row, int newest)
{
    int              rc;
    cli_fsck_file_t  f;

    memset(&f, 0, sizeof(cli_fsck_file_t));
    f.media_fd = f.index_fd = -1;
    f.start_msec = name->start_msec;
    f.has = name->has;
    f.row = row;

    (void) cam_uuid_parse(f.camera, camera, strlen(camera));
    cam_uuid_print(f.camera_text, f.camera);
    cam_record_path(f.path, f.camera, f.start_msec, "mp4");

    if (!(f.has & CAM_RECORD_HAS_MEDIA)) {
        return cli_fsck_remains(v, camera, &f);
    }

    v->fsck->files++;

    if (!v->fsck->deep) {
        cli_progress(&v->fsck->progress, 1);
    }

    if (cli_fsck_leave(v, &f, newest)) {
        return 0;
    }

    f.open = newest && v->start_msec - f.start_msec < CAM_RECORD_DAY_MSEC;

    rc = cli_fsck_file_open(v, &f);

    if ((rc == -1 || f.entries) && f.media_fd != -1) {
        rc = cli_fsck_index(v, &f, rc);
    }

    if (rc == -1) {
        rc = cli_fsck_unreadable(v, &f);

    } else if (rc == 0) {
        rc = cli_fsck_compare(v, &f);
    }

    cli_fsck_file_close(&f);

    return rc;
}


/* an index that is lost or damaged is made anew where its media is whole */

static int
cli_fsck_index(cli_fsck_volume_t *v, cli_fsck_file_t *f, int rc)
{
    char  path[CAM_RECORD_PATH_MAX], damage[sizeof(f->damage)];

    strcpy(damage, f->damage);
    cam_record_path(path, f->camera, f->start_msec, "idx");

    if (cli_fsck_rebuild(v, f) == -1) {
        return rc;
    }

    if (cli_fsck_found(v, "index_lost", path, "%s", damage)) {
        (void) cli_fsck_repaired(v, 0);
    }

    return cli_fsck_file_look(v, f);
}


static int
cli_fsck_leave(cli_fsck_volume_t *v, const cli_fsck_file_t *f, int newest)
{
    if (f->row != NULL && strcmp(f->row->state, "deleting") == 0
        && !(f->has & CAM_RECORD_HAS_HOLD))
    {
        return 1;
    }

    if (json_object_get(v->garbage, f->path) != NULL) {
        return 1;
    }

    return v->busy && (newest || f->start_msec >= v->start_msec
                       || cli_fsck_fresh(v, f));
}


/* one that was written to just now: its end may not have been told yet */

static int
cli_fsck_fresh(const cli_fsck_volume_t *v, const cli_fsck_file_t *f)
{
    struct stat  st;

    if (f->row != NULL && strcmp(f->row->state, "recording") != 0) {
        return 0;
    }

    return fstatat(v->fd, f->path, &st, AT_SYMLINK_NOFOLLOW) == 0
           && time(NULL) - st.st_mtime < CLI_FSCK_FRESH;
}


/* an index or the mark of a hold, and no media */

static int
cli_fsck_remains(cli_fsck_volume_t *v, const char *camera,
    const cli_fsck_file_t *f)
{
    int   rc;
    char  path[CAM_RECORD_PATH_MAX];

    rc = f->row != NULL ? cli_fsck_missing(v, camera, f->row) : 0;

    if (rc != 0 || !(f->has & CAM_RECORD_HAS_INDEX)
        || (f->row != NULL && (strcmp(f->row->state, "deleting") == 0
                               || cli_fsck_is_pending(v, f->row->id)))
        || (v->busy && f->start_msec >= v->start_msec))
    {
        return rc;
    }

    cam_record_path(path, f->camera, f->start_msec, "idx");

    return cli_fsck_garbage(v, path, "an index without its media");
}


static int
cli_fsck_unreadable(cli_fsck_volume_t *v, const cli_fsck_file_t *f)
{
    /* it was removed meanwhile */

    if (f->media_fd == -1 && faccessat(v->fd, f->path, F_OK, 0) == -1
        && errno == ENOENT)
    {
        return 0;
    }

    if (f->row == NULL) {
        return cli_fsck_garbage(v, f->path, f->damage);
    }

    if (strcmp(f->row->state, "damaged") == 0) {
        v->fsck->damaged++;
        return cli_fsck_hold(v, f);
    }

    if (cli_fsck_found(v, "unreadable", f->path, "%s", f->damage)) {
        return cli_fsck_repaired(v, cli_fsck_row_measure(v, f, "damaged"));
    }

    return 0;
}


static int
cli_fsck_compare(cli_fsck_volume_t *v, cli_fsck_file_t *f)
{
    int  rc;

    /* a row of another recording at the same time: that one has no file */

    if (f->row != NULL && strcmp(f->row->id, f->id) != 0) {
        rc = cli_fsck_missing(v, f->camera_text, f->row);
        f->row = NULL;

        if (rc != 0) {
            return rc;
        }
    }

    if (f->row == NULL) {
        return cli_fsck_orphan(v, f);
    }

    rc = cli_fsck_measured(v, f);

    return rc == 0 ? cli_fsck_hold(v, f) : rc;
}


static int
cli_fsck_orphan(cli_fsck_volume_t *v, const cli_fsck_file_t *f)
{
    int  rc;

    if (cli_fsck_is_pending(v, f->id)) {
        v->fsck->pending++;
        return 0;
    }

    if (f->fragments == 0) {
        return f->open ? 0 : cli_fsck_garbage(v, f->path, "nothing was "
                                              "recorded into it");
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
cli_fsck_measured(cli_fsck_volume_t *v, const cli_fsck_file_t *f)
{
    const char            *state;
    const cli_fsck_row_t  *row;

    row = f->row;
    state = f->damage[0] ? "damaged" : "complete";

    if (cli_fsck_is_pending(v, row->id)) {
        v->fsck->pending++;
        return 0;
    }

    if (strcmp(row->state, "recording") == 0) {

        if (!f->open && !cli_fsck_found(v, "not_closed", f->path, "nobody "
                                        "records into it any more"))
        {
            return 0;
        }

        if (!f->open) {
            return cli_fsck_repaired(v, cli_fsck_row_measure(v, f, state));
        }

        if (row->bytes <= f->bytes) {
            return 0;
        }

        state = "recording";
    }

    if (f->damage[0] && strcmp(row->state, "damaged") == 0) {
        v->fsck->damaged++;
        return 0;
    }

    if (f->damage[0] && strcmp(state, "damaged") == 0) {
        return cli_fsck_found(v, "damaged", f->path, "%s", f->damage)
               ? cli_fsck_repaired(v, cli_fsck_row_measure(v, f, state)) : 0;
    }

    /* "damaged" may be the word of its probe, which knows more */

    if (strcmp(row->state, "damaged") == 0) {
        state = "damaged";
    }

    /* a recorder ends one where the next begins, whatever was rounded */

    if (row->bytes == f->bytes && row->fragments == f->fragments
        && row->usec == f->usec && row->end_msec <= f->end_msec
        && row->end_msec >= f->last_msec)
    {
        return 0;
    }

    if (!cli_fsck_found(v, "size_differs", f->path, "the row says %" PRId64
                        " bytes in %" PRId64 " fragments, it has %" PRId64
                        " in %" PRIu32, row->bytes, row->fragments, f->bytes,
                        f->fragments))
    {
        return 0;
    }

    return cli_fsck_repaired(v, cli_fsck_row_measure(v, f, state));
}


/* when in doubt it is held */

static int
cli_fsck_hold(cli_fsck_volume_t *v, const cli_fsck_file_t *f)
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
           ? cli_fsck_repaired(v, cli_fsck_hold_make(v, path)) : 0;
}


static int
cli_fsck_hold_make(cli_fsck_volume_t *v, const char *path)
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

static int
cli_fsck_missing(cli_fsck_volume_t *v, const char *camera,
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

    if (cli_fsck_is_pending(v, row->id)) {
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
cli_fsck_is_pending(const cli_fsck_volume_t *v, const char *id)
{
    return json_object_get(v->pending, id) != NULL;
}


static int
cli_fsck_garbage(cli_fsck_volume_t *v, const char *path, const char *why)
{
    if (json_object_get(v->garbage, path) != NULL
        || !cli_fsck_found(v, "garbage", path, "%s", why))
    {
        return 0;
    }

    return cli_fsck_repaired(v, cli_fsck_garbage_add(v, path, why));
}
