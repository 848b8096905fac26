/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera fsck: proves that rows and files of recordings agree, and repairs
 * what does not; fsck.h says what that means.
 *
 * The lock of a volume is its recorder's.  While one works there, closed files
 * alone are looked at; otherwise fsck holds the lock itself, and a recorder
 * that starts waits for it.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "fsck.h"

#define CLI_FSCK_FINDINGS  1000          /* that are named */


static void cli_fsck_keys(cli_fsck_t *fsck);
static int cli_fsck_volumes(cli_fsck_t *fsck, json_t *list);
static int cli_fsck_known_volumes(cli_fsck_t *fsck, json_t *list);
static int cli_fsck_volume(cli_fsck_t *fsck, const char *path, json_t *list);
static int cli_fsck_volume_open(cli_fsck_volume_t *v);
static int cli_fsck_volume_lock(cli_fsck_volume_t *v);
static int cli_fsck_volume_check(cli_fsck_volume_t *v);
static int cli_fsck_cameras(cli_fsck_volume_t *v, json_t *cameras);
static void cli_fsck_volume_close(cli_fsck_volume_t *v);
static json_t *cli_fsck_json(cli_fsck_t *fsck, json_t *volumes);
static void cli_fsck_print(json_t *value);


int
cli_cmd_fsck(cli_t *cli)
{
    int          rc;
    json_t      *volumes, *value;
    cli_fsck_t   fsck;

    memset(&fsck, 0, sizeof(cli_fsck_t));
    fsck.cli = cli;
    fsck.dry_run = cli->opt.dry_run;
    fsck.deep = cli->opt.deep;

    cli_progress_start(&fsck.progress, fsck.deep ? "bytes" : "files");

    /* without the database there is nothing that files could agree with */

    rc = cli_db_connect(cli);

    if (rc != 0) {
        return rc;
    }

    fsck.findings = json_array();
    volumes = json_array();

    cli_fsck_keys(&fsck);
    rc = cli_fsck_volumes(&fsck, volumes);

    cli_progress_end(&fsck.progress);
    value = cli_fsck_json(&fsck, volumes);

    if (rc != 0) {
        /* what stopped it was said, with --json as its only answer */

        if (!cli->opt.json) {
            cli_fsck_print(value);
        }

        json_decref(value);
        return rc;
    }

    return cli_answer(cli, fsck.found ? CLI_NO : CLI_OK, value,
                      cli_fsck_print);
}


/* files are checked without any; who has them knows whose key a key is */

static void
cli_fsck_keys(cli_fsck_t *fsck)
{
    char    err[256];
    cli_t  *cli;

    cli = fsck->cli;

    if (cli->env.keys != NULL
        && cam_keys_load(&cli->keys, cli->env.keys, err, sizeof(err)) == 0)
    {
        fsck->keys = &cli->keys;
    }
}


/* that of --volume, those of the instance, or those that reported themselves */

static int
cli_fsck_volumes(cli_fsck_t *fsck, json_t *list)
{
    int    rc;
    char  *paths, *path, *rest;

    if (fsck->cli->opt.volume) {
        return cli_fsck_volume(fsck, fsck->cli->opt.volume, list);
    }

    if (fsck->cli->env.record == NULL) {
        return cli_fsck_known_volumes(fsck, list);
    }

    paths = strdup(fsck->cli->env.record);
    rc = 0;

    for (path = strtok_r(paths, ":", &rest); path && rc == 0;
         path = strtok_r(NULL, ":", &rest))
    {
        rc = cli_fsck_volume(fsck, path, list);
    }

    free(paths);

    return rc;
}


static int
cli_fsck_known_volumes(cli_fsck_t *fsck, json_t *list)
{
    int          i, rc;
    char         host[256];
    PGresult    *result;
    const char  *values[] = { host };

    memset(host, 0, sizeof(host));
    (void) gethostname(host, sizeof(host) - 1);

    result = cli_db_query(fsck->cli, &rc, "SELECT path FROM volumes"
                          " WHERE node = $1 AND path <> '' ORDER BY path", 1,
                          values);

    if (result == NULL) {
        return rc;
    }

    for (i = 0, rc = 0; i < PQntuples(result) && rc == 0; i++) {
        rc = cli_fsck_volume(fsck, PQgetvalue(result, i, 0), list);
    }

    PQclear(result);

    return rc;
}


static int
cli_fsck_volume(cli_fsck_t *fsck, const char *path, json_t *list)
{
    int                rc;
    cli_fsck_volume_t  v;

    memset(&v, 0, sizeof(cli_fsck_volume_t));
    v.fsck = fsck;
    v.path = path;
    v.fd = v.lock_fd = -1;
    v.garbage = json_object();
    v.pending = json_object();
    v.start_msec = cam_clock_wall_msec();

    rc = cli_fsck_volume_open(&v);

    if (rc == 0) {
        json_array_append_new(list,
            json_pack("{s:s, s:s, s:b}", "path", path, "id", v.uuid_text,
                      "recorder", v.busy));
        rc = cli_fsck_volume_check(&v);
    }

    cli_fsck_volume_close(&v);

    return rc;
}


