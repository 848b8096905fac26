/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One camera on one volume: its files and its rows, both by time, side by side.
 * What is open is its recorder's [record_open.h]: while that works on the
 * volume it is left alone; otherwise it may be recorded on later, as long as it
 * is young, and its row stays open.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "fsck.h"

#define CLI_FSCK_WALL_END  INT64_C(253402300800000)     /* year 10000 */
#define CLI_FSCK_FRESH     30            /* s; a recorder syncs, then tells */


static void cli_fsck_reach(cli_fsck_range_t *range,
    const cam_record_name_t *names, size_t n);
static int cli_fsck_both(cli_fsck_volume_t *v, const char *camera,
    const cam_record_name_t *names, size_t n, const cli_fsck_row_t *rows,
    size_t nrows);
static int cli_fsck_name(cli_fsck_volume_t *v, const char *camera,
    const cam_record_name_t *name, const cli_fsck_row_t *row);
static int cli_fsck_index(cli_fsck_volume_t *v, cli_fsck_file_t *f, int rc);
static int cli_fsck_leave(cli_fsck_volume_t *v, const cli_fsck_file_t *f);
static int cli_fsck_fresh(const cli_fsck_volume_t *v,
    const cli_fsck_file_t *f);


int
cli_fsck_camera(cli_fsck_volume_t *v, const char *camera,
    cli_fsck_range_t range)
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

    cli_fsck_reach(&range, names, n);
    rc = cli_fsck_rows(v, camera, range, &rows, &nrows);

    if (rc == 0) {
        rc = cli_fsck_both(v, camera, names, n, rows, nrows);
    }

    free(names);
    free(rows);

    return rc;
}


/* as far as there are files, too */

static void
cli_fsck_reach(cli_fsck_range_t *range, const cam_record_name_t *names,
    size_t n)
{
    if (n == 0) {
        return;
    }

    if (range->to_msec == 0 || names[0].start_msec < range->from_msec) {
        range->from_msec = names[0].start_msec;
    }

    if (names[n - 1].start_msec > range->to_msec) {
        range->to_msec = names[n - 1].start_msec;
    }
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
            rc = cli_fsck_compare_missing(v, camera, &rows[r++]);
            v->fsck->rows++;
            continue;
        }

        row = r < nrows && rows[r].start_msec == names[i].start_msec
              ? &rows[r++] : NULL;
        v->fsck->rows += row != NULL;

        rc = cli_fsck_name(v, camera, &names[i++], row);
    }

    return rc;
}


static int
cli_fsck_name(cli_fsck_volume_t *v, const char *camera,
    const cam_record_name_t *name, const cli_fsck_row_t *row)
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
        return cli_fsck_compare_remains(v, camera, &f);
    }

    v->fsck->files++;

    if (!v->fsck->deep) {
        cli_progress(&v->fsck->progress, 1);
    }

    f.open = cam_record_open_find(&v->opens, f.path) != NULL
             && v->start_msec - f.start_msec < CAM_RECORD_DAY_MSEC;

    if (cli_fsck_leave(v, &f)) {
        return 0;
    }

    rc = cli_fsck_file_open(v, &f);

    if ((rc == -1 || f.entries) && f.media_fd != -1) {
        rc = cli_fsck_index(v, &f, rc);
    }

    if (rc == -1) {
        rc = cli_fsck_compare_unreadable(v, &f);

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
cli_fsck_leave(cli_fsck_volume_t *v, const cli_fsck_file_t *f)
{
    if (f->row != NULL && strcmp(f->row->state, "deleting") == 0
        && !(f->has & CAM_RECORD_HAS_HOLD))
    {
        return 1;
    }

    if (json_object_get(v->garbage, f->path) != NULL) {
        return 1;
    }

    return v->busy && (f->open || f->start_msec >= v->start_msec
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
