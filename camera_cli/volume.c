/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera volume: directories for recordings.  A volume is known by the uuid in
 * its file "volume", so that a disk that is not mounted, or another one in its
 * place, is never taken for it.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "db.h"
#include "record_path.h"


static int cli_volume_init(cli_t *cli);
static int cli_volume_is_empty(int fd);
static void cli_volume_give(int dirfd);
static int cli_volume_list(cli_t *cli);
static void cli_volume_print_list(json_t *value);
static const char *cli_volume_here(const char *path, const char *id);
static int cli_volume_show(cli_t *cli);
static int cli_volume_answer(cli_t *cli, const char *path, int fd,
    const uint8_t uuid[CAM_UUID_LEN]);
static void cli_volume_print(json_t *value);
static void cli_volume_size(const char *label, json_t *bytes);


static const cli_verb_t  cli_volume_verbs[] = {
    { "init",  2, cli_volume_init },
    { "list",  1, cli_volume_list },
    { "show",  2, cli_volume_show },
    { NULL,    0, NULL }
};


int
cli_cmd_volume(cli_t *cli)
{
    return cli_run_verb(cli, cli_volume_verbs);
}


static int
cli_volume_init(cli_t *cli)
{
    int          fd, rc;
    uint8_t      uuid[CAM_UUID_LEN];
    const char  *path;

    path = cli->opt.words[1];

    if (mkdir(path, 0750) == -1 && errno != EEXIST) {
        return cli_fail(cli, CLI_REFUSED, NULL, "\"%s\" was not made (%s)",
                        path, strerror(errno));
    }

    fd = open(path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        return cli_fail(cli, CLI_REFUSED, NULL, "\"%s\" cannot be opened (%s)",
                        path, strerror(errno));
    }

    if (!cli_volume_is_empty(fd)) {
        close(fd);
        return cli_fail(cli, CLI_REFUSED, "name an empty directory; what "
                        "is a volume already stays one: camera volume show DIR",
                        "\"%s\" is not empty", path);
    }

    if (cam_record_volume_init(fd, uuid) != 0) {
        rc = cli_fail(cli, CLI_REFUSED, NULL, "\"%s/volume\" was not made (%s)",
                      path, strerror(errno));

    } else {
        cli_volume_give(fd);
        rc = cli_volume_answer(cli, path, fd, uuid);
    }

    close(fd);

    return rc;
}


static int
cli_volume_is_empty(int fd)
{
    int             n;
    DIR            *dir;
    struct dirent  *de;

    dir = fdopendir(dup(fd));

    if (dir == NULL) {
        return 0;
    }

    n = 0;

    while ((de = readdir(dir)) != NULL) {
        n += strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0
             && strcmp(de->d_name, "lost+found") != 0;
    }

    closedir(dir);

    return n == 0;
}


/* whoever owns the directory records into it */

static void
cli_volume_give(int dirfd)
{
    struct stat  st;

    if (geteuid() == 0 && fstat(dirfd, &st) == 0
        && fchownat(dirfd, "volume", st.st_uid, st.st_gid,
                    AT_SYMLINK_NOFOLLOW)
           == -1)
    {
        perror("camera: fchownat(\"volume\")");
    }
}


static int
cli_volume_list(cli_t *cli)
{
    int          i, rc;
    json_t      *list, *item;
    PGresult    *result;

    rc = cli_db_connect(cli);

    if (rc != 0) {
        return rc;
    }

    result = cli_db_query(cli, &rc, "SELECT id, node, path, state, bytes_total,"
                          " bytes_free FROM volumes ORDER BY node, path", 0,
                          NULL);

    if (result == NULL) {
        return rc;
    }

    list = json_array();

    for (i = 0; i < PQntuples(result); i++) {
        item = json_pack("{s:o, s:o, s:o, s:o, s:I, s:I}",
                         "id", cli_db_text(result, i, "id"),
                         "node", cli_db_text(result, i, "node"),
                         "path", cli_db_text(result, i, "path"),
                         "state", cli_db_text(result, i, "state"),
                         "bytesTotal", cli_db_number(result, i, "bytes_total"),
                         "bytesFree", cli_db_number(result, i, "bytes_free"));
        json_object_set_new(item, "here",
            json_string(cli_volume_here(cli_string(item, "path"),
                                        cli_string(item, "id"))));
        json_array_append_new(list, item);
    }

    PQclear(result);

    return cli_answer(cli, CLI_OK, json_pack("{s:o}", "volumes", list),
                      cli_volume_print_list);
}


/* what this machine has at that path */

static const char *
cli_volume_here(const char *path, const char *id)
{
    int          fd, rc;
    char         text[CAM_UUID_TEXT + 1];
    uint8_t      uuid[CAM_UUID_LEN];

    fd = open(path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        return "absent";
    }

    rc = cam_record_volume_read(fd, uuid);
    close(fd);

    if (rc != 0) {
        return "not mounted";
    }

    return strcmp(cam_uuid_print(text, uuid), id) == 0 ? "yes" : "another";
}


static void
cli_volume_print_list(json_t *value)
{
    size_t   i;
    json_t  *list, *item;

    list = json_object_get(value, "volumes");

    if (json_array_size(list) == 0) {
        printf("no volumes yet; the first: camera volume init DIR\n");
        return;
    }

    printf("%-36s  %-11s  %-11s  %s\n", "ID", "STATE", "HERE", "PATH");

    json_array_foreach(list, i, item) {
        printf("%-36s  %-11s  %-11s  %s\n", cli_string(item, "id"),
               cli_string(item, "state"), cli_string(item, "here"),
               cli_string(item, "path"));
    }
}


static int
cli_volume_show(cli_t *cli)
{
    int          fd, rc;
    uint8_t      uuid[CAM_UUID_LEN];
    const char  *path;

    path = cli->opt.words[1];
    fd = open(path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1 || cam_record_volume_read(fd, uuid) != 0) {
        rc = cli_fail(cli, CLI_UNKNOWN, errno == ENOENT && fd != -1
                      ? "camera volume init DIR" : NULL,
                      "\"%s\" is no volume (%s)", path, strerror(errno));

    } else {
        rc = cli_volume_answer(cli, path, fd, uuid);
    }

    if (fd != -1) {
        close(fd);
    }

    return rc;
}


static int
cli_volume_answer(cli_t *cli, const char *path, int fd,
    const uint8_t uuid[CAM_UUID_LEN])
{
    char            id[CAM_UUID_TEXT + 1];
    struct statvfs  st;

    memset(&st, 0, sizeof(struct statvfs));
    (void) fstatvfs(fd, &st);

    return cli_answer(cli, CLI_OK,
        json_pack("{s:s, s:s, s:I, s:I}", "path", path,
                  "id", cam_uuid_print(id, uuid),
                  "bytesTotal", (json_int_t) (st.f_blocks * st.f_frsize),
                  "bytesFree", (json_int_t) (st.f_bavail * st.f_frsize)),
        cli_volume_print);
}


static void
cli_volume_print(json_t *value)
{
    printf("%s\n", cli_string(value, "path"));
    cli_field("id", cli_string(value, "id"));
    cli_volume_size("size", json_object_get(value, "bytesTotal"));
    cli_volume_size("free", json_object_get(value, "bytesFree"));
}


static void
cli_volume_size(const char *label, json_t *bytes)
{
    char  text[32];

    snprintf(text, sizeof(text), "%.1f GB",
             (double) json_integer_value(bytes) / 1e9);
    cli_field(label, text);
}