static int
cli_fsck_volume_open(cli_fsck_volume_t *v)
{
    v->fd = open(v->path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (v->fd == -1) {
        return cli_fail(v->fsck->cli, CLI_INSTANCE, NULL,
                        "\"%s\" cannot be opened (%s)", v->path,
                        strerror(errno));
    }

    if (cam_record_volume_read(v->fd, v->uuid) != 0) {
        return cli_fail(v->fsck->cli, CLI_INSTANCE,
                        "is its disk mounted?  A new one is made by \"camera "
                        "volume init DIR\"",
                        "\"%s\" is no volume: its file \"volume\" %s", v->path,
                        errno == ENOENT ? "is missing" : "cannot be read");
    }

    cam_uuid_print(v->uuid_text, v->uuid);

    return cli_fsck_volume_lock(v);
}


static int
cli_fsck_volume_lock(cli_fsck_volume_t *v)
{
    v->lock_fd = openat(v->fd, "lock",
                        (v->fsck->dry_run ? O_RDONLY : O_RDWR|O_CREAT)
                        |O_NOFOLLOW|O_CLOEXEC, 0640);

    if (v->lock_fd == -1) {

        /* nobody has ever recorded there, and nobody is to know of a look */

        if (errno == ENOENT && v->fsck->dry_run) {
            return 0;
        }

        return cli_fail(v->fsck->cli, CLI_INSTANCE, NULL,
                        "\"%s/lock\" cannot be opened (%s)", v->path,
                        strerror(errno));
    }

    if (!v->fsck->dry_run) {
        cli_fsck_give(v, v->lock_fd);
    }

    v->busy = flock(v->lock_fd, LOCK_EX|LOCK_NB) == -1;

    return 0;
}


void
cli_fsck_give(cli_fsck_volume_t *v, int fd)
{
    struct stat  st;

    if (geteuid() == 0 && fstat(v->fd, &st) == 0
        && fchown(fd, st.st_uid, st.st_gid) == -1)
    {
        fprintf(stderr, "camera: a file in \"%s\" stays root's (%s)\n",
                v->path, strerror(errno));
    }
}


static int
cli_fsck_volume_check(cli_fsck_volume_t *v)
{
    int      rc;
    json_t  *cameras;

    cameras = json_object();

    rc = cli_fsck_volume_row(v);

    if (rc == 0) {
        rc = cli_fsck_garbage_load(v);
    }

    if (rc == 0) {
        rc = cli_fsck_journal(v);
    }

    if (rc == 0) {
        rc = cli_fsck_walk(v, cameras);
    }

    if (rc == 0) {
        rc = cli_fsck_cameras(v, cameras);
    }

    if (rc == 0) {
        rc = cli_fsck_exports(v);
    }

    json_decref(cameras);

    return rc;
}


/* those of the disk, and those of rows */

static int
cli_fsck_cameras(cli_fsck_volume_t *v, json_t *cameras)
{
    int               rc;
    json_t           *value;
    const char       *camera;
    cli_fsck_range_t  range;

    rc = cli_fsck_row_ranges(v, cameras);

    if (rc != 0) {
        return rc;
    }

    json_object_foreach(cameras, camera, value) {
        range.from_msec = json_integer_value(json_array_get(value, 0));
        range.to_msec = json_integer_value(json_array_get(value, 1));

        rc = cli_fsck_camera(v, camera, range);

        if (rc != 0) {
            break;
        }
    }

    return rc;
}


static void
cli_fsck_volume_close(cli_fsck_volume_t *v)
{
    if (v->fd != -1) {
        close(v->fd);
    }

    if (v->lock_fd != -1) {
        close(v->lock_fd);
    }

    json_decref(v->garbage);
    json_decref(v->pending);
    cam_record_open_free(&v->opens);
}


int
cli_fsck_found(cli_fsck_volume_t *v, const char *kind, const char *path,
    const char *fmt, ...)
{
    char         text[256];
    va_list      args;
    cli_fsck_t  *fsck;

    fsck = v->fsck;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    if (fsck->found++ < CLI_FSCK_FINDINGS) {
        json_array_append_new(fsck->findings,
            json_pack("{s:s, s:s, s:s, s:s}", "kind", kind, "volume",
                      v->path, "path", path, "text", text));
    }

    return !fsck->dry_run;
}


int
cli_fsck_repaired(cli_fsck_volume_t *v, int rc)
{
    v->fsck->repaired += rc == 0;

    return rc;
}


static json_t *
cli_fsck_json(cli_fsck_t *fsck, json_t *volumes)
{
    return json_pack("{s:o, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
                     "volumes", volumes, "dryRun", fsck->dry_run,
                     "deep", fsck->deep, "files", fsck->files,
                     "rows", fsck->rows, "pending", fsck->pending,
                     "damaged", fsck->damaged, "found", fsck->found,
                     "repaired", fsck->repaired, "findings", fsck->findings);
}


static void
cli_fsck_print(json_t *value)
{
    size_t      i;
    json_t     *item;
    json_int_t  found;

    json_array_foreach(json_object_get(value, "findings"), i, item) {
        printf("%-12s  %s/%s: %s\n", cli_string(item, "kind"),
               cli_string(item, "volume"), cli_string(item, "path"),
               cli_string(item, "text"));
    }

    found = json_integer_value(json_object_get(value, "found"));

    if (found > CLI_FSCK_FINDINGS) {
        printf("... and %lld more\n", (long long) found - CLI_FSCK_FINDINGS);
    }

    json_array_foreach(json_object_get(value, "volumes"), i, item) {
        if (json_is_true(json_object_get(item, "recorder"))) {
            printf("a recorder works on %s: what it has open was left alone\n",
                   cli_string(item, "path"));
        }
    }

    printf("%lld files, %lld rows: %lld found, %lld repaired",
           (long long) json_integer_value(json_object_get(value, "files")),
           (long long) json_integer_value(json_object_get(value, "rows")),
           (long long) found,
           (long long) json_integer_value(json_object_get(value, "repaired")));

    if (json_integer_value(json_object_get(value, "damaged"))) {
        printf(", %lld damaged as known", (long long)
               json_integer_value(json_object_get(value, "damaged")));
    }

    if (json_integer_value(json_object_get(value, "pending"))) {
        printf(", %lld in the journal", (long long)
               json_integer_value(json_object_get(value, "pending")));
    }

    printf("\n");
}
