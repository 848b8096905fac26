/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The journal of a volume, from where the database has applied it: recordings
 * that stand there will have the right row as soon as camera-worker's jobs
 * come to it, so nothing is said about them before.  And what is open, of which
 * the recorder will say more.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fsck.h"

#define CLI_JOURNAL_NAME  17            /* {13 digits}.log */


static int cli_fsck_journal_opens(cli_fsck_volume_t *v);
static int cli_fsck_journal_from(cli_fsck_volume_t *v, char file[64],
    off_t *position);
static void cli_fsck_journal_read(cli_fsck_volume_t *v, int dirfd,
    const char *name, off_t position);
static void cli_fsck_journal_line(cli_fsck_volume_t *v, const char *line,
    size_t len);


int
cli_fsck_journal(cli_fsck_volume_t *v)
{
    int             fd, rc, order;
    char            file[64];
    DIR            *dir;
    off_t           position;
    struct dirent  *de;

    rc = cli_fsck_journal_opens(v);

    if (rc == 0) {
        rc = cli_fsck_journal_from(v, file, &position);
    }

    if (rc != 0) {
        return rc;
    }

    fd = openat(v->fd, "journal", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    dir = fd == -1 ? NULL : fdopendir(fd);

    if (dir == NULL) {
        return errno == ENOENT ? 0
               : cli_fail(v->fsck->cli, CLI_INSTANCE, NULL,
                          "\"%s/journal\" cannot be read (%s)", v->path,
                          strerror(errno));
    }

    while ((de = readdir(dir)) != NULL) {
        order = strcmp(de->d_name, file);

        if (strlen(de->d_name) == CLI_JOURNAL_NAME && order >= 0
            && strcmp(de->d_name + CLI_JOURNAL_NAME - 4, ".log") == 0)
        {
            cli_fsck_journal_read(v, dirfd(dir), de->d_name,
                                  order == 0 ? position : 0);
        }
    }

    closedir(dir);

    return 0;
}


/* the table is gone with the shared memory, when the machine was started
   anew */

static int
cli_fsck_journal_opens(cli_fsck_volume_t *v)
{
    int                  live, rc;
    char                 path[PATH_MAX];
    unsigned             n;
    const char          *shm;
    cam_record_table_t  *table;
    cam_record_volume_t  volume;

    rc = cam_record_open_journal(&v->opens, v->fd);
    shm = v->fsck->cli->env.shm;
    table = NULL;

    if (shm != NULL) {
        snprintf(path, sizeof(path), "%s/live", shm);
        live = open(path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

        if (live != -1) {
            table = cam_record_table_reader_open(live);
            close(live);
        }
    }

    for (n = 0; table != NULL && rc == 0 && n < CAM_RECORD_VOLUMES; n++) {
        cam_record_volume_get(table, n, &volume);

        if (memcmp(volume.uuid, v->uuid, CAM_UUID_LEN) == 0) {
            rc = cam_record_open_table(&v->opens, table, n);
        }
    }

    if (table != NULL) {
        cam_record_table_close(table);
    }

    return rc == 0 ? 0 : cli_fail(v->fsck->cli, CLI_INSTANCE, NULL,
                                  "\"%s/journal\" cannot be read (%s)",
                                  v->path, strerror(errno));
}


static int
cli_fsck_journal_from(cli_fsck_volume_t *v, char file[64], off_t *position)
{
    int          rc;
    PGresult    *result;
    const char  *values[] = { v->uuid_text };

    file[0] = '\0';
    *position = 0;

    result = cli_db_query(v->fsck->cli, &rc, "SELECT file, position FROM"
                          " record_journal WHERE volume_id = $1", 1, values);

    if (result == NULL) {
        return rc;
    }

    if (PQntuples(result) == 1) {
        snprintf(file, 64, "%s", PQgetvalue(result, 0, 0));
        *position = (off_t) cli_db_number(result, 0, "position");
    }

    PQclear(result);

    return 0;
}


static void
cli_fsck_journal_read(cli_fsck_volume_t *v, int dirfd, const char *name,
    off_t position)
{
    int      fd;
    char    *line;
    FILE    *f;
    size_t   cap;
    ssize_t  n;

    fd = openat(dirfd, name, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);
    f = fd == -1 ? NULL : fdopen(fd, "r");

    if (f == NULL) {
        return;
    }

    line = NULL;
    cap = 0;

    if (fseeko(f, position, SEEK_SET) == 0) {
        while ((n = getline(&line, &cap, f)) != -1) {
            cli_fsck_journal_line(v, line, (size_t) n);
        }
    }

    free(line);
    fclose(f);
}


/* a torn line is the recorder's affair */

static void
cli_fsck_journal_line(cli_fsck_volume_t *v, const char *line, size_t len)
{
    json_t      *value;
    const char  *id;

    value = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    id = json_string_value(json_object_get(value, "id"));

    if (id != NULL) {
        json_object_set_new(v->pending, id, json_true());
    }

    json_decref(value);
}
