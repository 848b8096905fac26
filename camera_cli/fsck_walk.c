/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A first walk over the names of a volume: how much there is to do, of which
 * cameras, and what lies among it that is none of ours.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dir.h"
#include "fsck.h"

#define CLI_FSCK_DEPTH  2               /* media/{camera}/{day}/{name} */
#define CLI_FSCK_PATH   1024


static int cli_fsck_walk_dir(cli_fsck_volume_t *v, char *path, int depth,
    json_t *cameras);
static int cli_fsck_walk_name(cli_fsck_volume_t *v, int dirfd, char *path,
    const char *name, int depth, json_t *cameras);
static int cli_fsck_walk_ours(const char *name, int depth);
static int cli_fsck_walk_file(cli_fsck_volume_t *v, int dirfd,
    const char *name);
static int cli_fsck_walk_stray(cli_fsck_volume_t *v, const char *path,
    const char *name);


int
cli_fsck_walk(cli_fsck_volume_t *v, json_t *cameras)
{
    char  path[CLI_FSCK_PATH] = "media";

    if (faccessat(v->fd, path, F_OK, 0) == -1 && errno == ENOENT) {
        return 0;
    }

    return cli_fsck_walk_dir(v, path, 0, cameras);
}


static int
cli_fsck_walk_dir(cli_fsck_volume_t *v, char *path, int depth,
    json_t *cameras)
{
    int             rc;
    DIR            *dir;
    struct dirent  *de;

    dir = cam_dir_open(v->fd, path);

    if (dir == NULL) {
        return errno == ENOENT ? 0
               : cli_fail(v->fsck->cli, CLI_INSTANCE, NULL,
                          "\"%s/%s\" cannot be read (%s)", v->path, path,
                          strerror(errno));
    }

    rc = 0;

    while (rc == 0 && (de = readdir(dir)) != NULL) {
        if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0) {
            rc = cli_fsck_walk_name(v, dirfd(dir), path, de->d_name, depth,
                                    cameras);
        }
    }

    closedir(dir);

    return rc;
}


static int
cli_fsck_walk_name(cli_fsck_volume_t *v, int dirfd, char *path,
    const char *name, int depth, json_t *cameras)
{
    int     rc;
    size_t  len;

    len = strlen(path);
    snprintf(path + len, CLI_FSCK_PATH - len, "/%s", name);

    if (!cli_fsck_walk_ours(name, depth)) {
        rc = cli_fsck_walk_stray(v, path, name);

    } else if (depth < CLI_FSCK_DEPTH) {

        if (depth == 0) {
            json_object_set_new(cameras, name, json_true());
        }

        rc = cli_fsck_walk_dir(v, path, depth + 1, cameras);

    } else {
        rc = cli_fsck_walk_file(v, dirfd, name);
    }

    path[len] = '\0';

    return rc;
}


static int
cli_fsck_walk_ours(const char *name, int depth)
{
    int64_t  msec;
    uint8_t  uuid[CAM_UUID_LEN];

    switch (depth) {

    case 0:
        return cam_uuid_parse(uuid, name, strlen(name)) == 0;

    case 1:
        return cam_record_day_parse(name, &msec) == 0;

    default:
        return cam_record_name_parse(name, &msec) != 0;
    }
}


static int
cli_fsck_walk_file(cli_fsck_volume_t *v, int dirfd, const char *name)
{
    int64_t      msec;
    struct stat  st;

    if (cam_record_name_parse(name, &msec) != CAM_RECORD_HAS_MEDIA) {
        return 0;
    }

    if (!v->fsck->deep) {
        v->fsck->progress.total++;

    } else if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        v->fsck->progress.total += (uint64_t) st.st_size;
    }

    return 0;
}


/* a recorder's own file of a moment has a dot before its name */

static int
cli_fsck_walk_stray(cli_fsck_volume_t *v, const char *path, const char *name)
{
    if ((v->busy && name[0] == '.')
        || json_object_get(v->garbage, path) != NULL)
    {
        return 0;
    }

    if (!cli_fsck_found(v, "garbage", path, "it is no recording")) {
        return 0;
    }

    return cli_fsck_repaired(v, cli_fsck_garbage_add(v, path,
                                                     "it is no recording"));
}
