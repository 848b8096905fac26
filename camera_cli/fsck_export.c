/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Exports that are done have their file, of the size that the row states, and
 * its manifest.  Files without a row are removed by camera-worker's export
 * role, for they can be made again.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fsck.h"


static int cli_fsck_export(cli_fsck_volume_t *v, const char *id,
    const char *path, int64_t bytes);
static int cli_fsck_export_whole(cli_fsck_volume_t *v, const char *path,
    int64_t bytes);


int
cli_fsck_exports(cli_fsck_volume_t *v)
{
    int          i, rc;
    PGresult    *result;
    const char  *values[] = { v->uuid_text };

    result = cli_db_query(v->fsck->cli, &rc, "SELECT id, path, bytes FROM"
                          " exports WHERE volume_id = $1 AND state = 'done'",
                          1, values);

    if (result == NULL) {
        return rc;
    }

    for (i = 0, rc = 0; rc == 0 && i < PQntuples(result); i++) {
        rc = cli_fsck_export(v, PQgetvalue(result, i, 0),
                             PQgetvalue(result, i, 1),
                             cli_db_number(result, i, "bytes"));
    }

    PQclear(result);

    return rc;
}


static int
cli_fsck_export(cli_fsck_volume_t *v, const char *id, const char *path,
    int64_t bytes)
{
    int          rc;
    PGresult    *result;
    const char  *values[] = { id };

    if (cli_fsck_export_whole(v, path, bytes)
        || !cli_fsck_found(v, "export_lost", path, "its file or manifest is "
                           "gone, or of another size"))
    {
        return 0;
    }

    /* while camera-worker runs its row may have gone with the file */

    result = cli_db_query(v->fsck->cli, &rc, "UPDATE exports SET"
                          " state = 'failed', error = 'damaged: its file is"
                          " gone' WHERE id = $1 AND state = 'done'", 1, values);

    if (result == NULL) {
        return rc;
    }

    PQclear(result);

    return cli_fsck_repaired(v, 0);
}


static int
cli_fsck_export_whole(cli_fsck_volume_t *v, const char *path, int64_t bytes)
{
    char         manifest[CAM_RECORD_PATH_MAX];
    size_t       len;
    struct stat  st;

    len = strlen(path);

    if (len < 4 || len >= sizeof(manifest)) {
        return 0;
    }

    snprintf(manifest, sizeof(manifest), "%.*sjson", (int) len - 3, path);

    return fstatat(v->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0
           && S_ISREG(st.st_mode) && st.st_size == bytes
           && faccessat(v->fd, manifest, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
